#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fluxora/net/websocket.hpp"

struct z_stream_s;

namespace fluxora::net {

// permessage-deflate (RFC 7692) without context takeover: every message is compressed on its own. So one compressor and
// one decompressor serve all the connections of a thread.

/// The window of what we send; our messages are no longer than it, but for few.
inline constexpr int deflate_window_bits = 12;
/// Smaller messages gain next to nothing.
inline constexpr std::size_t min_compressed_message_bytes = 256;

class Deflater {
 public:
  /// Throws std::runtime_error where zlib can't be had.
  Deflater();
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Section 7.2.1.
  [[nodiscard]] std::string compress(std::string_view message);

 private:
  std::unique_ptr<z_stream_s> stream_;
};

class Inflater {
 public:
  /// Throws std::runtime_error where zlib can't be had.
  Inflater();
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  enum class Outcome : std::uint8_t { done, too_large, malformed };
  /// Section 7.2.2; `message` never grows far over `max_bytes`, however much the compressed bytes stand for. Of the
  /// final blocks that section 7.2.3.4 allows few are taken: each costs much and may take two bytes.
  Outcome decompress(std::string_view compressed, std::size_t max_bytes, std::string& message);

 private:
  static constexpr int max_final_blocks = 16;

  Outcome run(std::string_view in, std::size_t max_bytes, std::string& message);
  std::unique_ptr<z_stream_s> stream_;
  int final_blocks_ = 0;  ///< of the message
  std::array<char, 16 * 1024> piece_;
};

/// The compressed forms of the messages of a moment, so that a broadcast is compressed once a thread. Keyed by the
/// message's identity, which can't pass to another one while it is held here.
class CompressedFrames {
 public:
  /// None where compressing gains nothing.
  [[nodiscard]] Frame of(const Frame& message);
  /// Lets go of all; called often enough that nothing is held for long.
  void clear() { forms_.clear(), held_bytes_ = 0; }

 private:
  static constexpr std::size_t max_forms = 4096;
  static constexpr std::size_t max_held_bytes = 4 * 1024 * 1024;

  struct Form {
    Frame message;
    Frame compressed;
  };
  Deflater deflater_;
  std::unordered_map<const std::string*, Form> forms_;
  std::size_t held_bytes_ = 0;
};

}  // namespace fluxora::net
