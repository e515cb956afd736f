#include "fluxora/net/http_client.hpp"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <future>
#include <thread>

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "slow_lookup.hpp"
#include "test_certificates.hpp"
#include "test_server.hpp"

namespace fluxora::net::test {
namespace {

using Kind = HttpClientError::Kind;

/// One connection of a scripted server; plain or TLS.
class Peer {
 public:
  Peer(int fd, SSL* tls, const std::atomic<bool>& ending) : fd_(fd), tls_(tls), ending_(ending) {}

  /// What arrives up to the end of one request with a Content-Length; empty at the connection's end.
  std::string read_request() {
    while (true) {
      const std::size_t head = in_.find("\r\n\r\n");
      if (head != std::string::npos) {
        const std::size_t length = std::stoul(in_.substr(in_.find("Content-Length: ") + 16));
        if (in_.size() >= head + 4 + length) {
          std::string request = in_.substr(0, head + 4 + length);
          in_.erase(0, request.size());
          return request;
        }
      }
      if (!read_some()) return {};
    }
  }
  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const long sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                        : ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  void answer(std::string_view body) {
    write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  }
  /// Until the client has gone, or the test.
  void wait_for_end() {
    while (read_some()) continue;
  }

 private:
  bool read_some() {
    pollfd waiting{fd_, POLLIN, 0};
    while (tls_ == nullptr || SSL_pending(tls_) == 0) {
      if (ending_) return false;
      if (::poll(&waiting, 1, 10) > 0) break;
    }
    char buffer[4096];
    const long received =
        tls_ != nullptr ? SSL_read(tls_, buffer, sizeof buffer) : ::recv(fd_, buffer, sizeof buffer, 0);
    if (received <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(received));
    return true;
  }

  int fd_;
  SSL* tls_;
  const std::atomic<bool>& ending_;
  std::string in_;
};

/// Serves one connection after another by a script that is told the connection's number, from 0.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&, int)>;

