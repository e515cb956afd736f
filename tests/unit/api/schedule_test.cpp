// GET /api/streams/{id}/schedule, over a fake of what reads the log.

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string id = core::sample_stream().id;
const std::string target = "/api/streams/" + id + "/schedule";

ports::ScheduleAnswer answer_of(std::vector<ports::ScheduleMoment> moments) {
  return {core::sample_stream(), std::move(moments), {"k3f9", 42, 1'400}};
}

TEST(Schedule, ShowsTheStreamAsItWasThen) {
  ApiBench bench;
  core::Stream paused = core::sample_stream();  // a token a second from 1,000 to 2,000
  paused.status = core::StreamStatus::paused;
  paused.withdrawn = core::tokens(100);
  bench.schedules.answer =
      answer_of({{800, std::nullopt}, {950, core::sample_stream()}, {1'200, core::sample_stream()}, {1'500, paused}});
  const net::Response response = bench.ask(target + "?from=800&to=1500&points=4");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(body_json(response), Json::parse(R"({"streamId":")" + id + R"(","from":800,"to":1500,"asOf":1400,"points":[
    {"at":800,"status":null,"streamedAmount":"0.0000000","withdrawableAmount":"0.0000000",
     "withdrawnAmount":"0.0000000","remainingAmount":"0.0000000"},
    {"at":950,"status":"scheduled","streamedAmount":"0.0000000","withdrawableAmount":"0.0000000",
     "withdrawnAmount":"0.0000000","remainingAmount":"1000.0000000"},
    {"at":1200,"status":"active","streamedAmount":"200.0000000","withdrawableAmount":"200.0000000",
     "withdrawnAmount":"0.0000000","remainingAmount":"1000.0000000"},
    {"at":1500,"status":"paused","streamedAmount":"500.0000000","withdrawableAmount":"0.0000000",
     "withdrawnAmount":"100.0000000","remainingAmount":"900.0000000"}]})"));
}

TEST(Schedule, TakesAnyRangeOfTheChainsTimes) {
  ApiBench bench;
  bench.schedules.answer = answer_of({{std::numeric_limits<core::UnixSeconds>::max(), core::sample_stream()}});
  EXPECT_EQ(body_json(bench.ask(target)).at("to"), "18446744073709551615");
  bench.ask(target + "?from=18446744073709551614&to=18446744073709551615&points=1000");
  ASSERT_EQ(bench.schedules.asked.size(), 2U);
  EXPECT_EQ(bench.schedules.asked[0].first, id);
  EXPECT_EQ(bench.schedules.asked[0].second.from, std::nullopt);
  EXPECT_EQ(bench.schedules.asked[0].second.to, std::nullopt);
  EXPECT_EQ(bench.schedules.asked[0].second.points, 100U);
  EXPECT_EQ(bench.schedules.asked[1].second.from, 18'446'744'073'709'551'614U);
  EXPECT_EQ(bench.schedules.asked[1].second.to, 18'446'744'073'709'551'615U);
  EXPECT_EQ(bench.schedules.asked[1].second.points, 1'000U);
}

TEST(Schedule, NamesEverythingThatIsWrong) {
  ApiBench bench;
  expect_bad_fields(bench.ask(target + "?from=-1&to=18446744073709551616&points=1&limit=5"),
                    {"from", "to", "points", "limit"});
  expect_bad_fields(bench.ask(target + "?points=1001"), {"points"});
  expect_bad_fields(bench.ask(target + "?from=11&to=10"), {"from"});
  EXPECT_TRUE(bench.schedules.asked.empty());
}

TEST(Schedule, OfNoStreamIs404) {
  ApiBench bench;
  expect_problem(bench.ask("/api/streams/x/schedule"), 404, "NOT_FOUND");
  EXPECT_TRUE(bench.schedules.asked.empty());
  bench.schedules.answer = ports::ScheduleAnswer{std::nullopt, {}, {"k3f9", 42, 1'400}};
  expect_problem(bench.ask(target), 404, "NOT_FOUND");
}

TEST(Schedule, OfAPastThatWasPrunedNamesTheParameter) {
  ApiBench bench;
  bench.schedules.answer = ports::ScheduleAnswer{core::sample_stream(), {}, {"k3f9", 42, 1'400}, 1'200};
  expect_bad_fields(bench.ask(target + "?from=1100"), {"from"});
  expect_bad_fields(bench.ask(target + "?to=1100"), {"to"});
}

TEST(Schedule, WithoutAnAnswerIs503) {
  ApiBench bench;
  bench.schedules.answer = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench.ask(target), 503, "SERVICE_UNAVAILABLE");
  bench.schedules.answer = answer_of({{1'000, core::sample_stream()}});
  expect_problem(bench.ask(target, {{"X-Fluxora-Min-Version", "43"}}), 503, "SERVICE_UNAVAILABLE");
}

}  // namespace
}  // namespace fluxora::api::test
