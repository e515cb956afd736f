#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxora::net::test {

/// How long a test waits for what must happen; reached only where it fails.
inline constexpr std::chrono::seconds patience{30};

/// What a client got, to the byte.
struct RawResponse {
  unsigned status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  [[nodiscard]] std::optional<std::string> header(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;
};

/// A blocking TCP client that sends exactly what it is told. Everything throws std::runtime_error on failure and
/// after `patience`.
class LoopbackClient {
 public:
  /// `receive_buffer`: the socket's, in bytes; 0: the system's.
  explicit LoopbackClient(std::uint16_t port, int receive_buffer = 0);
  ~LoopbackClient();
  LoopbackClient(const LoopbackClient&) = delete;
  LoopbackClient& operator=(const LoopbackClient&) = delete;
  LoopbackClient(LoopbackClient&& other) noexcept;

  void send(std::string_view bytes);
  /// Sends what the peer takes before it closes.
  void send_as_far_as_possible(std::string_view bytes);
  void half_close();
  /// Ends the connection with a reset.
  void reset();

  /// `has_body` false: the answer to HEAD.
  RawResponse read_response(bool has_body = true);
  RawResponse request(std::string_view bytes);
  std::string read_exactly(std::size_t count);
  /// Everything up to the peer's end. A reset counts as an end.
  std::string read_to_end();
  /// Whether the peer has ended the connection, with nothing more to read.
  bool at_end();
  /// Whether something has come, or the end; without waiting.
  [[nodiscard]] bool has_input() const;
  /// Whether the end that was read was a reset.
  [[nodiscard]] bool was_reset() const noexcept { return was_reset_; }

 private:
  bool read_some();
  int fd_ = -1;
  bool was_reset_ = false;
  std::string in_;
};

}  // namespace fluxora::net::test
