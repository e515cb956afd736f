#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/indexer/ingest.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "record_builder.hpp"

namespace fluxora::indexer {

/// What one transaction does to the log: takes entries back, adds ledgers behind what is left, and commits it at once.
class LogChange {
 public:
  /// `fold` false: entries change no stream.
  LogChange(bool fold, ports::IngestTransaction& transaction) : fold_(fold), transaction_(transaction) {}

  /// Undoes the standing entries of later ledgers, newest first, and gives their number. Before anything is added.
  std::size_t undo_above(std::uint32_t ledger);
  /// Those later ledgers are no longer the chain's.
  void forget_above(std::uint32_t ledger) { forget_above_ = ledger; }
  /// Adds ledgers and their entries behind the log's end; where something was undone, only of the ledgers that it was
  /// undone of, and of later ones. Gives how many of the events stood in the log already. ingest.hpp has the batch.
  std::size_t append(const LedgerBatch& batch);

  [[nodiscard]] bool folds() const { return fold_; }
  [[nodiscard]] bool has_undone() const { return has_undone_; }
  [[nodiscard]] ports::IngestTransaction& transaction() { return transaction_; }
  /// What entries are appended by. The first call locks the log's end until the transaction ends.
  RecordBuilder& builder();
  /// Null while the log's end isn't locked.
  [[nodiscard]] const RecordBuilder* locked_builder() const { return builder_ ? &*builder_ : nullptr; }
  void add_ledger(const ports::LedgerRecord& ledger) { ledgers_.push_back(ledger); }
  /// A stream's storage entry is worth a look once the checkpoint has reached `ledger`. Asked for more than once, the
  /// first of the ledgers counts.
  void want_observation(const std::string& stream_id, std::uint32_t ledger);

  /// Commits, with `checkpoint` as the new one. Gives the number of entries. Nothing can be done with it after that.
  std::size_t commit(const std::optional<ports::Checkpoint>& checkpoint,
                     std::optional<ports::AuditRecord> audit = std::nullopt);

 private:
  const bool fold_;
  ports::IngestTransaction& transaction_;
  std::optional<RecordBuilder> builder_;
  std::vector<ports::LedgerRecord> ledgers_;
  std::map<std::string, std::uint32_t> to_observe_;  ///< streams, and the first ledger that wants it
  std::optional<std::uint32_t> forget_above_;
  bool has_undone_ = false;
  std::string traceparent_;  ///< the last appended batch's
};

}  // namespace fluxora::indexer
