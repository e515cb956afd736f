#include "sse_feed.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/hub/service_notice.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

using std::chrono::milliseconds;

const std::string id = core::chain_stream_id(core::sample_contract, 7);
const std::string sender(core::sample_sender);
const std::string live_resume =
    "retry: 3000\nid: k3f9-1042\nevent: resume\ndata: {\"resume\":\"live\",\"cursor\":\"k3f9-1042\"}\n\n";

core::LogEntry entry(std::uint64_t seq, core::EventName event = core::EventName::stream_updated) {
  core::LogEntry entry;
  entry.seq = seq;
  entry.event = event;
  entry.stream_id = id;
  entry.event_id = "event-" + std::to_string(seq);
  entry.closed_at = 1'000;
  entry.stream = core::sample_stream();
  return entry;
}

std::string event_text(const core::LogEntry& entry) {
  std::string data;
  core::JsonWriter json(data);
  core::write_log_entry_json(json, entry, "k3f9");
  return "id: k3f9-" + std::to_string(entry.seq) + "\nevent: " + std::string(core::event_name_text(entry.event)) +
         "\ndata: " + data + "\n\n";
}

/// The connection's side of a feed: asks for the next piece when it has the last.
class Reader {
 public:
  explicit Reader(const net::Response& response) : body_(std::get<std::shared_ptr<net::BodyStream>>(response.body)) {}

  void read() {
    if (asked_ || ended_) return;
    asked_ = true;
    body_->next([this](net::BodyPiece piece) {
      asked_ = false;
      EXPECT_NE(piece.state, net::BodyPiece::State::failed);
      EXPECT_LE(piece.bytes.size(), net::max_body_piece_bytes);
      ended_ = piece.state == net::BodyPiece::State::last;
      pieces.push_back(std::move(piece.bytes));
    });
  }
  /// Everything since the last time.
  std::string take() {
    std::string text;
    for (const std::string& piece : pieces) text += piece;
    pieces.clear();
    return text;
  }
  void leave() { body_.reset(); }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool endless() const { return body_->endless(); }

  std::vector<std::string> pieces;

 private:
  std::shared_ptr<net::BodyStream> body_;
  bool asked_ = false;
  bool ended_ = false;
};

