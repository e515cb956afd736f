#include "stream_writer.hpp"

#include <future>

#include <gtest/gtest.h>

#include "fake_log.hpp"

namespace fluxora::store {
namespace {

StoreOptions nowhere() {
  StoreOptions options;
  options.database_url = "postgresql:///fluxora?host=/nonexistent";
  options.read_connections = 1;
  return options;
}

ports::StoreResult<ports::WriteAnswer> pause(ports::StreamWriter& writer) {
  auto answer = std::make_shared<std::promise<ports::StoreResult<ports::WriteAnswer>>>();
  auto future = answer->get_future();
  writer.change({"api-x", ports::StreamAction::pause, 1, std::nullopt, {}, {}},
                [answer](ports::StoreResult<ports::WriteAnswer> result) { answer->set_value(std::move(result)); });
  return future.get();
}

TEST(StreamWriter, SaysThatTheDatabaseIsAway) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(), log);
  PostgresStreamWriter writer(nowhere(), pool, log);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pause(writer).error(), ports::StoreFailure::unavailable);
}

TEST(StreamWriter, RefusesWhatItsQueueHasNoRoomFor) {
  fakes::FakeLog log;
  StoreOptions options = nowhere();
  options.queue_limit = 0;
  ReadPool pool(options, log);
  PostgresStreamWriter writer(options, pool, log);
  EXPECT_EQ(pause(writer).error(), ports::StoreFailure::busy);
}

TEST(StreamWriter, AnswersEverythingAfterItsStop) {
  fakes::FakeLog log;
  ReadPool pool(nowhere(), log);
  PostgresStreamWriter writer(nowhere(), pool, log);
  writer.stop();
  EXPECT_EQ(pause(writer).error(), ports::StoreFailure::unavailable);
}

}  // namespace
}  // namespace fluxora::store
