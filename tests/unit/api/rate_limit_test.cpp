#include "rate_limit.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

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

/// Counts as a fleet's Redis does; its answers come at once or when the test says so.
class FakeFleet final : public ports::RateCounts {
 public:
  bool add(std::string_view limit, std::string_view client, core::UnixMillis window_ms, Counted counted) override {
    if (away) return false;
    Count& count = counts[std::string(limit) + " " + std::string(client)];
    if (count.ends_at <= now) count = {0, now + window_ms};
    ++count.total;
    auto answer = [count, counted = std::move(counted), this] { counted(lost ? std::nullopt : std::optional(count)); };
    hold ? held.push_back(std::move(answer)) : answer();
    return true;
  }
  void release() {
    for (const auto& answer : std::exchange(held, {})) answer();
  }

  core::UnixMillis now = 0;
  bool away = false;  ///< nothing is taken
  bool lost = false;  ///< the answers are
  bool hold = false;
  std::vector<std::function<void()>> held;
  std::map<std::string, Count> counts;
};

/// Instances of a service that limits one thing.
struct Fleet {
  FakeFleet counts;
  RateLimiter one{3, 10'000, 10, {&counts, "writes"}};
  RateLimiter other{3, 10'000, 10, {&counts, "writes"}};
};

TEST(SharedRateLimit, WhatAnotherInstanceLetThroughCounts) {
  Fleet fleet;
  EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  EXPECT_TRUE(fleet.other.take("a", 0).allowed);
  EXPECT_EQ(fleet.other.look("a", 0).remaining, 0u);
  EXPECT_FALSE(fleet.other.take("a", 0).allowed);
  EXPECT_EQ(fleet.counts.counts["writes a"].total, 3u) << "what is refused doesn't count";
  EXPECT_TRUE(fleet.other.take("b", 0).allowed);
}

TEST(SharedRateLimit, AnInstanceThatHasntHeardLetsOneMoreThrough) {
  Fleet fleet;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  const auto late = fleet.other.take("a", 0);
  EXPECT_TRUE(late.allowed);
  EXPECT_EQ(late.remaining, 2u) << "as far as it knew";
  const auto told = fleet.other.refreshed(late, "a", 0);
  EXPECT_TRUE(told.allowed);
  EXPECT_EQ(told.remaining, 0u);
  EXPECT_FALSE(fleet.other.take("a", 0).allowed);
}

TEST(SharedRateLimit, TheWindowIsTheFleets) {
  Fleet fleet;
  EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  fleet.counts.now = 4'000;
  EXPECT_EQ(fleet.other.take("a", 4'000).reset_s, 10u);
  EXPECT_EQ(fleet.other.look("a", 4'000).reset_s, 6u);
  EXPECT_TRUE(fleet.other.take("a", 4'000).allowed);
  EXPECT_FALSE(fleet.other.take("a", 9'999).allowed);
  fleet.counts.now = 10'000;
  EXPECT_TRUE(fleet.other.take("a", 10'000).allowed);
  EXPECT_EQ(fleet.other.look("a", 10'000).remaining, 2u);
}

TEST(SharedRateLimit, NobodyWaitsAndWhatIsOnItsWayCounts) {
  Fleet fleet;
  fleet.counts.hold = true;
  EXPECT_TRUE(fleet.other.take("a", 0).allowed);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  EXPECT_FALSE(fleet.one.take("a", 0).allowed) << "never more than its limit from each";
  ASSERT_EQ(fleet.counts.held.size(), 4u);
  fleet.counts.held[1]();  // the fleet's second; two more are on their way
  fleet.counts.held.erase(fleet.counts.held.begin() + 1);
  EXPECT_EQ(fleet.one.look("a", 0).remaining, 0u);
  fleet.counts.release();
  EXPECT_FALSE(fleet.one.take("a", 0).allowed);
  EXPECT_EQ(fleet.other.look("a", 0).remaining, 2u) << "as it was when it was counted";
}

TEST(SharedRateLimit, WithoutTheFleetEachCountsOnByItself) {
  Fleet fleet;
  EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  EXPECT_TRUE(fleet.other.take("a", 0).allowed);
  fleet.counts.away = true;
  EXPECT_TRUE(fleet.other.take("a", 0).allowed);
  EXPECT_FALSE(fleet.other.take("a", 9'999).allowed) << "of what was known";
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fleet.other.take("a", 10'000).allowed);
  EXPECT_FALSE(fleet.other.take("a", 10'000).allowed);
}

TEST(SharedRateLimit, AnAnswerThatIsLostChangesNothing) {
  Fleet fleet;
  fleet.counts.lost = true;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(fleet.one.take("a", 0).allowed);
  EXPECT_FALSE(fleet.one.take("a", 0).allowed);
  EXPECT_TRUE(fleet.other.take("a", 0).allowed);
}

TEST(SharedRateLimit, AnAnswerForAClientThatWasForgottenIsNobodys) {
  FakeFleet counts;
  RateLimiter limiter(3, 10'000, 1, {&counts, "writes"});
  counts.hold = true;
  EXPECT_TRUE(limiter.take("a", 0).allowed);
  EXPECT_TRUE(limiter.take("b", 0).allowed);  // a goes
  counts.release();
  EXPECT_EQ(limiter.look("b", 0).remaining, 2u);
  EXPECT_EQ(limiter.look("a", 0).reset_s, 0u);
}

/// What is decided of one request; none yet while it waits.
std::shared_ptr<std::optional<bool>> admit(RateLimiter& limiter, std::string_view client = "a") {
  auto decided = std::make_shared<std::optional<bool>>();
  limiter.admit(client, 0, [decided](const RateLimiter::Verdict& verdict) { decided->emplace(verdict.allowed); });
  return decided;
}

TEST(SharedRateLimit, OfABurstToAllInstancesOnlyTheFirstOnEachDoesntWaitForTheFleet) {
  Fleet fleet;
  fleet.counts.hold = true;
  std::vector<std::shared_ptr<std::optional<bool>>> burst;
  for (int i = 0; i < 3; ++i) {
    burst.push_back(admit(fleet.one));
    burst.push_back(admit(fleet.other));
  }
  for (std::size_t i = 0; i < burst.size(); ++i) EXPECT_EQ(burst[i]->has_value(), i < 2) << i;
  EXPECT_EQ(*admit(fleet.one, "b"), true) << "another client's first";
  EXPECT_EQ(*admit(fleet.one), false) << "its limit is on its way already";
  fleet.counts.release();
  for (std::size_t i = 0; i < burst.size(); ++i) EXPECT_EQ(*burst[i], i < 3) << i;
  EXPECT_EQ(fleet.one.look("a", 0).remaining, 0u);
  EXPECT_EQ(*admit(fleet.other), false);
}

TEST(SharedRateLimit, WhoWaitsForAFleetThatDoesntAnswerIsLetThroughByWhatIsCountedHere) {
  Fleet fleet;
  fleet.counts.hold = true;
  fleet.counts.lost = true;
  const auto first = admit(fleet.one);
  const auto second = admit(fleet.one);
  EXPECT_EQ(*first, true);
  EXPECT_EQ(*second, std::nullopt);
  fleet.counts.release();
  EXPECT_EQ(*second, true);
  const auto third = admit(fleet.one);
  fleet.counts.away = true;
  EXPECT_EQ(*third, true);
  EXPECT_EQ(*admit(fleet.one), false);
}

TEST(SharedRateLimit, WithoutALimitNobodyIsCountedOrWaits) {
  FakeFleet counts;
  RateLimiter off(0, 10'000, 10, {&counts, "writes"});
  EXPECT_EQ(*admit(off), true);
  EXPECT_TRUE(counts.counts.empty());
}

TEST(RateLimit, AHostHasAWholeIpv6Network) {
  EXPECT_EQ(address_client("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(address_client("2001:db8:0:1::7"), address_client("2001:db8:0:1:ffff::1"));
  EXPECT_NE(address_client("2001:db8:0:1::7"), address_client("2001:db8:0:2::7"));
}

}  // namespace
}  // namespace fluxora::api::test
