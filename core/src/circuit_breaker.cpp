#include "fluxora/core/circuit_breaker.hpp"

#include <algorithm>

namespace fluxora::core {

std::int64_t Backoff::pause_ms(unsigned failures) const noexcept {
  if (failures == 0) return 0;
  std::int64_t pause = std::min(first_ms, longest_ms);
  for (unsigned i = 1; i < failures && pause < longest_ms; ++i) pause = std::min(pause * 2, longest_ms);
  return pause;
}

bool CircuitBreaker::admit(UnixMillis now) noexcept {
  if (state_ == State::closed) return true;
  if (state_ == State::half_open || retry_in_ms(now) > 0) return false;
  state_ = State::half_open;
  return true;
}

void CircuitBreaker::succeeded() noexcept {
  state_ = State::closed;
  failures_ = 0;
  pause_ms_ = 0;
}

void CircuitBreaker::failed(UnixMillis now, std::uint32_t chance, std::optional<std::int64_t> retry_after_ms) noexcept {
  constexpr std::uint32_t spread_percent = 20;
  if (failures_ < 1'000'000) ++failures_;  // far beyond the longest pause, and no overflow
  const std::int64_t percent = 100 - spread_percent + chance % (2 * spread_percent + 1);
  pause_ms_ = options_.backoff.pause_ms(failures_) * percent / 100;
  if (retry_after_ms) {
    pause_ms_ = std::max(pause_ms_, std::clamp<std::int64_t>(*retry_after_ms, 0, options_.longest_retry_after_ms));
  }
  paused_at_ = now;
  if (state_ != State::closed || failures_ >= options_.failures_to_open || retry_after_ms) state_ = State::open;
}

void CircuitBreaker::abandoned() noexcept {
  if (state_ == State::half_open) state_ = State::open;
}

std::int64_t CircuitBreaker::retry_in_ms(UnixMillis now) const noexcept {
  // A trial is under way: its caller knows first.
  if (state_ == State::half_open) return options_.backoff.first_ms;
  const std::int64_t passed = now - paused_at_;
  if (passed < 0) return 0;  // the clock went back
  return std::max<std::int64_t>(0, pause_ms_ - passed);
}

}  // namespace fluxora::core
