#include "fluxora/core/schedule.hpp"

#include <algorithm>

#include "fluxora/core/amount.hpp"

namespace fluxora::core {

std::vector<UnixSeconds> schedule_moments(const Stream& stream, const ScheduleRange& range) {
  const UnixSeconds earliest = range.to ? std::min(stream.start_time, *range.to) : stream.start_time;
  const UnixSeconds from = range.from.value_or(earliest);
  const UnixSeconds to = std::max(from, range.to.value_or(stream.end_time));

  const UnixSeconds seconds = to - from;
  const std::size_t steps = static_cast<std::size_t>(std::min<UnixSeconds>(seconds, range.points - 1));
  std::vector<UnixSeconds> moments = {from};
  moments.reserve(steps + 1);
  for (std::size_t i = 1; i <= steps; ++i) {
    moments.push_back(from + static_cast<UnixSeconds>(UInt128{seconds} * i / steps));
  }
  return moments;
}

}  // namespace fluxora::core