  explicit ScriptedServer(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("a listening socket");
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~ScriptedServer() {
    ending_ = true;
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(tls_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] Url url(const std::string& host = "127.0.0.1") const {
    return parse_url((tls_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(port_));
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void serve() {
    while (!ending_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      SSL* tls = nullptr;
      bool ready = true;
      if (tls_ != nullptr) {
        tls = SSL_new(tls_);
        SSL_set_fd(tls, fd);
        ready = SSL_accept(tls) == 1;
      }
      Peer peer(fd, tls, ending_);
      const int number = connections_++;
      if (ready) script_(peer, number);
      if (tls != nullptr) {
        if (ready) SSL_shutdown(tls);
        SSL_free(tls);
      }
      ::close(fd);
    }
  }

  Script script_;
  SSL_CTX* tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

/// Answers every request with its own body.
void echo(Peer& peer, int) {
  for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request())
    peer.answer(request.substr(request.find("\r\n\r\n") + 4));
}

/// Answers the first request with `bytes` and ends the connection.
ScriptedServer::Script once(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer, int) {
    peer.read_request();
    peer.write(bytes);
  };
}

HttpClientOptions trusting(const Authority& authority) {
  HttpClientOptions options;
  options.ca_file = authority.file();
  return options;
}

std::optional<Kind> failure(HttpClient& client, std::string_view body = "{}") {
  try {
    client.post("/", "application/json", body);
    return {};
  } catch (const HttpClientError& error) {
    return error.kind();
  }
}

std::optional<Kind> failure(const ScriptedServer& server, HttpClientOptions options = {}) {
  HttpClient client(server.url(), std::move(options));
  return failure(client);
}

TEST(HttpClient, PostsAndKeepsItsConnection) {
  ScriptedServer server(echo);
  HttpClient client(server.url(), {});
  for (int i = 0; i < 20; ++i) {
    const auto response = client.post("/rpc", "application/json", std::to_string(i));
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, std::to_string(i));
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, SendsWhatARequestNeeds) {
  std::promise<std::string> seen_by_server;
  ScriptedServer server([&](Peer& peer, int) {
    seen_by_server.set_value(peer.read_request());
    peer.answer("");
  });
  HttpClient client(server.url(), {});
  client.post("/soroban?key=1", "application/json", "{\"a\":1}");
  const std::string seen = await(seen_by_server.get_future());
  EXPECT_TRUE(seen.starts_with("POST /soroban?key=1 HTTP/1.1\r\nHost: 127.0.0.1:" + server.url().port + "\r\n"));
  EXPECT_NE(seen.find("\r\nContent-Type: application/json\r\n"), std::string::npos);
  EXPECT_TRUE(seen.ends_with("\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
  EXPECT_THROW(client.post("/a b", "text/plain", ""), std::invalid_argument);
  EXPECT_THROW(client.post("/", "text/plain\r\nX: y", ""), std::invalid_argument);
}

TEST(HttpClient, TalksToOurOwnServer) {
  TestServer server(example_router());
  HttpClient client(parse_url("http://localhost:" + std::to_string(server.port())), {});
  const std::string large(200'000, 'l');
  EXPECT_EQ(client.post("/echo", "text/plain", large).body, large);
  const auto missing = client.post("/nowhere", "text/plain", "x");
  EXPECT_EQ(missing.status, 404U);
  EXPECT_TRUE(missing.body.starts_with("404 "));
}

TEST(HttpClient, ReadsEveryKindOfBody) {
  const auto body = [](const std::string& bytes) {
    ScriptedServer server(once(bytes));
    HttpClient client(server.url(), {});
    return client.post("/", "text/plain", "").body;
  };
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x\r\nc\r\n0\r\nT: 1\r\n\r\n"),
            "abc");
  EXPECT_EQ(body("HTTP/1.1 200 OK\r\n\r\nup to the end"), "up to the end");
  EXPECT_EQ(body("HTTP/1.0 200\r\nContent-Length: 3\r\n\r\nold"), "old");
  EXPECT_EQ(body("HTTP/1.1 204 No Content\r\n\r\n"), "");
  EXPECT_EQ(body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), "ok");
}

TEST(HttpClient, GivesAnyStatusAndDoesNotFollowRedirects) {
  ScriptedServer server(once("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"));
  HttpClient client(server.url(), {});
  const auto response = client.post("/", "text/plain", "");
  EXPECT_EQ(response.status, 302U);
  EXPECT_EQ(response.headers.at(0).second, "http://127.0.0.1:1/");
}

TEST(HttpClient, RefusesAnswersThatAreNone) {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 99 Low\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "\x15\x03\x01"}) {
    ScriptedServer server(once(bytes));
    EXPECT_EQ(failure(server), Kind::protocol) << bytes;
  }
}

TEST(HttpClient, BoundsTheAnswer) {
  const std::string x(2000, 'x');
  const std::vector<std::string> answers = {
      "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + x,
      "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
      "HTTP/1.1 200 OK\r\n\r\n" + x,
      "HTTP/1.1 200 OK\r\nX: " + x + "\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + x + "\r\n0\r\n\r\n",
  };
  for (const std::string& bytes : answers) {
    ScriptedServer server(once(bytes));
    HttpClientOptions options;
    options.max_response_bytes = 1000;
    EXPECT_EQ(failure(server, options), Kind::too_large) << bytes.substr(0, 60);
  }
}

TEST(HttpClient, EndsARequestAtItsDeadline) {
  for (const char* beginning :
       {"", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow"}) {
    ScriptedServer server([&](Peer& peer, int) {
      peer.read_request();
      peer.write(beginning);
      peer.wait_for_end();
    });
    HttpClientOptions options;
    options.request_timeout_ms = 50;
    HttpClient client(server.url(), options);
    EXPECT_EQ(failure(client), Kind::timeout);
    EXPECT_EQ(failure(client), Kind::timeout);
  }
}

TEST(HttpClient, EndsATlsHandshakeAtItsDeadline) {
  ScriptedServer server([](Peer& peer, int) { peer.wait_for_end(); });
  Url url = server.url();
  url.secure = true;
  HttpClientOptions options;
  options.connect_timeout_ms = 50;
  HttpClient client(url, options);
  EXPECT_EQ(failure(client), Kind::timeout);
}

TEST(HttpClient, SaysThatNobodyListens) {
  Url url;
  {
    ScriptedServer server(echo);
    url = server.url();
  }
  HttpClient client(url, {});
  EXPECT_EQ(failure(client), Kind::connect);
  HttpClient nowhere(parse_url("http://no-such-host.invalid"), {});
  EXPECT_EQ(failure(nowhere), Kind::resolve);
}

TEST(HttpClient, SendsAgainWhenTheKeptConnectionWasClosed) {
  ScriptedServer server([](Peer& peer, int) { peer.answer(peer.read_request().empty() ? "nothing" : "once"); });
  HttpClient client(server.url(), {});
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(client.post("/", "text/plain", "").body, "once");
    EXPECT_EQ(server.connections(), i);
  }
}

TEST(HttpClient, SendsAgainOnlyOnceAndOnlyOnAKeptConnection) {
  ScriptedServer server([](Peer& peer, int number) {
    peer.read_request();
    if (number == 0) {
      peer.answer("first");
      peer.read_request();
    }
  });
  HttpClient client(server.url(), {});
  EXPECT_EQ(client.post("/", "text/plain", "").body, "first");
  EXPECT_EQ(failure(client), Kind::protocol);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(failure(client), Kind::protocol);
  EXPECT_EQ(server.connections(), 3);
}

TEST(HttpClient, DoesNotSendAgainAfterPartOfAnAnswer) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.answer("first");
    peer.read_request();
    peer.write("HTTP/1.1 200");
  });
  HttpClient client(server.url(), {});
  EXPECT_EQ(client.post("/", "text/plain", "").body, "first");
  EXPECT_EQ(failure(client), Kind::protocol);
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, DoesNotKeepAConnectionThatItsServerGivesUp) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    peer.wait_for_end();
  });
  HttpClient client(server.url(), {});
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(client.post("/", "text/plain", "").body, "ok");
    EXPECT_EQ(server.connections(), i);
  }
}

