#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fluxora::net {

// WebSocket frames as RFC 6455 writes them: those of a client are read strictly, those of a server are written. No I/O
// here, and nothing beyond the standard library.

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// RFC 6455 section 7.4.1, and ours from SPEC section 6.
namespace close_code {
inline constexpr std::uint16_t going_away = 1001;
inline constexpr std::uint16_t protocol_error = 1002;
inline constexpr std::uint16_t none = 1005;      ///< a close frame without a code; never sent
inline constexpr std::uint16_t vanished = 1006;  ///< no close frame; never sent
inline constexpr std::uint16_t invalid_payload = 1007;
inline constexpr std::uint16_t too_big = 1009;
inline constexpr std::uint16_t internal_error = 1011;
inline constexpr std::uint16_t slow_consumer = 4008;
}  // namespace close_code

/// UTF-8 (RFC 3629) that arrives in pieces.
class Utf8Check {
 public:
  /// False from the first byte on that no text has there.
  bool take(std::string_view bytes) noexcept;
  /// Whether the text may end here.
  [[nodiscard]] bool complete() const noexcept { return missing_ == 0; }

 private:
  bool take_first(unsigned char byte) noexcept;

  std::uint8_t missing_ = 0;  ///< bytes of the sequence that has begun
  std::uint8_t lowest_ = 0;   ///< what the next of them may be
  std::uint8_t highest_ = 0;
};

/// Reads a client's frames, given in pieces of any size, and joins them to messages.
class FrameReader {
 public:
  struct Limits {
    std::size_t max_message_bytes = 0;  ///< as sent; a longer one fails with 1009 before any of it is kept
    std::size_t max_fragments = 0;      ///< of one message; more fail with 1009
    bool compression = false;           ///< RSV1 marks compressed messages (RFC 7692 section 6)
  };
  struct Event {
    enum class Kind : std::uint8_t { need_more, text, binary, ping, pong, close, failed };
    Kind kind = Kind::need_more;
    bool compressed = false;  ///< a message that has to be decompressed; whether it is UTF-8 hasn't been looked at
    std::uint16_t code = 0;   ///< close: the peer's, 1005 where it gave none; failed: the one to close with
    std::string_view
        payload;  ///< of a message, ping or pong; close: the reason. Up to the next call or the end of `in`
  };

  explicit FrameReader(const Limits& limits) noexcept : limits_(limits) {}

  /// The next thing in `in`, whose bytes it takes and unmasks in place. need_more: all of `in` was taken. Behind close
  /// and failed there is nothing more, whatever comes.
  Event next(std::span<char>& in);

 private:
  struct Head {
    Opcode opcode = Opcode::continuation;
    bool fin = true;
    bool compressed = false;
  };
  enum class Progress : std::uint8_t { need_more, done, failed };

  [[nodiscard]] static bool is_control(Opcode opcode) noexcept { return static_cast<std::uint8_t>(opcode) >= 8; }
  bool collect_head(std::span<char>& in, std::size_t size) noexcept;
  Progress read_head(std::span<char>& in);
  [[nodiscard]] bool read_first_bytes() noexcept;
  [[nodiscard]] std::uint16_t begin_payload() noexcept;
  std::string_view take_payload(std::span<char>& in) noexcept;
  void unmask(std::span<char> bytes) noexcept;
  Event end_control(std::string_view payload);
  Event end_message(std::string_view payload);
  Event read_close(std::string_view payload);
  Event fail(std::uint16_t code) noexcept;
  Progress fail_head(std::uint16_t code) noexcept;

  Limits limits_;
  // The frame under way.
  std::array<char, 14> head_bytes_{};
  std::uint8_t head_size_ = 0;
  bool in_payload_ = false;
  bool over_ = false;
  Head head_;
  std::array<char, 4> mask_{};  ///< turned so that its first byte is the next one's
  std::uint64_t remaining_ = 0;
  std::string control_;  ///< a control frame's payload, where it comes in pieces
  // The message under way.
  bool in_message_ = false;
  bool given_ = false;  ///< message_ or control_ was given by the last call
  Opcode message_opcode_ = Opcode::text;
  bool message_compressed_ = false;
  Utf8Check utf8_;
  std::size_t message_bytes_ = 0;  ///< announced by its frames' heads
  std::size_t fragments_ = 0;
  std::string message_;  ///< what doesn't lie in one piece in `in`
  std::uint16_t failure_ = 0;
};

/// The head of a server's frame: never masked, never fragmented.
class FrameHead {
 public:
  /// `compressed`: sets RSV1.
  FrameHead(Opcode opcode, std::size_t payload_bytes, bool compressed) noexcept;
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.data(), size_}; }

 private:
  std::array<char, 10> bytes_;
  std::uint8_t size_;
};
inline constexpr std::size_t max_control_payload_bytes = 125;

/// A close frame's payload: empty for 1005; of the reason as much as fits without cutting a UTF-8 sequence.
[[nodiscard]] std::string close_payload(std::uint16_t code, std::string_view reason);

/// Whether a close frame may carry the code: RFC 6455 section 7.4 and IANA's registry.
[[nodiscard]] bool is_close_code(std::uint16_t code) noexcept;

}  // namespace fluxora::net
