#include "fluxora/core/circuit_breaker.hpp"

#include <gtest/gtest.h>

namespace fluxora::core::test {
namespace {

using State = CircuitBreaker::State;

// The chance that leaves a pause as it is.
constexpr std::uint32_t no_jitter = 20;

class CircuitBreakerTest : public ::testing::Test {
 protected:
  void fail(int times) {
    for (int i = 0; i < times; ++i) breaker_.failed(now_, no_jitter);
  }

  CircuitBreaker breaker_;
  UnixMillis now_ = 1'000'000;
};

TEST(Backoff, DoublesUpToItsBound) {
  constexpr Backoff backoff;
  EXPECT_EQ(backoff.pause_ms(0), 0);
  EXPECT_EQ(backoff.pause_ms(1), 500);
  EXPECT_EQ(backoff.pause_ms(2), 1'000);
  EXPECT_EQ(backoff.pause_ms(5), 8'000);
  EXPECT_EQ(backoff.pause_ms(6), 15'000);
  EXPECT_EQ(backoff.pause_ms(4'000'000'000U), 15'000);
}

TEST_F(CircuitBreakerTest, ClosedItAdmitsEverybody) {
  EXPECT_EQ(breaker_.state(), State::closed);
  EXPECT_EQ(breaker_.retry_in_ms(now_), 0);
  fail(4);
  EXPECT_EQ(breaker_.state(), State::closed);
  EXPECT_TRUE(breaker_.admit(now_));
  EXPECT_TRUE(breaker_.admit(now_));
  EXPECT_EQ(breaker_.retry_in_ms(now_), 4'000) << "whoever failed had better wait all the same";
}

TEST_F(CircuitBreakerTest, FailuresInARowOpenIt) {
  fail(4);
  breaker_.succeeded();
  fail(4);
  EXPECT_EQ(breaker_.state(), State::closed) << "a success between them";
  fail(1);
  EXPECT_EQ(breaker_.state(), State::open);
  EXPECT_FALSE(breaker_.admit(now_));
  EXPECT_EQ(breaker_.retry_in_ms(now_), 8'000);
  EXPECT_FALSE(breaker_.admit(now_ + 7'999));
}

TEST_F(CircuitBreakerTest, BehindThePauseOneTrialIsAdmitted) {
  fail(5);
  now_ += 8'000;
  EXPECT_EQ(breaker_.retry_in_ms(now_), 0);
  EXPECT_TRUE(breaker_.admit(now_));
  EXPECT_EQ(breaker_.state(), State::half_open);
  EXPECT_FALSE(breaker_.admit(now_)) << "one is enough";
  EXPECT_EQ(breaker_.retry_in_ms(now_), 500);
}

TEST_F(CircuitBreakerTest, ATrialThatSucceedsClosesIt) {
  fail(5);
  now_ += 8'000;
  ASSERT_TRUE(breaker_.admit(now_));
  breaker_.succeeded();
  EXPECT_EQ(breaker_.state(), State::closed);
  EXPECT_TRUE(breaker_.admit(now_));
  fail(1);
  EXPECT_EQ(breaker_.retry_in_ms(now_), 500) << "it begins anew";
}

TEST_F(CircuitBreakerTest, ATrialThatFailsOpensItForLongerAndWithABound) {
  fail(5);
  for (int i = 0; i < 10; ++i) {
    now_ += 20'000;
    ASSERT_TRUE(breaker_.admit(now_));
    fail(1);
    EXPECT_EQ(breaker_.state(), State::open);
    EXPECT_EQ(breaker_.retry_in_ms(now_), 15'000);
  }
}

TEST_F(CircuitBreakerTest, ATrialThatWasAbandonedLeavesTheNextToAnother) {
  fail(5);
  now_ += 8'000;
  ASSERT_TRUE(breaker_.admit(now_));
  breaker_.abandoned();
  EXPECT_EQ(breaker_.state(), State::open);
  EXPECT_TRUE(breaker_.admit(now_));
  breaker_.succeeded();
  breaker_.abandoned();
  EXPECT_EQ(breaker_.state(), State::closed);
}

TEST_F(CircuitBreakerTest, ChanceMovesThePauseByAFifthAtMost) {
  for (const std::uint32_t chance : {0U, 1U, 40U, 41U, 4'294'967'295U}) {
    CircuitBreaker breaker;
    for (int i = 0; i < 10; ++i) breaker.failed(now_, chance);
    EXPECT_GE(breaker.retry_in_ms(now_), 12'000) << chance;
    EXPECT_LE(breaker.retry_in_ms(now_), 18'000) << chance;
  }
  CircuitBreaker least;
  CircuitBreaker most;
  least.failed(now_, 0);
  most.failed(now_, 40);
  EXPECT_EQ(least.retry_in_ms(now_), 400);
  EXPECT_EQ(most.retry_in_ms(now_), 600);
}

TEST_F(CircuitBreakerTest, WhatTheOtherSideAsksForIsKeptToWithinBounds) {
  breaker_.failed(now_, no_jitter, 7'000);
  EXPECT_EQ(breaker_.state(), State::open) << "at once";
  EXPECT_EQ(breaker_.retry_in_ms(now_), 7'000);
  EXPECT_FALSE(breaker_.admit(now_ + 6'999));

  CircuitBreaker greedy;
  greedy.failed(now_, no_jitter, 86'400'000);
  EXPECT_EQ(greedy.retry_in_ms(now_), 60'000);
  CircuitBreaker hasty;
  hasty.failed(now_, no_jitter, 0);
  EXPECT_EQ(hasty.retry_in_ms(now_), 500) << "no less than it would be anyway";
  CircuitBreaker odd;
  odd.failed(now_, no_jitter, -5);
  EXPECT_EQ(odd.retry_in_ms(now_), 500);
}

TEST_F(CircuitBreakerTest, AClockThatGoesBackMakesNobodyWaitForever) {
  fail(5);
  EXPECT_TRUE(breaker_.admit(now_ - 1'000'000));
}

}  // namespace
}  // namespace fluxora::core::test
