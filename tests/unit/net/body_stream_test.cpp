// Bodies that are produced piece by piece while they are sent: framing, backpressure, and every way in which they end.

#include "fluxora/net/body_stream.hpp"

#include <deque>
#include <future>
#include <mutex>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "test_server.hpp"

namespace fluxora::net::test {
namespace {

using State = BodyPiece::State;

constexpr const char* get_feed = "GET /feed HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr const char* get_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

/// What a test sees and does of the streams behind GET /feed. `on_ask` answers at once; without it the test does.
class Feed {
 public:
  explicit Feed(std::function<void(const GivePiece&)> on_ask = {}, bool endless = false)
      : on_ask_(std::move(on_ask)), endless_(endless) {}

  /// The next request for a piece.
  GivePiece asked() {
    GivePiece give;
    const bool came = eventually([&] {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty()) return false;
      give = std::move(waiting_.front());
      waiting_.pop_front();
      return true;
    });
    if (!came) throw std::runtime_error("no piece was asked for");
    return give;
  }
  void give(std::string bytes, State state = State::more) { asked()({std::move(bytes), state}); }

  [[nodiscard]] int asks() const { return asks_.load(); }
  [[nodiscard]] int streams() const { return streams_.load(); }
  /// Whether all streams have been let go.
  bool released() {
    return eventually([this] { return streams_ > 0 && streams_ == ended_; });
  }

  [[nodiscard]] Response response() {
    Response response;
    response.content_type = "text/plain";
    response.body = std::make_shared<Stream>(*this);
    return response;
  }
  /// The example's routes and GET /feed.
  Router router() {
    Router router = example_router();
    router.add("GET", "/feed",
               [this](const std::shared_ptr<const Request>&, const Respond& respond) { respond(response()); });
    return router;
  }

 private:
  class Stream final : public BodyStream {
   public:
    explicit Stream(Feed& feed) : feed_(feed) { ++feed_.streams_; }
    ~Stream() override { ++feed_.ended_; }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    void next(GivePiece give) override { feed_.take(std::move(give)); }
    [[nodiscard]] bool endless() const override { return feed_.endless_; }

   private:
    Feed& feed_;
  };

  void take(GivePiece give) {
    ++asks_;
    if (on_ask_) return on_ask_(give);
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(give));
  }

  const std::function<void(const GivePiece&)> on_ask_;
  const bool endless_;
  std::atomic<int> asks_{0};
  std::atomic<int> streams_{0};
  std::atomic<int> ended_{0};
  std::mutex mutex_;
  std::deque<GivePiece> waiting_;
};

/// One chunk; empty: the last.
std::string read_chunk(LoopbackClient& client) {
  std::string size;
  while (!size.ends_with("\r\n")) size += client.read_exactly(1);
  std::string data = client.read_exactly(std::stoul(size, nullptr, 16) + 2);
  EXPECT_TRUE(data.ends_with("\r\n"));
  data.resize(data.size() - 2);
  return data;
}

TEST(BodyStream, IsSentInChunksAndKeepsTheConnection) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  const std::string large(max_body_piece_bytes, 'x');
  for (int round = 1; round <= 2; ++round) {
    client.send(get_feed);
    const auto head = client.read_response();
    EXPECT_EQ(head.status, 200U);
    EXPECT_EQ(head.header("Transfer-Encoding"), "chunked");
    EXPECT_EQ(head.header("Content-Length"), std::nullopt);
    EXPECT_EQ(head.header("Connection"), std::nullopt);
    EXPECT_EQ(head.header("Content-Type"), "text/plain");
    EXPECT_EQ(head.header("X-Content-Type-Options"), "nosniff");
    feed.give("first");
    EXPECT_EQ(read_chunk(client), "first") << "what is given is sent, without waiting for more";
    feed.give("");
    feed.give(large);
    EXPECT_EQ(read_chunk(client), large);
    feed.give("end", State::last);
    EXPECT_EQ(read_chunk(client), "end");
    EXPECT_EQ(read_chunk(client), "");
    EXPECT_EQ(feed.asks(), 4 * round);
    EXPECT_TRUE(feed.released());
  }
  EXPECT_EQ(client.request(get_hello).body, "hello");
  EXPECT_EQ(server.reports().size(), 3U);
  EXPECT_TRUE(server.troubles().empty());
}

