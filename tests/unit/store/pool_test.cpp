#include "pool.hpp"

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "account_queries.hpp"
#include "fake_log.hpp"
#include "fluxora/store/store.hpp"
#include "one_at_a_time.hpp"
#include "stream_finder.hpp"
#include "stream_lister.hpp"

namespace fluxora::store {
namespace {

using ports::StoreFailure;

/// A database that isn't there: no server listens in a folder that doesn't exist.
StoreOptions nowhere(unsigned threads, std::size_t queue_limit = 1'024) {
  StoreOptions options;
  options.database_url = "postgresql:///fluxora?host=/nonexistent";
  options.read_connections = threads;
  options.queue_limit = queue_limit;
  return options;
}

TEST(ReadPool, AFullQueueIsBusyAtOnce) {
  fakes::FakeLog log;
  std::vector<std::optional<StoreFailure>> failures(4);
  {
    ReadPool pool(nowhere(/*threads=*/0, /*queue_limit=*/2), log);
    for (auto& failure : failures) {
      pool.run<int>([&failure](ports::StoreResult<int> result) { failure = result.error(); },
                    [](pqxx::connection&) { return 1; });
    }
    EXPECT_EQ(failures[0], std::nullopt);
    EXPECT_EQ(failures[1], std::nullopt);
    EXPECT_EQ(failures[2], StoreFailure::busy);
    EXPECT_EQ(failures[3], StoreFailure::busy);
  }
  EXPECT_EQ(failures[0], StoreFailure::unavailable) << "what still waits at the end is answered";
  EXPECT_EQ(failures[1], StoreFailure::unavailable);
}

TEST(ReadPool, ADatabaseOutOfReachIsUnavailable) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/1), log);
  for (int i = 0; i < 2; ++i) {
    std::promise<ports::StoreResult<int>> replied;
    pool.run<int>([&](ports::StoreResult<int> result) { replied.set_value(result); },
                  [](pqxx::connection&) { return 1; });
    const auto result = replied.get_future().get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error(), StoreFailure::unavailable);
  }
  EXPECT_GE(log.lines("database_unavailable").size(), 2u) << "each of them, and the watch";
  EXPECT_FALSE(pool.database_is_well());
}

TEST(ReadPool, WhatIsRefusedIsCounted) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0, /*queue_limit=*/1), log);
  for (int i = 0; i < 3; ++i) pool.run<int>([](ports::StoreResult<int>) {}, [](pqxx::connection&) { return 1; });
  StoreStatistics statistics;
  pool.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 1u);
  EXPECT_EQ(statistics.refused, 2u);
  EXPECT_EQ(statistics.queries, 0u);
  EXPECT_FALSE(statistics.replica_in_use);
}

TEST(StreamFinder, HasRoomForSoManyReadsThatWait) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  StreamFinder finder(pool, /*queue_limit=*/300);
  std::vector<std::optional<StoreFailure>> told(302);
  for (std::size_t i = 0; i < told.size(); ++i) {
    finder.find("x", 0, [&told, i](ports::StoreResult<ports::StreamAnswer> result) { told[i] = result.error(); });
  }
  EXPECT_EQ(told[299], std::nullopt);
  EXPECT_EQ(told[300], StoreFailure::busy);
  EXPECT_EQ(told[301], StoreFailure::busy);
  StoreStatistics statistics;
  finder.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 300u);
  EXPECT_EQ(statistics.refused, 2u);
  pool.stop();
  for (std::size_t i = 0; i < 300; ++i) EXPECT_EQ(told[i], StoreFailure::unavailable) << i;
}

TEST(StreamFinder, AFailedQueryIsToldToAllWhoWaitForIt) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/1), log);
  StreamFinder finder(pool, 1'024);
  std::vector<std::promise<StoreFailure>> told(600);
  for (std::size_t i = 0; i < told.size(); ++i) {
    finder.find("x" + std::to_string(i % 7), 0,
                [&told, i](ports::StoreResult<ports::StreamAnswer> result) { told[i].set_value(result.error()); });
  }
  for (auto& one : told) EXPECT_EQ(one.get_future().get(), StoreFailure::unavailable);
}

TEST(StreamLister, EqualListsThatWaitAreOneRead) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  StreamLister lister(pool, /*queue_limit=*/10, std::chrono::seconds(5));
  std::vector<std::optional<StoreFailure>> told(11);
  for (std::size_t i = 0; i < told.size(); ++i) {
    ports::StreamQuery query;
    query.limit = i < 6 ? 20 : 21;
    query.min_seq = i;  // who wants how much doesn't make them different
    lister.list(query, [&told, i](ports::StoreResult<StreamLister::Page> page) { told[i] = page.error(); });
  }
  StoreStatistics statistics;
  pool.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 2u) << "two reads of the database";
  lister.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 12u) << "for ten who wait";
  EXPECT_EQ(told[10], StoreFailure::busy);
  pool.stop();
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(told[i], StoreFailure::unavailable) << i;
}

TEST(StreamLister, ListsWithATotalHaveABoundOfTheirOwn) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  StreamLister lister(pool, /*queue_limit=*/1, std::chrono::seconds(5));
  std::vector<std::optional<StoreFailure>> told(StreamLister::most_waiting_totals + 2);
  for (std::size_t i = 0; i < told.size(); ++i) {
    ports::StreamQuery query;
    query.limit = i + 1;
    query.include_total = i + 1 < told.size();  // the last one is a list like any other
    lister.list(query, [&told, i](ports::StoreResult<StreamLister::Page> page) { told[i] = page.error(); });
  }
  EXPECT_EQ(told[StreamLister::most_waiting_totals - 1], std::nullopt);
  EXPECT_EQ(told[StreamLister::most_waiting_totals], StoreFailure::busy);
  EXPECT_EQ(told.back(), std::nullopt) << "those with a total don't count with the others";
  StoreStatistics statistics;
  pool.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 2u) << "one with a total, and the other list";
  pool.stop();
  for (const auto& one : told) EXPECT_TRUE(one);
}

