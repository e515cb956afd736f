#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer::test {

/// A store in memory that obeys the port's rules: nothing before commit, and the checkpoint is compared.
class MemoryLedgerStore final : public ports::LedgerStore {
 public:
  bool lead() override;
  void stop_leading() noexcept override { ++stopped_leading; }
  ports::IndexProgress progress() override;
  void publish(const ports::LeaderReport& report) override;
  bool raise_alarm(ports::AlarmKind kind, const std::string& reason) override;
  bool clear_alarm(ports::AlarmKind kind) override;
  std::optional<ports::Checkpoint> open(const ports::Following& following) override;
  std::vector<ports::LedgerHeader> newest_ledgers(std::size_t limit) override;
  std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) override;
  std::vector<ports::ObservationRequest> due_observations(std::uint32_t checkpoint, std::size_t limit) override;
  std::vector<std::string> streams_to_audit(const std::string& after, std::size_t limit) override;
  ports::AuditState audit_state() override;
  std::unique_ptr<ports::IngestTransaction> begin(const std::optional<ports::Checkpoint>& expected) override;
  std::unique_ptr<ports::IngestTransaction> begin_at_held(const ports::Following& following) override;

  [[nodiscard]] bool stands(const core::LogEntry& entry) const;
  [[nodiscard]] bool has_standing(const std::string& stream_id, const std::string& event_id) const;

  /// The newest entry of a stream; none without entries.
  [[nodiscard]] std::optional<std::uint64_t> last_seq(const std::string& stream_id) const;
  /// The entries of a stream, as their places in `entries`, oldest first.
  [[nodiscard]] const std::vector<std::size_t>& entries_of(const std::string& stream_id) const;

  /// Says that a call was made. Each call of the port does before it does anything; a commit once more, as
  /// "committed", when it is done.
  void note(std::string_view call) const {
    if (at_call) at_call(call);
  }

  // What the test sets.
  bool may_lead = true;
  bool is_away = false;  ///< everything throws StoreUnavailable
  bool is_away_at_commit = false;
  std::string wrong_network;  ///< not empty: open throws ForeignLog saying so
  std::string epoch;          ///< another one: a replay has put another log into the place of the one that was opened
  core::UnixMillis updated_at = 0;
  std::size_t rollback_limit = std::numeric_limits<std::size_t>::max();  ///< most entries of a rollback's step
  std::function<void(std::string_view call)> at_call;                    ///< hears of each call, and may throw from it

  // What there is.
  std::optional<ports::Checkpoint> checkpoint;
  std::uint32_t pruned_ledger = 0;
  std::vector<core::LogEntry> entries;
  std::map<std::string, core::Stream> streams;
  std::map<std::uint32_t, ports::LedgerRecord> ledgers;
  std::map<std::string, ports::ObservationRequest> observations;  ///< the list
  std::vector<ports::Difference> differences;
  ports::AuditState audit;
  std::string network;
  std::optional<ports::LeaderReport> leader;
  std::vector<ports::IndexerAlarm> alarms;

  // What was done.
  std::vector<ports::IngestRecord> commits;
  std::vector<ports::Following> opened;
  int stopped_leading = 0;
  int begun = 0;
  int log_locks = 0;

 private:
  std::string opened_epoch_;

  /// What is known about the entries so far. They are only ever added to, by tests too.
  struct Index {
    std::size_t indexed = 0;
    std::unordered_set<std::uint64_t> retracted;
    std::unordered_map<std::string, std::vector<std::size_t>> of_stream;
  };
  const Index& index() const;

  mutable Index index_;
};

}  // namespace fluxora::indexer::test
