#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// Entries oldest_seq..head_seq are there; none when oldest_seq is above head_seq.
struct LogHead {
  std::string epoch;
  std::uint64_t oldest_seq = 1;
  std::uint64_t head_seq = 0;
};

struct EventFilter {
  std::uint64_t min_seq = newest;  ///< the answer may come from a replica whose log reaches that far
  std::optional<std::string> stream_id;
  std::optional<core::EventName> event;
};

struct EventPage {
  std::vector<core::LogEntry> entries;  ///< ascending by seq
  bool has_more = false;
  LogHead head;  ///< in the same snapshot
};

/// Reads the log, without blocking the caller.
class EventLog {
 public:
  virtual ~EventLog() = default;
  virtual void head(Reply<LogHead> reply) = 0;
  /// Entries with seq > after_seq. No after_seq: the newest `limit` entries.
  virtual void read(std::optional<std::uint64_t> after_seq, std::size_t limit, EventFilter filter,
                    Reply<EventPage> reply) = 0;
};

/// Follows the log's end, blocking, for one thread of its own.
class LogTail {
 public:
  virtual ~LogTail() = default;
  /// Throws StoreUnavailable.
  virtual LogHead head() = 0;
  /// The oldest entries with seq > `seq`, and the head in the same snapshot: whose log they are. Throws
  /// StoreUnavailable.
  virtual EventPage read_after(std::uint64_t seq, std::size_t limit) = 0;
  /// Returns when another process or thread may have appended, or after `timeout`. Throws StoreUnavailable.
  virtual void wait(std::chrono::milliseconds timeout) = 0;
};

}  // namespace fluxora::ports
