// What a well-behaved client meets: routes, methods, bodies, kept connections, handlers of every temper.

#include <atomic>
#include <future>
#include <thread>

#include <gtest/gtest.h>

#include "test_server.hpp"

namespace fluxora::net::test {
namespace {

constexpr const char* get_hello = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

TEST(HttpRequests, CarryTheHeadersOfEveryResponse) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto response = client.request(get_hello);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.header("Content-Type"), "text/plain");
  EXPECT_EQ(response.header("Content-Length"), "5");
  EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(response.header("Referrer-Policy"), "no-referrer");
  EXPECT_EQ(response.header("Connection"), std::nullopt);
  EXPECT_EQ(response.header("X-Request-Id").value_or("").size(), 32U);
  ASSERT_EQ(response.header("Date").value_or("").size(), 29U);
  EXPECT_TRUE(response.header("Date")->ends_with(" GMT"));
}

TEST(HttpRequests, KeepTheirIdWhenItHasTheRightForm) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto with_id = [&](const std::string& id) {
    return client.request("GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: " + id + "\r\n\r\n")
        .header("X-Request-Id")
        .value_or("");
  };
  EXPECT_EQ(with_id("A-z_0.9"), "A-z_0.9");
  EXPECT_EQ(with_id(std::string(128, 'x')), std::string(128, 'x'));
  for (const std::string& bad : {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a/b")}) {
    const std::string made = with_id(bad);
    EXPECT_NE(made, bad);
    EXPECT_EQ(made.size(), 32U);
  }
  EXPECT_NE(with_id(""), with_id(""));
}

TEST(HttpRequests, ShareAKeptConnection) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.request(get_hello).body, "hello");
  EXPECT_EQ(client.request(post("/echo", "abc")).body, "abc");
  EXPECT_EQ(client.request("GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").header("Connection"),
            "close");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpRequests, ArePipelinedAndAnsweredInOrder) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  std::string many;
  for (int i = 0; i < 500; ++i) many += "GET /items/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  many += post("/echo", "last");
  std::thread sender([&] { client.send(many); });
  for (int i = 0; i < 500; ++i) EXPECT_EQ(client.read_response().body, std::to_string(i));
  EXPECT_EQ(client.read_response().body, "last");
  sender.join();
}

TEST(HttpRequests, MayArriveByteByByte) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "4\r\nWiki\r\n5;name=value\r\npedia\r\n0\r\nTrailer: x\r\n\r\n";
  for (const std::string& text : {post("/echo", "Wikipedia"), chunked}) {
    for (const char c : text) client.send({&c, 1});
    EXPECT_EQ(client.read_response().body, "Wikipedia");
  }
  const std::string empty = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (const char c : empty) client.send({&c, 1});
  EXPECT_EQ(client.read_response().body, "");
}

TEST(HttpRequests, AreDecodedOnce) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto body = [&](const std::string& target) {
    return client.request("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n").body;
  };
  EXPECT_EQ(body("/items/a%20b%252F"), "a b%2F");
  EXPECT_EQ(body("/items/1?x=1&x=2&y=%26%3D&z&&w="), "1|x=1|x=2|y=&=|z=|w=");
  EXPECT_EQ(body("/it%65ms/1?"), "1");
  EXPECT_EQ(body("http://a/items/7?q=1"), "7|q=1");
}

TEST(HttpRequests, AskedByHeadGetTheHeadersOnly) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\nHEAD /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  const auto head = client.read_response(false);
  EXPECT_EQ(head.status, 200U);
  EXPECT_EQ(head.header("Content-Length"), "5");
  EXPECT_EQ(head.header("Content-Type"), "text/plain");
  EXPECT_EQ(client.read_response(false).status, 404U);
  EXPECT_EQ(client.request(get_hello).body, "hello");
}

