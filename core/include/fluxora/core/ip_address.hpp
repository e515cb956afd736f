#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fluxora::core {

/// An IPv4 or IPv6 address. IPv4 ones are held as ::ffff:a.b.c.d, so that both spellings are the same address.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] bool is_ipv4() const noexcept;
  friend bool operator==(const IpAddress&, const IpAddress&) = default;
};

/// Dotted decimal of four parts without leading zeros, or RFC 4291 text, without zone and brackets; nothing that only
/// inet_aton takes. None: it isn't one.
[[nodiscard]] std::optional<IpAddress> parse_ip_address(std::string_view text);

/// All addresses that begin with the same bits.
struct IpNetwork {
  IpAddress address;
  unsigned prefix = 0;  ///< of 128 bits; an IPv4 network's own and 96

  [[nodiscard]] bool contains(const IpAddress& candidate) const noexcept;
};
/// "10.0.0.0/8", "::1/128" or an address alone. None: it isn't one, or bits are set behind the prefix.
[[nodiscard]] std::optional<IpNetwork> parse_ip_network(std::string_view text);

/// Whether an address is one of the public Internet's: not private, loopback, link-local, shared (CGNAT), multicast,
/// reserved, for documentation, of a cloud's metadata service, nor an IPv6 form that leads to such an IPv4 address
/// (mapped, compatible, NAT64, 6to4, Teredo). RFC 6890 and IANA's special-purpose registries. SPEC section 8.
[[nodiscard]] bool is_public_address(const IpAddress& address) noexcept;

}  // namespace fluxora::core
