#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "fluxora/net/websocket.hpp"
#include "websocket_codec.hpp"

namespace fluxora::net {

struct WebSocketThread;
struct WorkerCounters;

/// What waits to be written to one WebSocket. Messages leave in order, control frames before those that wait: RFC 6455
/// section 5.4 lets them come between any two.
class WebSocketOutbox {
 public:
  explicit WebSocketOutbox(WorkerCounters& counters) : counters_(counters) {}
  ~WebSocketOutbox() { clear(); }
  WebSocketOutbox(const WebSocketOutbox&) = delete;
  WebSocketOutbox& operator=(const WebSocketOutbox&) = delete;

  void push_message(Frame payload, Opcode opcode);
  void push_control(Opcode opcode, std::string_view payload);
  /// Section 5.5.3: where pongs can't leave, or many wait, the latest ping alone is answered.
  void push_pong(std::string_view payload);

  enum class State : std::uint8_t { written, blocked, failed };
  struct Written {
    State state = State::written;  ///< all of it; up to where the socket is full; the connection is broken
    std::size_t messages = 0;      ///< that were written to their end
    std::size_t bytes = 0;         ///< their payloads
  };
  /// Writes without waiting. `compress`: the client takes compressed messages.
  Written write(int socket, WebSocketThread& thread, bool compress);

  /// The last write found the socket full, and nobody has said since that it isn't.
  [[nodiscard]] bool blocked() const noexcept { return blocked_; }
  void unblock() noexcept { blocked_ = false; }

  /// Messages, the one that is written in part included; their payloads.
  [[nodiscard]] std::size_t queued_messages() const noexcept { return queued_messages_; }
  [[nodiscard]] std::size_t queued_bytes() const noexcept { return queued_bytes_; }

  /// The messages of which nothing was written.
  void drop_messages();
  /// Everything.
  void clear();

 private:
  struct Item {
    Frame payload;
    std::uint32_t counted_bytes = 0;  ///< before it was compressed; control frames aren't counted
    Opcode opcode = Opcode::text;
    bool compressed = false;
    bool incompressible = false;  ///< or too small to try
    [[nodiscard]] bool is_message() const noexcept { return opcode == Opcode::text || opcode == Opcode::binary; }
  };
  class Batch;

  void fill(Batch& batch, WebSocketThread& thread, bool compress);
  void settle(std::size_t bytes, Written& written);
  Item& front() noexcept;
  void pop_front();
  void uncount(const Item& item);
  void give_storage_back();

  WorkerCounters& counters_;
  Item current_;                     ///< has no payload where nothing is written in part
  std::size_t current_written_ = 0;  ///< its head included
  std::vector<Item> controls_;
  std::vector<Item> messages_;
  std::size_t first_ = 0;  ///< messages_ before it are gone
  std::size_t queued_messages_ = 0;
  std::size_t queued_bytes_ = 0;
  bool blocked_ = false;
};

}  // namespace fluxora::net
