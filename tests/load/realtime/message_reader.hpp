#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace fluxora::load {

/// A message of a feed as far as it has to be understood: its text up to some length, and how long it is.
struct Message {
  enum class Kind : std::uint8_t { text, ping, close };
  Kind kind = Kind::text;
  std::string_view head;  ///< at least min(size, kept_head) bytes; valid during the call
  std::size_t size = 0;   ///< of the payload
};

/// What is kept of a message that comes in pieces: enough for everything up to its eventId.
inline constexpr std::size_t kept_head = 512;

using OnMessage = std::function<void(const Message&)>;

/// Finds the messages in what a connection receives after the response's head. Throws std::runtime_error for what the
/// servers under load don't send.
class MessageReader {
 public:
  virtual ~MessageReader() = default;
  virtual void read(std::string_view bytes, const OnMessage& on_message) = 0;
};

/// RFC 6455 section 5.2, as a server without extensions sends it: unmasked, unfragmented.
class FrameReader final : public MessageReader {
 public:
  void read(std::string_view bytes, const OnMessage& on_message) override;

 private:
  [[nodiscard]] std::size_t header_length() const noexcept;
  void begin_payload();
  void read_payload(std::string_view& bytes, const OnMessage& on_message);
  void tell(std::string_view head, const OnMessage& on_message);

  std::array<unsigned char, 10> header_{};
  std::size_t header_size_ = 0;
  bool in_payload_ = false;
  std::size_t size_ = 0;
  std::size_t left_ = 0;
  std::string head_;  ///< of a payload that came in pieces
};

/// Server-sent events, each in one chunk of a chunked body; the chunks' own lines are taken for part of an event.
class EventReader final : public MessageReader {
 public:
  void read(std::string_view bytes, const OnMessage& on_message) override;

 private:
  std::string pending_;
};

}  // namespace fluxora::load