TEST(BodyStream, MayBeEmpty) {
  Feed feed([](const GivePiece& give) { give({{}, State::last}); });
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  EXPECT_EQ(read_chunk(client), "");
  EXPECT_EQ(client.request(get_hello).body, "hello");
}

TEST(BodyStream, EndsWithTheConnectionForHttp10) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send("GET /feed HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto head = client.read_response();
  EXPECT_EQ(head.header("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(head.header("Connection"), "close");
  feed.give("one,");
  feed.give("");
  feed.give("two", State::last);
  EXPECT_EQ(client.read_to_end(), "one,two");
  EXPECT_FALSE(client.was_reset());
  EXPECT_TRUE(feed.released());
}

TEST(BodyStream, IsNeverAskedByHead) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send("HEAD /feed HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.read_response(false);
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.header("Content-Type"), "text/plain");
  EXPECT_EQ(client.request(get_hello).body, "hello");
  EXPECT_TRUE(feed.released());
  EXPECT_EQ(feed.asks(), 0);
}

TEST(BodyStream, IsNeverAskedWhereTheAnswerHasNoBody) {
  Feed feed;
  Router router = example_router();
  router.add("GET", "/same", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response = feed.response();
    response.status = 304;
    respond(std::move(response));
  });
  router.add("GET", "/bad", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response = feed.response();
    response.headers = {{"A", "b\r\nc"}};
    respond(std::move(response));
  });
  router.add("GET", "/none", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.body = std::shared_ptr<BodyStream>();
    respond(std::move(response));
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  const auto same = client.request("GET /same HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(same.status, 304U);
  EXPECT_EQ(same.header("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(client.request("GET /bad HTTP/1.1\r\nHost: a\r\n\r\n").status, 500U);
  EXPECT_EQ(client.request("GET /none HTTP/1.1\r\nHost: a\r\n\r\n").status, 500U);
  EXPECT_EQ(client.request(get_hello).body, "hello");
  EXPECT_EQ(feed.streams(), 2);
  EXPECT_TRUE(feed.released());
  EXPECT_EQ(feed.asks(), 0);
}

TEST(BodyStream, IsAskedOnlyWhileTheClientReads) {
  const std::string piece(max_body_piece_bytes, 'x');
  Feed feed([&](const GivePiece& give) { give({piece, State::more}); });
  TestServer server(feed.router(), [](ServerOptions& options) { options.http.write_timeout_ms = 200; });
  LoopbackClient client(server.port(), 4096);
  client.send(get_feed);
  // The stream has no end, so it is let go only because the client, which reads nothing, was cut.
  EXPECT_TRUE(feed.released());
  EXPECT_LT(static_cast<std::size_t>(feed.asks()) * piece.size(), 32U * 1024 * 1024)
      << "more was asked for than the kernel's buffers hold";
  ASSERT_TRUE(eventually([&] { return server.reports().size() == 1; }));
  EXPECT_TRUE(server.reports()[0].aborted);
  EXPECT_EQ(LoopbackClient(server.port()).request(get_hello).body, "hello");
}

TEST(BodyStream, OfABusyProducerLeavesTheThreadToOthers) {
  Feed feed([](const GivePiece& give) { give({"x", State::more}); });
  TestServer server(feed.router(), [](ServerOptions& options) { options.io_threads = 1; });
  LoopbackClient endless(server.port());
  std::atomic<bool> done{false};
  std::thread reader([&] {
    endless.send(get_feed);
    while (!done) endless.read_exactly(1);
  });
  LoopbackClient client(server.port());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.request(get_hello).body, "hello");
  done = true;
  reader.join();
}

TEST(BodyStream, MayBeSilentForLongerThanAnyTimeout) {
  Feed feed;
  TestServer server(feed.router(), [](ServerOptions& options) {
    options.http.header_timeout_ms = 50;
    options.http.idle_timeout_ms = 50;
    options.http.write_timeout_ms = 50;
    options.http.body_timeout_ms = 50;
  });
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  for (int i = 0; i < 3; ++i) {
    // Each of these is cut for its silence meanwhile.
    EXPECT_TRUE(LoopbackClient(server.port()).at_end());
    feed.give(": ping\n");
    EXPECT_EQ(read_chunk(client), ": ping\n");
  }
  feed.give("", State::last);
  EXPECT_EQ(read_chunk(client), "");
}

TEST(BodyStream, IsLetGoWhenTheClientResetsWhileNothingIsSent) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  const GivePiece give = feed.asked();
  client.reset();
  EXPECT_TRUE(feed.released());
  give({"too late", State::more});
  EXPECT_EQ(LoopbackClient(server.port()).request(get_hello).body, "hello");
  EXPECT_TRUE(server.troubles().empty());
}

TEST(BodyStream, IsLetGoWhenTheClientHasClosed) {
  Feed feed;
  TestServer server(feed.router());
  {
    LoopbackClient client(server.port());
    client.send(get_feed);
    EXPECT_EQ(client.read_response().status, 200U);
  }
  // Nobody reads: the first piece is answered with a reset.
  feed.give("a heartbeat");
  EXPECT_TRUE(feed.released());
}

TEST(BodyStream, IsSentToAHalfClosedClientWhole) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  client.half_close();
  EXPECT_EQ(client.read_response().status, 200U);
  feed.give("one");
  EXPECT_EQ(read_chunk(client), "one");
  feed.give("two", State::last);
  EXPECT_EQ(read_chunk(client), "two");
  EXPECT_EQ(read_chunk(client), "");
  EXPECT_TRUE(client.at_end());
}

