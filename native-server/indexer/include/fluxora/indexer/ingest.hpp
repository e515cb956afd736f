#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// The chain's side of one transaction: the ledgers first..last, complete.
struct LedgerBatch {
  std::uint32_t first = 0;
  std::uint32_t last = 0;
  std::vector<ports::LedgerHeader> headers;  ///< ascending; of every ledger with events, and of `last`
  std::vector<ports::ChainEvent> events;     ///< ascending by id
  /// When the ledger before them closed: what lies after it and not after the last header's close makes time entries.
  /// None: what lies after the first header's.
  std::optional<core::UnixSeconds> closed_before;
  std::string traceparent;  ///< of the batch's span; empty: none
};

struct IngestCounts {
  std::size_t inserted = 0;    ///< log entries
  std::size_t duplicates = 0;  ///< events that stood in the log already
};

/// Decodes and folds a batch and commits it in `transaction`: ledgers, log entries (of the events, and of the cliffs
/// and ends that the ledgers' close times pass), streams and the checkpoint at once. `fold` false keeps everything in
/// the log and folds nothing (CONTRACT_IDS=*). Throws what the transaction throws.
IngestCounts ingest(const LedgerBatch& batch, bool fold, ports::IngestTransaction& transaction);

}  // namespace fluxora::indexer
