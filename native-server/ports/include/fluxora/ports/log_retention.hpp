#pragma once

#include <cstdint>

#include "fluxora/core/unix_time.hpp"

namespace fluxora::ports {

/// What a pruning has made of the log.
struct PrunedLog {
  std::uint64_t from = 0;        ///< its oldest entry before
  std::uint64_t oldest_seq = 0;  ///< and after: entries from this one on are there
  std::uint64_t partitions = 0;  ///< that are gone
  std::uint64_t kept_rows = 0;   ///< entries below oldest_seq that are left, unseen: the snapshot
};

/// How large the log is.
struct LogSize {
  std::uint64_t oldest_seq = 1;
  std::uint64_t partitions = 0;
  std::uint64_t bytes = 0;  ///< with its indexes
};

/// Takes old entries out of the log: whole partitions all of whose entries are old enough. docs/retention.md says what
/// stays. One thread of each instance has one of these; whoever comes first prunes. Blocking; every call throws
/// StoreUnavailable.
class LogRetention {
 public:
  virtual ~LogRetention() = default;

  enum class Progress : std::uint8_t {
    none,    ///< nothing is to be pruned
    more,    ///< a part of what stays was copied: call again
    pruned,  ///< entries are gone: `log` says which
    busy,    ///< another instance prunes, a job is at work on the log, or readers or writers hold it: call again later
  };
  struct Step {
    Progress progress = Progress::none;
    PrunedLog log;  ///< where entries were pruned
  };
  /// Brings on the pruning of entries from before `before` (their ledger's close, of no ledger: when they were written)
  /// by a bounded part. What one call leaves undone the next goes on with, also under a later `before`; what a process
  /// leaves undone does no harm.
  virtual Step step(core::UnixSeconds before) = 0;

  virtual LogSize size() = 0;
};

}  // namespace fluxora::ports
