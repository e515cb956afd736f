#include "fluxora/hub/hub.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/core/cursor.hpp"
#include "fluxora/hub/feed_session.hpp"
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
  void append(core::LogEntry entry) { append(std::vector<core::LogEntry>{std::move(entry)}); }
  /// All at once.
  void append(std::vector<core::LogEntry> entries) {
    const std::lock_guard lock(mutex_);
    for (core::LogEntry& entry : entries) log_.append(std::move(entry));
    wake();
  }
  /// The same, and those before `oldest` are pruned at once.
  void append_pruned(std::size_t count, std::uint64_t oldest) {
    const std::lock_guard lock(mutex_);
    log_.append_many(count);
    log_.prune(oldest);
    wake();
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
  /// Waits until more than `count` tasks wait.
  void await_one(unsigned io_thread, std::size_t count) {
    std::unique_lock lock(mutex_);
    ASSERT_TRUE(posted_.wait_for(lock, patience, [&] { return tasks_[io_thread].size() > count; }));
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

Notice notice_of(const std::string& text) {
  return {{std::make_shared<std::string>(text), std::make_shared<std::string>("event: " + text + "\n\n")}};
}

/// A connection that follows everything and keeps what it hears.
class Listener final : public Subscriber, public Outlet {
 public:
  void on_notice(const Notice& notice) override {
    notices.push_back(*notice.frame(FeedFormat::websocket));
    if (on_hearing) on_hearing();
  }
  void on_epoch_changed() override {
    ++epoch_changes;
    if (on_hearing) on_hearing();
  }
  void on_tick(core::UnixMillis now) override { ticks.push_back(now); }

  void send(Frame frame) override {
    const std::size_t from = frame->find("\"cursor\":\"") + 10;
    const auto cursor = core::parse_cursor(frame->substr(from, frame->find('"', from) - from));
    ASSERT_TRUE(static_cast<bool>(cursor));
    epochs.push_back(cursor->epoch);
    seqs.push_back(cursor->seq);
    frames.push_back(std::move(frame));
    if (on_hearing) on_hearing();
  }
  [[nodiscard]] Backlog backlog() const override { return {}; }
  [[nodiscard]] bool drained() const override { return true; }
  void give_up() override { ++ended; }
  void too_slow() override { ++ended; }

  /// On its thread, like all of it.
  void join(Hub& hub, unsigned io_thread) {
    hub.add(io_thread, *this);
    session = std::make_shared<FeedSession>(hub.shard(io_thread), *this, FeedFormat::websocket);
    session->subscribe({}, std::nullopt, [](const Subscribed&) {});
  }
  void leave(Hub& hub, unsigned io_thread) {
    hub.remove(io_thread, *this);
    session->close();
  }

  std::shared_ptr<FeedSession> session;
  std::vector<std::uint64_t> seqs;
  std::vector<std::string> epochs;
  std::vector<Frame> frames;
  std::vector<std::string> notices;
  std::vector<core::UnixMillis> ticks;
  int epoch_changes = 0;
  int ended = 0;
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
    hub_.start(
        2, [this](unsigned io_thread, std::function<void()> task) { io_.post(io_thread, std::move(task)); },
        [this] { ++growths_; });
  }
  void end() {
    clock_.end();
    log_.release();
    hub_.stop();
  }
  void TearDown() override { end(); }
  /// Runs thread 0's tasks until its tail is there.
  void follow_to(std::uint64_t seq) {
    while (hub_.shard(0).position().seq < seq && !HasFatalFailure()) io_.run_one(0);
  }

  SharedLog log_;
  fakes::FakeClock clock_;
  fakes::FakeLog lines_;
  IoThreads io_{2};
  MemoryEventLog replays_;  // nobody asks it anything here
  std::atomic<unsigned> growths_{0};
  Hub hub_{std::make_unique<Tail>(log_), replays_, clock_, lines_};
  Listener listener_;
};

TEST_F(HubTest, TellsThatTheLogHasGrown) {
  start(7);
  EXPECT_EQ(growths_, 0u) << "what was there before isn't new";
  log_.append(2);
  follow_to(9);
  EXPECT_GE(growths_, 1u);
}

TEST_F(HubTest, BeginsWhereTheLogEnds) {
  start(7);
  for (const unsigned io_thread : {0u, 1u}) {
    EXPECT_EQ(hub_.shard(io_thread).position().epoch, "e1");
    EXPECT_EQ(hub_.shard(io_thread).position().seq, 7u);
  }
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(8);
  EXPECT_EQ(listener_.seqs, from_to(8, 8));
}

TEST_F(HubTest, RemembersWhatCameLastBeforeItBegan) {
  constexpr std::uint64_t entries = Hub::remembered_at_start + 300;
  start(entries);
  EXPECT_EQ(hub_.shard(0).position().seq, entries);
  listener_.session = std::make_shared<FeedSession>(hub_.shard(0), listener_, FeedFormat::websocket);
  listener_.session->subscribe({}, core::Cursor{"e1", entries - Hub::remembered_at_start}, [](const Subscribed&) {});
  EXPECT_EQ(listener_.seqs, from_to(301, entries));
  EXPECT_EQ(replays_.waiting(), 0u);

  const auto another = std::make_shared<FeedSession>(hub_.shard(0), listener_, FeedFormat::websocket);
  another->subscribe({}, core::Cursor{"e1", entries - Hub::remembered_at_start - 1}, [](const Subscribed&) {});
  EXPECT_EQ(replays_.waiting(), 1u) << "what was before has to be asked for";
}

TEST_F(HubTest, ALogThatCannotBeReadAtTheStartIsTheCallersTrouble) {
  log_.fail(1);
  EXPECT_THROW(start(0), ports::StoreUnavailable);
}

TEST_F(HubTest, WhatIsAppendedReachesEveryThreadsSubscribersInOrder) {
  start(0);
  Listener second;
  Listener other_thread;
  listener_.join(hub_, 0);
  second.join(hub_, 0);
  other_thread.join(hub_, 1);
  log_.append(3);
  follow_to(3);
  log_.append(4);
  follow_to(7);
  while (hub_.shard(1).position().seq < 7 && !HasFatalFailure()) io_.run_one(1);
  EXPECT_EQ(listener_.seqs, from_to(1, 7));
  EXPECT_EQ(second.seqs, from_to(1, 7));
  EXPECT_EQ(other_thread.seqs, from_to(1, 7));
  for (const std::string& epoch : listener_.epochs) EXPECT_EQ(epoch, "e1");
}

TEST_F(HubTest, AnEntryIsEncodedOnceForAll) {
  start(0);
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  log_.append(1);
  follow_to(1);
  io_.run_one(1);
  ASSERT_EQ(listener_.frames.size(), 1u);
  EXPECT_EQ(listener_.frames[0].get(), other_thread.frames.at(0).get());
  EXPECT_NE(listener_.frames[0]->find(R"("cursor":"e1-1")"), std::string::npos);
}

TEST_F(HubTest, AThreadsTailMovesWithItsSubscribers) {
  start(0);
  log_.append(2);
  follow_to(2);
  EXPECT_EQ(hub_.shard(1).position().seq, 0u) << "thread 1 hasn't been given them yet";
  Listener late;
  late.join(hub_, 1);
  while (hub_.shard(1).position().seq < 2 && !HasFatalFailure()) io_.run_one(1);
  EXPECT_EQ(hub_.shard(1).position().seq, 2u);
  EXPECT_EQ(late.seqs, from_to(1, 2)) << "it came before its thread was given them";
}

TEST_F(HubTest, ManyEntriesAreHandedOverInPieces) {
  start(0);
  listener_.join(hub_, 0);
  constexpr std::uint64_t many = Hub::batch_limit * 2 + 1;
  log_.append(many);
  while (hub_.shard(0).position().seq < many && !HasFatalFailure()) {
    const std::uint64_t before = hub_.shard(0).position().seq;
    io_.run_one(0);
    EXPECT_LE(hub_.shard(0).position().seq - before, Hub::handed_entries);
  }
  EXPECT_EQ(listener_.seqs, from_to(1, many));
  for (const std::size_t limit : log_.limits()) EXPECT_EQ(limit, Hub::batch_limit);
}

TEST_F(HubTest, TheSlowestThreadSetsThePace) {
  start(0);
  listener_.join(hub_, 0);
  constexpr std::uint64_t many = Hub::handed_entries * Hub::max_handed * 3;
  log_.append(many);
  // Thread 1 does nothing until thread 0 has got all that it can get meanwhile.
  while (hub_.shard(0).position().seq < Hub::handed_entries * (Hub::max_handed - 4) && !HasFatalFailure())
    io_.run_one(0);
  EXPECT_LE(io_.waiting(1), Hub::max_handed);
  EXPECT_LT(hub_.shard(0).position().seq, many);
  while (hub_.shard(0).position().seq < many && !HasFatalFailure()) {
    EXPECT_LE(io_.waiting(1), Hub::max_handed);
    if (io_.waiting(1) > 0) io_.run_one(1);
    if (io_.waiting(0) > 0) io_.run_one(0);
  }
  EXPECT_EQ(listener_.seqs, from_to(1, many));
}

TEST_F(HubTest, AThreadThatStandsStillDoesNotKeepTheHubFromEnding) {
  start(0);
  log_.append(Hub::handed_entries * (Hub::max_handed + 2));
  while (io_.waiting(0) < Hub::max_handed) io_.await_one(0, io_.waiting(0));
  end();
  EXPECT_EQ(io_.waiting(0), Hub::max_handed);
}

core::LogEntry chain_entry(const std::string& event_id, char hash) {
  core::LogEntry entry;
  entry.event = core::EventName::stream_updated;
  entry.event_id = event_id;
  entry.stream_id = stream_id(1);
  entry.ledger_hash.emplace();
  entry.ledger_hash->fill(static_cast<std::uint8_t>(hash));
  return entry;
}

core::LogEntry retraction_of(const core::LogEntry& undone, std::uint64_t seq) {
  core::LogEntry entry = undone;
  entry.event = core::EventName::stream_retracted;
  entry.event_id = "retracted-" + std::to_string(seq);
  entry.retracts = seq;
  return entry;
}

TEST_F(HubTest, AnEventThatStandsIsNotToldAgain) {
  start(0);
  listener_.join(hub_, 0);
  log_.append(chain_entry("a", 1));
  log_.append(chain_entry("b", 1));
  log_.append(chain_entry("a", 1));
  log_.append(chain_entry("c", 1));
  follow_to(4);
  EXPECT_EQ(listener_.seqs, (std::vector<std::uint64_t>{1, 2, 4}));
  EXPECT_EQ(hub_.statistics().duplicates, 1u);
  EXPECT_EQ(lines_.lines("duplicate_event").size(), 1u);
  // Whoever follows now has been given everything up to there.
  log_.append(chain_entry("c", 1));
  follow_to(5);
  EXPECT_EQ(hub_.shard(0).position().seq, 5u);
}

/// Can't tell of the first duplicate.
class FailingLines final : public ports::Log {
 public:
  void write(ports::LogLevel, std::string_view event, std::string_view,
             std::initializer_list<ports::LogField>) override {
    if (event == "duplicate_event" && !std::exchange(failed_, true)) throw std::runtime_error("no memory");
  }

 private:
  bool failed_ = false;
};

TEST_F(HubTest, WhatFailedBeforeItWasHandedOverIsNoDuplicateTheNextTime) {
  FailingLines lines;
  Hub hub(std::make_unique<Tail>(log_), replays_, clock_, lines);
  hub.start(1, [this](unsigned io_thread, std::function<void()> task) { io_.post(io_thread, std::move(task)); });
  Listener listener;
  listener.join(hub, 0);
  log_.append({chain_entry("a", 1), chain_entry("b", 1), chain_entry("a", 1)});
  while (hub.shard(0).position().seq < 3 && !HasFatalFailure()) io_.run_one(0);
  EXPECT_EQ(listener.seqs, from_to(1, 2));
  EXPECT_EQ(hub.statistics().duplicates, 2u) << "counted each time";
  end();
  hub.stop();
}

TEST_F(HubTest, ADeliveryThatFailsGivesItsThreadsSessionsUpAndTheNextOnesCome) {
  start(0);
  listener_.on_hearing = [] { throw std::runtime_error("no memory"); };
  for (int i = 1; i <= static_cast<int>(Hub::max_handed) + 1; ++i) {
    listener_.join(hub_, 0);
    log_.append(1);
    EXPECT_THROW(io_.run_one(0), std::runtime_error);
    io_.run_one(1);
    EXPECT_EQ(listener_.ended, i);
  }
}

TEST_F(HubTest, AThreadThatCannotBeHandedABatchFindsTheHole) {
  std::atomic<bool> fails = false;
  hub_.start(2, [&](unsigned io_thread, std::function<void()> task) {
    if (io_thread == 1 && fails.exchange(false)) throw std::runtime_error("no memory");
    io_.post(io_thread, std::move(task));
  });
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  fails = true;
  log_.append(1);
  follow_to(1);
  log_.append(1);
  follow_to(2);
  io_.run_one(1);
  EXPECT_EQ(listener_.seqs, from_to(1, 2));
  EXPECT_EQ(listener_.ended, 0);
  EXPECT_TRUE(other_thread.seqs.empty());
  EXPECT_EQ(other_thread.ended, 1);
  EXPECT_EQ(lines_.lines("log_tail_error").size(), 1u);
  end();
}

TEST_F(HubTest, AnEventThatWasRetractedComesAgain) {
  start(0);
  listener_.join(hub_, 0);
  const core::LogEntry event = chain_entry("a", 1);
  log_.append(event);
  log_.append(retraction_of(event, 1));
  log_.append(event);  // in the same ledger
  log_.append(retraction_of(event, 3));
  log_.append(chain_entry("a", 2));  // in the ledger that took its place
  core::LogEntry of_another_stream = chain_entry("a", 2);
  of_another_stream.stream_id = stream_id(2);
  log_.append(of_another_stream);  // one event, two entries
  core::LogEntry of_no_ledger = chain_entry("a", 2);
  of_no_ledger.ledger_hash.reset();
  log_.append(of_no_ledger);
  follow_to(7);
  EXPECT_EQ(listener_.seqs, from_to(1, 7));
  EXPECT_EQ(hub_.statistics().duplicates, 0u);
}

TEST_F(HubTest, AnotherLogMayHoldTheSameEvents) {
  start(0);
  log_.append(chain_entry("a", 1));
  follow_to(1);
  log_.replace("e2", 0);
  while (hub_.shard(0).position().epoch != "e2" && !HasFatalFailure()) io_.run_one(0);
  listener_.join(hub_, 0);
  log_.append(chain_entry("a", 1));
  follow_to(1);
  EXPECT_EQ(listener_.seqs, from_to(1, 1));
}

TEST_F(HubTest, TheTickReachesTheThreadsSubscribers) {
  hub_.tick(0);  // before the start: nobody is there
  start(0);
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  hub_.tick(0);
  EXPECT_EQ(listener_.ticks, std::vector<core::UnixMillis>{clock_.now()});
  EXPECT_TRUE(other_thread.ticks.empty());
}

TEST_F(HubTest, WhatSessionsCountIsAddedUpOverThreads) {
  start(0);
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  log_.append(3);
  follow_to(3);
  while (hub_.shard(1).position().seq < 3 && !HasFatalFailure()) io_.run_one(1);
  const HubStatistics now = hub_.statistics();
  EXPECT_EQ(now.sessions[static_cast<std::size_t>(FeedFormat::websocket)], 2u);
  EXPECT_EQ(now.sessions[static_cast<std::size_t>(FeedFormat::sse)], 0u);
  EXPECT_EQ(now.subscriptions, 2u);
  EXPECT_EQ(now.deliveries, 6u);
  EXPECT_EQ(now.entries_published, 3u);
}

TEST_F(HubTest, WhoIsRemovedHearsNothingMore) {
  start(0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(1);
  listener_.leave(hub_, 0);
  log_.append(1);
  follow_to(2);
  EXPECT_EQ(listener_.seqs, from_to(1, 1));
}

TEST_F(HubTest, ASubscriberMayGoWhileAnotherIsTold) {
  // Whichever of the two is told first removes the other.
  Listener first;
  Listener second;
  const auto each_removes_the_other = [&] {
    first.on_hearing = [&] { second.leave(hub_, 0); };
    second.on_hearing = [&] { first.leave(hub_, 0); };
    first.join(hub_, 0);
    second.join(hub_, 0);
  };
  start(0);
  each_removes_the_other();
  log_.append(1);
  follow_to(1);
  EXPECT_EQ(first.seqs.size() + second.seqs.size(), 1u);

  each_removes_the_other();
  hub_.broadcast(notice_of("notice"));
  io_.run_one(0);
  EXPECT_EQ(first.notices.size() + second.notices.size(), 1u);

  each_removes_the_other();
  log_.replace("e2", 1);
  log_.fail(1);
  while (hub_.shard(0).position().epoch != "e2" && !HasFatalFailure()) io_.run_one(0);
  EXPECT_EQ(first.epoch_changes + second.epoch_changes, 1);
  first.leave(hub_, 0);
  second.leave(hub_, 0);
}

TEST_F(HubTest, ANoticeReachesEverySubscriberAmongTheEntries) {
  start(0);
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  log_.append(1);
  follow_to(1);
  hub_.broadcast(notice_of("degraded"));
  hub_.broadcast(notice_of("recovered"));
  for (int i = 0; i < 2; ++i) io_.run_one(0);
  for (int i = 0; i < 3; ++i) io_.run_one(1);
  const std::vector<std::string> both{"degraded", "recovered"};
  EXPECT_EQ(listener_.notices, both);
  EXPECT_EQ(other_thread.notices, both);
  EXPECT_EQ(other_thread.seqs, from_to(1, 1));
}

TEST_F(HubTest, ANoticeBeforeTheStartReachesNobody) {
  hub_.broadcast(notice_of("too early"));
  start(0);
  EXPECT_EQ(io_.waiting(0), 0u);
}

TEST_F(HubTest, AnOutageIsWaitedOutAndNothingIsLost) {
  start(0);
  listener_.join(hub_, 0);
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

TEST_F(HubTest, WhoWouldMissWhatWasPrunedUnreadHasToComeAgain) {
  start(0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(1);
  log_.append_pruned(10, 8);
  follow_to(11);
  EXPECT_EQ(listener_.seqs, from_to(1, 1)) << "no silent hole";
  EXPECT_EQ(listener_.ended, 1);
  EXPECT_EQ(listener_.epoch_changes, 0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(12);
  EXPECT_EQ(listener_.seqs, (std::vector<std::uint64_t>{1, 12}));
}

TEST_F(HubTest, AnotherLogAfterAnOutageIsToldToEverySubscriber) {
  start(5);
  Listener other_thread;
  listener_.join(hub_, 0);
  other_thread.join(hub_, 1);
  log_.replace("e2", 2);
  log_.fail(1);
  io_.run_one(0);
  io_.run_one(1);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(other_thread.epoch_changes, 1);
  EXPECT_EQ(hub_.shard(0).position().epoch, "e2");
  EXPECT_EQ(hub_.shard(0).position().seq, 2u);
  EXPECT_EQ(lines_.lines("epoch_changed").size(), 1u);

  // Its session is of the log before: it comes again.
  listener_.leave(hub_, 0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(3);
  EXPECT_EQ(listener_.seqs, from_to(3, 3));
  EXPECT_EQ(listener_.epochs, std::vector<std::string>{"e2"});
}

TEST_F(HubTest, AnotherLogIsSeenWithoutAnyTroubleAndNoneOfItsEntriesIsTakenForOneOfOurs) {
  start(5);
  listener_.join(hub_, 0);
  log_.replace("e2", 9);  // its entries 6 to 9 are where ours would go on
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_TRUE(listener_.seqs.empty());
  EXPECT_EQ(hub_.shard(0).position().epoch, "e2");
  EXPECT_EQ(hub_.shard(0).position().seq, 9u);

  // Its session is of the log before: it comes again.
  listener_.leave(hub_, 0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(10);
  EXPECT_EQ(listener_.seqs, from_to(10, 10));
  EXPECT_EQ(listener_.epochs, std::vector<std::string>{"e2"});
  EXPECT_TRUE(lines_.lines("log_tail_unavailable").empty());
}

TEST_F(HubTest, AnotherLogWithAsManyEntriesIsAnotherLogToo) {
  start(5);
  listener_.join(hub_, 0);
  log_.replace("e2", 5);
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(hub_.shard(0).position().epoch, "e2");
}

TEST_F(HubTest, ALogThatLostEntriesIsAnotherLog) {
  start(5);
  listener_.join(hub_, 0);
  log_.replace("e1", 3);
  log_.fail(1);
  io_.run_one(0);
  EXPECT_EQ(listener_.epoch_changes, 1);
  EXPECT_EQ(hub_.shard(0).position().seq, 3u);
}

TEST_F(HubTest, AfterTheEndNothingIsPosted) {
  start(0);
  listener_.join(hub_, 0);
  log_.append(1);
  follow_to(1);
  end();
  io_.run_waiting(0);
  log_.append(1);
  EXPECT_EQ(io_.waiting(0), 0u);
  EXPECT_EQ(listener_.seqs, from_to(1, 1));
  end();  // a second time: nothing to end
}

TEST_F(HubTest, BeingAskedToEndWaitsForNoDatabaseAndWhatItSaysLateIsNotHandedOver) {
  start(0);
  hub_.begin_stop();  // the tail waits for the log
  log_.append(1);
  end();
  EXPECT_EQ(io_.waiting(0), 0u);
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
