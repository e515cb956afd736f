#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string id = core::chain_stream_id(core::sample_contract, 7);
const std::string sender(core::sample_sender);

/// A connection that keeps what is sent on it.
class FakeConnection final : public net::WebSocketConnection {
 public:
  void send(net::Frame frame) override {
    sent.push_back(*frame);
    last = std::move(frame);
  }
  void send_binary(net::Frame) override { FAIL() << "the feed is text"; }
  void close(std::uint16_t code, std::string_view reason) override { closed.emplace_back(code, std::string(reason)); }
  void close_slow(std::string_view reason) override { close(4008, reason); }
  [[nodiscard]] bool drained() const override { return true; }
  [[nodiscard]] std::size_t queued_bytes() const override { return 0; }
  [[nodiscard]] std::size_t queued_messages() const override { return 0; }
  [[nodiscard]] unsigned io_thread() const override { return 0; }
  [[nodiscard]] const std::string& id() const override { return connection_id; }
  [[nodiscard]] const std::string& remote_address() const override { return address; }

  std::string connection_id = "connection-1";
  std::string address = "127.0.0.1";
  std::vector<std::string> sent;
  net::Frame last;
  std::vector<std::pair<std::uint16_t, std::string>> closed;
};

class StreamsSocketTest : public ::testing::Test {
 protected:
  explicit StreamsSocketTest(bool feed_auth_required = false, std::uint32_t writes_a_window = 0)
      : bench_(true, "", feed_auth_required, writes_a_window) {
    bench_.start_hub();
    bench_.events.log_head = ports::LogHead{"k3f9", 41, 1'042};
    endpoint_ = bench_.router->match("GET", "/ws/streams").websocket;
  }

  void open(const std::string& target = "/ws/streams") {
    socket_ = endpoint_->open(connection_, ApiBench::request(target));
  }
  void tick() { bench_.hub.tick(0); }

  /// What a message is answered with, alone.
  std::string reply(const std::string& message) {
    connection_->sent.clear();
    socket_->on_text(message);
    bench_.run_io();
    EXPECT_LE(connection_->sent.size(), 1u) << message;
    return connection_->sent.empty() ? std::string() : connection_->sent[0];
  }
  void expect_error(const std::string& message, const std::string& code) {
    const Json answer = Json::parse(reply(message), nullptr, /*allow_exceptions=*/false);
    ASSERT_TRUE(answer.is_object()) << message;
    EXPECT_EQ(answer["type"], "error");
    EXPECT_EQ(answer["code"], code) << message;
    EXPECT_NE(answer["message"], "");
    EXPECT_TRUE(connection_->closed.empty()) << "it stays open";
    bench_.clock.advance(std::chrono::milliseconds(1'000));  // so that the rate isn't what is wrong
  }
  ApiBench bench_;
  const net::WebSocketEndpoint* endpoint_ = nullptr;
  std::shared_ptr<FakeConnection> connection_ = std::make_shared<FakeConnection>();
  std::shared_ptr<net::WebSocketListener> socket_;
};

TEST_F(StreamsSocketTest, PingIsAnsweredPong) {
  open();
  EXPECT_EQ(reply(R"({"type":"ping"})"), R"({"type":"pong"})");
}

TEST_F(StreamsSocketTest, SubscribingIsAnswered) {
  open();
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":"*"})"),
            R"({"type":"subscribed","streamId":"*","resume":"live","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":")" + id + R"("})"),
            R"({"type":"subscribed","streamId":")" + id + R"(","resume":"live","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","recipient":")" + sender + R"("})"),
            R"({"type":"subscribed","recipient":")" + sender + R"(","resume":"live","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","sender":")" + sender + R"(","extra":1})"),
            R"({"type":"subscribed","sender":")" + sender + R"(","resume":"live","cursor":"k3f9-1042"})");
}

