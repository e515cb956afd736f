#pragma once

#include <atomic>
#include <cstdint>

namespace fluxora::hub {

/// What the feed sessions of all connections count together. From any thread.
struct FeedCounters {
  std::atomic<std::uint64_t> subscriptions{0};  ///< that there are now
  std::atomic<std::uint64_t> replays{0};        ///< subscriptions that began behind the tail
};

}  // namespace fluxora::hub
