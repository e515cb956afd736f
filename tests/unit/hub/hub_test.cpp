#include "fluxora/hub/hub.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "memory_event_log.hpp"

namespace fluxora::hub::test {
namespace {

/// Only a broken test waits so long.
constexpr std::chrono::seconds patience{30};

/// The log that a hub follows; the test writes it from another thread.
class SharedLog {
 public:
  void append(std::size_t count, bool notify = true) {
    const std::lock_guard lock(mutex_);
    log_.append_many(count);
    if (notify) wake();
  }
  /// The database is another one now: its log has `count` entries.
  void replace(const std::string& epoch, std::size_t count) {
    const std::lock_guard lock(mutex_);
    log_ = MemoryEventLog();
    log_.extent.epoch = epoch;
    log_.append_many(count);
    wake();
  }
  /// The next `count` calls that ask the database fail.
  void fail(int count) {
    const std::lock_guard lock(mutex_);
    failures_ = count;
    wake();
  }
  /// Waits until a call has failed.
  void await_failure() {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(changed_.wait_for(lock, patience, [this] { return failed_; }));
  }
  /// From now on nobody waits.
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    wake();
  }

  ports::LogHead head() {
    const std::lock_guard lock(mutex_);
    maybe_fail();
    return log_.extent;
  }
  ports::EventPage read_after(std::uint64_t seq, std::size_t limit) {
    const std::lock_guard lock(mutex_);
    maybe_fail();
    limits_.push_back(limit);
    return {log_.entries_after(seq, limit), seq + limit < log_.extent.head_seq, log_.extent};
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return news_ || released_; });
    news_ = false;
    maybe_fail();
  }
  std::vector<std::size_t> limits() {
    const std::lock_guard lock(mutex_);
    return limits_;
  }

 private:
  void wake() {
    news_ = true;
    changed_.notify_all();
  }
  void maybe_fail() {
    if (failures_ == 0) return;
    --failures_;
    failed_ = true;
    changed_.notify_all();
    throw ports::StoreUnavailable("the database is away");
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  MemoryEventLog log_;
  bool news_ = false;
  bool released_ = false;
  int failures_ = 0;
  bool failed_ = false;
  std::vector<std::size_t> limits_;
};

class Tail final : public ports::LogTail {
 public:
  explicit Tail(SharedLog& log) : log_(log) {}
  ports::LogHead head() override { return log_.head(); }
  ports::EventPage read_after(std::uint64_t seq, std::size_t limit) override { return log_.read_after(seq, limit); }
  void wait(std::chrono::milliseconds) override { log_.wait(); }

 private:
  SharedLog& log_;
};

/// The I/O threads' mailboxes; the test's own thread plays all of them.
class IoThreads {
 public:
  explicit IoThreads(unsigned count) : tasks_(count) {}

  void post(unsigned io_thread, std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.at(io_thread).push_back(std::move(task));
    posted_.notify_all();
  }
  /// Waits for one task of that thread and runs it.
  void run_one(unsigned io_thread) {
    std::function<void()> task;
    {
      std::unique_lock lock(mutex_);
      const bool came = posted_.wait_for(lock, patience, [&] { return !tasks_[io_thread].empty(); });
      ASSERT_TRUE(came) << "nothing was posted to thread " << io_thread;
      task = std::move(tasks_[io_thread].front());
      tasks_[io_thread].pop_front();
    }
    task();
  }
  void run_waiting(unsigned io_thread) {
    while (waiting(io_thread) > 0) run_one(io_thread);
  }
  std::size_t waiting(unsigned io_thread) {
    const std::lock_guard lock(mutex_);
    return tasks_[io_thread].size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::vector<std::deque<std::function<void()>>> tasks_;
};

/// Keeps what it hears.
class Listener final : public Subscriber {
 public:
  void on_batch(const PublishedBatch& batch) override {
    epochs.push_back(batch.epoch);
    for (const PublishedEntry& published : batch.entries) {
      seqs.push_back(published.entry.seq);
      frames.push_back(published.frame);
    }
    if (on_hearing) on_hearing();
  }
  void on_notice(const Frame& notice) override {
    notices.push_back(*notice);
    if (on_hearing) on_hearing();
  }
  void on_epoch_changed() override {
    ++epoch_changes;
    if (on_hearing) on_hearing();
  }

  std::vector<std::uint64_t> seqs;
  std::vector<std::string> epochs;
  std::vector<Frame> frames;
  std::vector<std::string> notices;
  int epoch_changes = 0;
  std::function<void()> on_hearing;
};

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> seqs;
  for (std::uint64_t seq = first; seq <= last; ++seq) seqs.push_back(seq);
  return seqs;
}

