#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/ip_address.hpp"
#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// The proxies whose X-Forwarded-For is believed: nobody else's is looked at.
class TrustedProxies {
 public:
  /// IP addresses and CIDR blocks, comma separated: "10.0.0.0/8, 192.0.2.7, fd00::/8". None, with the item that is
  /// wrong in `wrong`, for anything else, a block with bits set behind its prefix included.
  [[nodiscard]] static std::optional<TrustedProxies> parse(std::string_view text, std::string& wrong);

  [[nodiscard]] bool empty() const noexcept { return networks_.empty(); }
  /// Whether that address is one of them; false for what is no address.
  [[nodiscard]] bool trusts(std::string_view peer) const;

  /// Who sent the request: the peer, or, where that is a trusted proxy, the first address from the right of
  /// X-Forwarded-For that isn't one. Stops at what is no address.
  [[nodiscard]] std::string client_address(const std::string& peer, const net::Request& request) const;

 private:
  [[nodiscard]] bool trusts(const core::IpAddress& address) const noexcept;

  std::vector<core::IpNetwork> networks_;
};

}  // namespace fluxora::api