TEST(BodyStream, WithoutAnEndIsLetGoWhenItsClientClosesItsSide) {
  Feed feed({}, /*endless=*/true);
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  feed.give("one");
  EXPECT_EQ(read_chunk(client), "one");
  client.half_close();
  EXPECT_TRUE(feed.released());
  EXPECT_EQ(client.read_to_end(), "");
  ASSERT_EQ(server.reports().size(), 1U);
  EXPECT_TRUE(server.reports()[0].endless);
  EXPECT_TRUE(server.reports()[0].aborted);
}

TEST(BodyStream, WithoutAnEndGoesOnBesideWhatItsClientSends) {
  Feed feed({}, /*endless=*/true);
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  client.send(get_hello);
  for (int i = 0; i < 3; ++i) {
    feed.give("one");
    EXPECT_EQ(read_chunk(client), "one");
  }
  feed.give("two", State::last);
  EXPECT_EQ(read_chunk(client), "two");
  EXPECT_EQ(read_chunk(client), "");
  EXPECT_EQ(client.read_response().body, "hello") << "what it sent waited for its turn";
  ASSERT_TRUE(eventually([&] { return server.reports().size() == 2; })) << "a report comes behind its answer";
  EXPECT_FALSE(server.reports()[0].aborted);
  EXPECT_FALSE(server.reports()[1].endless);
}

TEST(BodyStream, IsNotStartedForAClientThatHasGone) {
  Feed feed;
  Router router;
  std::promise<Respond> asked;
  router.add("GET", "/feed",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router), [](ServerOptions& options) { options.io_threads = 1; });
  LoopbackClient client(server.port());
  client.send(get_feed);
  const Respond respond = await(asked.get_future());
  server->stop(std::chrono::milliseconds(0));
  respond(feed.response());
  EXPECT_TRUE(feed.released());
  EXPECT_EQ(feed.asks(), 0);
}

