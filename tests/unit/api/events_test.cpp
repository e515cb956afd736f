#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/log_entry.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string id = core::chain_stream_id(core::sample_contract, 7);
const std::string stream_path = "/api/streams/" + id + "/events";

core::LogEntry entry(std::uint64_t seq) {
  core::LogEntry entry;
  entry.seq = seq;
  entry.event = core::EventName::stream_updated;
  entry.stream_id = id;
  entry.event_id = "event-" + std::to_string(seq);
  entry.closed_at = 1'000;
  entry.stream = core::sample_stream();
  return entry;
}

std::string entry_text(std::uint64_t seq) {
  std::string text;
  core::JsonWriter json(text);
  core::write_log_entry_json(json, entry(seq), "k3f9");
  return text;
}

class EventsTest : public ::testing::Test {
 protected:
  /// The log holds oldest..1042 and gives these of them.
  void give(const std::vector<std::uint64_t>& seqs, bool has_more = false, std::uint64_t oldest = 1) {
    ports::EventPage page;
    for (const std::uint64_t seq : seqs) page.entries.push_back(entry(seq));
    page.has_more = has_more;
    page.head = {"k3f9", oldest, 1'042};
    bench_.events.page = std::move(page);
  }

  ApiBench bench_;
};

TEST_F(EventsTest, AfterACursor) {
  give({41, 42}, /*has_more=*/true);
  const net::Response response = bench_.ask("/api/events?after=k3f9-40&limit=2");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-1042");
  EXPECT_EQ(body_text(response), R"({"events":[)" + entry_text(41) + "," + entry_text(42) +
                                     R"(],"next_cursor":"k3f9-42","has_more":true,"resume":{"outcome":"resumed"}})");
  ASSERT_EQ(bench_.events.reads.size(), 1u);
  EXPECT_EQ(bench_.events.reads[0].after_seq, 40u);
  EXPECT_EQ(bench_.events.reads[0].limit, 2u);
  EXPECT_FALSE(bench_.events.reads[0].filter.stream_id);
  EXPECT_FALSE(bench_.events.reads[0].filter.event);
}

TEST_F(EventsTest, TheLogsOwnBytesOnRequest) {
  give({40, 41, 42});
  bench_.events.page->entries[0].topics_xdr = {{0, 1}, {2}};
  bench_.events.page->entries[0].value_xdr = {0xfb, 0xff, 0xbf};
  bench_.events.page->entries[1].value_xdr = {7};
  for (const std::string& path : {std::string("/api/events?after=k3f9-39&xdr=true"), stream_path + "?xdr=true"}) {
    const Json events = body_json(bench_.ask(path))["events"];
    EXPECT_EQ(events[0]["xdr"], (Json{{"topics", {"AAE=", "Ag=="}}, {"value", "+/+/"}})) << path;
    EXPECT_EQ(events[1]["xdr"], (Json{{"topics", Json::array()}, {"value", "Bw=="}})) << path;
    ASSERT_TRUE(events[2].contains("xdr")) << path;
    EXPECT_EQ(events[2]["xdr"], nullptr) << "it was made without any";
    Json without = events[0];
    without.erase("xdr");
    const std::string plain = path.substr(0, path.size() - std::string("xdr=true").size()) + "xdr=false";
    EXPECT_EQ(body_json(bench_.ask(plain))["events"][0], without) << "nothing else differs";
  }
  EXPECT_FALSE(body_json(bench_.ask("/api/events"))["events"][0].contains("xdr"));
}

TEST_F(EventsTest, APageOfHugeEventsEndsEarlyAndSaysWhereToGoOn) {
  std::vector<std::uint64_t> seqs;
  for (std::uint64_t seq = 101; seq <= 140; ++seq) seqs.push_back(seq);
  for (const std::string target : {"/api/events?xdr=true", "/api/events?after=k3f9-100&xdr=true"}) {
    give(seqs);
    for (core::LogEntry& entry : bench_.events.page->entries) entry.value_xdr.assign(512 * 1024, 1);
    const net::Response response = bench_.ask(target);
    EXPECT_LT(body_text(response).size(), 10u * 1024 * 1024);
    const Json body = body_json(response);
    const std::size_t count = body["events"].size();
    ASSERT_GE(count, 1u);
    ASSERT_LT(count, 40u);
    EXPECT_EQ(body["has_more"], true);
    EXPECT_EQ(body["next_cursor"], "k3f9-" + std::to_string(100 + count));
    EXPECT_EQ(body["next_cursor"], body["events"].back()["cursor"]);
  }
}

TEST_F(EventsTest, WithoutACursorTheNewestAndWhereToGoOn) {
  give({1'041, 1'042});
  const Json body = body_json(bench_.ask("/api/events"));
  EXPECT_EQ(bench_.events.reads[0].after_seq, std::nullopt);
  EXPECT_EQ(bench_.events.reads[0].limit, 100u);
  EXPECT_EQ(body["events"].size(), 2u);
  EXPECT_EQ(body["next_cursor"], "k3f9-1042");
  EXPECT_EQ(body["resume"], (Json{{"outcome", "live"}}));
}

TEST_F(EventsTest, AtTheEndTheCursorStays) {
  give({});
  const Json body = body_json(bench_.ask("/api/events?after=k3f9-1042"));
  EXPECT_EQ(body["events"], Json::array());
  EXPECT_EQ(body["next_cursor"], "k3f9-1042");
  EXPECT_EQ(body["has_more"], false);
}

TEST_F(EventsTest, NothingMatchesAndNothingIsSkipped) {
  give({});
  const Json body = body_json(bench_.ask("/api/events?after=k3f9-40&event=stream.created"));
  const std::string next = body["next_cursor"];
  EXPECT_TRUE(next == "k3f9-40" || next == "k3f9-1042") << next;
}

TEST_F(EventsTest, AnEmptyLog) {
  give({});
  bench_.events.page->head = {"k3f9", 1, 0};
  EXPECT_EQ(body_text(bench_.ask("/api/events")),
            R"({"events":[],"next_cursor":"k3f9-0","has_more":false,"resume":{"outcome":"live"}})");
}

TEST_F(EventsTest, AGapIsNamed) {
  give({41}, /*has_more=*/true, /*oldest=*/41);
  const Json body = body_json(bench_.ask("/api/events?after=k3f9-5"));
  EXPECT_EQ(body["resume"], (Json{{"outcome", "gap"}, {"gap", {{"from", 6}, {"to", 40}}}}));
  EXPECT_EQ(body["events"].size(), 1u);
  EXPECT_EQ(body["next_cursor"], "k3f9-41");
}

TEST_F(EventsTest, AnotherLogGivesNoEntriesButWhereToGoOn) {
  for (const std::string cursor : {"zzzz-40", "k3f9-1043"}) {
    give({41, 42}, /*has_more=*/true);
    EXPECT_EQ(body_text(bench_.ask("/api/events?after=" + cursor)),
              R"({"events":[],"next_cursor":"k3f9-1042","has_more":false,"resume":{"outcome":"epoch_changed"}})");
  }
}

TEST_F(EventsTest, Filters) {
  give({});
  bench_.ask("/api/events?streamId=" + id + "&event=stream.updated&limit=1000");
  EXPECT_EQ(bench_.events.reads[0].filter.stream_id, id);
  EXPECT_EQ(bench_.events.reads[0].filter.event, core::EventName::stream_updated);
  EXPECT_EQ(bench_.events.reads[0].limit, 1'000u);
}

TEST_F(EventsTest, BadParametersAreNamed) {
  expect_bad_fields(bench_.ask("/api/events?after=40"), {"after"});
  expect_bad_fields(bench_.ask("/api/events?limit=0"), {"limit"});
  expect_bad_fields(bench_.ask("/api/events?xdr=1"), {"xdr"});
  expect_bad_fields(bench_.ask("/api/events?limit=1001"), {"limit"});
  expect_bad_fields(bench_.ask("/api/events?streamId=7"), {"streamId"});
  expect_bad_fields(bench_.ask("/api/events?event=created"), {"event"});
  expect_bad_fields(bench_.ask("/api/events?sender=x&event="), {"event", "sender"});
  EXPECT_TRUE(bench_.events.reads.empty());
}

TEST_F(EventsTest, AStoreWithoutAnAnswer) {
  bench_.events.page = tl::unexpected(ports::StoreFailure::busy);
  expect_problem(bench_.ask("/api/events"), 503, "SERVICE_UNAVAILABLE");
  expect_problem(bench_.ask(stream_path), 503, "SERVICE_UNAVAILABLE");
  bench_.events.page = tl::unexpected(ports::StoreFailure::internal);
  expect_problem(bench_.ask("/api/events"), 500, "INTERNAL_ERROR");
}

TEST_F(EventsTest, AStreamsHistoryFromItsBeginning) {
  give({5, 9});
  const Json body = body_json(bench_.ask(stream_path));
  EXPECT_EQ(bench_.events.reads[0].after_seq, 0u);
  EXPECT_EQ(bench_.events.reads[0].filter.stream_id, id);
  EXPECT_EQ(body["events"].size(), 2u);
  EXPECT_EQ(body["next_cursor"], "k3f9-1042") << "the last page has seen everything up to the head";
  EXPECT_TRUE(bench_.streams.found.empty()) << "it has entries, so it is there";
}

TEST_F(EventsTest, AStreamsHistoryAfterACursor) {
  give({9});
  bench_.ask(stream_path + "?after=k3f9-5&limit=1");
  EXPECT_EQ(bench_.events.reads[0].after_seq, 5u);
  EXPECT_EQ(bench_.events.reads[0].limit, 1u);
}

TEST_F(EventsTest, AStreamWithoutFurtherEntries) {
  give({});
  bench_.streams.answer = ports::StreamAnswer{core::sample_stream(), {"k3f9", 1'042, 1'500}};
  const net::Response response = bench_.ask(stream_path + "?after=k3f9-9");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(body_json(response)["events"], Json::array());
  EXPECT_EQ(bench_.streams.found, std::vector<std::string>{id});
}

TEST_F(EventsTest, NoSuchStreamHasNoHistory) {
  give({});
  bench_.streams.answer = ports::StreamAnswer{std::nullopt, {"k3f9", 1'042, 1'500}};
  expect_problem(bench_.ask(stream_path), 404, "NOT_FOUND");
  bench_.streams.answer = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench_.ask(stream_path), 503, "SERVICE_UNAVAILABLE");
  bench_.events.reads.clear();
  expect_problem(bench_.ask("/api/streams/7/events"), 404, "NOT_FOUND");
  EXPECT_TRUE(bench_.events.reads.empty());
}

TEST_F(EventsTest, TheLogThatAnswersReachesWhatTheCallerHasSeen) {
  const net::HeaderFields seen = {{"X-Fluxora-Min-Version", "41"}};
  bench_.ask("/api/events");
  bench_.ask("/api/events", seen);
  bench_.ask("/api/events?after=k3f9-50", seen);
  bench_.ask(stream_path + "?after=k3f9-40", seen);
  bench_.ask(stream_path + "?after=k3f9-50");
  std::vector<std::uint64_t> min_seqs;
  for (const auto& read : bench_.events.reads) min_seqs.push_back(read.filter.min_seq);
  EXPECT_EQ(min_seqs, (std::vector<std::uint64_t>{0, 41, 50, 41, 50}));
}

TEST_F(EventsTest, BadParametersOfAStreamsHistoryAreNamed) {
  expect_bad_fields(bench_.ask(stream_path + "?event=stream.updated"), {"event"});
  expect_bad_fields(bench_.ask(stream_path + "?limit=0&after=x"), {"after", "limit"});
  expect_bad_fields(bench_.ask(stream_path + "?xdr="), {"xdr"});
}

TEST_F(EventsTest, AHistoryWhoseBeginningWasPrunedHasAGap) {
  give({41}, /*has_more=*/true, /*oldest=*/41);
  bench_.events.page->entries[0].prev_seq = 40;
  EXPECT_EQ(body_json(bench_.ask(stream_path))["resume"],
            (Json{{"outcome", "gap"}, {"gap", {{"from", 1}, {"to", 40}}}}));
  EXPECT_EQ(body_json(bench_.ask(stream_path + "?after=k3f9-40"))["resume"], (Json{{"outcome", "resumed"}}));
  give({43}, /*has_more=*/true, /*oldest=*/41);
  EXPECT_EQ(body_json(bench_.ask(stream_path))["resume"], (Json{{"outcome", "live"}})) << "its first entry is there";
  give({41});
  EXPECT_EQ(body_json(bench_.ask(stream_path))["resume"], (Json{{"outcome", "live"}}));
}

}  // namespace
}  // namespace fluxora::api::test
