#pragma once

#include <chrono>
#include <mutex>
#include <vector>

#include "fluxora/ports/clock.hpp"

namespace fluxora::fakes {

/// Time that passes when the test, or whoever sleeps, says so. From any thread.
class FakeClock final : public ports::Clock {
 public:
  explicit FakeClock(core::UnixMillis now = 1'800'000'000'000) : now_(now) {}

  [[nodiscard]] core::UnixMillis now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }

  /// Takes no time: the clock is set forward instead.
  bool sleep(std::chrono::milliseconds duration) override {
    const std::lock_guard lock(mutex_);
    slept_.push_back(duration);
    now_ += duration.count();
    return !ended_;
  }

  void advance(std::chrono::milliseconds duration) {
    const std::lock_guard lock(mutex_);
    now_ += duration.count();
  }

  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }

  [[nodiscard]] std::vector<std::chrono::milliseconds> slept() const {
    const std::lock_guard lock(mutex_);
    return slept_;
  }

 private:
  mutable std::mutex mutex_;
  core::UnixMillis now_;
  bool ended_ = false;
  std::vector<std::chrono::milliseconds> slept_;
};

}  // namespace fluxora::fakes
