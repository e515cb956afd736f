#pragma once

#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net {

/// How a response's body ends, and what becomes of the connection.
struct ResponseFraming {
  std::optional<std::size_t> content_length;  ///< none: the body is streamed
  bool chunked = false;
  bool close = false;
};

/// Writes response heads. One a thread: it keeps the Date of the current second.
class ResponseWriter {
 public:
  /// Throws std::invalid_argument where a common header can't be written.
  explicit ResponseWriter(const HeaderFields& common_headers);

  /// Appends status line and fields, the empty line included.
  void write_head(std::string& out, const Response& response, const ResponseFraming& framing,
                  std::string_view request_id);
  /// Appends the 101 that switches to WebSocket. `extensions`: those agreed on; empty for none.
  void write_switch(std::string& out, std::string_view accept, std::string_view extensions,
                    std::string_view request_id);

  /// Whether a handler's answer can be put on the wire: a final status, no line ends or controls in its fields,
  /// and a stream where it is to be streamed.
  [[nodiscard]] static bool is_writable(const Response& response) noexcept;
  /// 204 and 304 have neither body nor fields about one (RFC 9110 sections 8.6, 15.3.5, 15.4.5).
  [[nodiscard]] static bool has_body(unsigned status) noexcept { return status != 204 && status != 304; }

 private:
  /// The value of a Date field, RFC 9110 section 5.6.7.
  [[nodiscard]] std::string_view date();

  std::string common_;
  std::time_t date_second_ = -1;
  std::string date_;
};

/// Appends one chunk (RFC 9112 section 7.1); nothing for no bytes, because an empty chunk ends the body.
void append_chunk(std::string& out, std::string_view bytes);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// The body that is there already; empty for a streamed one.
[[nodiscard]] std::string_view body_of(const Response& response) noexcept;
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace fluxora::net
