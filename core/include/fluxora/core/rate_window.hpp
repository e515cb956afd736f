#pragma once

#include <cstdint>

#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// Counts one client's messages in fixed windows. SPEC section 6: a message over the limit is refused, and so many
/// exceeded windows in a row end the connection. No clock: the time of each message is passed in.
class RateWindow {
 public:
  enum class Verdict : std::uint8_t {
    allowed,
    exceeded,    ///< over the limit
    persistent,  ///< the first over the limit in its window, which is the last of the allowed ones in a row
  };

  constexpr RateWindow(std::uint32_t limit, UnixMillis window_ms, std::uint32_t exceeded_in_a_row) noexcept
      : limit_(limit), window_ms_(window_ms), max_in_a_row_(exceeded_in_a_row) {}

  /// Counts a message at `now`; a time before the present window's counts as in it.
  constexpr Verdict count(UnixMillis now) noexcept {
    if (now - begin_ >= window_ms_) begin_window(now);
    if (exceeded_) return Verdict::exceeded;
    if (++count_ <= limit_) return Verdict::allowed;
    exceeded_ = true;
    return ++in_a_row_ >= max_in_a_row_ ? Verdict::persistent : Verdict::exceeded;
  }

 private:
  constexpr void begin_window(UnixMillis now) noexcept {
    // Windows follow each other without a gap as long as messages come; a quiet one ends the row.
    const bool follows = now - begin_ < 2 * window_ms_;
    if (!exceeded_ || !follows) in_a_row_ = 0;
    begin_ = follows ? begin_ + window_ms_ : now;
    count_ = 0;
    exceeded_ = false;
  }

  std::uint32_t limit_;
  UnixMillis window_ms_;
  std::uint32_t max_in_a_row_;
  UnixMillis begin_ = 0;
  std::uint32_t count_ = 0;
  bool exceeded_ = false;
  std::uint32_t in_a_row_ = 0;
};

}  // namespace fluxora::core
