#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer::test {

/// A store in memory that obeys the port's rules: nothing before commit, and the checkpoint is compared.
class MemoryLedgerStore final : public ports::LedgerStore {
 public:
  bool lead() override;
  void stop_leading() noexcept override { ++stopped_leading; }
  ports::IndexProgress progress() override { return {checkpoint, updated_at}; }
  std::optional<ports::Checkpoint> open(const ports::Following& following) override;
  std::vector<ports::LedgerHeader> newest_ledgers(std::size_t limit) override;
  std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) override;
  std::unique_ptr<ports::IngestTransaction> begin(const std::optional<ports::Checkpoint>& expected) override;

  [[nodiscard]] bool stands(const core::LogEntry& entry) const;
  [[nodiscard]] bool has_standing(const std::string& stream_id, const std::string& event_id) const;

  /// The newest entry of a stream; none without entries.
  [[nodiscard]] std::optional<std::uint64_t> last_seq(const std::string& stream_id) const;

  // What the test sets.
  bool may_lead = true;
  bool is_away = false;  ///< everything throws StoreUnavailable
  bool is_away_at_commit = false;
  std::string wrong_network;  ///< not empty: open throws ForeignLog saying so
  core::UnixMillis updated_at = 0;

  // What there is.
  std::optional<ports::Checkpoint> checkpoint;
  std::vector<core::LogEntry> entries;
  std::map<std::string, core::Stream> streams;
  std::map<std::uint32_t, ports::LedgerRecord> ledgers;

  // What was done.
  std::vector<ports::IngestRecord> commits;
  std::vector<ports::Following> opened;
  int stopped_leading = 0;
  int begun = 0;
  int log_locks = 0;
};

}  // namespace fluxora::indexer::test
