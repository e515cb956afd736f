#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "list_cursor.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string sender(core::sample_sender);
const std::string recipient(core::sample_recipient);
const std::string id = core::chain_stream_id(core::sample_contract, 7);
const std::string path = "/api/streams/" + id;

core::Stream numbered(std::uint64_t number) {
  core::Stream stream = core::sample_stream();
  stream.id = core::chain_stream_id(core::sample_contract, number);
  stream.created_seq = number;
  return stream;
}

std::string stream_text(const core::Stream& stream, core::UnixSeconds as_of) {
  std::string text;
  core::JsonWriter json(text);
  write_stream_json(json, stream, as_of);
  return text;
}

class StreamsTest : public ::testing::Test {
 protected:
  StreamsTest() {
    bench_.streams.answer = ports::StreamAnswer{core::sample_stream(), {"k3f9", 1'042, 1'500}};
    bench_.streams.page = ports::StreamPage{{numbered(9), numbered(8)}, false, std::nullopt, {"k3f9", 1'042, 1'500}};
  }
  ApiBench bench_;
};

TEST_F(StreamsTest, OneStream) {
  const net::Response response = bench_.ask(path);
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(header(response, "ETag"), "\"k3f9-40-1500\"");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-1042");
  EXPECT_EQ(body_text(response), stream_text(core::sample_stream(), 1'500));
  EXPECT_EQ(bench_.streams.found, std::vector<std::string>{id});
  EXPECT_TRUE(bench_.streams.found_as_of.empty());
}

TEST_F(StreamsTest, AmountsAreThoseOfTheLastIndexedLedger) {
  EXPECT_EQ(body_json(bench_.ask(path))["asOf"], 1'500);
  EXPECT_EQ(body_json(bench_.ask(path))["streamedAmount"], "500.0000000");
}

TEST_F(StreamsTest, AmountsAreNotOfATimeBeforeTheLastChange) {
  bench_.streams.answer->at.indexed_at = 500;
  EXPECT_EQ(body_json(bench_.ask(path))["asOf"], 900);
}

TEST_F(StreamsTest, WhereNothingIsIndexedTheClockDecides) {
  bench_.streams.answer->at.indexed_at.reset();
  EXPECT_EQ(body_json(bench_.ask(path))["asOf"], 1'800'000'000);
}

TEST_F(StreamsTest, AtAMoment) {
  const net::Response response = bench_.ask(path + "?at=1250");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "ETag"), "\"k3f9-40-1250\"");
  EXPECT_EQ(body_json(response)["streamedAmount"], "250.0000000");
  EXPECT_EQ(bench_.streams.found_as_of, std::vector<core::UnixSeconds>{1'250});
}

TEST_F(StreamsTest, AtNoMoment) {
  for (const std::string at : {"", "-1", "now", "1.5", "253402300800", "1&at=2"}) {
    expect_bad_fields(bench_.ask(path + "?at=" + at), {"at"});
  }
  EXPECT_TRUE(bench_.streams.found.empty());
  EXPECT_EQ(bench_.ask(path + "?at=253402300799").status, 200u);
  EXPECT_EQ(bench_.ask(path + "?at=0").status, 200u);
}

TEST_F(StreamsTest, UnknownParametersAreRefused) {
  expect_bad_fields(bench_.ask(path + "?when=5"), {"when"});
}

TEST_F(StreamsTest, AStreamThatIsNotThere) {
  bench_.streams.answer->stream.reset();
  const Json now = expect_problem(bench_.ask(path), 404, "NOT_FOUND");
  EXPECT_EQ(now["instance"], path);
  const Json then = expect_problem(bench_.ask(path + "?at=5"), 404, "NOT_FOUND");
  EXPECT_NE(now["detail"], then["detail"]);
}

TEST_F(StreamsTest, APastThatWasPrunedIsNotThereAndSaysSinceWhenItIsKnown) {
  bench_.streams.answer->stream.reset();
  bench_.streams.answer->known_from = 1'200;
  const Json told = expect_problem(bench_.ask(path + "?at=1100"), 404, "NOT_FOUND");
  EXPECT_EQ(told["detail"], "What the stream was before 1970-01-01T00:20:00Z was pruned.");
}

TEST_F(StreamsTest, WhatIsNoIdIsAskedOfNobody) {
  for (const std::string& wrong :
       {std::string("7"), std::string("api-1"), std::string("x"), std::string(core::sample_contract)}) {
    expect_problem(bench_.ask("/api/streams/" + wrong), 404, "NOT_FOUND");
  }
  EXPECT_TRUE(bench_.streams.found.empty());
}

TEST_F(StreamsTest, AStoreWithoutAnAnswer) {
  bench_.streams.answer = tl::unexpected(ports::StoreFailure::unavailable);
  const net::Response response = bench_.ask(path);
  expect_problem(response, 503, "SERVICE_UNAVAILABLE");
  EXPECT_NE(header(response, "Retry-After"), "");
  EXPECT_EQ(header(response, "ETag"), "");
  bench_.streams.answer = tl::unexpected(ports::StoreFailure::internal);
  expect_problem(bench_.ask(path), 500, "INTERNAL_ERROR");
  bench_.streams.page = tl::unexpected(ports::StoreFailure::busy);
  expect_problem(bench_.ask("/api/streams"), 503, "SERVICE_UNAVAILABLE");
}

TEST_F(StreamsTest, WhatTheClientHasIsNotSentAgain) {
  // RFC 9110 section 13.1.2: a list, by weak comparison, or any.
  for (const std::string known :
       {R"("k3f9-40-1500")", R"(W/"k3f9-40-1500")", "*", R"("a", "k3f9-40-1500")", R"("a","k3f9-40-1500","b")",
        R"("a" , W/"k3f9-40-1500" , "b")", "\"a\",\t\"k3f9-40-1500\"", R"(, "k3f9-40-1500")"}) {
    const net::Response response = bench_.ask(path, {{"if-none-match", known}});
    EXPECT_EQ(response.status, 304u) << known;
    EXPECT_EQ(body_text(response), "");
    EXPECT_EQ(header(response, "ETag"), "\"k3f9-40-1500\"");
    EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
    EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-1042");
  }
}

TEST_F(StreamsTest, WhatTheClientHasNotIsSent) {
  for (const std::string known :
       {R"("k3f9-40-1499")", R"("k3f9-41-1500")", R"("a1b2-40-1500")", "k3f9-40-1500", R"("k3f9-40-1500)",
        R"(w/"k3f9-40-1500")", R"("K3F9-40-1500")", R"("**")", "", R"("a","b")", R"("k3f9-40-1500" "b")"}) {
    EXPECT_EQ(bench_.ask(path, {{"If-None-Match", known}}).status, 200u) << known;
  }
}

TEST_F(StreamsTest, AList) {
  const net::Response response = bench_.ask("/api/streams");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-1042");
  EXPECT_EQ(body_text(response), R"({"streams":[)" + stream_text(numbered(9), 1'500) + "," +
                                     stream_text(numbered(8), 1'500) + R"(],"has_more":false,"next_cursor":null})");
  ASSERT_EQ(bench_.streams.listed.size(), 1u);
  const ports::StreamQuery& query = bench_.streams.listed[0];
  EXPECT_EQ(query.limit, 20u);
  EXPECT_FALSE(query.status);
  EXPECT_FALSE(query.sender);
  EXPECT_FALSE(query.recipient);
  EXPECT_FALSE(query.after);
  EXPECT_FALSE(query.include_total);
}

TEST_F(StreamsTest, AnEmptyListIsAnAnswer) {
  bench_.streams.page->streams.clear();
  EXPECT_EQ(body_text(bench_.ask("/api/streams")), R"({"streams":[],"has_more":false,"next_cursor":null})");
}

TEST_F(StreamsTest, AListGoesOnWhereItsPageEnded) {
  bench_.streams.page->has_more = true;
  const Json first = body_json(bench_.ask("/api/streams?status=active&sender=" + sender));
  EXPECT_EQ(first["has_more"], true);
  const std::string cursor = first["next_cursor"];
  bench_.ask("/api/streams?limit=5&status=active&sender=" + sender + "&cursor=" + cursor);
  const ports::StreamQuery& query = bench_.streams.listed.back();
  ASSERT_TRUE(query.after);
  EXPECT_EQ(query.after->created_seq, 8u);
  EXPECT_EQ(query.after->id, numbered(8).id);
  EXPECT_EQ(query.limit, 5u) << "the page's size may change";
}

TEST_F(StreamsTest, ACursorGoesWithItsEpochOnly) {
  bench_.streams.page->has_more = true;
  const std::string cursor = body_json(bench_.ask("/api/streams"))["next_cursor"];
  bench_.streams.page->at.epoch = "other";
  expect_bad_fields(bench_.ask("/api/streams?cursor=" + cursor), {"cursor"});
}

TEST_F(StreamsTest, ACursorGoesWithItsFiltersOnly) {
  bench_.streams.page->has_more = true;
  const std::string cursor = body_json(bench_.ask("/api/streams?status=active"))["next_cursor"];
  for (const std::string& filters : {std::string(), std::string("status=paused&"), std::string("status=scheduled&"),
                                     "sender=" + sender + "&", "status=active&recipient=" + recipient + "&"}) {
    expect_bad_fields(bench_.ask("/api/streams?" + filters + "cursor=" + cursor), {"cursor"});
  }
  EXPECT_EQ(bench_.ask("/api/streams?status=active&cursor=" + cursor).status, 200u);
  // Sender and recipient are not the same filter.
  const std::string of_sender = body_json(bench_.ask("/api/streams?sender=" + sender))["next_cursor"];
  expect_bad_fields(bench_.ask("/api/streams?recipient=" + sender + "&cursor=" + of_sender), {"cursor"});
}

TEST_F(StreamsTest, ListsAreFiltered) {
  using ports::StatusFilter;
  const std::pair<std::string, StatusFilter> names[] = {{"scheduled", StatusFilter::scheduled},
                                                        {"active", StatusFilter::active},
                                                        {"paused", StatusFilter::paused},
                                                        {"completed", StatusFilter::completed},
                                                        {"cancelled", StatusFilter::cancelled}};
  for (const auto& [name, status] : names) {
    bench_.ask("/api/streams?status=" + name);
    EXPECT_EQ(bench_.streams.listed.back().status, status);
  }
  bench_.ask("/api/streams?recipient=" + recipient + "&sender=" + sender + "&limit=100&include_total=true");
  const ports::StreamQuery& query = bench_.streams.listed.back();
  EXPECT_EQ(query.recipient, recipient);
  EXPECT_EQ(query.sender, sender);
  EXPECT_EQ(query.limit, 100u);
  EXPECT_TRUE(query.include_total);
}

TEST_F(StreamsTest, TheTotalIsThereWhenItWasCounted) {
  bench_.streams.page->total = 12'345;
  EXPECT_EQ(body_json(bench_.ask("/api/streams?include_total=true"))["total"], 12'345);
  bench_.streams.page->total.reset();
  EXPECT_FALSE(body_json(bench_.ask("/api/streams")).contains("total"));
}

TEST_F(StreamsTest, BadParametersOfAListAreNamed) {
  expect_bad_fields(bench_.ask("/api/streams?status=Active"), {"status"});
  expect_bad_fields(bench_.ask("/api/streams?status="), {"status"});
  expect_bad_fields(bench_.ask("/api/streams?sender=me"), {"sender"});
  expect_bad_fields(bench_.ask("/api/streams?recipient=G"), {"recipient"});
  for (const std::string limit : {"0", "101", "ten", ""}) {
    expect_bad_fields(bench_.ask("/api/streams?limit=" + limit), {"limit"});
  }
  expect_bad_fields(bench_.ask("/api/streams?include_total=1"), {"include_total"});
  expect_bad_fields(bench_.ask("/api/streams?cursor="), {"cursor"});
  expect_bad_fields(bench_.ask("/api/streams?page=2&limit=0"), {"limit", "page"});
  EXPECT_TRUE(bench_.streams.listed.empty());
}

TEST_F(StreamsTest, TheStoreLearnsHowMuchTheCallerHasSeen) {
  const net::HeaderFields seen = {{"X-Fluxora-Min-Version", "41"}};
  for (const net::HeaderFields& headers : {net::HeaderFields{}, seen}) {
    bench_.ask(path, headers);
    bench_.ask(path + "?at=1500", headers);
    bench_.ask("/api/streams", headers);
    net::HeaderFields of_lookup = headers;
    of_lookup.emplace_back("Content-Type", "application/json");
    bench_.ask("/api/streams/lookup", of_lookup, "POST", R"({"ids":["x"]})");
  }
  // Without a version whatever is at hand will do, also a replica's.
  EXPECT_EQ(bench_.streams.min_seqs, (std::vector<std::uint64_t>{0, 0, 0, 0, 41, 41, 41, 41}));
}

TEST_F(StreamsTest, HeadIsAskedAsGet) {
  EXPECT_EQ(bench_.ask(path, {}, "HEAD").status, 200u);
  EXPECT_EQ(bench_.ask("/api/streams", {}, "HEAD").status, 200u);
}

}  // namespace
}  // namespace fluxora::api::test
