#include "fluxora/core/retry_schedule.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

constexpr UnixMillis second = 1'000;
constexpr UnixMillis minute = 60 * second;
constexpr UnixMillis hour = 60 * minute;
constexpr UnixMillis week = 7 * 24 * hour;

RetrySchedule parsed(std::string_view text) {
  auto schedule = RetrySchedule::parse(text);
  EXPECT_TRUE(schedule) << text;
  return schedule ? *schedule : RetrySchedule();
}

void expect_refused(std::string_view text, std::size_t at) {
  const auto schedule = RetrySchedule::parse(text);
  ASSERT_FALSE(schedule) << text;
  EXPECT_EQ(schedule.error(), (Error{ErrorCode::retry_schedule_invalid, at})) << text;
}

TEST(RetrySchedule, SpecsFigures) {
  const RetrySchedule schedule;
  const std::vector<UnixMillis> figures = {5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour,
                                           10 * hour,  14 * hour,  20 * hour,   24 * hour};
  ASSERT_EQ(schedule.attempts_max(), figures.size() + 1);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const UnixMillis spread = figures[i] / 5;
    UnixMillis shortest = week;
    UnixMillis longest = 0;
    for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
      const UnixMillis pause = schedule.pause_ms(i + 1, seed).value();
      shortest = std::min(shortest, pause);
      longest = std::max(longest, pause);
    }
    EXPECT_GE(shortest, figures[i] - spread) << i;
    EXPECT_LE(longest, figures[i] + spread) << i;
    // The seeds are the same in each run: their thousand pauses come near to both ends.
    EXPECT_LT(shortest, figures[i] - spread * 95 / 100) << i;
    EXPECT_GT(longest, figures[i] + spread * 95 / 100) << i;
  }
}

TEST(RetrySchedule, TextOfSpecsFiguresIsTheDefault) {
  const RetrySchedule schedule = parsed("5s,5m,30m,2h,5h,10h,14h,20h,24h");
  const RetrySchedule standard;
  ASSERT_EQ(schedule.attempts_max(), standard.attempts_max());
  for (std::size_t i = 1; i < 10; ++i) EXPECT_EQ(schedule.pause_ms(i, 42), standard.pause_ms(i, 42)) << i;
}

