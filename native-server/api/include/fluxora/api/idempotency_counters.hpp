#pragma once

#include <atomic>
#include <cstdint>

namespace fluxora::api {

/// What became of creations whose Idempotency-Key was in use or used. From any thread.
struct IdempotencyCounters {
  std::atomic<std::uint64_t> replayed{0};  ///< answered as the first time
  std::atomic<std::uint64_t> reused{0};    ///< 422: another body
  std::atomic<std::uint64_t> in_use{0};    ///< 409: the first one is still running
};

}  // namespace fluxora::api
