#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "message_reader.hpp"

namespace fluxora::load {

enum class Transport : std::uint8_t { websocket, sse };

struct FeedOptions {
  std::uint16_t port = 0;  ///< on 127.0.0.1
  Transport transport = Transport::websocket;
  std::size_t connections = 0;
  /// The stream that connection number n asks for. None: they ask for nothing.
  std::function<std::string(std::size_t n)> stream_of;
  int receive_buffer_bytes = 0;  ///< of each socket; 0: what the system gives
};

/// An update that has come.
struct Delivery {
  std::size_t connection = 0;
  std::int64_t at = 0;    ///< now_ns() after the read that brought its end
  std::string_view head;  ///< as Message has it
  std::size_t bytes = 0;  ///< of the payload
};

/// Nanoseconds of a clock that all processes of this machine share.
[[nodiscard]] std::int64_t now_ns() noexcept;

/// Thousands of subscribers in one thread, with plain sockets and epoll.
class FeedClients {
 public:
  using OnDelivery = std::function<void(const Delivery&)>;

  FeedClients(FeedOptions options, OnDelivery on_delivery);
  ~FeedClients();
  FeedClients(const FeedClients&) = delete;
  FeedClients& operator=(const FeedClients&) = delete;

  /// Connects all of them and waits until each is told that it is subscribed. Throws std::runtime_error when a
  /// connection is refused, or when there is no end of it.
  void open();

  /// Reads what is there, or waits for something until `until`, in now_ns(). Throws std::runtime_error when the other
  /// side ends a connection or says that something is wrong.
  void read(std::int64_t until);

  /// For clients that have stopped reading: drops what has come, and gives how many of them the other side has ended,
  /// once it is all of them or it is `until`.
  [[nodiscard]] std::size_t await_end(std::int64_t until);

 private:
  struct Connection;

  void connect_next();
  void on_event(Connection& connection, std::uint32_t events);
  void send_request(Connection& connection) const;
  void receive(Connection& connection);
  /// What of the bytes comes behind the response's head; it may be nothing yet.
  std::string_view behind_head(Connection& connection, std::string_view bytes);
  void on_message(Connection& connection, const Message& message);
  void on_subscribed(Connection& connection);
  void begin_feed(Connection& connection);

  const FeedOptions options_;
  const OnDelivery on_delivery_;
  const int epoll_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::size_t open_ = 0;
  std::vector<char> buffer_;
  std::int64_t received_at_ = 0;
};

}  // namespace fluxora::load
