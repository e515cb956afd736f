#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "fluxora/hub/published_entry.hpp"

namespace fluxora::hub {

/// What the feed sessions of one I/O thread count; read from any thread.
struct FeedCounters {
  using OfEachFormat = std::array<std::atomic<std::uint64_t>, feed_formats>;

  OfEachFormat sessions{};                        ///< that there are now
  OfEachFormat slow_consumers{};                  ///< connections that were ended because they didn't read
  std::atomic<std::uint64_t> subscriptions{0};    ///< that there are now
  std::atomic<std::uint64_t> replays{0};          ///< subscriptions that began behind the tail
  std::atomic<std::uint64_t> replays_running{0};  ///< those that are behind it now
  std::atomic<std::uint64_t> deliveries{0};       ///< entries handed to connections
  std::atomic<std::uint64_t> holds{0};            ///< times that a connection was held because it didn't keep up
};

}  // namespace fluxora::hub