TEST(HttpClient, DoesNotTakeSurplusBytesForTheNextAnswer) {
  ScriptedServer server([](Peer& peer, int) {
    peer.read_request();
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfake");
    peer.wait_for_end();
  });
  HttpClient client(server.url(), {});
  EXPECT_EQ(client.post("/", "text/plain", "").body, "ok");
  EXPECT_EQ(client.post("/", "text/plain", "").body, "ok");
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClient, IsCancelledFromAnotherThread) {
  std::atomic<bool> asked{false};
  ScriptedServer server([&](Peer& peer, int) {
    peer.read_request();
    asked = true;
    peer.wait_for_end();
  });
  HttpClient client(server.url(), {});
  std::thread canceller([&] {
    EXPECT_TRUE(eventually([&] { return asked.load(); }));
    client.cancel();
  });
  EXPECT_EQ(failure(client), Kind::cancelled);
  canceller.join();
  EXPECT_EQ(failure(client), Kind::cancelled);
}

TEST(HttpClient, TrustsACertificateOfItsAuthority) {
  const Authority authority;
  for (const char* host : {"localhost", "127.0.0.1"}) {
    ScriptedServer server(echo, authority.server_context("DNS:localhost,IP:127.0.0.1"));
    HttpClient client(server.url(host), trusting(authority));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(client.post("/", "text/plain", "secret").body, "secret");
    EXPECT_EQ(server.connections(), 1);
  }
}

TEST(HttpClient, CarriesLargeBodiesOverTls) {
  const Authority authority;
  ScriptedServer server(echo, authority.server_context("IP:127.0.0.1"));
  HttpClient client(server.url(), trusting(authority));
  const std::string large(3'000'000, 'l');
  EXPECT_EQ(client.post("/", "text/plain", large).body, large);
}

TEST(HttpClient, SendsAgainOverTlsToo) {
  const Authority authority;
  ScriptedServer server([](Peer& peer, int) { peer.answer(peer.read_request().empty() ? "nothing" : "once"); },
                        authority.server_context("IP:127.0.0.1"));
  HttpClient client(server.url(), trusting(authority));
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(client.post("/", "text/plain", "").body, "once");
}

TEST(HttpClient, RefusesACertificateForAnotherHost) {
  const Authority authority;
  for (const char* names : {"DNS:example.org", "DNS:*.localhost", "IP:127.0.0.2"}) {
    ScriptedServer server(echo, authority.server_context(names));
    for (const char* host : {"localhost", "127.0.0.1"}) {
      HttpClient client(server.url(host), trusting(authority));
      EXPECT_EQ(failure(client), Kind::tls) << names;
    }
  }
}

TEST(HttpClient, RefusesACertificateOfAnUnknownAuthority) {
  const Authority theirs;
  const Authority ours;
  ScriptedServer server(echo, theirs.server_context("IP:127.0.0.1"));
  EXPECT_EQ(failure(server, trusting(ours)), Kind::tls);
  EXPECT_EQ(failure(server), Kind::tls);
}

TEST(HttpClient, TakesTheSystemsAuthoritiesFromTheEnvironment) {
  const Authority authority;
  ScriptedServer server(echo, authority.server_context("IP:127.0.0.1"));
  const char* before = std::getenv("SSL_CERT_FILE");
  const std::string kept = before == nullptr ? "" : before;
  ::setenv("SSL_CERT_FILE", authority.file().c_str(), 1);
  EXPECT_EQ(failure(server), std::nullopt);
  if (before == nullptr)
    ::unsetenv("SSL_CERT_FILE");
  else
    ::setenv("SSL_CERT_FILE", kept.c_str(), 1);
}

TEST(HttpClient, SaysThatItsAuthoritiesCannotBeRead) {
  HttpClientOptions options;
  options.ca_file = "/nonexistent/authority.pem";
  try {
    HttpClient client(parse_url("https://127.0.0.1:1"), options);
    FAIL();
  } catch (const HttpClientError& error) {
    EXPECT_EQ(error.kind(), Kind::tls);
  }
}

TEST(HttpClient, RefusesAPlainServerWhereTlsIsAsked) {
  ScriptedServer server([](Peer& peer, int) { peer.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  Url url = server.url();
  url.secure = true;
  HttpClient client(url, {});
  EXPECT_EQ(failure(client), Kind::tls);
}

TEST(HttpClient, EndsWhileANameIsStillLookedUp) {
  hold_lookups();
  {
    HttpClientOptions options;
    options.connect_timeout_ms = 50;
    HttpClient client(parse_url("http://a.slow.example:1"), options);
    EXPECT_EQ(failure(client), Kind::timeout);
  }
  EXPECT_EQ(held_lookups(), 1) << "the end waited for the lookup";
  release_lookups();
  EXPECT_TRUE(eventually([] { return held_lookups() == 0; }));
}

}  // namespace
}  // namespace fluxora::net::test
