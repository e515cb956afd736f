#include "replica_lag.hpp"

#include <chrono>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace fluxora::store {
namespace {

using std::chrono::seconds;
using Sight = DatabaseWatch::Sight;

const ReplicaLag::TimePoint start{std::chrono::hours(1)};

Sight at(std::uint64_t seq, const std::string& epoch = "k3f9") {
  return {epoch, false, seq};
}

TEST(ReplicaLag, IsNoneWhereTheReplicaGetsWhereThePrimaryWas) {
  ReplicaLag lag;
  std::uint64_t seq = 1'000;
  lag.note(at(seq), at(seq - 500), start);
  for (int s = 1; s < 60; ++s) {  // always far behind, and always going on
    seq += 100;
    lag.note(at(seq), at(seq - 500), start + seconds(s));
    EXPECT_FALSE(lag.is_too_long(start + seconds(s))) << s;
  }
}

TEST(ReplicaLag, GrowsWhereTheReplicaStandsStill) {
  ReplicaLag lag;
  lag.note(at(1'000), at(1'000), start);
  for (int s = 1; s <= 11; ++s) lag.note(at(1'000 + static_cast<std::uint64_t>(s)), at(1'000), start + seconds(s));
  EXPECT_FALSE(lag.is_too_long(start + seconds(11))) << "10 s after it first lacked something";
  EXPECT_TRUE(lag.is_too_long(start + seconds(12)));
  lag.note(at(1'020), at(1'001), start + seconds(12));
  EXPECT_FALSE(lag.is_too_long(start + seconds(12))) << "it goes on";
}

TEST(ReplicaLag, IsNoneWhereNothingIsWritten) {
  ReplicaLag lag;
  for (int s = 0; s < 60; ++s) lag.note(at(1'000), at(1'000), start + seconds(s));
  EXPECT_FALSE(lag.is_too_long(start + seconds(60)));
}

TEST(ReplicaLag, BeginsAnewWithAnotherLog) {
  ReplicaLag lag;
  lag.note(at(1'000), at(10), start);
  lag.note(at(1'000), at(10), start + seconds(20));
  EXPECT_TRUE(lag.is_too_long(start + seconds(20)));
  lag.note(at(5, "m2p7"), at(5, "m2p7"), start + seconds(21));
  EXPECT_FALSE(lag.is_too_long(start + seconds(21)));
}

}  // namespace
}  // namespace fluxora::store