class HubTest : public ::testing::Test {
 protected:
  void start(std::size_t entries) {
    log_.append(entries, /*notify=*/false);
    hub_.start(2, [this](unsigned io_thread, std::function<void()> task) { io_.post(io_thread, std::move(task)); });
  }
  void end() {
    clock_.end();
    log_.release();
    hub_.stop();
  }
  void TearDown() override { end(); }
  /// Runs thread 0's tasks until its tail is there.
  void follow_to(std::uint64_t seq) {
    while (hub_.position(0).seq < seq && !HasFatalFailure()) io_.run_one(0);
  }

  SharedLog log_;
  fakes::FakeClock clock_;
  fakes::FakeLog lines_;
  IoThreads io_{2};
  Hub hub_{std::make_unique<Tail>(log_), clock_, lines_};
  Listener listener_;
};

TEST_F(HubTest, BeginsWhereTheLogEnds) {
  start(7);
  for (const unsigned io_thread : {0u, 1u}) {
    EXPECT_EQ(hub_.position(io_thread).epoch, "e1");
    EXPECT_EQ(hub_.position(io_thread).seq, 7u);
  }
  hub_.add(0, listener_);
  log_.append(1);
  follow_to(8);
  EXPECT_EQ(listener_.seqs, from_to(8, 8));
}

TEST_F(HubTest, ALogThatCannotBeReadAtTheStartIsTheCallersTrouble) {
  log_.fail(1);
  EXPECT_THROW(start(0), ports::StoreUnavailable);
}

TEST_F(HubTest, WhatIsAppendedReachesEveryThreadsSubscribersInOrder) {
  start(0);
  Listener second;
  Listener other_thread;
  hub_.add(0, listener_);
  hub_.add(0, second);
  hub_.add(1, other_thread);
  log_.append(3);
  follow_to(3);
  log_.append(4);
  follow_to(7);
  while (hub_.position(1).seq < 7 && !HasFatalFailure()) io_.run_one(1);
  EXPECT_EQ(listener_.seqs, from_to(1, 7));
  EXPECT_EQ(second.seqs, from_to(1, 7));
  EXPECT_EQ(other_thread.seqs, from_to(1, 7));
  for (const std::string& epoch : listener_.epochs) EXPECT_EQ(epoch, "e1");
}

TEST_F(HubTest, AnEntryIsEncodedOnceForAll) {
  start(0);
  Listener other_thread;
  hub_.add(0, listener_);
  hub_.add(1, other_thread);
  log_.append(1);
  follow_to(1);
  io_.run_one(1);
  ASSERT_EQ(listener_.frames.size(), 1u);
  EXPECT_EQ(listener_.frames, other_thread.frames);
  EXPECT_NE(listener_.frames[0]->find(R"("cursor":"e1-1")"), std::string::npos);
}

TEST_F(HubTest, AThreadsTailMovesWithItsSubscribers) {
  start(0);
  log_.append(2);
  follow_to(2);
  EXPECT_EQ(hub_.position(1).seq, 0u) << "thread 1 hasn't been given them yet";
  Listener late;
  hub_.add(1, late);
  while (hub_.position(1).seq < 2 && !HasFatalFailure()) io_.run_one(1);
  EXPECT_EQ(hub_.position(1).seq, 2u);
  EXPECT_EQ(late.seqs, from_to(1, 2)) << "it came before its thread was given them";
}

TEST_F(HubTest, ManyEntriesComeInBatches) {
  start(0);
  hub_.add(0, listener_);
  std::vector<std::size_t> sizes;
  std::size_t before = 0;
  listener_.on_hearing = [&] {
    sizes.push_back(listener_.seqs.size() - before);
    before = listener_.seqs.size();
  };
  log_.append(Hub::batch_limit * 2 + 1);
  follow_to(Hub::batch_limit * 2 + 1);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{Hub::batch_limit, Hub::batch_limit, 1}));
  EXPECT_EQ(listener_.seqs, from_to(1, Hub::batch_limit * 2 + 1));
  for (const std::size_t limit : log_.limits()) EXPECT_EQ(limit, Hub::batch_limit);
}

TEST_F(HubTest, WhoIsRemovedHearsNothingMore) {
  start(0);
  hub_.add(0, listener_);
  log_.append(1);
  follow_to(1);
  hub_.remove(0, listener_);
  log_.append(1);
  follow_to(2);
  EXPECT_EQ(listener_.seqs, from_to(1, 1));
}

TEST_F(HubTest, ASubscriberMayGoWhileAnotherIsTold) {
  // Whichever of the two is told first removes the other.
  Listener first;
  Listener second;
  const auto each_removes_the_other = [&] {
    first.on_hearing = [&] { hub_.remove(0, second); };
    second.on_hearing = [&] { hub_.remove(0, first); };
    hub_.add(0, first);
    hub_.add(0, second);
  };
  start(0);
  each_removes_the_other();
  log_.append(1);
  follow_to(1);
  EXPECT_EQ(first.seqs.size() + second.seqs.size(), 1u);

  each_removes_the_other();
  hub_.broadcast(std::make_shared<std::string>("notice"));
  io_.run_one(0);
  EXPECT_EQ(first.notices.size() + second.notices.size(), 1u);

  each_removes_the_other();
  log_.replace("e2", 1);
  log_.fail(1);
  while (hub_.position(0).epoch != "e2" && !HasFatalFailure()) io_.run_one(0);
  EXPECT_EQ(first.epoch_changes + second.epoch_changes, 1);
  hub_.remove(0, first);
  hub_.remove(0, second);
}

