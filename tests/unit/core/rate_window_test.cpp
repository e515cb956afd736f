#include "fluxora/core/rate_window.hpp"

#include <cstdint>
#include <limits>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

using Verdict = RateWindow::Verdict;

// Two messages a second, and the third exceeded second in a row ends it. Any time will do for the first message.
constexpr UnixMillis start = 1'774'776'687'123;
RateWindow two_a_second() {
  return {2, 1000, 3};
}

/// Sends `count` messages at `now`; the verdict of the last.
Verdict send(RateWindow& window, int count, UnixMillis now) {
  Verdict verdict = Verdict::allowed;
  for (int i = 0; i < count; ++i) verdict = window.count(now);
  return verdict;
}

TEST(RateWindow, AllowsAsManyAsTheLimit) {
  RateWindow window = two_a_second();
  EXPECT_EQ(window.count(start), Verdict::allowed);
  EXPECT_EQ(window.count(start), Verdict::allowed);
  EXPECT_EQ(window.count(start), Verdict::exceeded);
}

TEST(RateWindow, RefusesTheRestOfAnExceededWindow) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  EXPECT_EQ(window.count(start), Verdict::exceeded);
  EXPECT_EQ(window.count(start + 999), Verdict::exceeded);
}

TEST(RateWindow, AWindowEndsWithItsLastMillisecond) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 2, start), Verdict::allowed);
  ASSERT_EQ(window.count(start + 999), Verdict::exceeded);
  EXPECT_EQ(window.count(start + 1000), Verdict::allowed);
  EXPECT_EQ(window.count(start + 1000), Verdict::allowed);
  EXPECT_EQ(window.count(start + 1000), Verdict::exceeded);
}

TEST(RateWindow, WindowsFollowEachOtherWithoutAGap) {
  RateWindow window = two_a_second();
  ASSERT_EQ(window.count(start), Verdict::allowed);
  // Late in the second window: the third still begins 2,000 ms after the first, not 1,000 ms after this message.
  ASSERT_EQ(send(window, 2, start + 1900), Verdict::allowed);
  EXPECT_EQ(send(window, 2, start + 2000), Verdict::allowed);
}

TEST(RateWindow, ExceededWindowsInARowArePersistent) {
  RateWindow window = two_a_second();
  EXPECT_EQ(send(window, 3, start), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 1000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 2000), Verdict::persistent);
  EXPECT_EQ(window.count(start + 2000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 3000), Verdict::persistent);
}

TEST(RateWindow, AWindowThatIsKeptEndsTheRow) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  ASSERT_EQ(send(window, 3, start + 1000), Verdict::exceeded);
  ASSERT_EQ(send(window, 2, start + 2000), Verdict::allowed);
  EXPECT_EQ(send(window, 3, start + 3000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 4000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 5000), Verdict::persistent);
}

TEST(RateWindow, AQuietWindowEndsTheRow) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  ASSERT_EQ(send(window, 3, start + 1000), Verdict::exceeded);
  // Nothing came from 2,000 to 2,999.
  EXPECT_EQ(send(window, 3, start + 3000), Verdict::exceeded);
}

TEST(RateWindow, TheLastMillisecondOfTheNextWindowStillFollows) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  ASSERT_EQ(send(window, 3, start + 1999), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 2999), Verdict::persistent);
}

TEST(RateWindow, AfterAQuietTimeAWindowBeginsWithItsFirstMessage) {
  RateWindow window = two_a_second();
  ASSERT_EQ(window.count(start), Verdict::allowed);
  ASSERT_EQ(send(window, 2, start + 60'500), Verdict::allowed);
  EXPECT_EQ(window.count(start + 61'499), Verdict::exceeded);
  EXPECT_EQ(window.count(start + 61'500), Verdict::allowed);
}

TEST(RateWindow, AClockThatStepsBackGivesNoNewAllowance) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 2, start), Verdict::allowed);
  EXPECT_EQ(window.count(start - 5000), Verdict::exceeded);
  EXPECT_EQ(window.count(start - 1), Verdict::exceeded);
}

TEST(RateWindow, AClockThatStepsBackGoesOnInItsWindow) {
  RateWindow window = two_a_second();
  ASSERT_EQ(window.count(start), Verdict::allowed);
  ASSERT_EQ(window.count(start - 60'000), Verdict::allowed);
  EXPECT_EQ(window.count(start + 999), Verdict::exceeded);
  EXPECT_EQ(window.count(start + 1000), Verdict::allowed);
}

TEST(RateWindow, AClockThatStepsBackKeepsTheRow) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  ASSERT_EQ(send(window, 3, start + 1000), Verdict::exceeded);
  ASSERT_EQ(window.count(start), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 2000), Verdict::persistent);
}

TEST(RateWindow, AClockThatJumpsAheadBeginsAnew) {
  RateWindow window = two_a_second();
  ASSERT_EQ(send(window, 3, start), Verdict::exceeded);
  ASSERT_EQ(send(window, 3, start + 1000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 1'000'000'000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 1'000'001'000), Verdict::exceeded);
  EXPECT_EQ(send(window, 3, start + 1'000'002'000), Verdict::persistent);
}

TEST(RateWindow, TheFirstWindowOfAClockThatBeginsAtNothing) {
  RateWindow window = two_a_second();
  EXPECT_EQ(send(window, 2, 0), Verdict::allowed);
  EXPECT_EQ(window.count(999), Verdict::exceeded);
  EXPECT_EQ(window.count(1000), Verdict::allowed);
}

TEST(RateWindow, TheLargestNumbers) {
  constexpr std::uint32_t most = std::numeric_limits<std::uint32_t>::max();
  RateWindow any(most, 1000, 1);
  EXPECT_EQ(send(any, 100'000, start), Verdict::allowed);
  RateWindow patient(0, 1000, most);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(patient.count(start + i * 1000), Verdict::exceeded);
}

TEST(RateWindow, IsForConstantsToo) {
  constexpr bool refused = [] {
    RateWindow window(1, 1000, 2);
    return window.count(start) == Verdict::allowed && window.count(start) == Verdict::exceeded;
  }();
  static_assert(refused);
}

TEST(RateWindow, ALimitOfNothingRefusesTheFirst) {
  RateWindow window(0, 1000, 1);
  EXPECT_EQ(window.count(start), Verdict::persistent);
}

TEST(RateWindow, TheWebSocketsNumbers) {
  // SPEC section 6: over 30 messages in a 10 s window, and 3 exceeded windows in a row.
  RateWindow window(30, 10'000, 3);
  EXPECT_EQ(send(window, 30, start), Verdict::allowed);
  EXPECT_EQ(window.count(start + 9'999), Verdict::exceeded);
  EXPECT_EQ(send(window, 30, start + 10'000), Verdict::allowed);
  EXPECT_EQ(window.count(start + 10'000), Verdict::exceeded);
  EXPECT_EQ(send(window, 31, start + 20'000), Verdict::persistent);
}

}  // namespace
}  // namespace fluxora::core
