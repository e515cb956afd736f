#include "fluxora/net/websocket.hpp"

#include <algorithm>
#include <future>
#include <optional>
#include <set>

#include <gtest/gtest.h>
#include <zlib.h>

#include "counting_writes.hpp"
#include "failing_allocations.hpp"
#include "test_server.hpp"
#include "websocket_client.hpp"

namespace fluxora::net::test {
namespace {

Frame frame(std::string text_) {
  return std::make_shared<const std::string>(std::move(text_));
}

/// What the listeners of an endpoint saw, and the connections they have.
struct Seen {
  struct Closed {
    std::uint16_t code;
    std::string reason;
    WebSocketMetrics metrics;
  };
  mutable std::mutex mutex;
  std::vector<std::shared_ptr<WebSocketConnection>> connections;
  std::vector<std::string> messages;
  std::vector<Closed> closed;
  std::set<std::thread::id> threads;
  std::size_t listeners = 0;

  template <class Value>
  auto get(Value Seen::* value) const {
    const std::lock_guard lock(mutex);
    return this->*value;
  }
};

/// Echoes; some words make it do something else.
class Echo final : public WebSocketListener {
 public:
  Echo(std::shared_ptr<Seen> seen, std::shared_ptr<WebSocketConnection> connection)
      : seen_(std::move(seen)), connection_(std::move(connection)) {
    const std::lock_guard lock(seen_->mutex);
    ++seen_->listeners;
    seen_->connections.push_back(connection_);
  }
  ~Echo() override {
    const std::lock_guard lock(seen_->mutex);
    --seen_->listeners;
  }

  void on_text(std::string_view message) override {
    {
      const std::lock_guard lock(seen_->mutex);
      seen_->messages.emplace_back(message);
      seen_->threads.insert(std::this_thread::get_id());
    }
    if (message == "throw") throw std::runtime_error("listener");
    if (message == "expire") return connection_->close(4001, "token expired");
    if (message == "burst then close") {
      for (int i = 0; i < 100; ++i) connection_->send(frame(std::to_string(i)));
      connection_->close(1000, "done");
      connection_->send(frame("too late"));
      return;
    }
    if (message == "burst then give up") {
      for (int i = 0; i < 100; ++i) connection_->send(frame(std::to_string(i)));
      return connection_->close_slow("not reading");
    }
    if (message.starts_with("repeat")) {
      const auto repeated = frame(std::string(message));
      for (int i = 0; i < 5000; ++i) connection_->send(repeated);
      return;
    }
    if (message.starts_with("flood")) {
      const auto large = frame(std::string(64 * 1024, 'x'));
      for (int i = 0; i < 1000; ++i) connection_->send(large);
      return;
    }
    connection_->send(frame(std::string(message)));
  }
  void on_binary(std::string_view message) override { connection_->send_binary(frame(std::string(message))); }
  void on_closed(std::uint16_t code, std::string_view reason, const WebSocketMetrics& metrics) override {
    connection_->send(frame("after the end"));
    const std::lock_guard lock(seen_->mutex);
    seen_->closed.push_back({code, std::string(reason), metrics});
  }

 private:
  std::shared_ptr<Seen> seen_;
  std::shared_ptr<WebSocketConnection> connection_;
};

class WebSocket : public testing::Test {
 protected:
  void start(const std::function<void(ServerOptions&)>& adjust = {}) {
    Router router = example_router();
    WebSocketEndpoint endpoint;
    endpoint.refuse = [](const Request& request) -> std::optional<Response> {
      if (request.query.empty()) return {};
      Response response;
      response.status = 401;
      response.body = std::string("no");
      return response;
    };
    endpoint.open = [this](std::shared_ptr<WebSocketConnection> connection, const Request&) {
      return std::make_shared<Echo>(seen_, std::move(connection));
    };
    router.add_websocket("/ws", std::move(endpoint));
    WebSocketEndpoint broken;
    broken.open = [](const std::shared_ptr<WebSocketConnection>&,
                     const Request&) -> std::shared_ptr<WebSocketListener> { throw std::runtime_error("no listener"); };
    router.add_websocket("/broken", std::move(broken));
    server_.emplace(std::move(router), adjust);
  }

