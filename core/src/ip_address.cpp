#include "fluxora/core/ip_address.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace fluxora::core {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_offset = 96;
constexpr std::size_t groups_of_v6 = 8;

using Ipv4 = std::array<std::uint8_t, 4>;

constexpr IpAddress from_ipv4(const Ipv4& v4) noexcept {
  IpAddress address;
  std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes.begin());
  std::copy(v4.begin(), v4.end(), address.bytes.begin() + v4_prefix.size());
  return address;
}

/// A whole number from digits without sign; leading zeros are for hexadecimal only.
std::optional<unsigned> parse_number(std::string_view digits, int base, std::size_t max_digits) {
  if (digits.empty() || digits.size() > max_digits) return std::nullopt;
  if (base == 10 && digits.size() > 1 && digits.front() == '0') return std::nullopt;
  unsigned number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<Ipv4> parse_ipv4(std::string_view text) {
  Ipv4 v4{};
  for (std::size_t part = 0; part < v4.size(); ++part) {
    const bool last = part + 1 == v4.size();
    const std::size_t dot = text.find('.');
    if (last != (dot == std::string_view::npos)) return std::nullopt;
    const auto number = parse_number(text.substr(0, dot), 10, 3);
    if (!number || *number > 255) return std::nullopt;
    v4[part] = static_cast<std::uint8_t>(*number);
    if (!last) text.remove_prefix(dot + 1);
  }
  return v4;
}

/// Groups between colons, the last of them perhaps an IPv4 address: a piece of an address on one side of its "::".
struct Groups {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;

  bool add(unsigned byte_pair) {
    if (size + 2 > bytes.size()) return false;
    bytes[size++] = static_cast<std::uint8_t>(byte_pair >> 8);
    bytes[size++] = static_cast<std::uint8_t>(byte_pair & 0xff);
    return true;
  }
};

std::optional<Groups> parse_groups(std::string_view text, bool may_end_in_ipv4) {
  Groups groups;
  if (text.empty()) return groups;
  for (std::size_t count = 0; count < groups_of_v6; ++count) {
    const std::size_t colon = text.find(':');
    const std::string_view group = text.substr(0, colon);
    if (const auto number = parse_number(group, 16, 4)) {
      if (!groups.add(*number)) return std::nullopt;
    } else {
      const auto v4 = parse_ipv4(group);
      if (!v4 || !may_end_in_ipv4 || colon != std::string_view::npos) return std::nullopt;
      const bool fits =
          groups.add(unsigned{(*v4)[0]} << 8 | (*v4)[1]) && groups.add(unsigned{(*v4)[2]} << 8 | (*v4)[3]);
      if (!fits) return std::nullopt;
    }
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
  }
  return std::nullopt;
}

std::optional<IpAddress> parse_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool has_gap = gap != std::string_view::npos;
  const auto before = parse_groups(text.substr(0, gap), !has_gap);
  const auto behind = parse_groups(has_gap ? text.substr(gap + 2) : std::string_view(), true);
  if (!before || !behind) return std::nullopt;
  IpAddress address;
  // "::" stands for one group at least.
  const std::size_t given = before->size + behind->size;
  if (has_gap ? given + 2 > address.bytes.size() : given != address.bytes.size()) return std::nullopt;
  const auto at = [](auto begin, std::size_t offset) { return begin + static_cast<std::ptrdiff_t>(offset); };
  std::copy(before->bytes.begin(), at(before->bytes.begin(), before->size), address.bytes.begin());
  std::copy(behind->bytes.begin(), at(behind->bytes.begin(), behind->size),
            at(address.bytes.begin(), address.bytes.size() - behind->size));
  return address;
}

constexpr IpNetwork v4_network(Ipv4 v4, unsigned prefix) noexcept {
  return {from_ipv4(v4), v4_offset + prefix};
}

constexpr IpNetwork v6_network(std::array<std::uint16_t, 4> first_groups, unsigned prefix) noexcept {
  IpNetwork network{{}, prefix};
  for (std::size_t i = 0; i < first_groups.size(); ++i) {
    network.address.bytes[2 * i] = static_cast<std::uint8_t>(first_groups[i] >> 8);
    network.address.bytes[2 * i + 1] = static_cast<std::uint8_t>(first_groups[i] & 0xff);
  }
  return network;
}