TEST(RetrySchedule, JitterIsSpreadEvenly) {
  const RetrySchedule schedule = parsed("100s");
  std::vector<int> counts(4, 0);
  std::set<UnixMillis> seen;
  for (std::uint64_t seed = 0; seed < 4'000; ++seed) {
    const UnixMillis pause = schedule.pause_ms(1, seed).value();
    seen.insert(pause);
    // 40,001 possible pauses in four parts; the very last one is counted with those before it.
    ++counts[static_cast<std::size_t>(std::min<UnixMillis>((pause - 80 * second) / (10 * second), 3))];
  }
  for (const int count : counts) {
    EXPECT_GT(count, 900);
    EXPECT_LT(count, 1'100);
  }
  EXPECT_GT(seen.size(), 3'500u);
}

TEST(RetrySchedule, TheSameSeedAndAttemptGiveTheSamePause) {
  const RetrySchedule schedule = parsed("1h,1h");
  // A restart relies on the mixer: computed apart, by SplitMix64(SplitMix64(seed) + attempt).
  EXPECT_EQ(schedule.pause_ms(1, 0), 2'974'398);
  EXPECT_EQ(schedule.pause_ms(2, 0), 3'888'291);
  EXPECT_EQ(schedule.pause_ms(1, std::numeric_limits<std::uint64_t>::max()), 3'368'422);
  EXPECT_EQ(schedule.pause_ms(1, 7), parsed("1h").pause_ms(1, 7));
}

TEST(RetrySchedule, SeedsThatFollowEachOtherHaveNothingInCommon) {
  const RetrySchedule schedule = parsed("1h,1h");
  int same = 0;
  for (std::uint64_t seed = 0; seed < 1'000; ++seed) {
    if (schedule.pause_ms(2, seed) == schedule.pause_ms(1, seed + 1)) ++same;
  }
  EXPECT_LT(same, 3);
}

TEST(RetrySchedule, EndsAfterTheLastPause) {
  const RetrySchedule schedule = parsed("1s,2s");
  EXPECT_EQ(schedule.attempts_max(), 3u);
  EXPECT_TRUE(schedule.pause_ms(2, 1));
  EXPECT_EQ(schedule.pause_ms(3, 1), std::nullopt);
  EXPECT_EQ(schedule.pause_ms(3, 1, hour), std::nullopt) << "whatever the receiver asks for";
  EXPECT_EQ(schedule.pause_ms(std::numeric_limits<std::size_t>::max(), 1), std::nullopt);
}

TEST(RetrySchedule, WhatDidNotFailIsNotTriedAgain) {
  EXPECT_EQ(RetrySchedule().pause_ms(0, 1), std::nullopt);
}

TEST(RetrySchedule, TheReceiversLongerPauseCounts) {
  const RetrySchedule schedule = parsed("10s");
  const UnixMillis pause = schedule.pause_ms(1, 1).value();
  EXPECT_EQ(schedule.pause_ms(1, 1, hour), hour);
  EXPECT_EQ(schedule.pause_ms(1, 1, pause + 1), pause + 1);
  EXPECT_EQ(schedule.pause_ms(1, 1, pause - 1), pause);
  EXPECT_EQ(schedule.pause_ms(1, 1, 0), pause);
  EXPECT_EQ(schedule.pause_ms(1, 1, std::numeric_limits<UnixMillis>::min()), pause);
}

TEST(RetrySchedule, NoPauseIsLongerThanAWeek) {
  const RetrySchedule schedule = parsed("7d");
  EXPECT_EQ(schedule.pause_ms(1, 1, week + 1), week);
  EXPECT_EQ(schedule.pause_ms(1, 1, std::numeric_limits<UnixMillis>::max()), week);
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_GE(schedule.pause_ms(1, seed).value(), week / 10 * 8);
    EXPECT_LE(schedule.pause_ms(1, seed).value(), week);
  }
}

TEST(RetrySchedule, EveryUnit) {
  for (const auto& [text, figure] :
       {std::pair("1s", second), std::pair("604800s", week), std::pair("1m", minute), std::pair("10080m", week),
        std::pair("168h", week), std::pair("1d", 24 * hour), std::pair("7d", week), std::pair("007d", week)}) {
    const UnixMillis pause = parsed(text).pause_ms(1, 5).value();
    EXPECT_GE(pause, figure / 10 * 8) << text;
    EXPECT_LE(pause, figure / 10 * 12) << text;
  }
}

TEST(RetrySchedule, OtherTextIsRefused) {
  for (const std::string_view text :
       {"",         " ",       "s",    "5",      "5 s",  " 5s",      "5s ",
        "+5s",      "-5s",     "5.5s", "5S",     "5w",   "5ms",      "0s",
        "0d",       "604801s", "8d",   "10081m", "169h", "0000005s", "99999999999999999999s",
        "\x35\xff", "٥s"}) {
    expect_refused(text, 0);
  }
  expect_refused(std::string_view("5\0s", 3), 0);
}

TEST(RetrySchedule, TheFirstBadPauseIsNamed) {
  expect_refused("5s,5x,", 3);
  expect_refused("5s,", 3);
  expect_refused("5s,,5s", 3);
  expect_refused(",5s", 0);
  expect_refused("5s, 5m", 3);
  expect_refused("5s;5m", 0);
}

TEST(RetrySchedule, ThirtyTwoPausesAtMost) {
  std::string text = "1s";
  for (int i = 1; i < 32; ++i) text += ",1s";
  EXPECT_EQ(parsed(text).attempts_max(), 33u);
  expect_refused(text + ",1s", text.size() + 1);
}

}  // namespace
}  // namespace fluxora::core
