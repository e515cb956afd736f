#pragma once

#include <cstdint>

namespace fluxora::ports {

/// Who watches a long job (a rebuild, a replay): is told how far it has come, and may end it. SPEC section 9.
class JobProgress {
 public:
  virtual ~JobProgress() = default;

  /// `done` of `total` is behind the job, in its own unit (entries of a rebuild, ledgers of a replay); total is 0 while
  /// it isn't known, and may grow. `rows` is the number of log entries that this took, which its rate is told in.
  /// Called at every safe point, on the job's thread. False: stop here; what is done stays and is gone on from.
  virtual bool reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) = 0;
};

}  // namespace fluxora::ports
