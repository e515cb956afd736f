#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net {

// HTTP/1.1 messages as RFC 9112 writes them, read strictly: whatever two readers could take for two different messages
// (bare CR or LF, line folding, space before a colon, two framings at once) is refused. No I/O here.

/// Why a message is refused: the status a server answers it with, and what to say.
struct WireError {
  unsigned status = 0;
  std::string_view detail;  ///< a literal
};

/// Finds the end of a head (start line and fields) in bytes that arrive in pieces, and looks at its line ends only.
class HeadScanner {
 public:
  explicit HeadScanner(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  enum class State { need_more, complete, failed };
  /// `in`: everything received since the head's first byte. Each byte is looked at once over all calls.
  State scan(std::string_view in);
  /// After complete: the head, its final empty line included, is in[begin(), end()).
  [[nodiscard]] std::size_t begin() const noexcept { return begin_; }
  [[nodiscard]] std::size_t end() const noexcept { return line_; }
  [[nodiscard]] WireError error() const noexcept { return error_; }
  /// No part of a head has arrived: nothing at all, or empty lines.
  [[nodiscard]] bool untouched(std::string_view in) const noexcept { return in.size() == begin_; }

 private:
  State fail(unsigned status, std::string_view detail);

  std::size_t max_bytes_;
  std::size_t begin_ = 0;     ///< after the empty lines that RFC 9112 section 2.2 has us skip
  std::size_t line_ = 0;      ///< where the current line starts
  std::size_t searched_ = 0;  ///< no line feed before this, from line_
  int skipped_lines_ = 0;
  WireError error_;
};

/// What a head says about the message's body and connection.
struct Framing {
  bool http_1_1 = true;
  bool close = false;  ///< "Connection: close", or HTTP/1.0
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  bool expect_continue = false;
  bool connection_upgrade = false;
  bool upgrade_websocket = false;
};

/// A head that HeadScanner found. Fills method, target, path, query and headers.
std::optional<WireError> parse_request_head(std::string_view head, Request& request, Framing& framing);
std::optional<WireError> parse_response_head(std::string_view head, unsigned& status, HeaderFields& headers,
                                             Framing& framing);

/// Decodes a chunked body (RFC 9112 section 7.1) that arrives in pieces. Extensions and trailers are dropped.
class ChunkedDecoder {
 public:
  enum class State { need_more, complete, too_large, failed };
  struct Result {
    State state;
    std::size_t consumed;
  };
  /// Appends to `body`, which never grows over `max_body_bytes`.
  Result decode(std::string_view in, std::string& body, std::size_t max_body_bytes);

 private:
  enum class At {
    size_start,
    size,
    extension_space,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    end
  };
  [[nodiscard]] bool step(char c);

  At at_ = At::size_start;
  std::uint64_t remaining_ = 0;
  int size_digits_ = 0;
  std::size_t extension_bytes_ = 0;
  std::size_t trailer_bytes_ = 0;
};

/// None where a '%' isn't followed by two hexadecimal digits, or stands for NUL. `keep_slashes`: "%2F" stays as it is;
/// decoded, it would lead to another resource than the one that a proxy in front has checked.
std::optional<std::string> percent_decode(std::string_view text, bool keep_slashes = false);

[[nodiscard]] bool is_token(std::string_view text) noexcept;        ///< RFC 9110 section 5.6.2
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;  ///< RFC 9110 section 5.5, obs-text included
[[nodiscard]] bool is_request_id(std::string_view text) noexcept;   ///< SPEC section 5

}  // namespace fluxora::net
