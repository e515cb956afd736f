#include "service_watch.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"

namespace fluxora::app::test {
namespace {

using std::chrono::milliseconds;

class FakeDatabase final : public ports::Readiness {
 public:
  [[nodiscard]] bool is_well() const override { return well; }
  void check(ports::Reply<bool> reply) override { reply(well); }
  bool well = true;
};

class ServiceWatchTest : public ::testing::Test {
 protected:
  /// Looks every 100 ms for so long.
  void pass(int ms) {
    for (int passed = 0; passed < ms; passed += 100) {
      watch_.look();
      clock_.advance(milliseconds(100));
    }
    watch_.look();
  }

  FakeDatabase database_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  std::vector<std::string> told_;
  ServiceWatch watch_{database_, clock_, log_, [this](bool degraded, std::string_view why) {
                        told_.push_back((degraded ? "degraded: " : "recovered: ") + std::string(why));
                      }};
};

TEST_F(ServiceWatchTest, AsLongAsAllIsWellNothingIsTold) {
  pass(10'000);
  EXPECT_TRUE(told_.empty());
}

TEST_F(ServiceWatchTest, TroubleThatLastsIsToldOnceAndItsEndOnce) {
  watch_.chain_changed(true, "Stellar RPC unreachable");
  pass(900);
  EXPECT_TRUE(told_.empty());
  pass(10'000);
  EXPECT_EQ(told_, std::vector<std::string>{"degraded: Stellar RPC unreachable"});
  EXPECT_EQ(log_.lines("service_degraded").size(), 1U);
  watch_.chain_changed(false, "");
  pass(2'900);
  EXPECT_EQ(told_.size(), 1U);
  pass(10'000);
  ASSERT_EQ(told_.size(), 2U);
  EXPECT_EQ(told_[1], "recovered: The service follows the chain again.");
  EXPECT_EQ(log_.lines("service_recovered").size(), 1U);
}

TEST_F(ServiceWatchTest, TheDatabasesTroubleIsToldWhetherAChainIsFollowedOrNot) {
  database_.well = false;
  pass(1'000);
  EXPECT_EQ(told_, std::vector<std::string>{"degraded: Database unreachable"});
  database_.well = true;
  pass(3'000);
  EXPECT_EQ(told_.back(), "recovered: The database can be reached again.");
}

TEST_F(ServiceWatchTest, AHiccupIsNotTold) {
  for (int i = 0; i < 20; ++i) {
    database_.well = false;
    pass(500);
    database_.well = true;
    pass(500);
  }
  EXPECT_TRUE(told_.empty());
}

TEST_F(ServiceWatchTest, WhatComesAndGoesIsTroubleUntilItStaysAway) {
  for (int i = 0; i < 20; ++i) {
    watch_.chain_changed(true, "Stellar RPC unreachable");
    pass(1'500);
    watch_.chain_changed(false, "");
    pass(2'000);
  }
  EXPECT_EQ(told_.size(), 1U);
}

TEST_F(ServiceWatchTest, ItsOverWhenBothAreWell) {
  database_.well = false;
  watch_.chain_changed(true, "Database unreachable");
  pass(1'000);
  database_.well = true;
  pass(10'000);
  EXPECT_EQ(told_.size(), 1U) << "another reason is no news";
  watch_.chain_changed(false, "");
  pass(3'000);
  EXPECT_EQ(told_.size(), 2U);
}

TEST_F(ServiceWatchTest, AThreadOfItsOwnLooksUntilTheClockEnds) {
  clock_.end();
  watch_.start();
  watch_.stop();
  EXPECT_TRUE(told_.empty());
}

}  // namespace
}  // namespace fluxora::app::test
