#include "fluxora/hub/read_queue.hpp"

#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "memory_event_log.hpp"

namespace fluxora::hub::test {
namespace {

/// Who asks, and stays.
const std::shared_ptr<const int> somebody = std::make_shared<const int>(0);

TEST(ReadQueue, AsksAsMuchAtOnceAsItMayAndTheRestInTurn) {
  MemoryEventLog log;
  log.append_many(9);
  ReadQueue queue(log, 2, 10);
  std::vector<std::uint64_t> answered;
  for (std::uint64_t i = 0; i < 5; ++i) {
    queue.read(somebody, i, 1, {},
               [&](const ports::StoreResult<ports::EventPage>& page) { answered.push_back(page->entries.at(0).seq); });
  }
  EXPECT_EQ(log.waiting(), 2u);
  EXPECT_EQ(queue.waiting(), 3u);
  log.answer(1);
  EXPECT_EQ(log.waiting(), 2u) << "the next one has begun";
  while (log.waiting() > 0) log.answer();
  EXPECT_EQ(answered, (std::vector<std::uint64_t>{2, 1, 3, 4, 5}));
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(ReadQueue, WhoAsksForTheHeadWhileTheQuestionWaitsSharesItsAnswer) {
  MemoryEventLog log;
  log.append_many(3);
  ReadQueue queue(log, 1, 10);
  std::vector<std::uint64_t> heads;
  const auto ask = [&] {
    queue.head([&](const ports::StoreResult<ports::LogHead>& head) { heads.push_back(head->head_seq); });
  };
  ask();  // is asked at once
  ask();
  ask();
  EXPECT_EQ(queue.waiting(), 1u);
  log.answer();
  EXPECT_EQ(heads.size(), 1u) << "the others came when the first question was under way, so it may be too old for them";
  log.append_many(1);
  log.answer();
  EXPECT_EQ(heads, (std::vector<std::uint64_t>{3, 4, 4}));
  ask();
  log.answer();
  EXPECT_EQ(heads.size(), 4u);
}

TEST(ReadQueue, FailuresArePassedOn) {
  MemoryEventLog log;
  log.failure = ports::StoreFailure::busy;
  ReadQueue queue(log, 1, 10);
  int failed = 0;
  queue.head([&](const ports::StoreResult<ports::LogHead>& head) { failed += head ? 0 : 1; });
  queue.read(somebody, 0, 1, {}, [&](const ports::StoreResult<ports::EventPage>& page) { failed += page ? 0 : 1; });
  log.answer();
  log.answer();
  EXPECT_EQ(failed, 2);
}

TEST(ReadQueue, WhatIsAskedForNobodyAnyMoreIsNotRead) {
  MemoryEventLog log;
  log.append_many(9);
  ReadQueue queue(log, 1, 10);
  std::vector<std::uint64_t> answered;
  std::vector<std::shared_ptr<int>> askers;
  for (std::uint64_t i = 0; i < 6; ++i) {
    askers.push_back(std::make_shared<int>());
    queue.read(askers[i], i, 1, {},
               [&](const ports::StoreResult<ports::EventPage>& page) { answered.push_back(page->entries.at(0).seq); });
  }
  for (const std::size_t gone : {1u, 2u, 3u, 5u}) askers[gone].reset();
  while (log.waiting() > 0) log.answer();
  EXPECT_EQ(answered, (std::vector<std::uint64_t>{1, 5}));
  EXPECT_EQ(log.reads.size(), 2u);
  EXPECT_EQ(queue.waiting(), 0u);
}

TEST(ReadQueue, BeyondItsBoundItIsBusy) {
  MemoryEventLog log;
  log.append_many(9);
  ReadQueue queue(log, 1, 2);
  int answered = 0;
  int busy = 0;
  const auto count = [&](const auto& answer) {
    if (answer) ++answered;
    if (!answer && answer.error() == ports::StoreFailure::busy) ++busy;
  };
  for (int i = 0; i < 4; ++i) queue.read(somebody, 0, 1, {}, count);
  EXPECT_EQ(busy, 1) << "one is asked and two wait";
  queue.head(count);
  EXPECT_EQ(busy, 2);
  log.answer();
  for (int i = 0; i < 3; ++i) queue.head(count);
  EXPECT_EQ(busy, 3) << "two share the question";
  while (log.waiting() > 0) log.answer();
  EXPECT_EQ(answered, 5);
  queue.head(count);
  log.answer();
  EXPECT_EQ(answered, 6);
}

/// Has no memory for a question now and then.
class FailingLog final : public ports::EventLog {
 public:
  void head(ports::Reply<ports::LogHead> reply) override {
    if (fails) throw std::bad_alloc();
    reply(ports::LogHead{});
  }
  void read(std::optional<std::uint64_t>, std::size_t, ports::EventFilter,
            ports::Reply<ports::EventPage> reply) override {
    if (fails) throw std::bad_alloc();
    reply(ports::EventPage{});
  }
  bool fails = true;
};

TEST(ReadQueue, AQuestionThatThrowsIsAnsweredAndTheNextOnesHaveTheirTurn) {
  FailingLog log;
  ReadQueue queue(log, 1, 10);
  int answered = 0;
  int failed = 0;
  const auto count = [&](const auto& answer) { ++(answer ? answered : failed); };
  queue.head(count);
  queue.read(somebody, 0, 1, {}, count);
  EXPECT_EQ(failed, 2);
  log.fails = false;
  queue.head([&](const auto& head) {
    count(head);
    throw std::bad_alloc();
  });
  queue.read(somebody, 0, 1, {}, [&](const auto& page) {
    count(page);
    throw std::bad_alloc();
  });
  queue.head(count);
  queue.read(somebody, 0, 1, {}, count);
  EXPECT_EQ(answered, 4);
  EXPECT_EQ(failed, 2);
}

/// Answers before it returns, as a store does that refuses.
class HastyLog final : public ports::EventLog {
 public:
  void head(ports::Reply<ports::LogHead> reply) override { reply(tl::unexpected(ports::StoreFailure::busy)); }
  void read(std::optional<std::uint64_t>, std::size_t, ports::EventFilter,
            ports::Reply<ports::EventPage> reply) override {
    if (on_read) on_read();
    reply(tl::unexpected(ports::StoreFailure::busy));
  }
  std::function<void()> on_read;
};

TEST(ReadQueue, AnswersThatComeAtOnceDoNotPileUp) {
  HastyLog log;
  constexpr int many = 100'000;
  ReadQueue queue(log, 1, many);
  int answered = 0;
  bool asked = false;
  // All but the first are asked while the first is under way, so that they wait.
  log.on_read = [&] {
    if (std::exchange(asked, true)) return;
    for (int i = 1; i < many; ++i) queue.read(somebody, 0, 1, {}, [&](const auto&) { ++answered; });
  };
  queue.read(somebody, 0, 1, {}, [&](const auto&) { ++answered; });
  EXPECT_EQ(answered, many);
}

TEST(ReadQueue, AnswersMayOutliveTheQueue) {
  MemoryEventLog log;
  log.append_many(1);
  int answered = 0;
  {
    ReadQueue queue(log, 1, 10);
    for (int i = 0; i < 2; ++i) queue.read(somebody, 0, 1, {}, [&](const auto&) { ++answered; });
  }
  while (log.waiting() > 0) log.answer();
  EXPECT_EQ(answered, 2);
}

}  // namespace
}  // namespace fluxora::hub::test
