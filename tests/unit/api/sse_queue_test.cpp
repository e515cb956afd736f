#include "sse_queue.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

hub::Frame frame(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

TEST(SseQueue, GivesWholeMessagesInOrder) {
  SseCounters counters;
  SseQueue queue(counters);
  queue.push(frame("one"));
  queue.push(frame("two"));
  queue.push(frame("three"));
  EXPECT_EQ(queue.take(10), "onetwo");
  EXPECT_EQ(queue.take(10), "three");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.take(10), "");
  EXPECT_EQ(queue.messages_taken(), 3u);
  EXPECT_EQ(queue.bytes_taken(), 11u);
}

TEST(SseQueue, AMessageLargerThanAPieceIsGivenInParts) {
  SseCounters counters;
  SseQueue queue(counters);
  queue.push(frame("a"));
  queue.push(frame("0123456789"));
  queue.push(frame("b"));
  std::string all;
  std::vector<std::size_t> sizes;
  while (!queue.empty()) {
    const std::string piece = queue.take(4);
    sizes.push_back(piece.size());
    all += piece;
  }
  EXPECT_EQ(all, "a0123456789b");
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 4, 4, 3}));
}

TEST(SseQueue, WhatIsDroppedIsNeverHalfAMessage) {
  SseCounters counters;
  SseQueue queue(counters);
  queue.push(frame("0123456789"));
  queue.push(frame("dropped"));
  EXPECT_EQ(queue.take(4), "0123");
  queue.drop_waiting();
  queue.push(frame("end"));
  EXPECT_EQ(queue.take(100), "456789end");

  queue.push(frame("not begun"));
  queue.drop_waiting();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(SseQueue, HasItsBounds) {
  SseCounters counters;
  SseQueue queue(counters);
  queue.push(frame(std::string(SseQueue::max_bytes, 'x')));
  EXPECT_FALSE(queue.over_bound());
  queue.push(frame("x"));
  EXPECT_TRUE(queue.over_bound());
  EXPECT_EQ(queue.take(SseQueue::max_bytes).size(), SseQueue::max_bytes);
  EXPECT_FALSE(queue.over_bound());
  for (std::size_t i = 0; i < SseQueue::max_messages; ++i) queue.push(frame("y"));
  EXPECT_TRUE(queue.over_bound()) << "in messages";
}

TEST(SseQueue, CountsWhatWaitsUntilItGoes) {
  SseCounters counters;
  {
    SseQueue queue(counters);
    queue.push(frame("one"));
    queue.push(frame("two"));
    queue.push(frame("three"));
    EXPECT_EQ(counters.queued_messages, 3u);
    EXPECT_EQ(counters.queued_bytes, 11u);
    EXPECT_EQ(queue.take(4), "one");
    EXPECT_EQ(counters.queued_messages, 2u);
    EXPECT_EQ(counters.queued_bytes, 8u);
  }
  EXPECT_EQ(counters.queued_messages, 0u);
  EXPECT_EQ(counters.queued_bytes, 0u);
  EXPECT_EQ(counters.messages_sent, 1u);
  EXPECT_EQ(counters.bytes_sent, 3u);
}

}  // namespace
}  // namespace fluxora::api