  Seen::Closed closed() {
    EXPECT_TRUE(eventually([&] { return !seen_->get(&Seen::closed).empty(); }));
    const auto all = seen_->get(&Seen::closed);
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? Seen::Closed{} : all.front();
  }

  std::shared_ptr<Seen> seen_ = std::make_shared<Seen>();
  std::optional<TestServer> server_;
};

TEST_F(WebSocket, SwitchesProtocols) {
  start();
  WebSocketClient client(server_->port());
  EXPECT_EQ(client.switched().header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_TRUE(equal_ignoring_case(client.switched().header("Upgrade").value_or(""), "websocket"));
  EXPECT_EQ(client.switched().header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(client.switched().header("X-Request-Id").value_or("").size(), 32U);
  EXPECT_EQ(client.switched().header("Sec-WebSocket-Extensions"), std::nullopt);
  EXPECT_EQ(client.switched().header("Server"), std::nullopt);
  EXPECT_TRUE(eventually([&] { return (*server_)->websocket_connections() == 1; }));
  client.send_close(1000);
  EXPECT_TRUE(eventually([&] { return (*server_)->websocket_connections() == 0; }));
}

TEST_F(WebSocket, EchoesText) {
  start();
  WebSocketClient client(server_->port());
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 1500UL, 65535UL, 65536UL}) {
    client.send(text, std::string(size, 'e'));
    const auto echoed = client.read();
    EXPECT_EQ(echoed.opcode, text);
    EXPECT_TRUE(echoed.fin);
    EXPECT_EQ(echoed.payload, std::string(size, 'e'));
  }
  client.send(binary, std::string("\0\xff", 2));
  const auto echoed = client.read();
  EXPECT_EQ(echoed.opcode, binary);
  EXPECT_EQ(echoed.payload, std::string("\0\xff", 2));
}

TEST_F(WebSocket, JoinsFragments) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "gr", {.fin = false});
  client.send(ping, "between");
  client.send(continuation, "\xc3", {.fin = false});
  client.send(continuation,
              "\xbc"
              "n");
  const auto answer_to_ping = client.read();
  EXPECT_EQ(answer_to_ping.opcode, pong);
  EXPECT_EQ(answer_to_ping.payload, "between");
  EXPECT_EQ(client.read().payload, "gr\xc3\xbcn");
}

TEST_F(WebSocket, ReportsThePeersCloseAndWhatWasSent) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "12345");
  client.read();
  client.send_close(4321);
  EXPECT_EQ(client.read().close_code(), 4321U);
  EXPECT_TRUE(client.socket().at_end());
  const auto end = closed();
  EXPECT_EQ(end.code, 4321);
  EXPECT_EQ(end.metrics.messages_received, 1U);
  EXPECT_EQ(end.metrics.messages_sent, 1U);
  EXPECT_EQ(end.metrics.bytes_received, 5U);
  EXPECT_EQ(end.metrics.bytes_sent, 5U);
  EXPECT_TRUE(eventually([&] { return seen_->get(&Seen::listeners) == 0; }));
}

TEST_F(WebSocket, ReportsAPeerThatVanished) {
  start();
  {
    WebSocketClient client(server_->port());
    client.socket().reset();
  }
  EXPECT_EQ(closed().code, 1006);
}

TEST_F(WebSocket, ClosesWithTheApplicationsCode) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "expire");
  const auto end = client.read();
  EXPECT_EQ(end.opcode, close_frame);
  EXPECT_EQ(end.close_code(), 4001U);
  EXPECT_EQ(end.payload.substr(2), "token expired");
  client.send_close(4001);
  EXPECT_TRUE(client.socket().at_end());
  EXPECT_EQ(closed().code, 4001);
}

