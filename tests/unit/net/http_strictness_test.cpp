// Malformed, smuggling-shaped, oversized and slow requests: each is answered once, and its connection ends.

#include <atomic>

#include <gtest/gtest.h>

#include "test_server.hpp"

namespace fluxora::net::test {
namespace {

struct Case {
  const char* what;
  std::string bytes;
  unsigned status;
};

std::string with_headers(const std::string& headers, const std::string& body = "") {
  return "POST /echo HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + body;
}

/// What follows must never be taken for a request.
constexpr const char* smuggled = "GET /items/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

void expect_refused(const std::vector<Case>& cases) {
  TestServer server(example_router());
  for (const Case& refused : cases) {
    LoopbackClient client(server.port());
    client.send_as_far_as_possible(refused.bytes + smuggled);
    client.half_close();
    const auto response = client.read_response();
    EXPECT_EQ(response.status, refused.status) << refused.what;
    EXPECT_EQ(response.header("Connection"), "close") << refused.what;
    EXPECT_EQ(response.header("X-Content-Type-Options"), "nosniff") << refused.what;
    EXPECT_EQ(response.header("X-Request-Id").value_or("").size(), 32U) << refused.what;
    EXPECT_EQ(client.read_to_end(), "") << refused.what;
  }
}

TEST(HttpStrictness, RefusesMalformedRequestLines) {
  expect_refused({
      {"no version", "GET /hello\r\nHost: a\r\n\r\n", 400},
      {"two spaces", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a space too many", "GET /hello HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"a tab", "GET\t/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no method", " /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a method that is no token", "GE(T /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a method without end", std::string(33, 'G') + " /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"another version", "GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"a version that is none", "GET /hello HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"a version in small letters", "GET /hello http/1.1\r\nHost: a\r\n\r\n", 400},
      {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11), 400},
      {"many empty lines", "\r\n\r\n\r\n\r\n\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(HttpStrictness, RefusesMalformedTargets) {
  const auto get = [](const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
  expect_refused({
      {"a control character", get("/he\x01llo"), 400},
      {"NUL", get(std::string("/he\0llo", 7)), 400},
      {"DEL", get("/he\x7fllo"), 400},
      {"not ASCII", get("/h\xc3\xa9llo"), 400},
      {"a fragment", get("/hello#part"), 400},
      {"half an escape", get("/hello%2"), 400},
      {"no escape", get("/hello%zz"), 400},
      {"an escaped NUL", get("/hello%00"), 400},
      {"no escape in the query", get("/hello?a=%"), 400},
      {"no slash", get("hello"), 400},
      {"an asterisk", get("*"), 400},
      {"another scheme", get("ftp://a/hello"), 400},
      {"no host", get("http:///hello"), 400},
      {"user information", get("http://user@a/hello"), 400},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(HttpStrictness, RefusesMalformedHeaders) {
  expect_refused({
      {"no host", "GET /hello HTTP/1.1\r\n\r\n", 400},
      {"two hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"two hosts in HTTP/1.0", "GET /hello HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"a host that is none", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"a host list", "GET /hello HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"no colon", "GET /hello HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400},
      {"a space before the colon", "GET /hello HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"no name", "GET /hello HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400},
      {"a name that is no token", "GET /hello HTTP/1.1\r\nHost: a\r\nX Y: b\r\n\r\n", 400},
      {"a folded line", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400},
      {"a folded line with a tab", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400},
      {"white space first", "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"a bare CR", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\rY: c\r\n\r\n", 400},
      {"a bare LF", "GET /hello HTTP/1.1\nHost: a\n\n", 400},
      {"one bare LF", "GET /hello HTTP/1.1\r\nHost: a\r\nX: b\nY: c\r\n\r\n", 400},
      {"CR CR LF", "GET /hello HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
      {"NUL", std::string("GET /hello HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 38), 400},
      {"a control character", "GET /hello HTTP/1.1\r\nHost: a\r\nX: \x02\r\n\r\n", 400},
  });
}

TEST(HttpStrictness, RefusesASecondValueWhereOneDecides) {
  TestServer server(example_router(), [](ServerOptions& options) { options.single_headers = {"X-API-Key"}; });
  const auto post = [](const std::string& headers) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n" + headers + "\r\n";
  };
  for (const char* name : {"Authorization", "Content-Type", "Expect", "Origin", "Sec-WebSocket-Key",
                           "Sec-WebSocket-Version", "Access-Control-Request-Method", "X-API-Key"}) {
    const std::string field(name);
    LoopbackClient client(server.port());
    const auto response = client.request(post(field + ": a\r\nX: b\r\n" + field + ": a\r\n"));
    EXPECT_EQ(response.status, 400U) << name;
    EXPECT_EQ(response.body, "400 the " + field + " header is repeated");
    EXPECT_EQ(response.header("Connection"), "close") << name;
  }
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request(post("authorization: a\r\nAUTHORIZATION: b\r\n")).status, 400U) << "names have no case";
  LoopbackClient lists(server.port());
  EXPECT_EQ(lists.request(post("Accept: a\r\nAccept: b\r\nX-Unknown: a\r\nX-Unknown: b\r\nX-API-Key: a\r\n")).status,
            200U);
}

TEST(HttpStrictness, TakesNeitherOfTwoRequestIds) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto response =
      client.request("GET /hello HTTP/1.1\r\nHost: a\r\nX-Request-Id: one\r\nX-Request-Id: one\r\n\r\n");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.header("X-Request-Id").value_or("").size(), 32U);
}

TEST(HttpStrictness, RefusesTextThatIsNotUtf8) {
  const auto get = [](const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n"; };
  const std::vector<const char*> bad = {"%ff",       "%80",          "%c0%af",       "%c1%bf",       "%c3",
                                        "%c3%28",    "%e2%82",       "%e0%9f%bf",    "%ed%a0%80",    "%f0%8f%bf%bf",
                                        "%f0%9f%98", "%f4%90%80%80", "%f5%80%80%80", "%e2%82%ac%80", "a%e9b"};
  std::vector<Case> cases;
  for (const char* text : bad) {
    cases.push_back({text, get(std::string("/items/") + text), 400});
    cases.push_back({text, get(std::string("/items/1?") + text), 400});
    cases.push_back({text, get(std::string("/items/1?a=") + text), 400});
  }
  expect_refused(cases);
  TestServer server(example_router());
  LoopbackClient client(server.port());
  for (const char* text :
       {"%7f", "%c2%80", "%df%bf", "%e0%a0%80", "%ed%9f%bf", "%ee%80%80", "%ef%bf%bf", "%f0%90%80%80", "%f4%8f%bf%bf"})
    EXPECT_EQ(client.request(get(std::string("/items/") + text + "?a=" + text)).status, 200U) << text;
}

TEST(HttpStrictness, KeepsAnEncodedSlashApartFromASeparator) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  const auto get = [&](const std::string& target) {
    return client.request("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
  };
  EXPECT_EQ(get("/items/a%2Fb%2f").body, "a%2Fb%2f");
  EXPECT_EQ(get("/items%2f1").status, 404U);
  EXPECT_EQ(get("/items/1?a=b%2Fc").body, "1|a=b/c") << "in a query it separates nothing";
}

TEST(HttpStrictness, RefusesAmbiguousFraming) {
  const std::string chunks = "0\r\n\r\n";
  expect_refused({
      {"both framings", with_headers("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", chunks), 400},
      {"both, the other way round", with_headers("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks), 400},
      {"two lengths", with_headers("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), 400},
      {"two equal lengths", with_headers("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), 400},
      {"a list of lengths", with_headers("Content-Length: 3, 3\r\n", "abc"), 400},
      {"a negative length", with_headers("Content-Length: -1\r\n"), 400},
      {"a signed length", with_headers("Content-Length: +3\r\n", "abc"), 400},
      {"a hexadecimal length", with_headers("Content-Length: 0x3\r\n", "abc"), 400},
      {"an empty length", with_headers("Content-Length: \r\n"), 400},
      {"an endless length", with_headers("Content-Length: 99999999999999999999999\r\n"), 400},
      {"another coding", with_headers("Transfer-Encoding: gzip\r\n", chunks), 400},
      {"two codings", with_headers("Transfer-Encoding: gzip, chunked\r\n", chunks), 400},
      {"chunked twice", with_headers("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", chunks), 400},
      {"chunked, and something", with_headers("Transfer-Encoding: chunked, identity\r\n", chunks), 400},
      {"chunked, quoted", with_headers("Transfer-Encoding: \"chunked\"\r\n", chunks), 400},
      {"chunked with a vertical tab",
       with_headers("Transfer-Encoding: \x0b"
                    "chunked\r\n",
                    chunks),
       400},
      {"chunked in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, 400},
  });
}

TEST(HttpStrictness, RefusesMalformedChunks) {
  const auto chunked = [](const std::string& body) { return with_headers("Transfer-Encoding: chunked\r\n", body); };
  expect_refused({
      {"no size", chunked("\r\nabc\r\n0\r\n\r\n"), 400},
      {"a size that is none", chunked("x\r\nabc\r\n0\r\n\r\n"), 400},
      {"a prefixed size", chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
      {"a negative size", chunked("-3\r\nabc\r\n0\r\n\r\n"), 400},
      {"a space before the size", chunked(" 3\r\nabc\r\n0\r\n\r\n"), 400},
      {"an endless size", chunked("00000000000000003\r\nabc\r\n0\r\n\r\n"), 400},
      {"a bare LF after the size", chunked("3\nabc\r\n0\r\n\r\n"), 400},
      {"a bare LF in the extension", chunked("3;a\nabc\r\n0\r\n\r\n"), 400},
      {"a bare LF in a quoted extension", chunked("3;a=\"\n\"\r\nabc\r\n0\r\n\r\n"), 400},
      {"a long extension", chunked("3;" + std::string(300, 'a') + "\r\nabc\r\n0\r\n\r\n"), 400},
      {"data longer than its size", chunked("3\r\nabcd\r\n0\r\n\r\n"), 400},
      {"a bare LF after the data", chunked("3\r\nabc\n0\r\n\r\n"), 400},
      {"a malformed trailer", chunked("0\r\n no: b\r\n\r\n"), 400},
      {"an endless trailer", chunked("0\r\nX: " + std::string(9000, 'a') + "\r\n\r\n"), 400},
      {"a body over the limit", chunked("40001\r\nabc"), 413},
  });
}

TEST(HttpStrictness, SkipsAnEmptyLineBeforeARequest) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  EXPECT_EQ(client.request("\r\n\r\nGET /hello HTTP/1.1\r\nHost: \r\n\r\n").body, "hello");
}

TEST(HttpStrictness, TakesBodiesUpToTheLimitOnly) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.max_body_bytes = 1000; });
  const auto post = [](std::size_t size) {
    return "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'x');
  };
  const auto chunked = [](std::size_t size) {
    std::string text = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < size; ++i) text += "1\r\nx\r\n";
    return text + "0\r\n\r\n";
  };
  for (const auto& make :
       {std::function<std::string(std::size_t)>(post), std::function<std::string(std::size_t)>(chunked)}) {
    LoopbackClient fits(server.port());
    EXPECT_EQ(fits.request(make(1000)).body.size(), 1000U);
    LoopbackClient too_large(server.port());
    too_large.send_as_far_as_possible(make(1001));
    const auto response = too_large.read_response();
    EXPECT_EQ(response.status, 413U);
    EXPECT_EQ(response.header("Connection"), "close");
    too_large.half_close();
    EXPECT_TRUE(too_large.at_end());
  }
}

TEST(HttpStrictness, AnswersABodyOverTheLimitWhileItIsBeingSent) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
  client.send_as_far_as_possible(std::string(4'000'000, 'x'));
  EXPECT_EQ(client.read_response().status, 413U);
}

TEST(HttpStrictness, DoesNotAskForABodyOverTheLimit) {
  TestServer server(example_router());
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4000000\r\n\r\n")
                .status,
            413U);
}

TEST(HttpStrictness, TakesHeadersUpToTheLimitOnly) {
  TestServer server(example_router());
  const auto get = [](std::size_t head_bytes) {
    std::string head = "GET /hello HTTP/1.1\r\nHost: a\r\nX: ";
    return head + std::string(head_bytes - head.size() - 4, 'x') + "\r\n\r\n";
  };
  LoopbackClient fits(server.port());
  EXPECT_EQ(fits.request(get(16 * 1024)).body, "hello");
  EXPECT_EQ(fits.request(get(16 * 1024)).body, "hello");
  for (const std::size_t size : {std::size_t{16 * 1024 + 1}, std::size_t{64 * 1024}}) {
    LoopbackClient too_large(server.port());
    too_large.send_as_far_as_possible(get(size));
    const auto response = too_large.read_response();
    EXPECT_EQ(response.status, 431U);
    EXPECT_EQ(response.header("Connection"), "close");
  }
  LoopbackClient endless(server.port());
  endless.send_as_far_as_possible("GET /" + std::string(20'000, 'a'));
  EXPECT_EQ(endless.read_response().status, 431U);
}

TEST(HttpStrictness, AnswersASlowHeaderWith408) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.header_timeout_ms = 500; });
  LoopbackClient client(server.port());
  const auto response = client.request("GET /hello HTTP/1.1\r\nHost:");
  EXPECT_EQ(response.status, 408U);
  EXPECT_EQ(response.header("Connection"), "close");
  client.half_close();
  EXPECT_TRUE(client.at_end());
}

TEST(HttpStrictness, AnswersASlowHeaderOfALaterRequestWith408) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.header_timeout_ms = 1000; });
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /he").body, "hello");
  EXPECT_EQ(client.read_response().status, 408U);
}

TEST(HttpStrictness, AnswersASlowBodyWith408) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.body_timeout_ms = 50; });
  LoopbackClient client(server.port());
  const auto response = client.request("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
  EXPECT_EQ(response.status, 408U);
  EXPECT_EQ(response.header("Connection"), "close");
}

/// Sends a byte whenever the server has dropped another, silent connection, so that time passes; until it answers.
unsigned drip(const TestServer& server, LoopbackClient& client) {
  for (int bytes = 0; bytes < 100; ++bytes) {
    client.send_as_far_as_possible("x");
    EXPECT_TRUE(LoopbackClient(server.port()).at_end());
    if (client.has_input()) return client.read_response().status;
  }
  return 0;
}

TEST(HttpStrictness, GivesAHeaderThatDripsNoMoreTime) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.header_timeout_ms = 100; });
  LoopbackClient client(server.port());
  client.send("GET /hello HTTP/1.1\r\nHost: a\r\nX: ");
  EXPECT_EQ(drip(server, client), 408U);
}

TEST(HttpStrictness, GivesABodyThatDripsNoMoreTime) {
  TestServer server(example_router(), [](ServerOptions& options) {
    options.http.header_timeout_ms = 20;
    options.http.body_timeout_ms = 100;
  });
  LoopbackClient client(server.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_EQ(drip(server, client), 408U);
}

TEST(HttpStrictness, EndsAClientThatPipelinesWithoutReading) {
  Router router;
  std::atomic<int> calls{0};
  const auto large = std::make_shared<const std::string>(256 * 1024, 'x');
  router.add("GET", "/large", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    ++calls;
    Response response;
    response.body = large;
    respond(std::move(response));
  });
  TestServer server(std::move(router), [](ServerOptions& options) { options.http.write_timeout_ms = 100; });
  LoopbackClient client(server.port(), 4096);
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "GET /large HTTP/1.1\r\nHost: a\r\n\r\n";
  client.send_as_far_as_possible(many);
  // All connections are gone before the grace is: this one was cut.
  server->stop(patience);
  EXPECT_LT(calls, 128) << "answers were made that nobody reads";
}

TEST(HttpStrictness, EndsASilentConnectionWithoutAWord) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.header_timeout_ms = 50; });
  EXPECT_TRUE(LoopbackClient(server.port()).at_end());
}