TEST_F(HubTest, ANoticeReachesEverySubscriberAmongTheEntries) {
  start(0);
  Listener other_thread;
  hub_.add(0, listener_);
  hub_.add(1, other_thread);
  log_.append(1);
  follow_to(1);
  hub_.broadcast(std::make_shared<std::string>("degraded"));
  hub_.broadcast(std::make_shared<std::string>("recovered"));
  for (int i = 0; i < 2; ++i) io_.run_one(0);
  for (int i = 0; i < 3; ++i) io_.run_one(1);
  const std::vector<std::string> both{"degraded", "recovered"};
  EXPECT_EQ(listener_.notices, both);
  EXPECT_EQ(other_thread.notices, both);
  EXPECT_EQ(other_thread.seqs, from_to(1, 1));
}

TEST_F(HubTest, ANoticeBeforeTheStartReachesNobody) {
  hub_.broadcast(std::make_shared<std::string>("too early"));
  start(0);
  EXPECT_EQ(io_.waiting(0), 0u);
}

TEST_F(HubTest, AnOutageIsWaitedOutAndNothingIsLost) {
  start(0);
  hub_.add(0, listener_);
  log_.append(1);
  follow_to(1);
  log_.fail(3);
  log_.append(2);
  follow_to(3);
  EXPECT_EQ(listener_.seqs, from_to(1, 3));
  EXPECT_EQ(listener_.epoch_changes, 0);
  EXPECT_EQ(lines_.lines("log_tail_unavailable").size(), 3u);
  EXPECT_EQ(clock_.slept().size(), 3u) << "each failure is followed by a wait";
}

TEST_F(HubTest, AnotherLogAfterAnOutageIsToldToEverySubscriber) {
  start(5);
  Listener other_thread;
  hub_.add(0, listener_);
  hub_.add(1, other_thread);
  log_.replace("e2", 2);
  log_.fail(1);
  io_.run_one(0);
  io_.run_one(1);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(other_thread.epoch_changes, 1);
  EXPECT_EQ(hub_.position(0).epoch, "e2");
  EXPECT_EQ(hub_.position(0).seq, 2u);
  EXPECT_EQ(lines_.lines("epoch_changed").size(), 1u);

  log_.append(1);
  follow_to(3);
  EXPECT_EQ(listener_.seqs, from_to(3, 3));
  EXPECT_EQ(listener_.epochs, std::vector<std::string>{"e2"});
}

TEST_F(HubTest, AnotherLogIsSeenWithoutAnyTroubleAndNoneOfItsEntriesIsTakenForOneOfOurs) {
  start(5);
  hub_.add(0, listener_);
  log_.replace("e2", 9);  // its entries 6 to 9 are where ours would go on
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_TRUE(listener_.seqs.empty());
  EXPECT_EQ(hub_.position(0).epoch, "e2");
  EXPECT_EQ(hub_.position(0).seq, 9u);

  log_.append(1);
  follow_to(10);
  EXPECT_EQ(listener_.seqs, from_to(10, 10));
  EXPECT_EQ(listener_.epochs, std::vector<std::string>{"e2"});
  EXPECT_TRUE(lines_.lines("log_tail_unavailable").empty());
}

TEST_F(HubTest, AnotherLogWithAsManyEntriesIsAnotherLogToo) {
  start(5);
  hub_.add(0, listener_);
  log_.replace("e2", 5);
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(hub_.position(0).epoch, "e2");
}

TEST_F(HubTest, ALogThatLostEntriesIsAnotherLog) {
  start(5);
  hub_.add(0, listener_);
  log_.replace("e1", 3);
  log_.fail(1);
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(hub_.position(0).seq, 3u);
}

TEST_F(HubTest, AfterTheEndNothingIsPosted) {
  start(0);
  hub_.add(0, listener_);
  log_.append(1);
  follow_to(1);
  end();
  io_.run_waiting(0);
  log_.append(1);
  EXPECT_EQ(io_.waiting(0), 0u);
  EXPECT_EQ(listener_.seqs, from_to(1, 1));
  end();  // a second time: nothing to end
}

TEST_F(HubTest, TheEndComesAlsoDuringAnOutage) {
  start(0);
  log_.fail(1'000'000'000);
  log_.await_failure();
  clock_.end();
  hub_.stop();
  EXPECT_GE(lines_.lines("log_tail_unavailable").size(), 1u);
}

}  // namespace
}  // namespace fluxora::hub::test