TEST_F(WebSocket, SendsItsQueueBeforeItsCloseFrame) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "burst then close");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().payload, std::to_string(i));
  EXPECT_EQ(client.read().close_code(), 1000U);
  client.send_close(1000);
  EXPECT_EQ(closed().metrics.messages_sent, 100U);
}

TEST_F(WebSocket, EndsWithoutThePeersCloseFrame) {
  start([](ServerOptions& options) { options.websocket.close_drain_ms = 50; });
  WebSocketClient client(server_->port());
  client.send(text, "expire");
  EXPECT_EQ(client.read().close_code(), 4001U);
  EXPECT_TRUE(client.socket().at_end());
  EXPECT_EQ(closed().code, 4001);
}

TEST_F(WebSocket, ClosesASlowConsumerWith4008) {
  start([](ServerOptions& options) {
    options.websocket.max_queued_bytes = 256 * 1024;
    options.websocket.close_drain_ms = 30'000;
  });
  WebSocketClient client(server_->port(), "/ws", 4096);
  client.send(text, "flood");
  unsigned received = 0;
  WebSocketFrame last;
  for (last = client.read(); last.opcode == text; last = client.read()) ++received;
  EXPECT_EQ(last.close_code(), 4008U);
  EXPECT_LT(received, 1000U);
  client.send_close(4008);
  const auto end = closed();
  EXPECT_EQ(end.code, 4008);
  EXPECT_EQ(end.metrics.messages_sent, received);
}

TEST_F(WebSocket, DropsTheQueueOfAConnectionThatItsOwnerFindsSlow) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "burst then give up");
  const auto end = client.read();
  EXPECT_EQ(end.close_code(), 4008U);
  EXPECT_EQ(end.payload.substr(2), "not reading");
  client.send_close(4008);
  EXPECT_EQ(closed().code, 4008);
  EXPECT_EQ((*server_)->statistics().websocket_queued_messages, 0U);
}

TEST_F(WebSocket, DoesNotWaitForASlowConsumerForLong) {
  start([](ServerOptions& options) {
    options.websocket.max_queued_messages = 100;
    options.websocket.max_queued_bytes = 100'000'000;
    options.websocket.close_drain_ms = 50;
  });
  WebSocketClient stuck(server_->port(), "/ws", 4096);
  stuck.send(text, "flood");
  EXPECT_EQ(closed().code, 4008);
}

TEST_F(WebSocket, ClosesAMessageOverTheLimitWith1009) {
  start();
  for (const bool fragmented : {false, true}) {
    WebSocketClient client(server_->port());
    client.send(text, std::string(64 * 1024, 'x'), {.fin = !fragmented});
    if (fragmented)
      client.send(continuation, "x");
    else
      client.read();
    if (!fragmented) client.send(text, std::string(64 * 1024 + 1, 'x'));
    const auto end = client.read();
    EXPECT_EQ(end.opcode, close_frame);
    EXPECT_EQ(end.close_code(), 1009U);
  }
  EXPECT_TRUE(eventually([&] { return seen_->get(&Seen::closed).size() == 2; }));
  for (const auto& end : seen_->get(&Seen::closed)) EXPECT_EQ(end.code, 1009);
}

TEST_F(WebSocket, ClosesInvalidUtf8With1007) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "\xc3\x28");
  EXPECT_EQ(client.read().close_code(), 1007U);
  EXPECT_EQ(closed().code, 1007);
  EXPECT_TRUE(seen_->get(&Seen::messages).empty());
}

TEST_F(WebSocket, ClosesAnUnmaskedFrameWith1002) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "bare", {.masked = false});
  EXPECT_EQ(client.read().close_code(), 1002U);
  EXPECT_EQ(closed().code, 1002);
}

