#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fluxora/net/body_stream.hpp"

namespace fluxora::net {

/// Field names compare without case (RFC 9110 section 5.1); order and duplicates are kept.
using HeaderFields = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// The text without spaces and tabs around it: RFC 9110 section 5.6.3, optional white space.
[[nodiscard]] std::string_view trim_white_space(std::string_view text) noexcept;

/// A request as read from the wire, whole: the body is complete and within its limit.
struct Request {
  std::string method;  ///< as sent: "GET"
  std::string target;  ///< as sent, with its query
  std::string path;    ///< the path, percent-decoded once but for encoded slashes, UTF-8
  std::vector<std::pair<std::string, std::string>> query;  ///< percent-decoded, UTF-8, in order, duplicates kept
  std::vector<std::string> path_parameters;                ///< what the route's `{…}` segments matched
  HeaderFields headers;
  std::string body;
  std::string remote_address;  ///< without its port: the peer's, or what ServerOptions::client_address says
  std::string request_id;      ///< the client's X-Request-Id when it has the right form, else a new one
  std::string traceparent;     ///< of its own span, as ServerOptions::traceparent says; empty: of no trace
  unsigned io_thread = 0;      ///< its connection's, 0 up to ServerOptions::io_threads

  /// The first field of that name, or none.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  HeaderFields headers;  ///< beyond Content-Type, Content-Length, Date, X-Request-Id and the server's common ones
  /// A body of its own, one that many responses share (static files), or one that is produced while it is sent.
  std::variant<std::string, std::shared_ptr<const std::string>, std::shared_ptr<BodyStream>> body;
};

/// Gives the answer; exactly once, from any thread. A handler that drops it without calling answers 500.
using Respond = std::function<void(Response)>;

/// Called on the session's I/O thread; must not block.
using Handler = std::function<void(std::shared_ptr<const Request>, Respond)>;

}  // namespace fluxora::net
