#include "fluxora/core/schedule.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

using Moments = std::vector<UnixSeconds>;
constexpr UnixSeconds last_second = std::numeric_limits<UnixSeconds>::max();

TEST(Schedule, GoesFromTheStreamsStartToItsEnd) {
  const Stream stream = sample_stream();  // from 1,000 to 2,000
  EXPECT_EQ(schedule_moments(stream, {{}, {}, 2}), (Moments{1000, 2000}));
  EXPECT_EQ(schedule_moments(stream, {{}, {}, 5}), (Moments{1000, 1250, 1500, 1750, 2000}));
  EXPECT_EQ(schedule_moments(stream, {{}, {}, 4}), (Moments{1000, 1333, 1666, 2000}));
}

TEST(Schedule, TakesTheEndsThatAreGiven) {
  const Stream stream = sample_stream();
  EXPECT_EQ(schedule_moments(stream, {900, 1100, 3}), (Moments{900, 1000, 1100}));
  EXPECT_EQ(schedule_moments(stream, {1900, {}, 3}), (Moments{1900, 1950, 2000}));
  EXPECT_EQ(schedule_moments(stream, {{}, 1100, 3}), (Moments{1000, 1050, 1100}));
}

TEST(Schedule, HasEachSecondOnce) {
  const Stream stream = sample_stream();
  EXPECT_EQ(schedule_moments(stream, {10, 13, 1000}), (Moments{10, 11, 12, 13}));
  EXPECT_EQ(schedule_moments(stream, {10, 10, 1000}), (Moments{10}));
  const Moments all = schedule_moments(stream, {1000, 1998, 1000});
  ASSERT_EQ(all.size(), 999U);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], 1000 + i);
}

TEST(Schedule, IsOneMomentWhereTheStreamsOwnEndIsOnTheOtherSide) {
  const Stream stream = sample_stream();
  EXPECT_EQ(schedule_moments(stream, {2500, {}, 10}), (Moments{2500}));
  EXPECT_EQ(schedule_moments(stream, {{}, 900, 10}), (Moments{900}));
  Stream backwards = stream;
  backwards.end_time = 500;
  EXPECT_EQ(schedule_moments(backwards, {{}, {}, 10}), (Moments{1000}));
}

TEST(Schedule, ReachesTheLastSecondThereIs) {
  const Moments ends = schedule_moments(sample_stream(), {0, last_second, 1000});
  EXPECT_EQ(ends.front(), 0U);
  EXPECT_EQ(ends.back(), last_second);
  EXPECT_EQ(ends.size(), 1000U);
  EXPECT_EQ(ends[1], 18'465'209'282'992'544U);  // (2^64 - 1) / 999, by Python's integers
  EXPECT_EQ(ends[998], 18'428'278'864'426'559'070U);
}

}  // namespace
}  // namespace fluxora::core
