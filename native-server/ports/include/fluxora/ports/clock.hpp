#pragma once

#include <chrono>
#include <cstdint>

#include "fluxora/core/unix_time.hpp"

namespace fluxora::ports {

/// Time, passed in, so that tests own it.
class Clock {
 public:
  virtual ~Clock() = default;

  /// Wall-clock time.
  [[nodiscard]] virtual core::UnixMillis now() const = 0;

  /// The same in nanoseconds, as finely as the clock has it: for spans of work that are shorter than a millisecond.
  [[nodiscard]] virtual std::int64_t now_ns() const { return now() * 1'000'000; }

  /// Waits; false when the process is ending, at once. For threads that work on their own.
  virtual bool sleep(std::chrono::milliseconds duration) = 0;
};

}  // namespace fluxora::ports
