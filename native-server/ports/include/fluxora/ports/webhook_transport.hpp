#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fluxora::ports {

/// Why an attempt has no answer.
enum class TransportFailure : std::uint8_t {
  none,             ///< it has one
  target_refused,   ///< every address of the host, or the URL itself, is one that nothing is sent to
  resolve_failed,   ///< the host's name has no address
  connect_failed,   ///< nobody there
  tls_failed,       ///< the certificate, or the handshake
  timed_out,        ///< no status line in time
  protocol_failed,  ///< ended in the middle, or isn't HTTP
  cancelled,        ///< we are ending: as if it hadn't been made
};
/// As logs, metrics and the attempt's record name it: "timed_out".
[[nodiscard]] constexpr std::string_view transport_failure_name(TransportFailure failure) noexcept {
  switch (failure) {
    case TransportFailure::none: return "";
    case TransportFailure::target_refused: return "target_refused";
    case TransportFailure::resolve_failed: return "resolve_failed";
    case TransportFailure::connect_failed: return "connect_failed";
    case TransportFailure::tls_failed: return "tls_failed";
    case TransportFailure::timed_out: return "timed_out";
    case TransportFailure::protocol_failed: return "protocol_failed";
    case TransportFailure::cancelled: return "cancelled";
  }
  return "";
}

/// One POST.
struct WebhookRequest {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides Host, User-Agent, Accept and Content-Length
  std::shared_ptr<const std::string> body;                   ///< not null
};

struct WebhookAnswer {
  TransportFailure failure = TransportFailure::none;
  std::string detail;                            ///< of a failure: a sentence for people, without secrets
  unsigned status = 0;                           ///< 0 where there is no answer
  std::optional<std::int64_t> retry_after_ms{};  ///< Retry-After, as seconds or as a date
  std::string response;                          ///< how the body begins: valid UTF-8, at most response_excerpt bytes
  std::int64_t started_at = 0;                   ///< Unix milliseconds
  std::int64_t duration_ms = 0;
};
inline constexpr std::size_t response_excerpt = 1024;

/// Sends to receivers that nobody vouches for. An answer is one as soon as its head is there: what becomes of its body
/// doesn't change it. SPEC section 8, "Delivery".
class WebhookTransport {
 public:
  virtual ~WebhookTransport() = default;
  /// Queues; never blocks. `done` is called once, on the transport's thread, and must not block. From any thread; the
  /// caller bounds how many are on their way.
  virtual void send(WebhookRequest request, std::function<void(WebhookAnswer)> done) = 0;
};

}  // namespace fluxora::ports
