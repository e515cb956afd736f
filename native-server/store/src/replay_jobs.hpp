#pragma once

#include <cstdint>
#include <optional>

#include "connection.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "pool.hpp"

namespace fluxora::store {

class PostgresReplayJobs final : public ports::ReplayJobs {
 public:
  explicit PostgresReplayJobs(ReadPool& pool) : pool_(pool) {}

  void list(std::size_t limit, ports::Reply<std::vector<ports::Job>> reply) override;
  void start(ports::NewJob job, ports::AuditRecord by, ports::Reply<std::optional<ports::Job>> reply) override;
  void change(std::uint64_t id, Action action, ports::AuditRecord by, ports::Reply<Change> reply) override;

 private:
  ReadPool& pool_;
};

/// Whoever holds the advisory lock of jobs runs one; it lives as long as the connection does.
class PostgresJobQueue final : public ports::JobQueue {
 public:
  explicit PostgresJobQueue(StoreOptions options);

  std::optional<ports::Job> take(const std::string& contracts) override;
  std::optional<ports::Job> take_or_start(const ports::NewJob& wanted) override;
  bool report(std::uint64_t id, const ports::JobPlace& place) override;
  void begun(std::uint64_t id, const ports::NewJob& what) override;
  void leave(std::uint64_t id, ports::JobState state, const std::string& message) override;
  std::optional<ports::Job> find(std::uint64_t id) override;

 private:
  /// Whether the lock is ours still: any call may have opened the connection anew.
  [[nodiscard]] bool is_claimed() const noexcept;
  /// True: it is ours, and may have been before, until give_up().
  bool claim(pqxx::connection& connection);
  void give_up(pqxx::connection& connection);

  OwnConnection connection_;
  std::optional<std::uint64_t> claimed_in_;  // the opening of the connection whose session took the lock
};

/// Whether a job waits, runs or is paused.
[[nodiscard]] bool has_active_job(pqxx::transaction_base& sql);

/// The job is done, as part of the transaction that does it. False: somebody has paused or cancelled it meanwhile, and
/// the transaction has to be given up.
[[nodiscard]] bool finish_job(pqxx::transaction_base& sql, std::uint64_t id);

}  // namespace fluxora::store
