#include "shared_rates.hpp"

#include <gtest/gtest.h>

#include "fake_clock.hpp"

namespace fluxora::redis {
namespace {

using Count = ports::RateCounts::Count;

Reply integer(std::int64_t value) {
  Reply reply;
  reply.kind = Reply::Kind::integer;
  reply.integer = value;
  return reply;
}

Reply list(std::vector<Reply> items) {
  Reply reply;
  reply.kind = Reply::Kind::list;
  reply.list = std::move(items);
  return reply;
}

/// Counts over a queue that keeps what it is given.
class SharedRatesTest : public testing::Test {
 protected:
  bool add(std::string_view client = "key:1", std::string_view limit = "writes") {
    return rates_.add(limit, client, 10'000, [this](std::optional<Count> count) { counted_.push_back(count); });
  }
  std::string key_of(std::size_t command) { return commands_.at(command).at(3); }

  fakes::FakeClock clock_{1'000'000};
  std::string prefix_ = "fluxora:0:{e}:rate:";
  bool taken_ = true;
  std::vector<Command> commands_;
  std::vector<CommandQueue::Answer> answers_;
  std::vector<std::optional<Count>> counted_;
  SharedRates rates_{clock_, [this] { return prefix_; },
                     [this](Command command, CommandQueue::Answer answer) {
                       if (!taken_) return false;
                       commands_.push_back(std::move(command));
                       answers_.push_back(std::move(answer));
                       return true;
                     }};
};

TEST_F(SharedRatesTest, CountsInOneCommandAndTellsWhatCameBack) {
  EXPECT_TRUE(add());
  ASSERT_EQ(commands_.size(), 1u);
  EXPECT_EQ(commands_[0].front(), "EVAL");
  EXPECT_EQ(commands_[0].back(), "10000");
  EXPECT_TRUE(counted_.empty());
  const Reply reply = list({integer(7), integer(2'500)});
  answers_[0](&reply);
  ASSERT_EQ(counted_.size(), 1u);
  ASSERT_TRUE(counted_[0]);
  EXPECT_EQ(counted_[0]->total, 7u);
  EXPECT_EQ(counted_[0]->ends_at, 1'002'500);
  EXPECT_EQ(rates_.counts().shared, 1u);
}

TEST_F(SharedRatesTest, EachLimitOfEachClientHasItsKeyWhichDoesntNameIt) {
  add("jwt:kim");
  add("jwt:kim");
  add("jwt:lee");
  add("jwt:kim", "failures");
  EXPECT_EQ(key_of(0), key_of(1));
  EXPECT_NE(key_of(0), key_of(2));
  EXPECT_NE(key_of(0), key_of(3));
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(key_of(i).rfind(prefix_, 0), 0u) << key_of(i);
    EXPECT_EQ(key_of(i).find("kim"), std::string::npos) << key_of(i);
  }
}

TEST_F(SharedRatesTest, AWindowIsNoLongerThanItIs) {
  add();
  const Reply reply = list({integer(1), integer(99'999'999)});
  answers_[0](&reply);
  EXPECT_EQ(counted_.at(0)->ends_at, 1'010'000);
}

TEST_F(SharedRatesTest, WithoutRedisNothingIsShared) {
  taken_ = false;
  EXPECT_FALSE(add());
  taken_ = true;
  prefix_.clear();
  EXPECT_FALSE(add()) << "whose log is followed isn't known yet";
  EXPECT_TRUE(counted_.empty());
  EXPECT_TRUE(commands_.empty());
  EXPECT_EQ(rates_.counts().alone, 2u);
}

TEST_F(SharedRatesTest, WhatIsNoCountIsNone) {
  Reply error;
  error.kind = Reply::Kind::error;
  const Reply replies[] = {
      error,
      integer(3),
      list({}),
      list({integer(3)}),
      list({integer(0), integer(5)}),
      list({integer(3), integer(-1)}),
      list({error, integer(5)}),
      list({integer(3), integer(5), integer(5)}),
  };
  for (const Reply& reply : replies) {
    add();
    answers_.back()(&reply);
  }
  add();
  answers_.back()(nullptr);
  ASSERT_EQ(counted_.size(), std::size(replies) + 1);
  for (const auto& count : counted_) EXPECT_FALSE(count);
  EXPECT_EQ(rates_.counts().alone, counted_.size());
  EXPECT_EQ(rates_.counts().shared, 0u);
}

}  // namespace
}  // namespace fluxora::redis