TEST(HttpStrictness, EndsAnIdleConnectionWithoutAWord) {
  TestServer server(example_router(), [](ServerOptions& options) { options.http.idle_timeout_ms = 50; });
  LoopbackClient client(server.port());
  EXPECT_EQ(client.request("GET /hello HTTP/1.1\r\nHost: a\r\n\r\n").body, "hello");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpStrictness, EndsAConnectionThatDoesNotReadItsAnswer) {
  Router router;
  std::atomic<bool> asked{false};
  const auto big = std::make_shared<const std::string>(64 * 1024 * 1024, 'x');
  router.add("GET", "/big", [&](const std::shared_ptr<const Request>&, const Respond& respond) {
    asked = true;
    Response response;
    response.body = big;
    respond(std::move(response));
  });
  TestServer server(std::move(router), [](ServerOptions& options) { options.http.write_timeout_ms = 50; });
  LoopbackClient client(server.port(), 4096);
  client.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return asked.load(); }));
  // Nothing is read until the server has given up: only then does stop() find no connection left.
  server->stop(std::chrono::seconds(30));
  EXPECT_LT(client.read_to_end().size(), big->size());
  const auto reports = server.reports();
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_TRUE(reports[0].aborted);
  EXPECT_EQ(reports[0].status, 200U);
}

}  // namespace
}  // namespace fluxora::net::test
