#include <stdexcept>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "connection.hpp"
#include "database_watch.hpp"
#include "fake_log.hpp"

namespace fluxora::store {
namespace {

bool is_outage_by_state(const std::string& state) {
  return is_outage(pqxx::sql_error("an error", "a query", state.c_str()));
}

TEST(Outage, IsALostConnection) {
  EXPECT_TRUE(is_outage(pqxx::broken_connection("lost")));
}

TEST(Outage, IsWhatGoesAwayByItself) {
  // Connection trouble, shutdown, crash, not ready yet, too many connections, full disk, a standby.
  for (const std::string state : {"08000", "08006", "57P01", "57P02", "57P03", "53100", "53300", "25006"}) {
    EXPECT_TRUE(is_outage_by_state(state)) << state;
  }
}

TEST(Outage, IsNotWhatWouldComeAgain) {
  // Our own timeout, a unique violation, no such table, a bad statement, a deadlock.
  for (const std::string state : {"57014", "23505", "42P01", "42601", "40P01", ""}) {
    EXPECT_FALSE(is_outage_by_state(state)) << state;
  }
  EXPECT_FALSE(is_outage(std::runtime_error("something else")));
}

/// A database that isn't there: no server listens in a folder that doesn't exist.
StoreOptions nowhere() {
  StoreOptions options;
  options.database_url = "postgresql:///fluxora?host=/nonexistent";
  return options;
}

TEST(OwnConnection, TurnsAnOutageIntoStoreUnavailable) {
  OwnConnection own(nowhere(), "test", 1'000);
  bool worked = false;
  EXPECT_THROW(own.use([&](pqxx::connection&) { worked = true; }), ports::StoreUnavailable);
  EXPECT_FALSE(worked);
  EXPECT_FALSE(own.is_open());
}

TEST(DatabaseWatch, FindsOutThatTheDatabaseIsAway) {
  fakes::FakeLog log;
  DatabaseWatch watch(nowhere(), nowhere().database_url, "database", log);
  while (log.lines("database_unavailable").empty()) std::this_thread::yield();
  EXPECT_FALSE(watch.is_well());
  EXPECT_EQ(watch.last_sight().epoch, "") << "it has never been seen";
}

TEST(DatabaseWatch, BelievesReadsThatFindItAway) {
  fakes::FakeLog log;
  DatabaseWatch watch(nowhere(), nowhere().database_url, "database", log);
  watch.report_trouble();
  EXPECT_FALSE(watch.is_well());
}

}  // namespace
}  // namespace fluxora::store
