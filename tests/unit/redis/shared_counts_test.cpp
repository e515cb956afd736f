#include "shared_counts.hpp"

#include <gtest/gtest.h>

#include "fake_clock.hpp"

namespace fluxora::redis {
namespace {

using std::chrono::milliseconds;

/// Instances whose messages go to all, themselves included, unless the way between them is cut.
class SharedCountsTest : public testing::Test {
 protected:
  bool send(const std::string& message) {
    if (cut_) return false;
    ++messages_;
    for (SharedCounts* instance : {&a_, &b_, &c_}) EXPECT_TRUE(instance->take(message));
    return true;
  }
  void tick() {
    for (SharedCounts* instance : {&a_, &b_, &c_}) instance->tick();
  }
  void pass(milliseconds time) {
    clock_.advance(time);
    tick();
  }

  fakes::FakeClock clock_;
  bool cut_ = false;
  std::size_t messages_ = 0;
  SharedCounts::Publish publish_ = [this](const std::string& message) { return send(message); };
  SharedCounts a_{{1}, clock_, publish_};
  SharedCounts b_{{2}, clock_, publish_};
  SharedCounts c_{{3}, clock_, publish_};
};

TEST_F(SharedCountsTest, EachKnowsWhatTheOthersHave) {
  a_.changed("10.0.0.1", 3);
  b_.changed("10.0.0.1", 4);
  b_.changed("10.0.0.2", 1);
  tick();
  EXPECT_EQ(a_.elsewhere("10.0.0.1"), 4u);
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 3u);
  EXPECT_EQ(c_.elsewhere("10.0.0.1"), 7u);
  EXPECT_EQ(c_.elsewhere("10.0.0.2"), 1u);
  EXPECT_EQ(c_.elsewhere("10.0.0.3"), 0u);
  EXPECT_EQ(c_.addresses_elsewhere(), 2u);
}

TEST_F(SharedCountsTest, TheLatestCountIsTheOneThatCounts) {
  a_.changed("10.0.0.1", 3);
  tick();
  a_.changed("10.0.0.1", 5);
  a_.changed("10.0.0.1", 2);
  tick();
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 2u);
  a_.changed("10.0.0.1", 0);
  tick();
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 0u);
  EXPECT_EQ(b_.addresses_elsewhere(), 0u);
}

TEST_F(SharedCountsTest, WithoutNewsNothingIsSaidUntilAllIsSaidAgain) {
  a_.changed("10.0.0.1", 3);
  tick();
  EXPECT_EQ(messages_, 1u);
  pass(SharedCounts::tell_all_every - milliseconds(1));
  EXPECT_EQ(messages_, 1u);
  pass(milliseconds(1));
  EXPECT_EQ(messages_, 2u);
}

TEST_F(SharedCountsTest, AnInstanceThatFallsSilentIsForgotten) {
  a_.changed("10.0.0.1", 3);
  tick();
  cut_ = true;
  clock_.advance(SharedCounts::forget_after - milliseconds(1));
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 3u);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 0u);
  tick();
  EXPECT_EQ(b_.addresses_elsewhere(), 0u);
}

TEST_F(SharedCountsTest, WhatWasLostOnTheWayIsSaidAgain) {
  cut_ = true;
  a_.changed("10.0.0.1", 3);
  tick();
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 0u);
  cut_ = false;
  pass(SharedCounts::tell_all_every);
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 3u);
}

TEST_F(SharedCountsTest, ManyAddressesGoInSeveralMessagesAndTicks) {
  const std::size_t many = SharedCounts::addresses_a_message * SharedCounts::messages_a_tick + 1;
  for (std::size_t i = 0; i < many; ++i) a_.changed(std::to_string(i), 1);
  tick();
  EXPECT_EQ(messages_, SharedCounts::messages_a_tick);
  EXPECT_EQ(b_.addresses_elsewhere(), many - 1);
  tick();
  EXPECT_EQ(b_.addresses_elsewhere(), many);
}

TEST_F(SharedCountsTest, WhatIsNoMessageIsRefusedWhole) {
  std::string message;
  SharedCounts teller({9}, clock_, [&](const std::string& text) {
    message = text;
    return true;
  });
  teller.changed("10.0.0.1", 3);
  teller.tick();
  for (std::size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(a_.take(std::string_view(message).substr(0, size))) << size;
  }
  EXPECT_FALSE(a_.take(message + std::string(4, '\0')));
  EXPECT_FALSE(a_.take("hello, hello, hello, hello, hello, hello"));
  EXPECT_EQ(a_.addresses_elsewhere(), 0u);
  EXPECT_TRUE(a_.take(message));
  EXPECT_EQ(a_.elsewhere("10.0.0.1"), 3u);
}

TEST_F(SharedCountsTest, WhoComesAndGoesWhileNothingCanBeToldLeavesLittle) {
  cut_ = true;
  tick();
  for (std::size_t i = 0; i < 3 * SharedCounts::max_untold; ++i) {
    a_.changed(std::to_string(i), 1);
    a_.changed(std::to_string(i), 0);
  }
  a_.changed("10.0.0.1", 1);
  cut_ = false;
  for (int i = 0; i < 10; ++i) tick();
  EXPECT_EQ(messages_, SharedCounts::max_untold / SharedCounts::addresses_a_message);
  EXPECT_EQ(b_.elsewhere("10.0.0.1"), 1u) << "who is there is told all the same";
  EXPECT_EQ(b_.addresses_elsewhere(), 1u);
}

TEST_F(SharedCountsTest, ThereIsAMostOfWhatIsRemembered) {
  SharedCounts teller({9}, clock_, [&](const std::string& text) { return a_.take(text); });
  for (std::size_t i = 0; i <= SharedCounts::max_addresses; ++i) teller.changed(std::to_string(i), 1);
  const std::size_t a_tick = SharedCounts::addresses_a_message * SharedCounts::messages_a_tick;
  for (std::size_t told = 0; told <= SharedCounts::max_addresses; told += a_tick) teller.tick();
  EXPECT_EQ(a_.addresses_elsewhere(), SharedCounts::max_addresses);
}

}  // namespace
}  // namespace fluxora::redis
