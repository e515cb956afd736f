#include "system_clock.hpp"

#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace fluxora::app {
namespace {

TEST(SystemClock, SleepsWhileTheProcessGoesOn) {
  SystemClock clock;
  EXPECT_TRUE(clock.sleep(std::chrono::milliseconds(0)));
}

TEST(SystemClock, TheEndWakesASleeperForGood) {
  SystemClock clock;
  bool slept_on = true;
  std::thread sleeper([&] { slept_on = clock.sleep(std::chrono::hours(24)); });
  clock.end();
  sleeper.join();
  EXPECT_FALSE(slept_on);
  EXPECT_FALSE(clock.sleep(std::chrono::hours(24)));
}

TEST(SystemClock, TellsTheWallClocksTime) {
  const SystemClock clock;
  const auto since_epoch = [] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  };
  // 2020; a clock that counts from the machine's start or in other units is far from it.
  EXPECT_GT(clock.now(), 1'577'836'800'000);
  EXPECT_LT(clock.now(), since_epoch() + 86'400'000);
}

}  // namespace
}  // namespace fluxora::app
