#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/schedule.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::ports {

/// A stream at one second, as the log has it.
struct ScheduleMoment {
  core::UnixSeconds at = 0;
  std::optional<core::Stream> state;  ///< none: it wasn't there yet
};

struct ScheduleAnswer {
  std::optional<core::Stream> stream;  ///< as it is; none: there is no such stream, and no moments
  std::vector<ScheduleMoment> moments;
  ReadPoint at;
  /// The range has seconds at which the stream was there, while what it was then was pruned: it is known from this
  /// second on, and there are no moments.
  std::optional<core::UnixSeconds> known_from{};
};

/// Reads a stream at many seconds at once, without blocking the caller.
class ScheduleReader {
 public:
  virtual ~ScheduleReader() = default;
  /// The moments are core::schedule_moments' of the range and the stream as it is, in one snapshot with its states. A
  /// range that doesn't say where it begins doesn't begin before the stream's past is known.
  /// `min_seq` as StreamReader has it.
  virtual void schedule(std::string id, core::ScheduleRange range, std::uint64_t min_seq,
                        Reply<ScheduleAnswer> reply) = 0;
};

}  // namespace fluxora::ports
