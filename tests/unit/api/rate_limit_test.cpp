#include "rate_limit.hpp"

#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

TEST(RateLimit, AClientHasItsNumberAWindow) {
  RateLimiter limiter(2, 10'000, 10);
  const auto first = limiter.take("a", 1'000);
  EXPECT_TRUE(first.allowed);
  EXPECT_EQ(first.remaining, 1u);
  EXPECT_EQ(first.reset_s, 10u);
  EXPECT_EQ(limiter.take("a", 1'001).remaining, 0u);
  const auto refused = limiter.take("a", 2'500);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.reset_s, 9u);  // 8.5 s, rounded up
  EXPECT_FALSE(limiter.take("a", 10'999).allowed);
  EXPECT_EQ(limiter.take("a", 11'000).remaining, 1u);
}

TEST(RateLimit, ClientsDontShare) {
  RateLimiter limiter(1, 10'000, 10);
  EXPECT_TRUE(limiter.take("a", 0).allowed);
  EXPECT_FALSE(limiter.take("a", 0).allowed);
  EXPECT_TRUE(limiter.take("b", 0).allowed);
}

TEST(RateLimit, LookingCountsNothing) {
  RateLimiter limiter(1, 10'000, 10);
  EXPECT_TRUE(limiter.look("a", 0).allowed);
  EXPECT_TRUE(limiter.look("a", 0).allowed);
  EXPECT_TRUE(limiter.take("a", 0).allowed);
  EXPECT_FALSE(limiter.look("a", 9'999).allowed);
  EXPECT_TRUE(limiter.look("a", 10'000).allowed);
}

TEST(RateLimit, AClockSetBackOpensANewWindow) {
  RateLimiter limiter(1, 10'000, 10);
  EXPECT_TRUE(limiter.take("a", 1'000'000).allowed);
  EXPECT_TRUE(limiter.take("a", 5).allowed);
  EXPECT_FALSE(limiter.take("a", 6).allowed);
}

TEST(RateLimit, TheOneNotSeenForLongestIsForgotten) {
  RateLimiter limiter(1, 10'000, 2);
  EXPECT_TRUE(limiter.take("a", 0).allowed);
  EXPECT_TRUE(limiter.take("b", 0).allowed);
  EXPECT_FALSE(limiter.take("a", 0).allowed);
  EXPECT_TRUE(limiter.take("c", 0).allowed);  // b goes
  EXPECT_FALSE(limiter.take("a", 0).allowed);
  EXPECT_TRUE(limiter.take("b", 0).allowed);
}

TEST(RateLimit, ZeroIsOff) {
  RateLimiter limiter(0, 10'000, 2);
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(limiter.take("a", 0).allowed);
  net::Response response;
  limiter.add_headers(response, limiter.take("a", 0));
  EXPECT_TRUE(response.headers.empty());
}

TEST(RateLimit, HeadersSayWhatIsLeft) {
  RateLimiter limiter(1, 10'000, 2);
  net::Response served;
  limiter.add_headers(served, limiter.take("a", 0));
  EXPECT_EQ(header(served, "RateLimit-Limit"), "1");
  EXPECT_EQ(header(served, "RateLimit-Remaining"), "0");
  EXPECT_EQ(header(served, "RateLimit-Reset"), "10");
  EXPECT_EQ(header(served, "RateLimit-Policy"), "1;w=10");
  EXPECT_EQ(header(served, "Retry-After"), "");
  net::Response refused;
  limiter.add_headers(refused, limiter.take("a", 4'000));
  EXPECT_EQ(header(refused, "Retry-After"), "6");
}

TEST(RateLimit, AHostHasAWholeIpv6Network) {
  EXPECT_EQ(address_client("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address_client("2001:db8:0:1::7"), address_client("2001:db8:0:1:ffff::1"));
  EXPECT_NE(address_client("2001:db8:0:1::7"), address_client("2001:db8:0:2::7"));
}

}  // namespace
}  // namespace fluxora::api::test
