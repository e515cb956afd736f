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
};

/// Reads a stream at many seconds at once, without blocking the caller.
class ScheduleReader {
 public:
  virtual ~ScheduleReader() = default;
  /// The moments are core::schedule_moments' of the range and the stream as it is, in one snapshot with its states.
  /// `min_seq` as StreamReader has it.
  virtual void schedule(std::string id, core::ScheduleRange range, std::uint64_t min_seq,
                        Reply<ScheduleAnswer> reply) = 0;
};

}  // namespace fluxora::ports
