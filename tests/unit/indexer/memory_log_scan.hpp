#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/ports/log_scan.hpp"
#include "fluxora/ports/rebuild_store.hpp"
#include "memory_ledger_store.hpp"

namespace fluxora::indexer::test {

/// What a MemoryLedgerStore has, as a scan finds it, and what a test sets besides.
class MemoryLogScan final : public ports::LogScan {
 public:
  explicit MemoryLogScan(MemoryLedgerStore& store) : store_(store) {}

  ports::LogExtent extent() override;
  std::vector<ports::PrunedStream> left_streams(std::uint64_t below_seq, const std::string& after_id,
                                                std::size_t limit) override;
  std::vector<ports::PrunedStream> left_streams_of(const std::vector<std::string>& ids,
                                                   std::uint64_t below_seq) override;
  std::vector<ports::ScannedEntry> entries(std::uint64_t after_seq, std::size_t limit, bool with_effects) override;
  std::vector<ports::ScannedEntry> entries_of(const std::vector<std::string>& streams, std::uint64_t after_seq,
                                              std::size_t limit) override;
  std::vector<std::uint64_t> retracted(std::uint64_t first, std::uint64_t last) override;
  std::vector<std::string> split_relatives(const std::vector<std::string>& streams) override;
  std::vector<ports::ScannedLedger> ledgers(std::optional<std::uint32_t> after, std::size_t limit) override;
  std::vector<ports::ScannedStream> streams(const std::string& after_id, std::size_t limit) override;
  std::vector<ports::ScannedStream> streams_of(const std::vector<std::string>& ids) override;
  [[nodiscard]] const std::vector<std::string>& stream_columns() const override;
  [[nodiscard]] ports::StreamColumns columns_of(const core::Stream& stream) const override;

  // What the test sets.
  std::string epoch = "e1";
  std::uint64_t oldest_seq = 1;
  std::optional<std::uint64_t> head_seq;  ///< none: the newest entry's
  bool folds_chain = true;
  std::map<std::uint64_t, std::optional<core::Bytes>> states;  ///< stored for an entry, whatever it says
  std::map<std::uint64_t, std::string> unreadable;
  std::optional<ports::PrunedPart> pruned;

  /// Nothing of the entries below `seq` is given any more but what they left of their streams. Where forks were, it has
  /// to be a place that ledgers don't lie across.
  void prune_below(std::uint64_t seq);

 private:
  void refuse_pruned(std::uint64_t after_seq) const;
  [[nodiscard]] ports::ScannedEntry scanned(const core::LogEntry& entry) const;
  [[nodiscard]] std::map<std::string, ports::PrunedStream> left_below(std::uint64_t seq) const;

  MemoryLedgerStore& store_;
};

/// The rebuild's side of a MemoryLedgerStore. Its place outlives the runs, as a database's does.
class MemoryRebuildStore final : public ports::RebuildStore {
 public:
  explicit MemoryRebuildStore(MemoryLedgerStore& store) : scan(store), store_(store) {}

  bool claim() override { return !claimed_by_another; }
  std::optional<ports::RebuildPlace> place() override { return kept_place; }
  void load(const std::function<void(core::Stream)>& take) override;
  void save(const ports::RebuildPlace& place, const std::vector<ports::RebuiltStream>& changed) override;
  void forget_place() override;
  ports::LogScan& log() override { return scan; }
  std::unique_ptr<ports::LogScan> snapshot() override { return std::make_unique<MemoryLogScan>(scan); }
  std::unique_ptr<ports::RebuildEnd> lock_end() override;

  MemoryLogScan scan;
  bool claimed_by_another = false;
  int busy_times = 0;                    ///< so often the log's end can't be locked
  std::function<void()> before_locking;  ///< what others do just before it is
  std::optional<ports::RebuildPlace> kept_place;
  std::map<std::string, std::optional<core::Stream>> kept_streams;
  std::vector<ports::RebuiltStream> written;  ///< to the table

 private:
  class End;
  MemoryLedgerStore& store_;
};

}  // namespace fluxora::indexer::test
