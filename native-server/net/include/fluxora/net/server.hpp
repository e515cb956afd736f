#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/net/http_message.hpp"
#include "fluxora/net/router.hpp"
#include "fluxora/net/websocket.hpp"

namespace fluxora::net {

/// SPEC section 5, "Limits".
struct HttpLimits {
  std::size_t max_body_bytes = 256 * 1024;
  std::size_t max_header_bytes = 16 * 1024;
  int header_timeout_ms = 10'000;  ///< for the header block, from its first byte or the connection's start
  int body_timeout_ms = 30'000;    ///< for the rest of the request
  int idle_timeout_ms = 60'000;    ///< between requests
  int write_timeout_ms = 30'000;   ///< for a response that the peer doesn't read
};

/// How a request ended.
struct RequestEnd {
  std::string_view route;                ///< the pattern, empty for none
  unsigned status = 0;                   ///< 0: the connection ended before a response was begun
  std::chrono::microseconds duration{};  ///< from the request's head
  bool aborted = false;                  ///< the connection ended before the response was sent whole
  std::string_view peer;                 ///< the connection's other end, whoever ServerOptions::client_address names
  bool endless = false;                  ///< the answer's body was: BodyStream::endless
};

/// What net can't know and the application says.
struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 3000;  ///< 0: any free one
  unsigned io_threads = 2;
  HttpLimits http;
  WebSocketLimits websocket;
  /// Put on every response, errors included.
  HeaderFields common_headers;
  /// Request headers of the application that are refused with 400 when they come twice, as those of HTTP itself are
  /// that hold one value (Host, Content-Length, Content-Type, Authorization, …).
  std::vector<std::string> single_headers;
  /// The body of an error that net itself finds: 400, 404, 405, 408, 413, 426, 431, 500, 505.
  std::function<Response(unsigned status, std::string_view detail, const Request& request)> error_response;
  /// Who sent a request, where that isn't simply the peer: becomes its remote_address. None: the peer.
  std::function<std::string(const Request& request)> client_address;
  /// Becomes a request's traceparent, once its head was read, or as far as it could be. `peer` as in RequestEnd. None:
  /// requests belong to no trace.
  std::function<std::string(const Request& request, std::string_view peer)> traceparent;
  /// A last look at each response before it is written, errors of net's own included.
  std::function<void(const Request& request, Response& response)> before_response;
  /// Once for each request that was begun: after its response, or when its connection ended before.
  std::function<void(const Request& request, const RequestEnd& end)> on_response;
  /// About once a second on every I/O thread, 0 up to io_threads, while the server runs. Must not block.
  std::function<void(unsigned io_thread)> on_tick;
  /// Accept errors and other trouble that belongs to no request.
  std::function<void(std::string_view message)> on_trouble;
};

/// What the server has at the moment, and what it has counted since it was made.
struct ServerStatistics {
  std::uint64_t connections = 0;           ///< open, WebSockets among them
  std::uint64_t connections_accepted = 0;  ///< in all
  std::uint64_t requests_in_flight = 0;    ///< read from their head on, and not answered to the end
  std::uint64_t websockets = 0;            ///< open
  std::uint64_t websocket_queued_messages = 0;
  std::uint64_t websocket_queued_bytes = 0;
  std::uint64_t websocket_messages_received = 0;
  std::uint64_t websocket_messages_sent = 0;
  std::uint64_t websocket_bytes_received = 0;  ///< payloads
  std::uint64_t websocket_bytes_sent = 0;
  std::uint64_t websocket_slow_consumers = 0;  ///< closed with 4008
};

/// An HTTP/1.1 and WebSocket server: `io_threads` threads, each with its own io_context and SO_REUSEPORT acceptor;
/// a session never leaves its thread.
class Server {
 public:
  /// Binds and listens, but doesn't accept yet. Throws std::system_error with a message that names address and
  /// port when they are taken or not allowed.
  Server(ServerOptions options, std::shared_ptr<const Router> router);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  /// Runs a task on an I/O thread, 0 up to io_threads; dropped once that thread has ended. From any thread.
  void post(unsigned io_thread, std::function<void()> task);
  [[nodiscard]] std::uint16_t port() const noexcept;
  [[nodiscard]] std::size_t websocket_connections() const noexcept;
  /// From any thread.
  [[nodiscard]] ServerStatistics statistics() const noexcept;

  /// Goes on as before, but each answer ends its connection: `Connection: close`. So clients leave of themselves, and
  /// none sends a request on a connection that stop() is about to close. From any thread.
  void begin_drain();
  /// Ordered end: stop accepting; answer what is being served with `Connection: close`; close WebSockets with 1001
  /// after their queues drain; after `grace` cut what is left; join the threads. Called once, from outside the I/O
  /// threads.
  void stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::net
