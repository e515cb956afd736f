#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/ip_address.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/webhook_transport.hpp"

/// Requests to receivers that nobody vouches for. SPEC section 8, "Delivery".
namespace fluxora::outbound {

/// Whom requests may go to besides https to the public Internet.
struct TargetRules {
  std::vector<std::string> http_hosts;            ///< plain http is allowed to these names or addresses; case ignored
  std::vector<core::IpNetwork> private_networks;  ///< may be connected to although they aren't public

  /// Whether a connection to that address may be opened.
  [[nodiscard]] bool allow(const core::IpAddress& address) const noexcept;
};

inline constexpr std::size_t max_target_length = 2'048;

/// What is wrong with a URL as a target, as a sentence without the URL; none: requests may go there, as far as it says
/// by itself. A name's addresses are looked at when they are connected to, on every attempt.
/// https, or http where the rules allow it to the host; ASCII; a host; a port of 1 to 65535 where there is one; no user
/// information, no fragment, at most max_target_length bytes. It is read by libcurl's own parser, which is what
/// connects, so every spelling of an address is found that it knows.
[[nodiscard]] std::optional<std::string> target_problem(std::string_view url, const TargetRules& rules);

struct CurlTransportOptions {
  int timeout_ms = 15'000;               ///< of one attempt, from the name's lookup to the answer's end
  int connect_timeout_ms = 10'000;       ///< of its lookup, connecting and TLS handshake
  std::size_t kept_connections = 1'024;  ///< most that are open; idle ones are closed for new ones
  TargetRules targets;
  std::string ca_file;  ///< PEM; empty: the system's
  std::string user_agent = "Fluxora";
};

/// POSTs over libcurl: one thread for all of them, HTTP/1.1 with connections that are kept, TLS 1.2 at least with chain
/// and name verified. Redirects aren't followed; proxies, cookies and .netrc aren't looked at. A request that fails on
/// a kept connection before anything is answered is sent again on a new one, as part of the same attempt.
class CurlTransport final : public ports::WebhookTransport {
 public:
  /// The clock outlives it. Throws std::runtime_error where libcurl or the CA file can't be used.
  CurlTransport(ports::Clock& clock, CurlTransportOptions options);
  /// Stops.
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  void start();
  /// Ends everything that is on its way with `cancelled`, and the thread. What is sent from then on is cancelled at
  /// once, by the caller's thread.
  void stop();

  /// Throws std::invalid_argument for a header with a control character, which can't be written.
  void send(ports::WebhookRequest request, std::function<void(ports::WebhookAnswer)> done) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fluxora::outbound