TEST(BodyStream, ThatFailsEndsWithoutItsLastChunk) {
  const std::vector<std::pair<const char*, std::function<void(const GivePiece&)>>> ways = {
      {"said so", [](const GivePiece& give) { give({"never sent", State::failed}); }},
      {"dropped", [](const GivePiece&) {}},
      {"thrown", [](const GivePiece&) { throw std::runtime_error("boom"); }},
      {"too long", [](const GivePiece& give) { give({std::string(max_body_piece_bytes + 1, 'x'), State::last}); }},
  };
  for (const auto& [what, fail] : ways) {
    int asked = 0;
    Feed feed([&asked, &fail = fail](const GivePiece& give) { ++asked % 2 == 1 ? give({"begun", {}}) : fail(give); });
    TestServer server(feed.router());
    LoopbackClient client(server.port());
    client.send(get_feed);
    EXPECT_EQ(client.read_response().status, 200U) << what;
    EXPECT_EQ(client.read_to_end(), "5\r\nbegun\r\n") << what;
    EXPECT_TRUE(feed.released()) << what;

    // HTTP/1.0 has no last chunk to miss, so a reset tells.
    LoopbackClient old(server.port());
    old.send("GET /feed HTTP/1.0\r\n\r\n");
    old.read_to_end();
    EXPECT_TRUE(old.was_reset()) << what;
    EXPECT_GE(server.troubles().size(), 2U) << what;
    ASSERT_TRUE(eventually([&] { return server.reports().size() == 2; })) << what;
    for (const auto& report : server.reports()) {
      EXPECT_TRUE(report.aborted) << what << ": it was never answered whole";
      EXPECT_EQ(report.route, "/feed");
      EXPECT_EQ(report.status, 200U);
    }
    EXPECT_EQ(server->statistics().requests_in_flight, 0U) << what;
    EXPECT_EQ(LoopbackClient(server.port()).request(get_hello).body, "hello") << what;
  }
}

TEST(BodyStream, MakesALaterRequestOfTheConnectionWait) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(std::string(get_feed) + get_hello);
  EXPECT_EQ(client.read_response().status, 200U);
  feed.give("one", State::last);
  EXPECT_EQ(read_chunk(client), "one");
  EXPECT_EQ(read_chunk(client), "");
  EXPECT_EQ(client.read_response().body, "hello");
}

TEST(BodyStream, FinishesWithinTheServersGrace) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().header("Connection"), std::nullopt);
  const GivePiece first = feed.asked();
  auto stopped = std::async(std::launch::async, [&] { server->stop(patience); });
  // Accepting has ended, so the stop has begun.
  ASSERT_TRUE(eventually([&] {
    try {
      LoopbackClient late(server.port());
      return late.at_end();
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  first({"one", State::more});
  EXPECT_EQ(read_chunk(client), "one");
  feed.give("two", State::last);
  EXPECT_EQ(read_chunk(client), "two");
  EXPECT_EQ(read_chunk(client), "");
  EXPECT_TRUE(client.at_end()) << "a server that stops doesn't wait for the next request";
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
}

TEST(BodyStream, IsCutAfterTheServersGrace) {
  Feed feed;
  TestServer server(feed.router());
  LoopbackClient client(server.port());
  client.send(get_feed);
  EXPECT_EQ(client.read_response().status, 200U);
  feed.give("one");
  EXPECT_EQ(read_chunk(client), "one");
  const GivePiece give = feed.asked();
  server->stop(std::chrono::milliseconds(10));
  EXPECT_TRUE(feed.released());
  EXPECT_EQ(client.read_to_end(), "") << "no last chunk";
  server.destroy();
  give({"too late", State::more});
}

TEST(BodyStream, TakesItsPiecesFromOtherThreads) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  std::atomic<int> given{0};
  Feed feed([&](const GivePiece& give) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([give, &given] { give({"piece", ++given % 10 == 0 ? State::last : State::more}); });
  });
  TestServer server(feed.router());
  for (int i = 0; i < 5; ++i) {
    LoopbackClient client(server.port());
    client.send(get_feed);
    EXPECT_EQ(client.read_response().status, 200U);
    for (int chunk = 0; chunk < 10; ++chunk) EXPECT_EQ(read_chunk(client), "piece");
    EXPECT_EQ(read_chunk(client), "");
  }
  EXPECT_TRUE(feed.released());
  server.destroy();
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace fluxora::net::test
