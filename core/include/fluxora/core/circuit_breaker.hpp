#pragma once

#include <cstdint>
#include <optional>

#include "fluxora/core/unix_time.hpp"

/// When somebody who doesn't answer is asked again. Decisions only: the time and chance are passed in.
namespace fluxora::core {

/// Pauses that double with every failure in a row.
struct Backoff {
  std::int64_t first_ms = 500;
  std::int64_t longest_ms = 15'000;

  /// The pause behind the `failures`-th failure in a row; none behind no failure.
  [[nodiscard]] std::int64_t pause_ms(unsigned failures) const noexcept;
};

/// Keeps callers from somebody who doesn't answer. Closed, every call is admitted. After so many failures in a row it
/// opens: no call is admitted until a pause is over, then one, the trial (half open). Its success closes, its failure
/// opens for a longer pause.
class CircuitBreaker {
 public:
  struct Options {
    Backoff backoff;
    unsigned failures_to_open = 5;
    std::int64_t longest_retry_after_ms = 60'000;  ///< as long as who fails may ask for
  };
  enum class State : std::uint8_t { closed, open, half_open };

  CircuitBreaker() noexcept = default;
  explicit CircuitBreaker(const Options& options) noexcept : options_(options) {}

  /// Whether a call may be made now. Whoever is admitted tells how it ended: succeeded, failed or abandoned.
  [[nodiscard]] bool admit(UnixMillis now) noexcept;
  void succeeded() noexcept;
  /// `chance`: any number; moves the pause by up to a fifth either way, so that many callers don't come at once.
  /// `retry_after_ms`: how long the other side wants to be left alone; opens at once, and within bounds is kept to.
  void failed(UnixMillis now, std::uint32_t chance, std::optional<std::int64_t> retry_after_ms = std::nullopt) noexcept;
  /// It ended without telling anything about the other side.
  void abandoned() noexcept;

  [[nodiscard]] State state() const noexcept { return state_; }
  /// How long from `now` a caller should wait before the next call; 0 after a success. Never longer than the longest
  /// pause, whatever the clock does.
  [[nodiscard]] std::int64_t retry_in_ms(UnixMillis now) const noexcept;

 private:
  Options options_;
  State state_ = State::closed;
  unsigned failures_ = 0;
  UnixMillis paused_at_ = 0;
  std::int64_t pause_ms_ = 0;
};

}  // namespace fluxora::core
