#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net {

/// A message's payload, made once and shared by all the connections that it goes to.
using Frame = std::shared_ptr<const std::string>;

struct WebSocketMetrics {
  std::uint64_t messages_received = 0;
  std::uint64_t messages_sent = 0;
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
};

/// One open connection. Used on its own I/O thread only, onto which others come by Server::post().
class WebSocketConnection {
 public:
  virtual ~WebSocketConnection() = default;

  /// Queues a text message. What is queued in one task of the I/O thread leaves in one write behind it. A queue that is
  /// over its bound although the socket was offered all of it closes the connection as close_slow() does.
  virtual void send(Frame frame) = 0;
  /// The same for a binary message.
  virtual void send_binary(Frame frame) = 0;
  /// Sends what is queued, then a close frame; later sends are ignored.
  virtual void close(std::uint16_t code, std::string_view reason) = 0;
  /// The same with 4008 for a client that doesn't read: of what is queued only a message that has begun is sent.
  virtual void close_slow(std::string_view reason) = 0;
  /// True when every frame sent so far has been written.
  [[nodiscard]] virtual bool drained() const = 0;
  /// What of that waits, against WebSocketLimits.
  [[nodiscard]] virtual std::size_t queued_bytes() const = 0;
  [[nodiscard]] virtual std::size_t queued_messages() const = 0;
  /// The connection's I/O thread, 0 up to ServerOptions::io_threads.
  [[nodiscard]] virtual unsigned io_thread() const = 0;
  [[nodiscard]] virtual const std::string& id() const = 0;
  [[nodiscard]] virtual const std::string& remote_address() const = 0;
};

/// What a connection tells its owner, on its I/O thread.
class WebSocketListener {
 public:
  virtual ~WebSocketListener() = default;
  virtual void on_text(std::string_view message) = 0;
  virtual void on_binary(std::string_view message) = 0;
  /// The queue has become empty: whoever sends in steps may send more.
  virtual void on_drained() {}
  /// The last call. `code` is the close code sent or received; 1006 where the peer vanished.
  virtual void on_closed(std::uint16_t code, std::string_view reason, const WebSocketMetrics& metrics) = 0;
};

/// What serves one path's upgrades.
struct WebSocketEndpoint {
  /// Before the upgrade: a response refuses it.
  std::function<std::optional<Response>(const Request&)> refuse;
  /// After it: the connection's listener, kept alive as long as the connection. The listener keeps the connection
  /// object, which doesn't keep the listener.
  std::function<std::shared_ptr<WebSocketListener>(std::shared_ptr<WebSocketConnection>, const Request&)> open;
};

/// SPEC section 6.
struct WebSocketLimits {
  std::size_t max_message_bytes = 64 * 1024;   ///< a larger one, decompressed or not, closes 1009
  std::size_t max_fragments = 1024;            ///< of one message; more close 1009
  std::size_t max_queued_bytes = 1024 * 1024;  ///< beyond: 4008
  std::size_t max_queued_messages = 4096;      ///< beyond: 4008
  int ping_interval_ms = 30'000;
  int missed_pongs = 2;        ///< that many in a row end the connection
  int close_drain_ms = 5'000;  ///< for the queue and the peer's close frame
  bool compress = true;        ///< permessage-deflate (RFC 7692) for clients that offer it
};

}  // namespace fluxora::net
