#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fake_access.hpp"
#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/api/api.hpp"

namespace fluxora::api::test {

using Json = nlohmann::json;

/// Answers at once what the test has set, and keeps what it was asked.
class FakeStreams final : public ports::StreamReader {
 public:
  void find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply) override;
  void find_as_of(std::string id, core::UnixSeconds at, std::uint64_t min_seq,
                  ports::Reply<ports::StreamAnswer> reply) override;
  void find_all(std::vector<std::string> ids, std::uint64_t min_seq, ports::Reply<ports::StreamsAnswer> reply) override;
  void list(ports::StreamQuery query, ports::Reply<std::shared_ptr<const ports::StreamPage>> reply) override;

  ports::StoreResult<ports::StreamAnswer> answer;
  ports::StoreResult<ports::StreamsAnswer> answers;
  ports::StoreResult<ports::StreamPage> page;
  std::vector<std::string> found;  ///< ids that were asked for
  std::vector<core::UnixSeconds> found_as_of;
  std::vector<std::uint64_t> min_seqs;  ///< of every read
  std::vector<ports::StreamQuery> listed;
};

/// Answers at once what the test has set, and keeps what it was asked to write.
class FakeWriter final : public ports::StreamWriter {
 public:
  void create(ports::StreamCreation creation, ports::Reply<ports::WriteAnswer> reply) override;
  void change(ports::StreamChange change, ports::Reply<ports::WriteAnswer> reply) override;
  void find_creation(ports::IdempotencyKey key, ports::Reply<std::optional<ports::WriteAnswer>> reply) override;

  ports::StoreResult<ports::WriteAnswer> answer;
  ports::StoreResult<std::optional<ports::WriteAnswer>> earlier;
  std::vector<ports::StreamCreation> created;
  std::vector<ports::StreamChange> changed;
  std::vector<ports::IdempotencyKey> looked_for;
};

/// 0, 1, 2, … where chance is expected.
class FakeRandom final : public ports::Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

/// Exports that give the test's pages; when there are none left, they fail.
class FakeExports final : public ports::StreamExporter {
 public:
  void begin(ports::StreamFilter filter, ports::Reply<std::shared_ptr<ports::StreamExport>> reply) override;

  ports::ReadPoint at;
  std::deque<ports::ExportPage> pages;
  std::optional<ports::StoreFailure> failure;
  std::vector<ports::StreamFilter> begun;
  int open = 0;

 private:
  class Export final : public ports::StreamExport {
   public:
    explicit Export(FakeExports& exports) : exports_(exports) {}
    ~Export() override { --exports_.open; }
    Export(const Export&) = delete;
    Export& operator=(const Export&) = delete;
    [[nodiscard]] const ports::ReadPoint& at() const override { return exports_.at; }
    void next(ports::Reply<ports::ExportPage> reply) override;

   private:
    FakeExports& exports_;
  };
};

/// Answers at once what the test has set, and keeps what it was asked. Statements give the test's pages; when there are
/// none left, they fail.
class FakeAccounts final : public ports::AccountReader {
 public:
  void totals(std::string account, core::UnixSeconds now, std::uint64_t min_seq,
              ports::Reply<ports::AccountAnswer> reply) override;
  void statement(ports::StatementQuery query, ports::Reply<std::shared_ptr<ports::Statement>> reply) override;

  ports::StoreResult<ports::AccountAnswer> answer;
  std::vector<std::pair<std::string, core::UnixSeconds>> asked;
  ports::StatementStart start;
  std::deque<ports::StatementPage> pages;
  std::optional<ports::StoreFailure> failure;
  std::vector<ports::StatementQuery> begun;
  int open = 0;

 private:
  class FakeStatement final : public ports::Statement {
   public:
    explicit FakeStatement(FakeAccounts& accounts) : accounts_(accounts) {}
    ~FakeStatement() override { --accounts_.open; }
    FakeStatement(const FakeStatement&) = delete;
    FakeStatement& operator=(const FakeStatement&) = delete;
    [[nodiscard]] const ports::StatementStart& at() const override { return accounts_.start; }
    void next(ports::Reply<ports::StatementPage> reply) override;

   private:
    FakeAccounts& accounts_;
  };
};

