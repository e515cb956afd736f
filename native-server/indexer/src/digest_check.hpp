#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/indexer/fold_differences.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::indexer {

/// Recomputes the digests of ledgers from the log's entries and compares them with what is held of each ledger. What
/// differs goes into `differences`; both outlive it.
class DigestCheck {
 public:
  DigestCheck(ports::LogScan& scan, FoldDifferences& differences) : scan_(scan), differences_(differences) {}

  /// Before the first entry, where those of the ledgers up to `pruned.ledger` were pruned.
  void begin_behind(const ports::PrunedPart& pruned);
  /// The next entry that stands, of whatever kind: those that the chain said make digests.
  void add(const core::LogEntry& entry);
  /// After the last: looks at the rest of the ledgers and at the checkpoint.
  void finish(const std::optional<ports::Checkpoint>& checkpoint);

  [[nodiscard]] std::uint64_t ledgers() const { return ledgers_; }
  /// Of the ledgers so far.
  [[nodiscard]] const core::Hash& digest() const { return digest_; }

 private:
  /// The ledger whose entries come at the moment.
  struct Ledger {
    std::uint32_t sequence = 0;
    core::Hash hash{};
    std::vector<core::LogEntry> entries;
  };
  void close_ledger();
  /// Passes what is held of the ledgers before `sequence`, which have no entries; gives that of it, if there is one.
  std::optional<ports::ScannedLedger> held_of(std::uint64_t sequence);
  const ports::ScannedLedger* next_held();
  void differs(std::uint64_t ledger, const char* field, std::optional<std::string> held,
               std::optional<std::string> folded);

  ports::LogScan& scan_;
  FoldDifferences& differences_;
  std::optional<Ledger> open_;
  core::Hash digest_{};
  std::uint64_t ledgers_ = 0;
  std::vector<ports::ScannedLedger> page_;
  std::size_t next_in_page_ = 0;
  bool pages_end_ = false;
  std::optional<ports::ScannedLedger> last_held_;
  std::uint32_t last_with_entries_ = 0;
};

}  // namespace fluxora::indexer