TEST_F(WebSocket, EndsAPeerThatAnswersNoPings) {
  start([](ServerOptions& options) { options.websocket.ping_interval_ms = 20; });
  WebSocketClient client(server_->port());
  EXPECT_EQ(client.read().opcode, ping);
  EXPECT_EQ(client.read().opcode, ping);
  EXPECT_TRUE(client.socket().at_end());
  EXPECT_EQ(closed().code, 1006);
}

TEST_F(WebSocket, KeepsAPeerThatSendsAnyPongs) {
  // Two seconds without one are allowed, so that a slow machine doesn't fail the test, and more pings are sent.
  start([](ServerOptions& options) {
    options.websocket.ping_interval_ms = 20;
    options.websocket.missed_pongs = 100;
  });
  WebSocketClient client(server_->port());
  for (int i = 0; i < 120; ++i) {
    EXPECT_EQ(client.read().opcode, ping);
    client.send(pong, "unasked");
  }
  client.send(text, "alive");
  WebSocketFrame received = client.read();
  while (received.opcode == ping) received = client.read();
  EXPECT_EQ(received.payload, "alive");
}

TEST_F(WebSocket, WritesWhatWasQueuedInOneTurnAtOnce) {
  start();
  WebSocketClient client(server_->port());
  const std::uint64_t before = writes_of_messages();
  client.send(text, "burst then close");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().payload, std::to_string(i));
  EXPECT_EQ(client.read().opcode, close_frame);
  EXPECT_EQ(writes_of_messages() - before, 2U) << "the hundred messages, and the close frame";
}

TEST_F(WebSocket, IsNoSlowConsumerForWhatOneTurnQueues) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "repeat");
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(client.read().payload, "repeat") << i;
  EXPECT_EQ((*server_)->statistics().websocket_slow_consumers, 0U);
}

TEST_F(WebSocket, AnswersEachPingWhileItCanBeWritten) {
  start();
  WebSocketClient client(server_->port());
  std::string pings;
  for (char c = 'a'; c < 'a' + 10; ++c) pings += client_frame(ping, std::string(1, c));
  client.socket().send(pings);
  for (char c = 'a'; c < 'a' + 10; ++c) {
    const auto answer_to_ping = client.read();
    EXPECT_EQ(answer_to_ping.opcode, pong);
    EXPECT_EQ(answer_to_ping.payload, std::string(1, c));
  }
}

TEST_F(WebSocket, AnswersOnlyTheLatestOfAFloodOfPings) {
  start();
  WebSocketClient client(server_->port(), "/ws", 4096);
  constexpr int pings = 20'000;
  std::string flood;
  for (int i = 0; i < pings; ++i) flood += client_frame(ping, std::to_string(i));
  client.socket().send(flood);
  int answers = 1;
  WebSocketFrame answer_to_ping = client.read();
  for (; answer_to_ping.payload != std::to_string(pings - 1); answer_to_ping = client.read()) ++answers;
  EXPECT_LT(answers, pings);
  client.send(text, "alive");
  EXPECT_EQ(client.read().payload, "alive");
}

TEST_F(WebSocket, ClosesAMessageInTooManyFragmentsWith1009) {
  start();
  WebSocketClient client(server_->port());
  std::string fragments = client_frame(text, "", {.fin = false});
  for (int i = 0; i < 1024; ++i) fragments += client_frame(continuation, "", {.fin = false});
  client.socket().send_as_far_as_possible(fragments);
  EXPECT_EQ(client.read().close_code(), 1009U);
  EXPECT_EQ(closed().code, 1009);
}

