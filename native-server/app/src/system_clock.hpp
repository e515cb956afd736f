#pragma once

#include <condition_variable>
#include <mutex>

#include "fluxora/ports/clock.hpp"

namespace fluxora::app {

/// The machine's clock; end() wakes every sleeper for good.
class SystemClock final : public ports::Clock {
 public:
  [[nodiscard]] core::UnixMillis now() const override;
  [[nodiscard]] std::int64_t now_ns() const override;
  bool sleep(std::chrono::milliseconds duration) override;
  void end();

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ended_ = false;
};

}  // namespace fluxora::app