/// IANA's IPv4 special-purpose registry where it isn't "globally reachable", multicast and what is reserved.
constexpr std::array special_v4 = {
    v4_network({0, 0, 0, 0}, 8),         // this network, RFC 791
    v4_network({10, 0, 0, 0}, 8),        // private, RFC 1918
    v4_network({100, 64, 0, 0}, 10),     // shared by carriers (CGNAT), RFC 6598
    v4_network({127, 0, 0, 0}, 8),       // loopback, RFC 1122
    v4_network({168, 63, 129, 16}, 32),  // Azure's hosts and metadata, though of a public block
    v4_network({169, 254, 0, 0}, 16),    // link-local, RFC 3927; most clouds' metadata
    v4_network({172, 16, 0, 0}, 12),     // private, RFC 1918
    v4_network({192, 0, 0, 0}, 24),      // protocol assignments, RFC 6890; its anycast addresses are no receivers
    v4_network({192, 0, 2, 0}, 24),      // documentation, RFC 5737
    v4_network({192, 88, 99, 0}, 24),    // 6to4 relays, RFC 7526
    v4_network({192, 168, 0, 0}, 16),    // private, RFC 1918
    v4_network({198, 18, 0, 0}, 15),     // benchmarks, RFC 2544
    v4_network({198, 51, 100, 0}, 24),   // documentation, RFC 5737
    v4_network({203, 0, 113, 0}, 24),    // documentation, RFC 5737
    v4_network({224, 0, 0, 0}, 4),       // multicast, RFC 5771
    v4_network({240, 0, 0, 0}, 4),       // reserved, RFC 1112, and limited broadcast
};

constexpr IpNetwork global_unicast = v6_network({0x2000, 0, 0, 0}, 3);  // RFC 4291, all that is assigned
constexpr IpNetwork nat64 = v6_network({0x64, 0xff9b, 0, 0}, 96);       // RFC 6052
constexpr IpNetwork six_to_four = v6_network({0x2002, 0, 0, 0}, 16);    // RFC 3056

/// The same registry for IPv6, as far as it is of global_unicast.
constexpr std::array special_v6 = {
    v6_network({0x2001, 0, 0, 0}, 23),      // protocol assignments, RFC 2928: Teredo, benchmarks, ORCHID, …
    v6_network({0x2001, 0xdb8, 0, 0}, 32),  // documentation, RFC 3849
    v6_network({0x3fff, 0, 0, 0}, 20),      // documentation, RFC 9637
};

template <std::size_t count>
bool any_contains(const std::array<IpNetwork, count>& networks, const IpAddress& address) noexcept {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const IpNetwork& network) { return network.contains(address); });
}

/// The IPv4 address that stands in these bytes of an IPv6 one.
IpAddress embedded_ipv4(const IpAddress& address, std::size_t at) noexcept {
  return from_ipv4({address.bytes[at], address.bytes[at + 1], address.bytes[at + 2], address.bytes[at + 3]});
}

}  // namespace

bool IpAddress::is_ipv4() const noexcept {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_ipv6(text);
  const auto v4 = parse_ipv4(text);
  if (!v4) return std::nullopt;
  return from_ipv4(*v4);
}

bool IpNetwork::contains(const IpAddress& candidate) const noexcept {
  const std::size_t whole = prefix / 8;
  const auto end = address.bytes.begin() + static_cast<std::ptrdiff_t>(whole);
  if (!std::equal(address.bytes.begin(), end, candidate.bytes.begin())) return false;
  return prefix % 8 == 0 || (address.bytes[whole] ^ candidate.bytes[whole]) >> (8 - prefix % 8) == 0;
}

std::optional<IpNetwork> parse_ip_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string_view base = text.substr(0, slash);
  const auto address = parse_ip_address(base);
  if (!address) return std::nullopt;
  IpNetwork network{*address, 128};
  if (slash != std::string_view::npos) {
    // A network is written in its own family's bits.
    const unsigned offset = base.find(':') == std::string_view::npos ? v4_offset : 0;
    const auto bits = parse_number(text.substr(slash + 1), 10, 3);
    if (!bits || *bits > 128 - offset) return std::nullopt;
    network.prefix = offset + *bits;
  }
  for (unsigned bit = network.prefix; bit < 128; ++bit) {
    if ((network.address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return network;
}

bool is_public_address(const IpAddress& address) noexcept {
  if (address.is_ipv4()) return !any_contains(special_v4, address);
  if (nat64.contains(address)) return is_public_address(embedded_ipv4(address, 12));
  if (six_to_four.contains(address)) return is_public_address(embedded_ipv4(address, 2));
  return global_unicast.contains(address) && !any_contains(special_v6, address);
}

}  // namespace fluxora::core
