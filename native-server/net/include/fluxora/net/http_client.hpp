#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net {

/// An absolute http or https URL. User information, fragments and other schemes are refused.
struct Url {
  bool secure = false;
  std::string host;    ///< without brackets
  std::string port;    ///< decimal; the scheme's own when not given
  std::string target;  ///< path and query, "/" at least
};
/// Throws std::invalid_argument saying what is wrong.
Url parse_url(std::string_view text);

/// Why a request has no answer.
class HttpClientError : public std::runtime_error {
 public:
  enum class Kind { resolve, connect, tls, timeout, too_large, protocol, cancelled };
  HttpClientError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

struct HttpClientOptions {
  int connect_timeout_ms = 5'000;   ///< resolving, connecting and the TLS handshake
  int request_timeout_ms = 30'000;  ///< from the request's first byte to the response's last
  std::size_t max_response_bytes = 32 * 1024 * 1024;
  std::string ca_file;  ///< PEM bundle; empty: the system's
};

struct HttpClientResponse {
  unsigned status = 0;
  HeaderFields headers;
  std::string body;
};

/// Retry-After in seconds; none where it isn't there or, which is rare, a date.
[[nodiscard]] std::optional<std::chrono::seconds> retry_after(const HttpClientResponse& response);

/// A blocking HTTP/1.1 client for one origin that keeps its connection alive. https verifies the certificate chain
/// and the host's name. Redirects are not followed. A request on a kept connection that turns out closed before any
/// byte of the answer is sent once more on a new one. One thread at a time, but for cancel().
class HttpClient {
 public:
  HttpClient(Url origin, HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Any status is an answer. `headers` come besides Host, User-Agent, Accept, Content-Type and Content-Length. Throws
  /// HttpClientError, and std::invalid_argument for a target or header that can't be written.
  HttpClientResponse post(std::string_view target, std::string_view content_type, std::string_view body,
                          const HeaderFields& headers = {});

  /// The same without a body.
  HttpClientResponse get(std::string_view target, const HeaderFields& headers = {});

  /// Ends the request under way, and every later one, with Kind::cancelled. From any thread.
  void cancel() noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::net
