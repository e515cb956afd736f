#include "connectivity.hpp"

#include <gtest/gtest.h>

#include "fake_log.hpp"

namespace fluxora::redis {
namespace {

using Part = Connectivity::Part;

TEST(Connectivity, IsWellWhenBothConnectionsAre) {
  fakes::FakeLog log;
  Connectivity connectivity(log);
  EXPECT_FALSE(connectivity.is_well());
  connectivity.up(Part::commands);
  EXPECT_FALSE(connectivity.is_well());
  connectivity.up(Part::subscription);
  EXPECT_TRUE(connectivity.is_well());
  EXPECT_TRUE(log.lines().empty());
}

TEST(Connectivity, AnOutageIsToldOnceAndSoIsItsEnd) {
  fakes::FakeLog log;
  Connectivity connectivity(log);
  connectivity.up(Part::commands);
  connectivity.up(Part::subscription);
  for (int i = 0; i < 3; ++i) {
    connectivity.down(Part::commands, "Connection refused");
    connectivity.down(Part::subscription, "Connection refused");
  }
  EXPECT_FALSE(connectivity.is_well());
  connectivity.up(Part::commands);
  EXPECT_TRUE(log.lines("redis_recovered").empty());
  connectivity.up(Part::subscription);
  ASSERT_EQ(log.lines().size(), 2u);
  EXPECT_EQ(log.lines()[0].event, "redis_unavailable");
  EXPECT_EQ(log.lines()[0].message, "Connection refused");
  EXPECT_EQ(log.lines()[1].event, "redis_recovered");
}

TEST(Connectivity, OfEachKindOfRefusalTheFirstIsTold) {
  fakes::FakeLog log;
  Connectivity connectivity(log);
  connectivity.up(Part::commands);
  connectivity.up(Part::subscription);
  connectivity.refused("EVAL was refused: NOPERM");
  EXPECT_FALSE(connectivity.is_well());
  connectivity.refused("EVAL was refused: NOPERM");
  connectivity.refused("SET was refused: OOM");
  connectivity.accepted();
  EXPECT_TRUE(connectivity.is_well());
  EXPECT_EQ(log.lines("redis_refused").size(), 2u);
  for (int i = 0; i < 100; ++i) connectivity.refused("E" + std::to_string(i));
  EXPECT_EQ(log.lines("redis_refused").size(), 16u);
}

}  // namespace
}  // namespace fluxora::redis
