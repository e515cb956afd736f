#include "fluxora/core/unix_time.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

TEST(UnixTime, WritesKnownTimes) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(951'782'399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(format_rfc3339(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(format_rfc3339(951'868'800), "2000-03-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(1'774'776'687), "2026-03-29T09:31:27Z");
  EXPECT_EQ(format_rfc3339(4'107'542'400), "2100-03-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(4'107'542'399), "2100-02-28T23:59:59Z");
  EXPECT_EQ(format_rfc3339(last_rfc3339_second), "9999-12-31T23:59:59Z");
}

TEST(UnixTime, PastYear9999IsTheLastSecond) {
  EXPECT_EQ(format_rfc3339(last_rfc3339_second + 1), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(std::numeric_limits<UnixSeconds>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_millis(std::numeric_limits<UnixMillis>::max()), "9999-12-31T23:59:59.999Z");
}

TEST(UnixTime, WritesMilliseconds) {
  EXPECT_EQ(format_rfc3339_millis(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339_millis(1'774'776'687'007), "2026-03-29T09:31:27.007Z");
  EXPECT_EQ(format_rfc3339_millis(-1), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_rfc3339_millis(std::numeric_limits<UnixMillis>::min()), "1970-01-01T00:00:00.000Z");
}

TEST(UnixTime, ReadsUtc) {
  EXPECT_EQ(*parse_rfc3339("1970-01-01T00:00:00Z"), 0u);
  EXPECT_EQ(*parse_rfc3339("2026-03-29T09:31:27Z"), 1'774'776'687u);
  EXPECT_EQ(*parse_rfc3339("2026-03-29T09:31:27+00:00"), 1'774'776'687u);
  EXPECT_EQ(*parse_rfc3339("2026-03-29t09:31:27z"), 1'774'776'687u);
  EXPECT_EQ(*parse_rfc3339("2026-03-29T09:31:27.999999999Z"), 1'774'776'687u);
  EXPECT_EQ(*parse_rfc3339("2026-03-29T09:31:27.9+00:00"), 1'774'776'687u);
  EXPECT_EQ(*parse_rfc3339("9999-12-31T23:59:59Z"), last_rfc3339_second);
}

TEST(UnixTime, KnowsLeapYears) {
  EXPECT_TRUE(parse_rfc3339("2024-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2000-02-29T00:00:00Z"));
  EXPECT_TRUE(parse_rfc3339("2400-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2023-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2100-02-29T00:00:00Z"));
  EXPECT_FALSE(parse_rfc3339("2024-02-30T00:00:00Z"));
}

TEST(UnixTime, RefusesOtherFormsAndImpossibleTimes) {
  for (const char* text : {"",
                           "2026",
                           "2026-03-29",
                           "2026-03-29T09:31:27",
                           "2026-03-29 09:31:27Z",
                           "2026-03-29T09:31Z",
                           "2026-03-29T09:31:27.Z",
                           "2026-03-29T09:31:27,5Z",
                           "2026-03-29T09:31:27+01:00",
                           "2026-03-29T09:31:27-00:00",
                           "2026-03-29T09:31:27+0000",
                           "2026-03-29T09:31:27ZZ",
                           "2026-03-29T09:31:27Z ",
                           " 2026-03-29T09:31:27Z",
                           "26-03-29T09:31:27Z",
                           "12026-03-29T09:31:27Z",
                           "2026-3-29T09:31:27Z",
                           "2026-00-29T09:31:27Z",
                           "2026-13-29T09:31:27Z",
                           "2026-03-00T09:31:27Z",
                           "2026-03-32T09:31:27Z",
                           "2026-04-31T09:31:27Z",
                           "2026-03-29T24:00:00Z",
                           "2026-03-29T09:60:00Z",
                           "2016-12-31T23:59:60Z",
                           "1969-12-31T23:59:59Z",
                           "0000-01-01T00:00:00Z",
                           "-026-03-29T09:31:27Z",
                           "2026-03-29T+9:31:27Z"}) {
    const auto result = parse_rfc3339(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::time_invalid) << text;
  }
}

TEST(UnixTime, EveryDayFor800YearsComesBackAndFollowsTheLast) {
  std::string last;
  for (UnixSeconds day = 0; day < 800 * 366; ++day) {
    const std::string text = format_rfc3339(day * 86'400);
    ASSERT_GT(text, last);
    ASSERT_EQ(*parse_rfc3339(text), day * 86'400) << text;
    last = text;
  }
}

}  // namespace
}  // namespace fluxora::core