/// Answers at once what the test has set, and keeps what it was asked.
class FakeSchedules final : public ports::ScheduleReader {
 public:
  void schedule(std::string id, core::ScheduleRange range, std::uint64_t min_seq,
                ports::Reply<ports::ScheduleAnswer> reply) override;

  ports::StoreResult<ports::ScheduleAnswer> answer;
  std::vector<std::pair<std::string, core::ScheduleRange>> asked;
};

/// Answers at once what the test has set, and keeps what it was asked.
class FakeLedgers final : public ports::LedgerReader {
 public:
  void up_to(std::uint32_t ledger, std::uint64_t, ports::Reply<ports::LedgerAnswer> reply) override {
    asked.push_back(ledger);
    reply(answer);
  }

  ports::StoreResult<ports::LedgerAnswer> answer;
  std::vector<std::uint32_t> asked;
};

class FakeEvents final : public ports::EventLog {
 public:
  struct Read {
    std::optional<std::uint64_t> after_seq;
    std::size_t limit;
    ports::EventFilter filter;
  };
  void head(ports::Reply<ports::LogHead> reply) override;
  void read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
            ports::Reply<ports::EventPage> reply) override;

  ports::StoreResult<ports::LogHead> log_head;
  ports::StoreResult<ports::EventPage> page;
  std::vector<Read> reads;
};

class FakeReadiness final : public ports::Readiness {
 public:
  [[nodiscard]] bool is_well() const override { return current.has_value(); }
  void check(ports::Reply<bool> reply) override { reply(current); }
  ports::StoreResult<bool> current = true;
};

class FakeIndexer final : public ports::IndexerStatusSource {
 public:
  [[nodiscard]] ports::IndexerStatus status() const override { return now; }
  ports::IndexerStatus now;
};

/// A log's end at which nothing happens.
class QuietTail final : public ports::LogTail {
 public:
  explicit QuietTail(ports::LogHead head) : head_(std::move(head)) {}
  ports::LogHead head() override { return head_; }
  ports::EventPage read_after(std::uint64_t, std::size_t) override { return {{}, false, head_}; }
  void wait(std::chrono::milliseconds) override;
  /// From now on nobody waits.
  void release();

 private:
  ports::LogHead head_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
};

/// Everything that the handlers work with, and a way to ask them.
class ApiBench {
 public:
  explicit ApiBench(bool with_indexer = true, const std::string& demo_root = "", bool feed_auth_required = false,
                    std::uint32_t writes_a_window = 0);
  ~ApiBench();
  ApiBench(const ApiBench&) = delete;
  ApiBench& operator=(const ApiBench&) = delete;

  /// The hub follows the log, for one I/O thread that the test plays: run_io().
  void start_hub();
  void run_io();

  /// Asks as net does: the target's path decides the route. A second answer, or none, fails the test.
  net::Response ask(const std::string& target, net::HeaderFields headers = {}, const std::string& method = "GET",
                    const std::string& body = "");
  /// A request with that target, not yet routed.
  [[nodiscard]] static net::Request request(const std::string& target, net::HeaderFields headers = {},
                                            const std::string& method = "GET");

  fakes::FakeClock clock;
  fakes::FakeLog log;
  FakeRandom random;
  FakeStreams streams;
  FakeWriter writer;
  FakeExports exports;
  FakeAccounts accounts;
  FakeSchedules schedules;
  FakeLedgers ledgers;
  FakeEvents events;
  FakeReadiness readiness;
  FakeIndexer indexer;
  FakeKeys keys;
  FakeAudit audit;
  /// Stream writes are public, and as many as one likes.
  AccessControl access;

 private:
  QuietTail* tail_;
  std::deque<std::function<void()>> io_tasks_;

 public:
  hub::Hub hub;
  bool shutting_down = false;
  std::size_t websockets = 0;
  ApiContext context;
  std::shared_ptr<const net::Router> router;
};

[[nodiscard]] std::string body_text(const net::Response& response);
[[nodiscard]] Json body_json(const net::Response& response);
/// The header's text; empty when there is none.
[[nodiscard]] std::string header(const net::Response& response, std::string_view name);
/// Expects a problem with that status and code; gives its body.
Json expect_problem(const net::Response& response, unsigned status, const std::string& code);
/// Expects a 400 that names exactly these fields, in that order.
void expect_bad_fields(const net::Response& response, const std::vector<std::string>& fields);

}  // namespace fluxora::api::test
