#pragma once

#include <atomic>
#include <cstdint>

namespace fluxora::api {

/// What the feeds of /api/events/stream count together. From any thread.
struct SseCounters {
  std::atomic<std::uint64_t> connections{0};      ///< open
  std::atomic<std::uint64_t> queued_messages{0};  ///< waiting to be sent
  std::atomic<std::uint64_t> queued_bytes{0};
  std::atomic<std::uint64_t> messages_sent{0};  ///< comments included
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> slow_consumers{0};  ///< ended because they didn't read
};

}  // namespace fluxora::api
