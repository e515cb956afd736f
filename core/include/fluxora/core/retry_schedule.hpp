#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/result.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// When a webhook delivery that failed is tried again. SPEC section 8.
class RetrySchedule {
 public:
  /// SPEC's own: 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h.
  RetrySchedule();

  /// "5s,5m,30m,2h": 1 to 32 pauses of 1 s to 7 days, each up to 6 digits and one of s, m, h, d; no white space.
  /// Errors: retry_schedule_invalid, at the place of the first bad one.
  static Result<RetrySchedule> parse(std::string_view text);

  /// How often a delivery is tried at most: the first attempt and one after each pause.
  [[nodiscard]] std::size_t attempts_max() const noexcept { return pauses_.size() + 1; }

  /// The pause after `failed_attempts`; none when that was the last, and when there was none to try again. Each is its
  /// figure ± 20 %, the same for the same seed and attempt, so that a restart doesn't move it. `retry_after_ms` is what
  /// the receiver asked for: the longer of the two counts, and a week at most.
  [[nodiscard]] std::optional<UnixMillis> pause_ms(
      std::size_t failed_attempts, std::uint64_t seed,
      std::optional<UnixMillis> retry_after_ms = std::nullopt) const noexcept;

 private:
  explicit RetrySchedule(std::vector<UnixMillis> pauses) noexcept : pauses_(std::move(pauses)) {}
  std::vector<UnixMillis> pauses_;
};

}  // namespace fluxora::core