TEST_F(WebSocket, LetsAPeerReadItsCloseFrameThatStillSends) {
  start();
  WebSocketClient client(server_->port());
  client.socket().send(client_frame(close_frame, std::string("\x03\xe8", 2)) + client_frame(text, "too late") +
                       std::string(100'000, 'x'));
  EXPECT_EQ(client.read().close_code(), 1000U);
  EXPECT_TRUE(client.socket().at_end());
  EXPECT_FALSE(client.socket().was_reset());
  EXPECT_EQ(closed().code, 1000);
  EXPECT_TRUE(seen_->get(&Seen::messages).empty());
}

constexpr std::string_view offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

/// By zlib, a message of its own.
std::string deflated(std::string_view message) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(message.size() + 1024, '\0');
  std::string in(message);
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
  out.resize(out.size() - stream.avail_out - 4);
  deflateEnd(&stream);
  return out;
}

std::string inflated(std::string message) {
  message.append("\x00\x00\xff\xff", 4);
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, -12), Z_OK) << "the window that the server may use at most";
  std::string out(1024 * 1024, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(message.data());
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_SYNC_FLUSH), Z_OK);
  out.resize(out.size() - stream.avail_out);
  inflateEnd(&stream);
  return out;
}

TEST_F(WebSocket, CompressesForClientsThatOfferIt) {
  start();
  WebSocketClient client(server_->port(), "/ws", 0, offer);
  EXPECT_EQ(client.switched().header("Sec-WebSocket-Extensions"),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  const std::string message = "compress " + std::string(5'000, 'c') + " me";
  client.send(text, deflated(message), {.reserved = 4});
  for (int i = 0; i < 2; ++i) {
    const auto echoed = client.read();
    EXPECT_TRUE(echoed.compressed);
    EXPECT_LT(echoed.payload.size(), 100U);
    EXPECT_EQ(inflated(echoed.payload), message);
    if (i == 0) client.send(text, message);
  }
  client.send(text, "small");
  const auto small = client.read();
  EXPECT_FALSE(small.compressed);
  EXPECT_EQ(small.payload, "small");
  client.send_close(1000);
  const auto end = closed();
  EXPECT_EQ(end.metrics.bytes_received, 2 * message.size() + 5);
  EXPECT_EQ(end.metrics.bytes_sent, 2 * message.size() + 5);
}

TEST_F(WebSocket, DoesNotCompressWhereItIsOffOrNotOffered) {
  start([](ServerOptions& options) { options.websocket.compress = false; });
  WebSocketClient client(server_->port(), "/ws", 0, offer);
  EXPECT_EQ(client.switched().header("Sec-WebSocket-Extensions"), std::nullopt);
  client.send(text, std::string(5'000, 'c'));
  EXPECT_FALSE(client.read().compressed);
  client.send(text, deflated("compressed"), {.reserved = 4});
  EXPECT_EQ(client.read().close_code(), 1002U);
}

TEST_F(WebSocket, ClosesCompressedMessagesThatAreTooLargeOrMalformed) {
  start();
  const auto code_for = [&](std::string_view payload) {
    WebSocketClient client(server_->port(), "/ws", 0, offer);
    client.send(text, payload, {.reserved = 4});
    return client.read().close_code();
  };
  EXPECT_EQ(code_for(deflated(std::string(50'000'000, 'z'))), 1009U) << "48 KB stand for 50 MB";
  EXPECT_EQ(code_for("\xff not deflate"), 1007U);
  EXPECT_EQ(code_for(deflated("\xc3\x28")), 1007U) << "not UTF-8";
  EXPECT_TRUE(seen_->get(&Seen::messages).empty());
}

TEST_F(WebSocket, RefusesMalformedHandshakeFields) {
  start();
  const auto status = [&](std::string_view fields) {
    return LoopbackClient(server_->port()).request(WebSocketClient::handshake("/ws", fields)).status;
  };
  EXPECT_EQ(status("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), 400U) << "a second key";
  EXPECT_EQ(status("Sec-WebSocket-Version: 13\r\n"), 400U) << "a second version";
  EXPECT_EQ(status("Sec-WebSocket-Extensions: permessage-deflate; =\r\n"), 400U);
  EXPECT_EQ(status("Sec-WebSocket-Extensions: permessage-deflate; a=\"b\r\n"), 400U);
  EXPECT_EQ(status("Sec-WebSocket-Protocol: ,\r\n"), 400U) << "RFC 6455 section 4.1, item 10: at least one";
  EXPECT_EQ(status("Sec-WebSocket-Extensions:\r\n"), 101U) << "RFC 9110 section 5.6.1.2";
  EXPECT_EQ(status("Sec-WebSocket-Protocol: a b\r\n"), 400U);
  EXPECT_EQ(status("Sec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Protocol: c\r\n"), 101U);
  EXPECT_EQ(status("Sec-WebSocket-Extensions: unknown; x=1, other\r\nSec-WebSocket-Extensions: more\r\n"), 101U);
}

TEST_F(WebSocket, RefusesBeforeTheUpgrade) {
  start();
  LoopbackClient client(server_->port());
  const auto refused = client.request(WebSocketClient::handshake("/ws?token=bad"));
  EXPECT_EQ(refused.status, 401U);
  EXPECT_EQ(refused.body, "no");
  EXPECT_EQ(client.request("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  EXPECT_EQ(seen_->get(&Seen::connections).size(), 0U);
}

TEST_F(WebSocket, SpeaksVersion13Only) {
  start();
  LoopbackClient client(server_->port());
  std::string old = WebSocketClient::handshake("/ws");
  old.replace(old.find("Version: 13"), 11, "Version: 8");
  for (const std::string& request : {old, std::string("GET /ws HTTP/1.1\r\nHost: a\r\n\r\n")}) {
    const auto refused = client.request(request);
    EXPECT_EQ(refused.status, 426U);
    EXPECT_EQ(refused.header("Upgrade"), "websocket");
    EXPECT_EQ(refused.header("Connection"), "Upgrade");
    EXPECT_EQ(refused.header("Sec-WebSocket-Version"), "13");
  }
}

TEST_F(WebSocket, RefusesAMalformedKeyAndEarlyFrames) {
  start();
  std::string bad = WebSocketClient::handshake("/ws");
  bad.replace(bad.find("dGhl"), 4, "dG\"l");
  EXPECT_EQ(LoopbackClient(server_->port()).request(bad).status, 400U);
  EXPECT_EQ(LoopbackClient(server_->port()).request(WebSocketClient::handshake("/ws") + "\x81").status, 400U);
}

TEST_F(WebSocket, IsNoUpgradeElsewhere) {
  start();
  LoopbackClient client(server_->port());
  EXPECT_EQ(client.request(WebSocketClient::handshake("/hello")).body, "hello");
  EXPECT_EQ(client.request(WebSocketClient::handshake("/nowhere")).status, 404U);
  EXPECT_EQ(client.request("POST /ws HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status, 405U);
}

TEST_F(WebSocket, ClosesWith1011WhereTheListenerFails) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "throw");
  EXPECT_EQ(client.read().close_code(), 1011U);
  client.send_close(1011);
  EXPECT_EQ(closed().code, 1011);
  WebSocketClient broken(server_->port(), "/broken");
  EXPECT_EQ(broken.read().close_code(), 1011U);
}

TEST_F(WebSocket, EndsAConnectionThatRunsOutOfMemoryAndKeepsTheOthers) {
  start([](ServerOptions& options) { options.io_threads = 1; });
  WebSocketClient other(server_->port());
  constexpr std::size_t large = 20'000;
  const auto expect_end = [&](WebSocketClient& client) {
    EXPECT_TRUE(client.socket().at_end());
    ASSERT_TRUE(eventually([&] { return !seen_->get(&Seen::closed).empty(); }));
    EXPECT_EQ(seen_->get(&Seen::closed).back().code, 1011);
    (*server_)->post(0, allow_allocations);
    for (int i = 0; i < 3; ++i) {
      other.send(text, std::to_string(i));
      EXPECT_EQ(other.read().payload, std::to_string(i));
    }
    const std::lock_guard lock(seen_->mutex);
    seen_->closed.clear();
  };

  WebSocketClient writing(server_->port(), "/ws", 0, offer);
  writing.send(text, "hello");
  writing.read();
  const auto connection = seen_->get(&Seen::connections).at(1);
  const auto compressible = frame(std::string(large, 'c'));
  (*server_)->post(0, [&] {
    fail_allocations_from(large);
    connection->send(compressible);
  });
  expect_end(writing);

  WebSocketClient reading(server_->port());
  (*server_)->post(0, [] { fail_allocations_from(large / 2); });
  reading.send(text, std::string(large, 'x'), {.fin = false});
  expect_end(reading);
}

TEST_F(WebSocket, TakesTasksFromOtherThreads) {
  start();
  WebSocketClient client(server_->port());
  client.send(text, "hello");
  client.read();
  const auto connection = seen_->get(&Seen::connections).at(0);
  EXPECT_EQ(connection->remote_address(), "127.0.0.1");
  EXPECT_EQ(connection->id().size(), 32U);
  std::vector<std::thread> threads;
  std::promise<std::thread::id> ran_on;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n)
        (*server_)->post(connection->io_thread(), [connection] { connection->send(frame("posted")); });
    });
  for (auto& thread : threads) thread.join();
  (*server_)->post(connection->io_thread(), [&] { ran_on.set_value(std::this_thread::get_id()); });
  EXPECT_TRUE(seen_->get(&Seen::threads).contains(await(ran_on.get_future())));
  for (int i = 0; i < 200; ++i) EXPECT_EQ(client.read().payload, "posted");
}

TEST_F(WebSocket, IsClosedWith1001AndItsQueueDrainedWhenTheServerStops) {
  start();
  WebSocketClient client(server_->port(), "/ws", 4096);
  client.send(text, "hello");
  EXPECT_EQ(client.read().payload, "hello");
  const auto connection = seen_->get(&Seen::connections).at(0);
  const auto large = frame(std::string(8 * 1024, 'q'));
  std::promise<void> queued;
  (*server_)->post(connection->io_thread(), [&] {
    for (int i = 0; i < 100; ++i) connection->send(large);
    queued.set_value();
  });
  await(queued.get_future());
  auto stopped = std::async(std::launch::async, [&] { (*server_)->stop(patience); });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read().payload, *large);
  EXPECT_EQ(client.read().close_code(), 1001U);
  client.send_close(1001);
  await(std::move(stopped));
  EXPECT_EQ(closed().code, 1001);
  EXPECT_EQ((*server_)->websocket_connections(), 0U);
  // Whoever still holds the connection can do no harm.
  server_->destroy();
  connection->send(frame("late"));
  connection->close(1000, "late");
}

TEST_F(WebSocket, IsCutWhenTheServersGraceIsOver) {
  start([](ServerOptions& options) { options.websocket.close_drain_ms = 30'000; });
  WebSocketClient client(server_->port());
  client.send(text, "hello");
  EXPECT_EQ(client.read().payload, "hello");
  (*server_)->stop(std::chrono::milliseconds(10));
  EXPECT_EQ(closed().code, 1001);
  EXPECT_EQ(client.read().close_code(), 1001U);
  EXPECT_TRUE(client.socket().at_end());
}

TEST_F(WebSocket, ManyConnectionsEachGetTheirOwn) {
  start();
  std::vector<std::unique_ptr<WebSocketClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<WebSocketClient>(server_->port()));
  EXPECT_TRUE(eventually([&] { return (*server_)->websocket_connections() == 200; }));
  for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send(text, std::to_string(i));
  for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i]->read().payload, std::to_string(i));
  clients.clear();
  EXPECT_TRUE(eventually([&] { return (*server_)->websocket_connections() == 0; }));
}

}  // namespace
}  // namespace fluxora::net::test