/// A read that has no answer, and says so in `ends`.
class FailingTask final : public ReadTask {
 public:
  explicit FailingTask(std::vector<StoreFailure>& ends) : ends_(ends) {}
  ReadFrom begin() override { return ReadFrom::nothing; }
  void read(ReadConnection&) override {}
  bool accept(const std::string&) override { return true; }
  void deliver() override {}
  void fail(StoreFailure failure) override { ends_.push_back(failure); }

 private:
  std::vector<StoreFailure>& ends_;
};

TEST(OneAtATime, WhatWaitedTooLongIsBusyWhenAnotherOneEnds) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  std::vector<StoreFailure> ends;
  OneAtATime impatient(pool, std::chrono::seconds(-1));  // whatever waits has waited too long
  impatient.start(std::make_unique<FailingTask>(ends));
  impatient.start(std::make_unique<FailingTask>(ends));
  impatient.start(std::make_unique<FailingTask>(ends));
  StoreStatistics statistics;
  pool.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 1u);
  pool.stop();
  EXPECT_EQ(ends, (std::vector{StoreFailure::unavailable, StoreFailure::busy, StoreFailure::busy}));
}

TEST(OneAtATime, GivesTheTurnOn) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  std::vector<StoreFailure> ends;
  OneAtATime patient(pool, std::chrono::hours(1));
  for (int i = 0; i < 3; ++i) patient.start(std::make_unique<FailingTask>(ends));
  pool.stop();
  EXPECT_EQ(ends, std::vector(3, StoreFailure::unavailable)) << "each was given to the pool, which has stopped";
}

TEST(AccountQueries, TotalsAreReadOneAtATimeAndEqualAccountsOnce) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(/*threads=*/0), log);
  PagedReadThreads statements(nowhere(/*threads=*/0), log);
  AccountQueries accounts(pool, statements, 5'000);
  std::vector<std::optional<StoreFailure>> told(AccountQueries::most_waiting_totals + 1);
  for (std::size_t i = 0; i < told.size(); ++i) {
    accounts.totals(i % 2 == 0 ? "a" : "b", 1'000 + i, 0,
                    [&told, i](ports::StoreResult<ports::AccountAnswer> answer) { told[i] = answer.error(); });
  }
  StoreStatistics statistics;
  pool.add_to(statistics);
  EXPECT_EQ(statistics.waiting, 1u) << "of the pool's threads they take one";
  EXPECT_EQ(told.back(), StoreFailure::busy);
  pool.stop();
  for (std::size_t i = 0; i + 1 < told.size(); ++i) EXPECT_EQ(told[i], StoreFailure::unavailable) << i;
}

TEST(Store, AnswersWhatWaitsWhenItGoes) {
  fakes::FakeLog log;
  std::vector<StoreFailure> told;
  {
    Store store(nowhere(/*threads=*/0), log);
    const auto keep = [&told](const auto& result) { told.push_back(result.error()); };
    store.streams().find("x", 0, keep);
    store.streams().list({}, keep);
    store.accounts().totals("a", 1'000, 0, keep);
    EXPECT_TRUE(told.empty());
  }
  EXPECT_EQ(told, std::vector(3, StoreFailure::unavailable));
}

TEST(Store, WithoutADatabaseEveryReadSaysSo) {
  fakes::FakeLog log;
  Store store(nowhere(/*threads=*/1), log);
  std::promise<StoreFailure> stream, list, head, page, ready;
  store.streams().find("x", 0, [&](ports::StoreResult<ports::StreamAnswer> r) { stream.set_value(r.error()); });
  store.streams().list(
      {}, [&](ports::StoreResult<std::shared_ptr<const ports::StreamPage>> r) { list.set_value(r.error()); });
  store.events().head([&](ports::StoreResult<ports::LogHead> r) { head.set_value(r.error()); });
  store.events().read(1, 1, {}, [&](ports::StoreResult<ports::EventPage> r) { page.set_value(r.error()); });
  store.readiness().check([&](ports::StoreResult<bool> r) { ready.set_value(r.error()); });
  for (auto* replied : {&stream, &list, &head, &page, &ready}) {
    EXPECT_EQ(replied->get_future().get(), StoreFailure::unavailable);
  }
}

TEST(Store, WithoutADatabaseTheBlockingPortsThrow) {
  fakes::FakeLog log;
  Store store(nowhere(/*threads=*/0), log);
  const auto tail = store.make_tail();
  EXPECT_THROW(static_cast<void>(tail->head()), ports::StoreUnavailable);
  EXPECT_THROW(static_cast<void>(tail->read_after(0, 1)), ports::StoreUnavailable);
  const auto ledgers = store.make_ledger_store();
  EXPECT_THROW(static_cast<void>(ledgers->lead()), ports::StoreUnavailable);
  EXPECT_THROW(static_cast<void>(ledgers->progress()), ports::StoreUnavailable);
  EXPECT_THROW(static_cast<void>(ledgers->begin(std::nullopt)), ports::StoreUnavailable);
  ledgers->stop_leading();
  EXPECT_THROW(static_cast<void>(migrate(nowhere(0), log)), ports::StoreUnavailable);
}

}  // namespace
}  // namespace fluxora::store
