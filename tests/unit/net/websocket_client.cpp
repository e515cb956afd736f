#include "websocket_client.hpp"

#include <array>

namespace fluxora::net::test {

namespace {

constexpr std::array<unsigned char, 4> mask = {0x12, 0x34, 0x56, 0x78};

std::size_t byte(char c) {
  return static_cast<unsigned char>(c);
}

void append_length(std::string& out, std::size_t length, unsigned char mask_bit) {
  const auto put = [&](std::size_t value) { out.push_back(static_cast<char>(value & 0xff)); };
  if (length < 126) {
    put(mask_bit | length);
  } else if (length < 65536) {
    put(mask_bit | 126U);
    put(length >> 8);
    put(length);
  } else {
    put(mask_bit | 127U);
    for (int shift = 56; shift >= 0; shift -= 8) put(length >> shift);
  }
}

}  // namespace

unsigned WebSocketFrame::close_code() const {
  return payload.size() < 2 ? 1005U : static_cast<unsigned>(byte(payload[0]) << 8 | byte(payload[1]));
}

std::string WebSocketClient::handshake(std::string_view path, std::string_view more_headers) {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
         std::string(more_headers) + "\r\n";
}

std::string client_frame(int opcode, std::string_view payload, FrameShape shape) {
  std::string frame;
  frame.push_back(static_cast<char>((shape.fin ? 0x80 : 0) | shape.reserved << 4 | opcode));
  append_length(frame, payload.size(), shape.masked ? 0x80 : 0);
  if (!shape.masked) return frame.append(payload);
  for (const unsigned char m : mask) frame.push_back(static_cast<char>(m));
  for (std::size_t i = 0; i < payload.size(); ++i) frame.push_back(static_cast<char>(byte(payload[i]) ^ mask[i % 4]));
  return frame;
}

WebSocketClient::WebSocketClient(std::uint16_t port, std::string_view path, int receive_buffer,
                                 std::string_view more_headers)
    : socket_(port, receive_buffer) {
  switched_ = socket_.request(handshake(path, more_headers));
  if (switched_.status != 101) throw std::runtime_error("not switched: " + std::to_string(switched_.status));
}

void WebSocketClient::send(int opcode, std::string_view payload, FrameShape shape) {
  socket_.send_as_far_as_possible(client_frame(opcode, payload, shape));
}

void WebSocketClient::send_close(unsigned code) {
  send(close_frame, std::string({static_cast<char>(code >> 8), static_cast<char>(code & 0xff)}));
}

WebSocketFrame WebSocketClient::read() {
  const std::string start = socket_.read_exactly(2);
  WebSocketFrame frame;
  frame.fin = (byte(start[0]) & 0x80) != 0;
  frame.opcode = static_cast<int>(byte(start[0]) & 0x0f);
  frame.compressed = (byte(start[0]) & 0x40) != 0;
  if (frame.compressed && !switched_.header("Sec-WebSocket-Extensions"))
    throw std::runtime_error("a compressed frame that nobody asked for");
  if ((byte(start[0]) & 0x30) != 0) throw std::runtime_error("a frame with reserved bits");
  if ((byte(start[1]) & 0x80) != 0) throw std::runtime_error("a masked frame from the server");
  std::size_t length = byte(start[1]);
  if (length > 125) {
    const std::string extended = socket_.read_exactly(length == 126 ? 2 : 8);
    length = 0;
    for (const char c : extended) length = length << 8 | byte(c);
  }
  frame.payload = socket_.read_exactly(length);
  return frame;
}

}  // namespace fluxora::net::test