TEST_F(StreamsSocketTest, AnEventNarrowsItDown) {
  open();
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":"*","event":"stream.created"})"),
            R"({"type":"subscribed","streamId":"*","event":"stream.created","resume":"live","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","sender":")" + sender + R"(","event":"stream.retracted"})"),
            R"({"type":"subscribed","sender":")" + sender +
                R"(","event":"stream.retracted","resume":"live","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"unsubscribe","streamId":"*","event":"stream.created"})"),
            R"({"type":"unsubscribed","streamId":"*","event":"stream.created"})");
}

TEST_F(StreamsSocketTest, ResumingIsAnswered) {
  open();
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":"*","after":"k3f9-1042"})"),
            R"({"type":"subscribed","streamId":"*","resume":"resumed","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":")" + id + R"(","after":"zzzz-7"})"),
            R"({"type":"subscribed","streamId":")" + id + R"(","resume":"epoch_changed","cursor":"k3f9-1042"})");
  EXPECT_EQ(reply(R"({"type":"subscribe","sender":")" + sender + R"(","after":"k3f9-5"})"),
            R"({"type":"subscribed","sender":")" + sender +
                R"(","resume":"gap","cursor":"k3f9-40","gap":{"from":6,"to":40}})");
}

TEST_F(StreamsSocketTest, AReplayFollowsItsAnswer) {
  open();
  core::LogEntry entry;
  entry.seq = 1'042;
  entry.event_id = "event";
  bench_.events.page = ports::EventPage{{entry}, false, {"k3f9", 41, 1'042}};
  socket_->on_text(R"({"type":"subscribe","streamId":"*","after":"k3f9-1041"})");
  bench_.run_io();
  ASSERT_EQ(connection_->sent.size(), 2u);
  EXPECT_EQ(Json::parse(connection_->sent[0])["type"], "subscribed");
  EXPECT_EQ(Json::parse(connection_->sent[1])["cursor"], "k3f9-1042");
}

TEST_F(StreamsSocketTest, UnsubscribingIsAnswered) {
  open();
  EXPECT_EQ(reply(R"({"type":"unsubscribe","streamId":"*"})"), R"({"type":"unsubscribed","streamId":"*"})");
  EXPECT_EQ(reply(R"({"type":"unsubscribe","sender":"anyone"})"), R"({"type":"unsubscribed","sender":"anyone"})");
}

TEST_F(StreamsSocketTest, WhatIsMalformedIsToldByItsCode) {
  open();
  for (const std::string text : {"", "{", "subscribe", "{\"type\":\"ping\"}x", "\xff"}) {
    expect_error(text, "INVALID_JSON");
  }
  for (const std::string text : {"[]",
                                 "7",
                                 "null",
                                 "\"ping\"",
                                 "{}",
                                 R"({"type":7})",
                                 R"({"type":"subscribe"})",
                                 R"({"type":"subscribe","streamId":7})",
                                 R"({"type":"subscribe","streamId":""})",
                                 R"({"type":"subscribe","streamId":"7"})",
                                 R"({"type":"subscribe","recipient":"*"})",
                                 R"({"type":"subscribe","sender":"me"})",
                                 R"({"type":"subscribe","streamId":"*","sender":"me"})",
                                 R"({"type":"subscribe","streamId":"*","after":7})",
                                 R"({"type":"subscribe","streamId":"*","after":null})",
                                 R"({"type":"subscribe","streamId":"*","after":"7"})",
                                 R"({"type":"unsubscribe"})",
                                 R"({"type":"subscribe","streamId":"*","event":"stream"})",
                                 R"({"type":"subscribe","streamId":"*","event":null})",
                                 R"({"type":"subscribe","event":"stream.created"})",
                                 R"({"type":"unsubscribe","streamId":"*","event":7})"}) {
    expect_error(text, "INVALID_MESSAGE");
  }
  expect_error(R"({"type":"Subscribe","streamId":"*"})", "UNKNOWN_TYPE");
  expect_error(R"({"type":""})", "UNKNOWN_TYPE");
}

TEST_F(StreamsSocketTest, ALongMessageIsTooLarge) {
  open();
  const std::string ping = R"({"type":"ping"})";
  EXPECT_EQ(reply(ping + std::string(4'096 - ping.size(), ' ')), R"({"type":"pong"})");
  expect_error(ping + std::string(4'097 - ping.size(), ' '), "PAYLOAD_TOO_LARGE");
}

TEST_F(StreamsSocketTest, BinaryFramesAreNotSupported) {
  open();
  socket_->on_binary("");
  ASSERT_EQ(connection_->sent.size(), 1u);
  EXPECT_EQ(Json::parse(connection_->sent[0])["code"], "BINARY_NOT_SUPPORTED");
}

TEST_F(StreamsSocketTest, TheThousandAndFirstSubscriptionIsRefused) {
  open();
  for (int i = 0; i < 1'000; ++i) {
    const std::string stream = core::chain_stream_id(core::sample_contract, static_cast<std::uint64_t>(i));
    EXPECT_NE(reply(R"({"type":"subscribe","streamId":")" + stream + R"("})").find("subscribed"), std::string::npos);
    bench_.clock.advance(std::chrono::milliseconds(1'000));
  }
  expect_error(R"({"type":"subscribe","streamId":"*"})", "SUBSCRIPTION_LIMIT");
}

TEST_F(StreamsSocketTest, TheThirtyFirstMessageOfAWindowIsOneTooMany) {
  open();
  for (int i = 0; i < 30; ++i) EXPECT_EQ(reply(R"({"type":"ping"})"), R"({"type":"pong"})");
  EXPECT_EQ(Json::parse(reply(R"({"type":"ping"})"))["code"], "RATE_LIMIT_EXCEEDED");
  const net::Frame told = connection_->last;
  EXPECT_EQ(Json::parse(reply("{"))["code"], "RATE_LIMIT_EXCEEDED") << "each one more is told";
  EXPECT_EQ(connection_->last, told) << "and costs no message of its own";
  EXPECT_EQ(Json::parse(reply(std::string(4'097, ' ')))["code"], "PAYLOAD_TOO_LARGE") << "which is looked at first";
  connection_->sent.clear();
  socket_->on_binary("");
  ASSERT_EQ(connection_->sent.size(), 1u);
  EXPECT_EQ(Json::parse(connection_->sent[0])["code"], "RATE_LIMIT_EXCEEDED");
  EXPECT_TRUE(connection_->closed.empty());
  bench_.clock.advance(std::chrono::milliseconds(10'000));
  EXPECT_EQ(reply(R"({"type":"ping"})"), R"({"type":"pong"})");
}

TEST_F(StreamsSocketTest, WhatIsTooLargeOrNoTextCountsAsWell) {
  open();
  for (int i = 0; i < 15; ++i) {
    EXPECT_EQ(Json::parse(reply(std::string(4'097, ' ')))["code"], "PAYLOAD_TOO_LARGE");
    socket_->on_binary("");
  }
  EXPECT_EQ(Json::parse(reply(R"({"type":"ping"})"))["code"], "RATE_LIMIT_EXCEEDED");
}

TEST_F(StreamsSocketTest, ThreeExceededWindowsInARowCloseTheConnection) {
  open();
  for (int window = 0; window < 3; ++window) {
    EXPECT_TRUE(connection_->closed.empty());
    for (int i = 0; i < 31; ++i) socket_->on_text(R"({"type":"ping"})");
    bench_.clock.advance(std::chrono::milliseconds(10'000));
  }
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 1008);
  EXPECT_EQ(Json::parse(connection_->sent.back())["code"], "RATE_LIMIT_EXCEEDED");
}

TEST_F(StreamsSocketTest, AServiceNoticeReachesItWithoutASubscription) {
  open();
  bench_.hub.broadcast({{std::make_shared<std::string>("notice"), nullptr}});
  bench_.run_io();
  EXPECT_EQ(connection_->sent, std::vector<std::string>{"notice"});
}

TEST_F(StreamsSocketTest, ALogThatCannotBeReadEndsIt) {
  open();
  bench_.events.log_head = tl::unexpected(ports::StoreFailure::unavailable);
  EXPECT_EQ(reply(R"({"type":"subscribe","streamId":"*","after":"k3f9-7"})"), "");
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 1013);
}

TEST_F(StreamsSocketTest, ItsBeginningAndItsEndAreLogged) {
  open();
  bench_.clock.advance(std::chrono::milliseconds(1'500));
  socket_->on_closed(1001, "going away", {1, 2, 3, 4});
  const auto connected = bench_.log.lines("ws_connect");
  ASSERT_EQ(connected.size(), 1u);
  EXPECT_EQ(connected[0].fields.at("connectionId"), "connection-1");
  EXPECT_EQ(connected[0].fields.at("ip"), "127.0.0.1");
  const auto ended = bench_.log.lines("ws_disconnect");
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].fields.at("connectionId"), "connection-1");
  EXPECT_EQ(ended[0].fields.at("durationMs"), "1500");
  EXPECT_EQ(ended[0].fields.at("code"), "1001");
  EXPECT_EQ(ended[0].fields.at("reason"), "going away");
  EXPECT_EQ(ended[0].fields.at("metrics"),
            R"({"messagesReceived":1,"messagesSent":2,"bytesReceived":3,"bytesSent":4})");
}

TEST_F(StreamsSocketTest, AfterTheEndNothingIsSent) {
  open();
  socket_->on_text(R"({"type":"subscribe","streamId":"*","after":"k3f9-7"})");
  socket_->on_closed(1006, "", {});
  socket_.reset();
  bench_.run_io();  // the answer about the log's end comes now
  bench_.hub.broadcast({{std::make_shared<std::string>("notice"), nullptr}});
  bench_.run_io();
  EXPECT_TRUE(connection_->sent.empty());
}

TEST_F(StreamsSocketTest, AnAddressHasItsPlaces) {
  const net::Request request = ApiBench::request("/ws/streams");
  EXPECT_FALSE(endpoint_->refuse(request));
  const auto first = endpoint_->open(std::make_shared<FakeConnection>(), request);
  auto second = endpoint_->open(std::make_shared<FakeConnection>(), request);
  const auto refused = endpoint_->refuse(request);
  ASSERT_TRUE(refused);
  expect_problem(*refused, 429, "TOO_MANY_REQUESTS");
  EXPECT_NE(header(*refused, "Retry-After"), "");

  net::Request elsewhere = request;
  elsewhere.remote_address = "127.0.0.2";
  EXPECT_FALSE(endpoint_->refuse(elsewhere));

  // Two upgrades raced for the last place.
  open();
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 1013);

  second->on_closed(1000, "", {});
  EXPECT_FALSE(endpoint_->refuse(request)) << "its place is free again";
}

TEST_F(StreamsSocketTest, ShuttingDownNobodyIsLetIn) {
  bench_.shutting_down = true;
  const auto refused = endpoint_->refuse(ApiBench::request("/ws/streams"));
  ASSERT_TRUE(refused);
  expect_problem(*refused, 503, "SERVICE_UNAVAILABLE");
}

TEST_F(StreamsSocketTest, WithoutTheFlagATokenIsIgnored) {
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams?token=nonsense")));
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams", {{"Authorization", "Bearer nonsense"}})));
  open("/ws/streams?token=" + signed_token(R"({"exp":1})"));
  tick();
  EXPECT_TRUE(connection_->closed.empty());
}

class GuardedSocketTest : public StreamsSocketTest {
 protected:
  GuardedSocketTest() : StreamsSocketTest(/*feed_auth_required=*/true, wrong_tokens) {}

  static constexpr std::uint32_t wrong_tokens = 20;  // that an address may show

  void expect_refused(const net::Request& request) {
    const auto refused = endpoint_->refuse(request);
    ASSERT_TRUE(refused) << request.target;
    expect_problem(*refused, 401, "UNAUTHORIZED");
    EXPECT_NE(header(*refused, "WWW-Authenticate"), "");
  }

  const std::string good_ = signed_token(R"({"sub":"kim","exp":1800000005})");
  const std::string bad_ = signed_token(R"({"sub":"kim"})", "another secret, of 32 bytes more");
};

TEST_F(GuardedSocketTest, AGoodTokenIsLetIn) {
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams", {{"Authorization", "Bearer " + good_}})));
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams?token=" + good_)));
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams?a=b&token=" + signed_token("{}"))))
      << "of whatever scope, and without end";
}

TEST_F(GuardedSocketTest, WithoutAGoodTokenNobodyIs) {
  expect_refused(ApiBench::request("/ws/streams"));
  expect_refused(ApiBench::request("/ws/streams?token="));
  expect_refused(ApiBench::request("/ws/streams?token=" + bad_));
  expect_refused(ApiBench::request("/ws/streams?token=" + signed_token(R"({"exp":1800000000})")));
  expect_refused(ApiBench::request("/ws/streams?token=" + signed_token(R"({"nbf":1800000001})")));
  expect_refused(ApiBench::request("/ws/streams", {{"Authorization", "Bearer"}}));
  expect_refused(ApiBench::request("/ws/streams", {{"Authorization", "Basic a2ltOmtpbQ=="}}));
  expect_refused(ApiBench::request("/ws/streams", {{"X-API-Key", "flx_0123456789abcdef_x"}}));
}

TEST_F(GuardedSocketTest, TheHeaderIsLookedAtFirst) {
  expect_refused(ApiBench::request("/ws/streams?token=" + good_, {{"Authorization", "Bearer " + bad_}}));
  expect_refused(ApiBench::request("/ws/streams?token=" + good_, {{"Authorization", "Bearer two words"}}));
  EXPECT_FALSE(
      endpoint_->refuse(ApiBench::request("/ws/streams?token=" + bad_, {{"Authorization", "Bearer " + good_}})));
  EXPECT_FALSE(
      endpoint_->refuse(ApiBench::request("/ws/streams?token=" + good_, {{"Authorization", "Basic a2ltOmtpbQ=="}})))
      << "which isn't of ours";
}

TEST_F(GuardedSocketTest, ATokenThatExpiresEndsIt) {
  open("/ws/streams?token=" + good_);
  bench_.clock.advance(std::chrono::milliseconds(4'999));
  tick();
  EXPECT_TRUE(connection_->closed.empty());
  bench_.clock.advance(std::chrono::milliseconds(1));
  tick();
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 4001);
}

TEST_F(GuardedSocketTest, ATokenThatExpiresDuringTheUpgradeEndsItAtOnce) {
  bench_.clock.advance(std::chrono::milliseconds(5'000));
  open("/ws/streams?token=" + good_);
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 4001);
}

TEST_F(GuardedSocketTest, WhoGuessesHasToWaitAndWhoSharesItsAddressDoesNot) {
  for (std::uint32_t i = 0; i < wrong_tokens; ++i) expect_refused(ApiBench::request("/ws/streams?token=" + bad_));
  const auto refused = endpoint_->refuse(ApiBench::request("/ws/streams?token=" + bad_));
  ASSERT_TRUE(refused);
  expect_problem(*refused, 429, "TOO_MANY_REQUESTS");
  EXPECT_NE(header(*refused, "Retry-After"), "");
  EXPECT_FALSE(endpoint_->refuse(ApiBench::request("/ws/streams?token=" + good_)));

  open("/ws/streams?token=" + bad_);
  ASSERT_EQ(connection_->closed.size(), 1u);
  EXPECT_EQ(connection_->closed[0].first, 1013) << "its token may be good, for all that was looked at";
}

}  // namespace
}  // namespace fluxora::api::test
