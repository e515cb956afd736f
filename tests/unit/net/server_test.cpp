// Listening, accepting and ending.

#include "fluxora/net/server.hpp"

#include <future>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

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

/// Leaves the process without a free descriptor for as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = static_cast<rlim_t>(take()) + 8;
    ::setrlimit(RLIMIT_NOFILE, &low);
    while (take() >= 0) continue;
  }
  ~NoDescriptors() {
    for (const int fd : taken_) ::close(fd);
    ::setrlimit(RLIMIT_NOFILE, &before_);
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;

  void give_one_back() {
    ::close(taken_.back());
    taken_.pop_back();
  }

 private:
  int take() {
    const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd >= 0) taken_.push_back(fd);
    return fd;
  }
  rlimit before_{};
  std::vector<int> taken_;
};

TEST(Server, GoesOnAcceptingAfterItHasRunOutOfDescriptors) {
  TestServer server(example_router(), [](ServerOptions& options) { options.io_threads = 1; });
  std::optional<LoopbackClient> client;
  {
    NoDescriptors none;
    // One for the client, none for the server's side. A sanitizer's threads may hold it for a moment.
    none.give_one_back();
    ASSERT_TRUE(eventually([&] {
      try {
        client.emplace(server.port());
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    }));
    EXPECT_TRUE(eventually([&] { return !server.troubles().empty(); }));
  }
  EXPECT_EQ(client->request(get_hello).body, "hello");
  EXPECT_EQ(server.troubles().size(), 1U);
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

}  // namespace
}  // namespace fluxora::net::test
