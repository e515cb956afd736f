#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <openssl/ssl.h>

#include "fake_clock.hpp"
#include "fluxora/outbound/webhook_transport.hpp"

namespace fluxora::outbound::test {

/// How long a test waits for what must happen; reached only where it fails.
inline constexpr std::chrono::seconds patience{30};

/// The receiver's end of one connection.
class Peer {
 public:
  Peer(int fd, SSL* tls) : fd_(fd), tls_(tls) {}

  /// Head and body as they came; empty where the connection ended before.
  std::string read_request();
  /// False: the other end is gone.
  bool send(std::string_view bytes);
  /// Until the other end is gone, or the receiver ends.
  void wait_for_end();
  /// Ends the connection with a reset.
  void reset();

 private:
  std::ptrdiff_t read(char* into, std::size_t size);
  int fd_;
  SSL* tls_;
  std::string in_;
};

inline constexpr std::string_view ok_answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Listens on a free port of 127.0.0.1, and does with each connection what its script says, on a thread of its own.
class Receiver {
 public:
  using Script = std::function<void(Peer&)>;
  /// `tls`: taken over; null: plain.
  explicit Receiver(Script script, SSL_CTX* tls = nullptr);
  ~Receiver();
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// "http://127.0.0.1:<port>/hook", or https with that host.
  [[nodiscard]] std::string url(const std::string& host = "127.0.0.1") const;
  [[nodiscard]] int connections() const { return connections_; }

 private:
  struct Connection {
    int fd;
    std::thread thread;
  };
  void accept_all();
  void serve(int fd);

  const Script script_;
  SSL_CTX* const tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::list<Connection> open_;
  std::thread thread_;
};

/// Answers every request of a connection alike.
Receiver::Script answer_all(std::string answer);
/// Reads one request, answers, and leaves the connection open until the sender ends it.
Receiver::Script answer_once(std::string answer);

/// Plain http to loopback is allowed, and little time.
CurlTransportOptions loopback_options();

/// A transport that is started, and what it answers.
class Sender {
 public:
  explicit Sender(CurlTransportOptions options = loopback_options()) : transport(clock, std::move(options)) {
    transport.start();
  }
  std::future<ports::WebhookAnswer> send(const std::string& url, std::string body = "{}",
                                         std::vector<std::pair<std::string, std::string>> headers = {});
  /// Waits for it.
  ports::WebhookAnswer ask(const std::string& url, std::string body = "{}");

  fakes::FakeClock clock;
  CurlTransport transport;
};

}  // namespace fluxora::outbound::test