class SseFeedTest : public ::testing::Test {
 protected:
  explicit SseFeedTest(bool feed_auth_required = false) : bench_(true, "", feed_auth_required) {
    bench_.start_hub();
    bench_.events.log_head = ports::LogHead{"k3f9", 41, 1'042};
    bench_.events.page = ports::EventPage{{}, false, {"k3f9", 41, 1'042}};
  }

  net::Response open(const std::string& query = "", net::HeaderFields headers = {}) {
    net::Response response = bench_.ask("/api/events/stream" + query, std::move(headers));
    EXPECT_EQ(response.status, 200u);
    return response;
  }
  /// Reads until there is nothing more.
  std::string read(Reader& reader) {
    std::string text;
    for (int i = 0; i < 1'000; ++i) {
      reader.read();
      bench_.run_io();
      const std::string more = reader.take();
      if (more.empty()) return text;
      text += more;
    }
    ADD_FAILURE() << "it has no end";
    return text;
  }
  /// What a feed begins with.
  std::string first_message(const std::string& query, net::HeaderFields headers = {}) {
    Reader reader(open(query, std::move(headers)));
    return read(reader);
  }
  void publish(std::vector<core::LogEntry> entries) {
    auto batch = std::make_shared<hub::PublishedBatch>("k3f9", bench_.hub.shard(0).position().seq);
    for (core::LogEntry& one : entries) batch->add(std::move(one));
    bench_.hub.shard(0).publish(std::move(batch));
  }
  void pass(milliseconds time) {
    bench_.clock.advance(time);
    bench_.hub.tick(0);
    bench_.run_io();
  }
  static std::string end_text(const std::string& text) {
    const std::size_t at = text.find("event: end\ndata: ");
    if (at == std::string::npos || !text.ends_with("\n\n")) return "no end: " + text;
    return Json::parse(text.substr(at + 17)).at("code").get<std::string>();
  }

  ApiBench bench_;
};

TEST_F(SseFeedTest, SaysWhatItIs) {
  const net::Response response = open();
  EXPECT_EQ(response.content_type, "text/event-stream; charset=utf-8");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(header(response, "X-Accel-Buffering"), "no");
  EXPECT_TRUE(Reader(response).endless());
}

TEST_F(SseFeedTest, TheOutcomeComesFirst) {
  EXPECT_EQ(first_message(""), live_resume);
  EXPECT_EQ(first_message("?after=k3f9-1042"),
            "retry: 3000\nid: k3f9-1042\nevent: resume\ndata: {\"resume\":\"resumed\",\"cursor\":\"k3f9-1042\"}\n\n");
  EXPECT_EQ(first_message("?after=k3f9-1043"),
            "retry: 3000\nid: k3f9-1042\nevent: resume\n"
            "data: {\"resume\":\"epoch_changed\",\"cursor\":\"k3f9-1042\"}\n\n");
  EXPECT_EQ(first_message("?after=k3f9-5"),
            "retry: 3000\nid: k3f9-40\nevent: resume\n"
            "data: {\"resume\":\"gap\",\"cursor\":\"k3f9-40\",\"gap\":{\"from\":6,\"to\":40}}\n\n");
}

TEST_F(SseFeedTest, TheLastEventIdWinsOverTheUrlsCursor) {
  EXPECT_NE(first_message("", {{"Last-Event-ID", "k3f9-1042"}}).find("\"resumed\""), std::string::npos);
  EXPECT_NE(first_message("?after=k3f9-5", {{"Last-Event-ID", "k3f9-1042"}}).find("\"resumed\""), std::string::npos);
  EXPECT_NE(first_message("?after=k3f9-1042", {{"Last-Event-ID", "k3f9-5"}}).find("\"gap\""), std::string::npos);
  EXPECT_NE(first_message("?after=k3f9-5", {{"Last-Event-ID", ""}}).find("\"gap\""), std::string::npos)
      << "an empty one is none";
}

TEST_F(SseFeedTest, WhatWasMissedFollowsTheOutcome) {
  bench_.events.page = ports::EventPage{{entry(1'041), entry(1'042)}, false, {"k3f9", 41, 1'042}};
  EXPECT_EQ(first_message("?after=k3f9-1040"),
            "retry: 3000\nid: k3f9-1040\nevent: resume\n"
            "data: {\"resume\":\"resumed\",\"cursor\":\"k3f9-1040\"}\n\n" +
                event_text(entry(1'041)) + event_text(entry(1'042)));
}

TEST_F(SseFeedTest, WhatIsWrongIsNamed) {
  const auto ask = [&](const std::string& query, net::HeaderFields headers = {}) {
    return bench_.ask("/api/events/stream" + query, std::move(headers));
  };
  expect_bad_fields(ask("?after=7"), {"after"});
  expect_bad_fields(ask("", {{"Last-Event-ID", "7"}}), {"Last-Event-ID"});
  expect_bad_fields(ask("?after=7&event=x", {{"Last-Event-ID", "7"}}), {"event", "after", "Last-Event-ID"});
  expect_bad_fields(ask("?streamId=7&event=stream"), {"streamId", "event"});
  expect_bad_fields(ask("?streamId=*"), {"streamId"});
  expect_bad_fields(ask("?recipient=me"), {"recipient"});
  expect_bad_fields(ask("?limit=7"), {"limit"});
  expect_bad_fields(ask("?streamId=" + id + "&sender=" + sender), {"streamId", "sender"});
  expect_bad_fields(ask("?event=stream.created&event=stream.updated"), {"event"});
}

TEST_F(SseFeedTest, WhatHappensFollowsInOnePiece) {
  Reader reader(open());
  EXPECT_EQ(read(reader), live_resume);
  publish({entry(1'043), entry(1'044), entry(1'045)});
  bench_.run_io();
  ASSERT_EQ(reader.pieces.size(), 1u);
  EXPECT_EQ(reader.take(), event_text(entry(1'043)) + event_text(entry(1'044)) + event_text(entry(1'045)));
  publish({entry(1'046)});
  publish({entry(1'047)});
  EXPECT_EQ(read(reader), event_text(entry(1'046)) + event_text(entry(1'047)));
}

TEST_F(SseFeedTest, OnlyWhatMatchesFollows) {
  Reader by_name(open("?event=stream.cancelled&token=any"));
  Reader by_stream(open("?streamId=" + core::chain_stream_id(core::sample_contract, 8)));
  read(by_name);
  read(by_stream);
  publish({entry(1'043), entry(1'044, core::EventName::stream_cancelled)});
  EXPECT_EQ(read(by_name), event_text(entry(1'044, core::EventName::stream_cancelled)));
  EXPECT_EQ(read(by_stream), "");
}

TEST_F(SseFeedTest, AnEntryLargerThanAPieceArrivesWhole) {
  Reader reader(open());
  read(reader);
  core::LogEntry large = entry(1'043, core::EventName::chain_event);
  large.stream.reset();
  large.value_xdr.assign(300'000, 0xff);
  const std::string expected = event_text(large);
  publish({std::move(large)});
  EXPECT_EQ(read(reader), expected);
}

TEST_F(SseFeedTest, SaysEveryFifteenSecondsThatItIsThere) {
  Reader reader(open());
  read(reader);
  pass(milliseconds(14'999));
  EXPECT_EQ(read(reader), "");
  pass(milliseconds(1));
  EXPECT_EQ(read(reader), ": ping\n\n");
  pass(milliseconds(14'999));
  EXPECT_EQ(read(reader), "");
  pass(milliseconds(1));
  EXPECT_EQ(read(reader), ": ping\n\n");
}

TEST_F(SseFeedTest, WhoDoesNotReadGetsNoPings) {
  Reader reader(open());
  reader.read();
  bench_.run_io();
  EXPECT_EQ(reader.take(), live_resume);
  for (int i = 0; i < 10; ++i) pass(milliseconds(15'000));  // the piece is still being written
  EXPECT_EQ(bench_.context.sse->queued_messages, 0u);
}

TEST_F(SseFeedTest, ANoticeComesBehindTheOutcome) {
  Reader reader(open("?after=k3f9-1042"));
  reader.read();  // the log is being asked
  bench_.hub.shard(0).broadcast(hub::service_notice(true, "why", 1'000));
  EXPECT_EQ(read(reader).find("retry: 3000\n"), 0u);
  bench_.hub.broadcast(hub::service_notice(false, "over", 1'000));
  EXPECT_EQ(read(reader),
            "event: service.recovered\ndata: {\"reason\":\"over\",\"timestamp\":\"1970-01-01T00:00:01.000Z\"}\n\n");
}

TEST_F(SseFeedTest, ASlowClientIsEndedAndTold) {
  Reader reader(open());
  reader.read();
  bench_.run_io();
  EXPECT_EQ(reader.take(), live_resume);
  std::uint64_t seq = 1'042;
  for (int i = 0; i < 1'000 && bench_.context.sse->slow_consumers == 0; ++i) {
    std::vector<core::LogEntry> entries;
    for (int j = 0; j < 20; ++j) entries.push_back(entry(++seq));
    publish(std::move(entries));
    pass(milliseconds(1'000));
    EXPECT_LE(bench_.context.sse->queued_bytes, SseQueue::max_bytes);
    EXPECT_LE(bench_.context.sse->queued_messages, SseQueue::max_messages);
  }
  EXPECT_EQ(bench_.context.sse->slow_consumers, 1u);
  EXPECT_EQ(bench_.context.sse->queued_messages, 1u) << "what waited is given up";
  EXPECT_EQ(end_text(read(reader)), "SLOW_CONSUMER");
  EXPECT_TRUE(reader.ended());
}

TEST_F(SseFeedTest, EndsWithAWordWhenTheServiceStops) {
  Reader reader(open());
  read(reader);
  publish({entry(1'043)});
  bench_.shutting_down = true;
  pass(milliseconds(1'000));
  const std::string rest = read(reader);
  EXPECT_EQ(rest.find(event_text(entry(1'043))), 0u) << "after what was on its way";
  EXPECT_EQ(end_text(rest), "SHUTTING_DOWN");
  EXPECT_TRUE(reader.ended());
  expect_problem(bench_.ask("/api/events/stream"), 503, "SERVICE_UNAVAILABLE");
}

TEST_F(SseFeedTest, EndsWhenTheLogIsAnotherOne) {
  Reader reader(open());
  read(reader);
  bench_.hub.shard(0).change_log({"new", 5});
  bench_.run_io();
  EXPECT_EQ(end_text(read(reader)), "EPOCH_CHANGED");
  EXPECT_TRUE(reader.ended());
}

TEST_F(SseFeedTest, EndsWhenTheLogCannotBeRead) {
  bench_.events.log_head = tl::unexpected(ports::StoreFailure::unavailable);
  Reader reader(open("?after=k3f9-7"));
  EXPECT_EQ(end_text(read(reader)), "UNAVAILABLE");
  EXPECT_TRUE(reader.ended());
}

TEST_F(SseFeedTest, BothKindsOfFeedsShareAnAddressesPlaces) {
  const net::WebSocketEndpoint* sockets = bench_.router->match("GET", "/ws/streams").websocket;
  Reader first(open());
  Reader second(open());
  const net::Response refused = bench_.ask("/api/events/stream");
  expect_problem(refused, 429, "TOO_MANY_REQUESTS");
  EXPECT_NE(header(refused, "Retry-After"), "");
  EXPECT_TRUE(sockets->refuse(ApiBench::request("/ws/streams")));
  first.leave();
  EXPECT_FALSE(sockets->refuse(ApiBench::request("/ws/streams")));
  Reader third(open());
}

TEST_F(SseFeedTest, WhoOnlyWantsTheHeadFollowsNothing) {
  for (int i = 0; i < 3; ++i) {
    const net::Response response = bench_.ask("/api/events/stream");
    EXPECT_EQ(response.status, 200u) << "the places are free again";
  }
  EXPECT_TRUE(bench_.log.lines("sse_connect").empty());
  EXPECT_TRUE(bench_.log.lines("sse_disconnect").empty());
  EXPECT_EQ(bench_.context.sse->connections, 0u);
}

TEST_F(SseFeedTest, ItsBeginningAndItsEndAreLogged) {
  Reader reader(open());
  read(reader);
  publish({entry(1'043)});
  const std::size_t bytes = live_resume.size() + read(reader).size();
  EXPECT_EQ(bench_.context.sse->connections, 1u);
  bench_.clock.advance(milliseconds(1'500));
  reader.leave();
  publish({entry(1'044)});
  bench_.run_io();
  EXPECT_EQ(bench_.context.sse->connections, 0u);
  const auto begun = bench_.log.lines("sse_connect");
  ASSERT_EQ(begun.size(), 1u);
  EXPECT_EQ(begun[0].fields.at("ip"), "127.0.0.1");
  EXPECT_EQ(begun[0].fields.at("requestId"), "request-7");
  const auto ended = bench_.log.lines("sse_disconnect");
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].fields.at("connectionId"), begun[0].fields.at("connectionId"));
  EXPECT_EQ(ended[0].fields.at("durationMs"), "1500");
  EXPECT_EQ(ended[0].fields.at("reason"), "CLIENT_LEFT");
  EXPECT_EQ(ended[0].fields.at("metrics"), R"({"messagesSent":2,"bytesSent":)" + std::to_string(bytes) + "}");
}

TEST_F(SseFeedTest, TheReasonOfAnEndIsLogged) {
  Reader reader(open());
  read(reader);
  bench_.shutting_down = true;
  pass(milliseconds(1'000));
  read(reader);
  reader.leave();
  ASSERT_EQ(bench_.log.lines("sse_disconnect").size(), 1u);
  EXPECT_EQ(bench_.log.lines("sse_disconnect")[0].fields.at("reason"), "SHUTTING_DOWN");
}

TEST_F(SseFeedTest, WhoLeavesWhileTheLogIsAskedIsForgotten) {
  Reader reader(open("?after=k3f9-5"));
  reader.read();
  reader.leave();
  bench_.run_io();
  EXPECT_TRUE(reader.pieces.empty());
}

class GuardedSseTest : public SseFeedTest {
 protected:
  GuardedSseTest() : SseFeedTest(/*feed_auth_required=*/true) {}
  const std::string good_ = signed_token(R"({"sub":"kim","exp":1800000005})");
};

TEST_F(GuardedSseTest, IsOpenedWithATokenOnly) {
  const net::Response refused = bench_.ask("/api/events/stream");
  expect_problem(refused, 401, "UNAUTHORIZED");
  EXPECT_NE(header(refused, "WWW-Authenticate"), "");
  expect_problem(bench_.ask("/api/events/stream?token=x"), 401, "UNAUTHORIZED");
  expect_problem(bench_.ask("/api/events/stream?token=" + good_, {{"Authorization", "Bearer x"}}), 401, "UNAUTHORIZED");
  EXPECT_EQ(first_message("?token=" + good_), live_resume);
  EXPECT_EQ(first_message("", {{"Authorization", "Bearer " + good_}}), live_resume);
  expect_bad_fields(bench_.ask("/api/events/stream?token=" + good_ + "&token=" + good_), {"token"});
}

TEST_F(GuardedSseTest, EndsWithItsToken) {
  Reader reader(open("?token=" + good_));
  read(reader);
  pass(milliseconds(4'999));
  EXPECT_EQ(read(reader), "");
  pass(milliseconds(1));
  EXPECT_EQ(end_text(read(reader)), "TOKEN_EXPIRED");
  EXPECT_TRUE(reader.ended());
}

}  // namespace
}  // namespace fluxora::api::test
