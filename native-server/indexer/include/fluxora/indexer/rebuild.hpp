#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "fluxora/indexer/fold_differences.hpp"
#include "fluxora/indexer/log_unfoldable.hpp"
#include "fluxora/ports/job_progress.hpp"
#include "fluxora/ports/rebuild_store.hpp"

namespace fluxora::indexer {

/// Another rebuild of the same database is at work.
class RebuildRunning : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct RebuildOptions {
  std::size_t page_entries = 10'000;   ///< read and folded between two safe points
  std::size_t save_entries = 250'000;  ///< folded between two places that a later run can go on from
};

/// A row of the table of streams that wasn't what the log says.
struct MendedStream {
  std::string id;
  std::vector<FoldDifference> differences;
};

struct RebuildResult {
  static constexpr std::size_t kept_at_most = 100;

  bool finished = false;           ///< false: ended by its progress; run again, it goes on
  std::uint64_t entries = 0;       ///< of the log, folded so far, with those that were pruned
  std::uint64_t streams = 0;       ///< that they make
  std::uint64_t resumed_from = 0;  ///< the entry that an earlier run had come to; 0: none
  std::uint64_t mended_count = 0;
  std::vector<MendedStream> mended;  ///< the first of them
};

/// Folds the log from its first entry, or from what pruned ones have left, and makes the table of streams what that
/// gives, while the service runs: only the end holds writers back, and only rows that differ are written, byte for byte
/// what the indexer would have written. How far it has come is kept, so that a run that was ended, however, goes on;
/// `progress` is told the log's entries. SPEC sections 4 and 9. Throws LogUnfoldable, RebuildRunning, StoreUnavailable.
RebuildResult rebuild(ports::RebuildStore& store, ports::JobProgress& progress, const RebuildOptions& options = {});

}  // namespace fluxora::indexer
