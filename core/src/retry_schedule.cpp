#include "fluxora/core/retry_schedule.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::core {
namespace {

constexpr UnixMillis second_ms = 1'000;
constexpr UnixMillis minute_ms = 60 * second_ms;
constexpr UnixMillis hour_ms = 60 * minute_ms;
constexpr UnixMillis day_ms = 24 * hour_ms;
constexpr UnixMillis pause_max_ms = 7 * day_ms;
constexpr std::size_t pauses_max = 32;
// 7 days are 604,800 s.
constexpr std::size_t digits_max = 6;
// Each way, in percent.
constexpr UnixMillis jitter_percent = 20;

/// SplitMix64's output for one state: every bit of the input changes half of the result's.
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014.
constexpr std::uint64_t splitmix64(std::uint64_t state) {
  std::uint64_t z = state + 0x9e37'79b9'7f4a'7c15;
  z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
  z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
  return z ^ (z >> 31);
}

constexpr UnixMillis unit_ms(char unit) {
  switch (unit) {
    case 's': return second_ms;
    case 'm': return minute_ms;
    case 'h': return hour_ms;
    case 'd': return day_ms;
    default: return 0;
  }
}

/// One pause, "30m"; 0 when it isn't one.
constexpr UnixMillis read_pause(std::string_view text) {
  if (text.size() < 2 || text.size() > digits_max + 1) return 0;
  UnixMillis count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return 0;
    count = count * 10 + (c - '0');
  }
  const UnixMillis pause = count * unit_ms(text.back());
  return pause <= pause_max_ms ? pause : 0;
}

}  // namespace

RetrySchedule::RetrySchedule()
    : RetrySchedule({5 * second_ms, 5 * minute_ms, 30 * minute_ms, 2 * hour_ms, 5 * hour_ms, 10 * hour_ms, 14 * hour_ms,
                     20 * hour_ms, 24 * hour_ms}) {}

Result<RetrySchedule> RetrySchedule::parse(std::string_view text) {
  std::vector<UnixMillis> pauses;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const UnixMillis pause = read_pause(text.substr(begin, end - begin));
    if (pause == 0 || pauses.size() == pauses_max) return Error{ErrorCode::retry_schedule_invalid, begin};
    pauses.push_back(pause);
    begin = end + 1;
  }
  return RetrySchedule(std::move(pauses));
}

std::optional<UnixMillis> RetrySchedule::pause_ms(std::size_t failed_attempts, std::uint64_t seed,
                                                  std::optional<UnixMillis> retry_after_ms) const noexcept {
  if (failed_attempts == 0 || failed_attempts > pauses_.size()) return std::nullopt;
  const UnixMillis figure = pauses_[failed_attempts - 1];
  const UnixMillis spread = figure * jitter_percent / 100;
  // Of 2^64 values over at most 241,920,001: some are likelier by one in 76 billion, which nobody can tell.
  const std::uint64_t random = splitmix64(splitmix64(seed) + failed_attempts);
  const auto offset = static_cast<UnixMillis>(random % static_cast<std::uint64_t>(2 * spread + 1));
  const UnixMillis pause = figure - spread + offset;
  return std::min(std::max(pause, retry_after_ms.value_or(0)), pause_max_ms);
}

}  // namespace fluxora::core