TEST(HttpRequests, ForUnknownPathsAndMethodsAreTold) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto unknown = client.request("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(unknown.status, 404U);
  EXPECT_TRUE(unknown.body.starts_with("404 "));
  EXPECT_EQ(unknown.header("X-Content-Type-Options"), "nosniff");

  const auto other = client.request("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(other.status, 405U);
  EXPECT_EQ(other.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(client.request("BREW /hello HTTP/1.1\r\nHost: a\r\n\r\n").status, 405U);

  const auto options = client.request("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(options.status, 204U);
  EXPECT_EQ(options.header("Allow"), "GET, HEAD, OPTIONS");
  EXPECT_EQ(options.header("Content-Type"), std::nullopt);
  EXPECT_EQ(options.header("Content-Length"), std::nullopt);
  EXPECT_EQ(client.request("OPTIONS /nowhere HTTP/1.1\r\nHost: a\r\n\r\n").status, 404U);
  EXPECT_EQ(client.request("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 204U);
}

TEST(HttpRequests, HaveAnOptionsHandlerWhereOneIsRegistered) {
  Router router = example_router();
  router.add("OPTIONS", "/hello", answer("mine"));
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("OPTIONS /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "mine");
}

TEST(HttpRequests, OfHttp10EndTheirConnection) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto response = client.request("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(response.body, "hello");
  EXPECT_EQ(response.header("Connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpRequests, ThatExpectContinueAreToldToGoOn) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto go_on =
      client.request("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(go_on.status, 100U);
  EXPECT_EQ(client.request("abc").body, "abc");
}

TEST(HttpRequests, WithoutABodyInTheAnswerHaveNoFieldsAboutOne) {
  Router router;
  router.add("GET", "/same", [](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.status = 304;
    response.headers = {{"ETag", "\"1\""}};
    response.body = std::string("ignored");
    respond(std::move(response));
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    const auto response = client.request("GET /same HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(response.status, 304U);
    EXPECT_EQ(response.header("ETag"), "\"1\"");
    EXPECT_EQ(response.header("Content-Type"), std::nullopt);
    EXPECT_EQ(response.header("Content-Length"), std::nullopt);
  }
}

TEST(HttpRequests, GetLargeAndSharedBodiesWhole) {
  const auto shared = std::make_shared<const std::string>(8 * 1024 * 1024, 's');
  Router router;
  router.add("GET", "/shared", [shared](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.body = shared;
    respond(std::move(response));
  });
  router.add("GET", "/small", [](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.body = std::make_shared<const std::string>("small");
    respond(std::move(response));
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(client.request("GET /shared HTTP/1.1\r\nHost: a\r\n\r\n").body, *shared);
    EXPECT_EQ(client.request("GET /small HTTP/1.1\r\nHost: a\r\n\r\n").body, "small");
  }
}

TEST(HttpRequests, FromAHalfClosedClientAreAnswered) {
  Router router = example_router();
  std::promise<Respond> asked;
  router.add("GET", "/later",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  client.half_close();
  Response response;
  response.body = std::string("here");
  await(asked.get_future())(std::move(response));
  EXPECT_EQ(client.read_response().body, "here");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpRequests, AreAnsweredFromAnotherThreadOneAtATime) {
  Router router;
  std::atomic<int> at_once{0};
  std::atomic<bool> overlapped{false};
  std::vector<std::thread> threads;
  std::mutex mutex;
  router.add("GET", "/later/{n}", [&](const std::shared_ptr<const Request>& request, const Respond& respond) {
    if (++at_once > 1) overlapped = true;
    const std::lock_guard lock(mutex);
    threads.emplace_back([&, request, respond] {
      Response response;
      response.body = request->path_parameters.at(0);
      --at_once;
      respond(std::move(response));
    });
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  std::string many;
  for (int i = 0; i < 100; ++i) many += "GET /later/" + std::to_string(i) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send(many);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.read_response().body, std::to_string(i));
  EXPECT_FALSE(overlapped);
  server.destroy();
  for (auto& thread : threads) thread.join();
}

TEST(HttpRequests, WhoseHandlerThrowsAnswer500AndKeepTheConnection) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto response = client.request("GET /boom HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(response.status, 500U);
  EXPECT_EQ(response.body.find("boom"), std::string::npos);
  EXPECT_EQ(client.request(get_hello).body, "hello");
  ASSERT_EQ(server.troubles().size(), 2U);
  EXPECT_NE(server.troubles()[0].find("boom"), std::string::npos);
}

TEST(HttpRequests, WhoseHandlerDropsTheAnswerGet500) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("GET /silence HTTP/1.1\r\nHost: a\r\n\r\n").status, 500U);
  EXPECT_EQ(client.request(get_hello).body, "hello");
}

TEST(HttpRequests, DroppedLaterOnAnotherThreadGet500) {
  Router router;
  std::promise<Respond> asked;
  router.add("GET", "/later",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  client.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  {
    const Respond dropped = await(asked.get_future());
  }
  EXPECT_EQ(client.read_response().status, 500U);
}

TEST(HttpRequests, AnsweredTwiceGetTheFirstAnswer) {
  Router router = example_router();
  router.add("GET", "/twice", [](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response first;
    first.body = std::string("first");
    respond(first);
    Response second;
    second.body = std::string("second");
    respond(second);
    throw std::runtime_error("and thrown");
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("GET /twice HTTP/1.1\r\nHost: a\r\n\r\n").body, "first");
  EXPECT_EQ(client.request(get_hello).body, "hello");
}

TEST(HttpRequests, NeverGetAHeaderThatSplitsTheResponse) {
  Router router;
  router.add("GET", "/split", [](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.headers = {{"Location", "/a\r\nSet-Cookie: b"}};
    respond(std::move(response));
  });
  router.add("GET", "/own", [](const std::shared_ptr<const Request>&, const Respond& respond) {
    Response response;
    response.headers = {{"Content-Length", "99"}, {"Transfer-Encoding", "chunked"}, {"ETag", "x"}};
    response.body = std::string("own");
    respond(std::move(response));
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  const auto split = client.request("GET /split HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(split.status, 500U);
  EXPECT_EQ(split.header("Set-Cookie"), std::nullopt);
  const auto own = client.request("GET /own HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(own.body, "own");
  EXPECT_EQ(own.count("Content-Length"), 1U);
  EXPECT_EQ(own.header("Transfer-Encoding"), std::nullopt);
  EXPECT_EQ(own.header("ETag"), "x");
}

TEST(HttpRequests, OfAClientThatHasGoneAreDroppedQuietly) {
  Router router = example_router();
  std::promise<Respond> asked;
  router.add("GET", "/later",
             [&](const std::shared_ptr<const Request>&, Respond respond) { asked.set_value(std::move(respond)); });
  TestServer server(std::move(router), [](ServerOptions& options) { options.io_threads = 1; });
  LoopbackClient gone(server.port());
  gone.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
  const Respond respond = await(asked.get_future());
  gone.reset();
  Response response;
  response.body = std::string(4 * 1024 * 1024, 'x');
  respond(std::move(response));
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request(get_hello).body, "hello");
  EXPECT_TRUE(server.troubles().empty());
}

TEST(HttpRequests, AreReportedOnceWhoseClientIsCutWhileTheyAreHandled) {
  Router router = example_router();
  std::promise<Respond> asked;
  router.add("GET", "/later",
             [&](const std::shared_ptr<const Request>&, const Respond& respond) { asked.set_value(respond); });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  client.send("GET /later HTTP/1.1\r\nHost: a\r\nX-Request-Id: r-1\r\n\r\n");
  const Respond respond = await(asked.get_future());
  server->stop(std::chrono::milliseconds(0));
  respond(Response());
  const auto reports = server.reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_TRUE(reports[0].aborted);
  EXPECT_EQ(reports[0].status, 0U);
  EXPECT_EQ(reports[0].route, "/later");
  EXPECT_EQ(reports[0].request_id, "r-1");
  EXPECT_EQ(server->statistics().requests_in_flight, 0U);
}

TEST(HttpRequests, AreReportedWhoseClientLeavesWithinTheBody) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf");
  ASSERT_TRUE(eventually([&] { return server->statistics().requests_in_flight == 1; }));
  client.reset();
  ASSERT_TRUE(eventually([&] { return server.reports().size() == 1; }));
  EXPECT_TRUE(server.reports()[0].aborted);
  EXPECT_EQ(server.reports()[0].status, 0U);
  EXPECT_EQ(server->statistics().requests_in_flight, 0U);
}

TEST(HttpRequests, AreReportedWithRouteAndStatus) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto id = client.request("GET /items/5 HTTP/1.1\r\nHost: a\r\n\r\n").header("X-Request-Id");
  client.request("GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n");
  client.request("nonsense\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server.reports().size() == 3; }));
  const auto reports = server.reports();
  EXPECT_EQ(reports[0].route, "/items/{id}");
  EXPECT_EQ(reports[0].status, 200U);
  EXPECT_EQ(reports[0].request_id, id);
  EXPECT_EQ(reports[1].route, "");
  EXPECT_EQ(reports[1].status, 404U);
  EXPECT_EQ(reports[2].status, 400U);
  EXPECT_EQ(reports[2].request_id.size(), 32U);
}

TEST(HttpRequests, SayWhereTheyComeFrom) {
  Router router;
  router.add("GET", "/me", [](const std::shared_ptr<const Request>& request, const Respond& respond) {
    Response response;
    response.body = request->remote_address;
    respond(std::move(response));
  });
  TestServer server(std::move(router));
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("GET /me HTTP/1.1\r\nHost: a\r\n\r\n").body, "127.0.0.1");
}

TEST(HttpRequests, OfTwoHundredConnectionsAreAllServed) {
  TestServer server(example_router());
  std::vector<std::unique_ptr<LoopbackClient>> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(std::make_unique<LoopbackClient>(server.port()));
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send(post("/echo", std::to_string(i)));
    for (std::size_t i = 0; i < clients.size(); ++i) EXPECT_EQ(clients[i]->read_response().body, std::to_string(i));
  }
}

}  // namespace
}  // namespace fluxora::net::test
