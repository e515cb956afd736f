// Listening, accepting and ending.

#include "fluxora/net/server.hpp"

#include <cerrno>
#include <future>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <gtest/gtest.h>

#include "failing_accept.hpp"
#include "test_server.hpp"

namespace fluxora::net::test {
namespace {

constexpr const char* get_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

ServerOptions on_port(std::uint16_t port) {
  ServerOptions options;
  options.port = port;
  return options;
}

TEST(Server, NamesAddressAndPortThatAreTaken) {
  TestServer first(example_router());
  try {
    Server second(on_port(first.port()), std::make_shared<const Router>());
    FAIL() << "two servers share port " << first.port();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_NE(std::string(error.what()).find("127.0.0.1:" + std::to_string(first.port())), std::string::npos)
        << error.what();
  }
}

TEST(Server, NamesAnAddressThatIsNone) {
  ServerOptions options = on_port(0);
  options.address = "nonsense";
  EXPECT_THROW(Server(options, std::make_shared<const Router>()), std::system_error);
}

TEST(Server, RefusesACommonHeaderThatIsNone) {
  ServerOptions options = on_port(0);
  options.common_headers = {{"A", "b\r\nc"}};
  EXPECT_THROW(Server(options, std::make_shared<const Router>()), std::invalid_argument);
}

TEST(Server, TakesItsPortAgainRightAfterItsEnd) {
  TestServer first(example_router());
  const std::uint16_t port = first.port();
  LoopbackClient client(port);
  EXPECT_EQ(client.request(get_hello).body, "hello");
  first.destroy();
  TestServer second(example_router(), [&](ServerOptions& options) { options.port = port; });
  EXPECT_EQ(LoopbackClient(port).request(get_hello).body, "hello");
}

TEST(Server, NeedNotBeStarted) {
  Server server(on_port(0), std::make_shared<const Router>());
}

TEST(Server, AnswersErrorsInItsOwnWordsWithoutErrorResponse) {
  Server server(on_port(0), std::make_shared<const Router>());
  server.start();
  const auto response = LoopbackClient(server.port()).request(get_hello);
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(response.body, "Not Found\n");
  server.stop(std::chrono::seconds(1));
}

TEST(Server, GoesOnAcceptingAfterItHasRunOutOfDescriptors) {
  TestServer server(example_router(), [](ServerOptions& options) { options.io_threads = 1; });
  for (const int error : {EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    const std::size_t before = server.troubles().size();
    fail_accepts(2, error);
    LoopbackClient client(server.port());
    EXPECT_EQ(client.request(get_hello).body, "hello");
    EXPECT_EQ(server.troubles().size(), before + 1) << "said once, not with every attempt";
  }
}

TEST(Server, GoesOnAcceptingAfterAnyOtherError) {
  TestServer server(example_router(), [](ServerOptions& options) { options.io_threads = 1; });
  for (const int error : {ECONNABORTED, EPROTO, EPERM}) {
    const std::size_t before = server.troubles().size();
    fail_accepts(20, error);
    LoopbackClient client(server.port());
    EXPECT_EQ(client.request(get_hello).body, "hello");
    EXPECT_EQ(server.troubles().size(), before + 16) << "from then on with pauses and without a word";
  }
}

TEST(Server, AnswersWhatIsBeingServedBeforeItEnds) {
  Router router;
  std::promise<Respond> asked;
  router.add("GET", "/later",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router));
  LoopbackClient idle(server.port());
  LoopbackClient busy(server.port());
  busy.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  const Respond respond = await(asked.get_future());
  auto stopped = std::async(std::launch::async, [&] { server->stop(patience); });
  EXPECT_TRUE(idle.at_end());
  Response response;
  response.body = std::string("still");
  respond(std::move(response));
  const auto answered = busy.read_response();
  EXPECT_EQ(answered.body, "still");
  EXPECT_EQ(answered.header("Connection"), "close");
  EXPECT_TRUE(busy.at_end());
  await(std::move(stopped));
  EXPECT_THROW(LoopbackClient(server.port()), std::runtime_error);
}

TEST(Server, DrainingServesOnAndEndsEachConnectionWithItsAnswer) {
  TestServer server(example_router());
  LoopbackClient known(server.port());
  EXPECT_NE(known.request("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").header("Connection"), "close");
  server->begin_drain();
  LoopbackClient late(server.port());
  for (LoopbackClient* client : {&known, &late}) {
    const auto answered = client->request("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(answered.status, 200u);
    EXPECT_EQ(answered.header("Connection"), "close");
    EXPECT_TRUE(client->at_end());
  }
}

TEST(Server, EndsAConnectionWhoseAnswerWasOnItsWayWhenItStopped) {
  Router router;
  const auto large = std::make_shared<const std::string>(64 * 1024 * 1024, 'x');
  std::promise<void> asked;
  router.add("GET", "/large", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.body = large;
    respond(std::move(response));
    asked.set_value();
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
  await(asked.get_future());
  ASSERT_TRUE(eventually([&] { return client.has_input(); }));
  auto stopped = std::async(std::launch::async, [&] { server->stop(2 * patience); });
  // Nobody listens any more: the stop has begun.
  ASSERT_TRUE(eventually([&] {
    try {
      LoopbackClient late(server.port());
      return false;
    } catch (const std::runtime_error&) {
      return true;
    }
  }));
  const auto response = client.read_response();
  EXPECT_EQ(response.body.size(), large->size());
  EXPECT_EQ(response.header("Connection"), std::nullopt) << "the answer was begun before";
  EXPECT_TRUE(client.at_end());
  await(std::move(stopped));
}

TEST(Server, CutsWhatIsLeftAfterItsGrace) {
  Router router;
  std::promise<Respond> asked;
  router.add("GET", "/never",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  client.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  const Respond respond = await(asked.get_future());
  server->stop(std::chrono::milliseconds(10));
  EXPECT_TRUE(client.at_end());
  server.destroy();
  // An answer after the end goes nowhere.
  respond(Response());
}

TEST(Server, EndsWithRequestsOnTheirWayFromOtherThreads) {
  for (int round = 0; round < 20; ++round) {
    Router router;
    std::vector<std::thread> threads;
    std::mutex mutex;
    router.add("GET", "/later", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
      const std::lock_guard lock(mutex);
      threads.emplace_back([respond] { respond(Response()); });
    });
    TestServer server(std::move(router));
    std::vector<std::unique_ptr<LoopbackClient>> clients;
    for (int i = 0; i < 8; ++i) {
      clients.push_back(std::make_unique<LoopbackClient>(server.port()));
      clients.back()->send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    server.destroy();
    for (auto& thread : threads) thread.join();
  }
}

TEST(Server, TicksOnEveryIoThread) {
  std::mutex mutex;
  std::map<unsigned, std::set<std::thread::id>> ticked;
  TestServer server(example_router(), [&](ServerOptions& options) {
    options.io_threads = 3;
    options.on_tick = [&](unsigned io_thread) {
      const std::lock_guard lock(mutex);
      ticked[io_thread].insert(std::this_thread::get_id());
      throw std::runtime_error("and goes on");
    };
  });
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return ticked.size() == 3;
  }));
  EXPECT_TRUE(eventually([&] { return server.troubles().size() > 3; }));
  const std::lock_guard lock(mutex);
  for (const auto& [io_thread, threads] : ticked) EXPECT_EQ(threads.size(), 1U);
}

}  // namespace
}  // namespace fluxora::net::test
