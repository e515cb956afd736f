#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/indexer/indexer.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// What is known of how indexing goes: the rounds write it down, anybody reads it. From any thread.
class StatusBoard {
 public:
  StatusBoard(const IndexerOptions& options, ports::Clock& clock);

  [[nodiscard]] ports::IndexerStatus status() const;
  [[nodiscard]] IndexerStatistics statistics() const;
  /// Why it counts as stalled: nothing was synced for longer than the threshold, by anybody, nor since this process's
  /// start. None where it doesn't, or is halted, which says more.
  [[nodiscard]] std::optional<std::string> stall() const;
  /// The last successful sync isn't longer ago than the threshold.
  [[nodiscard]] bool is_in_sync() const;
  /// What the other instances are to know, clients being told `trouble`.
  [[nodiscard]] ports::LeaderReport report(const std::string& trouble) const;

  /// This instance leads now, or doesn't (any more).
  void leads(bool leading);
  /// From whoever led before: what it knew holds until the first look at the chain that succeeds.
  void took_over(const ports::IndexProgress& progress);
  void opened(const std::string& network, const std::optional<ports::Checkpoint>& checkpoint);
  /// Another instance indexes; its progress is ours to show.
  void watched(const ports::IndexProgress& progress);
  void alarms(const std::vector<ports::IndexerAlarm>& standing);
  void retention(std::optional<std::uint32_t> ledgers);
  /// The checkpoint is this ledger now; 0: none.
  void indexed(std::uint32_t ledger);
  /// All that is safe is indexed, or a batch of it.
  void synced(std::uint32_t safe_ledger, std::string_view summary, bool reorg_detected);
  /// The chain is in reach, and nothing is to be done.
  void waiting(const std::string& summary);
  void failed(const std::string& summary, bool rpc);
  void halted(const std::string& summary, bool reorg_detected);
  void degraded(bool degraded);

  template <class Change>
  void count(Change change) {
    const std::lock_guard lock(mutex_);
    change(statistics_);
  }

 private:
  [[nodiscard]] bool stands_still(core::UnixMillis now) const;
  void add_witness(ports::IndexerStatus& status) const;
  static void add_alarms_to_summary(ports::IndexerStatus& status);

  const std::int64_t threshold_ms_;
  const ports::ChainWitness* const witness_;
  const ports::RpcCircuit* const circuit_;
  ports::Clock& clock_;
  const core::UnixMillis started_at_;

  mutable std::mutex mutex_;
  ports::IndexerStatus status_;
  IndexerStatistics statistics_;
};

}  // namespace fluxora::indexer
