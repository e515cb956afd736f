#include "gathering.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace fluxora::store {
namespace {

constexpr std::size_t all = 1'000;

TEST(Gathering, AloneARequestIsAQueryAtOnce) {
  Gathering<int> gathering;
  EXPECT_TRUE(gathering.add(1));
  EXPECT_EQ(gathering.take(all), std::vector<int>{1});
  EXPECT_FALSE(gathering.end());
  EXPECT_TRUE(gathering.is_idle());
}

TEST(Gathering, WhatComesBeforeTheQueryIsSentBelongsToIt) {
  Gathering<int> gathering;
  EXPECT_TRUE(gathering.add(1));
  EXPECT_FALSE(gathering.add(2)) << "the query that was announced takes it along";
  EXPECT_EQ(gathering.take(all), (std::vector<int>{1, 2}));
}

TEST(Gathering, WhatComesAfterwardsWaitsForAnotherQuery) {
  Gathering<int> gathering;
  EXPECT_TRUE(gathering.add(1));
  EXPECT_EQ(gathering.take(all), std::vector<int>{1});
  EXPECT_TRUE(gathering.add(2)) << "a second query may run beside the first";
  EXPECT_EQ(gathering.take(all), std::vector<int>{2});
  EXPECT_FALSE(gathering.add(3)) << "a third may not";
  EXPECT_FALSE(gathering.add(4));
  EXPECT_EQ(gathering.waiting(), 2u);
  EXPECT_TRUE(gathering.end()) << "the next one begins when one ends";
  EXPECT_EQ(gathering.take(all), (std::vector<int>{3, 4}));
  EXPECT_FALSE(gathering.end());
  EXPECT_FALSE(gathering.end());
  EXPECT_TRUE(gathering.is_idle());
}

TEST(Gathering, WhatAQueryHasNoRoomForIsAnotherOnes) {
  Gathering<int> gathering;
  EXPECT_TRUE(gathering.add(1));
  for (int i = 2; i <= 5; ++i) EXPECT_FALSE(gathering.add(i));
  EXPECT_EQ(gathering.take(2), (std::vector<int>{1, 2}));
  EXPECT_TRUE(gathering.is_due());
  EXPECT_FALSE(gathering.is_due()) << "announced once";
  EXPECT_EQ(gathering.take(2), (std::vector<int>{3, 4}));
  EXPECT_FALSE(gathering.is_due()) << "two run already";
  EXPECT_TRUE(gathering.end());
  EXPECT_EQ(gathering.take(2), std::vector<int>{5});
}

}  // namespace
}  // namespace fluxora::store
