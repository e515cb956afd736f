#include "fluxora/api/client_address.hpp"

#include <algorithm>
#include <array>

#include <arpa/inet.h>

namespace fluxora::api {
namespace {

constexpr std::size_t v4_begin = 12;

std::string text_of(const core::IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = address.is_ipv4();
  inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes.data() + (v4 ? v4_begin : 0), text.data(), text.size());
  return text.data();
}

}  // namespace

std::optional<TrustedProxies> TrustedProxies::parse(std::string_view text, std::string& wrong) {
  TrustedProxies proxies;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view item = net::trim_white_space(text.substr(from, comma - from));
    const auto network = core::parse_ip_network(item);
    if (!network) {
      wrong = item;
      return std::nullopt;
    }
    proxies.networks_.push_back(*network);
    from = comma + 1;
  }
  return proxies;
}

bool TrustedProxies::trusts(const core::IpAddress& address) const noexcept {
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const core::IpNetwork& network) { return network.contains(address); });
}

bool TrustedProxies::trusts(std::string_view peer) const {
  const auto address = core::parse_ip_address(peer);
  return address && trusts(*address);
}

std::string TrustedProxies::client_address(const std::string& peer, const net::Request& request) const {
  const auto from = core::parse_ip_address(peer);
  if (!from || !trusts(*from)) return peer;
  core::IpAddress client = *from;
  // Several fields are one list (RFC 9110 section 5.3), and each proxy adds at its end.
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (!net::equal_ignoring_case(field->first, "X-Forwarded-For")) continue;
    std::string_view list = field->second;
    while (true) {
      const std::size_t comma = list.rfind(',');
      const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
      const auto hop = core::parse_ip_address(net::trim_white_space(list.substr(begin)));
      if (!hop) return text_of(client);
      client = *hop;
      if (!trusts(client)) return text_of(client);
      if (comma == std::string_view::npos) break;
      list = list.substr(0, comma);
    }
  }
  return text_of(client);
}

}  // namespace fluxora::api
