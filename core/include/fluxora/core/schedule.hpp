#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// What of a stream's accrual curve is asked for. SPEC section 5, "schedule".
struct ScheduleRange {
  std::optional<UnixSeconds> from;  ///< none: the stream's start, or `to` where that is earlier
  std::optional<UnixSeconds> to;    ///< none: the stream's end, or `from` where that is later
  std::size_t points = 2;           ///< at least 2
};

/// The seconds of the curve: evenly spaced, ascending, without repetition, both ends included. Fewer than asked for
/// where the range has fewer seconds, one where its ends are the same. Of two ends that are given, the first isn't the
/// later.
[[nodiscard]] std::vector<UnixSeconds> schedule_moments(const Stream& stream, const ScheduleRange& range);

}  // namespace fluxora::core
