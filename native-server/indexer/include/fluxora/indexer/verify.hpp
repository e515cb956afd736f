#pragma once

#include <cstdint>

#include "fluxora/core/bytes.hpp"
#include "fluxora/indexer/fold_differences.hpp"
#include "fluxora/indexer/log_unfoldable.hpp"
#include "fluxora/ports/job_progress.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::indexer {

struct VerifyResult {
  bool finished = false;            ///< false: ended by its progress
  std::uint64_t from_seq = 1;       ///< the first entry that was there to be read
  std::uint32_t pruned_ledger = 0;  ///< the digest up to this ledger is taken as it was kept; 0: none is
  std::uint64_t entries = 0;        ///< read
  std::uint64_t streams = 0;        ///< that they make
  std::uint64_t ledgers = 0;        ///< with a digest that was recomputed
  core::Hash digest{};              ///< the last of them
  FoldDifferences differences;
};

/// Reads all of a snapshot's log in its order, folds it from nothing, and compares with what is stored: the entries'
/// own places, states and changes, the digests of ledgers, the checkpoint and every column of every stream. SPEC
/// section 4. Where entries were pruned it begins with what they left of the streams, and looks whether that is what
/// the hash says that was kept of it. It holds every stream in memory, and of entries a page. Throws LogUnfoldable
/// where nothing says what pruned entries left, StoreUnavailable.
VerifyResult verify(ports::LogScan& snapshot, ports::JobProgress& progress);

}  // namespace fluxora::indexer
