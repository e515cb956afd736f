#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loopback_client.hpp"

namespace fluxora::net::test {

struct WebSocketFrame {
  bool fin = true;
  bool compressed = false;
  int opcode = 0;
  std::string payload;

  /// Of a close frame; 1005 where it has none.
  [[nodiscard]] unsigned close_code() const;
};

inline constexpr int continuation = 0;
inline constexpr int text = 1;
inline constexpr int binary = 2;
inline constexpr int close_frame = 8;
inline constexpr int ping = 9;
inline constexpr int pong = 10;

/// How a client writes a frame, rules broken included.
struct FrameShape {
  bool fin = true;
  bool masked = true;
  int reserved = 0;  ///< RSV1 is 4
};
[[nodiscard]] std::string client_frame(int opcode, std::string_view payload, FrameShape shape = {});

/// RFC 6455's client side, frame by frame, with every way to break its rules.
class WebSocketClient {
 public:
  static std::string handshake(std::string_view path, std::string_view more_headers = "");

  /// Throws where the server doesn't switch.
  explicit WebSocketClient(std::uint16_t port, std::string_view path = "/ws", int receive_buffer = 0,
                           std::string_view more_headers = "");

  void send(int opcode, std::string_view payload, FrameShape shape = {});
  void send_close(unsigned code);
  WebSocketFrame read();
  LoopbackClient& socket() { return socket_; }
  [[nodiscard]] const RawResponse& switched() const { return switched_; }

 private:
  LoopbackClient socket_;
  RawResponse switched_;
};

}  // namespace fluxora::net::test
