#include "fluxora/api/client_address.hpp"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

namespace fluxora::api {
namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t max_address_length = 45;

bool is_v4(const std::array<std::uint8_t, 16>& bytes) {
  return std::equal(v4_prefix.begin(), v4_prefix.end(), bytes.begin());
}

/// Whether the first `bits` bits agree.
bool same_prefix(const std::array<std::uint8_t, 16>& a, const std::array<std::uint8_t, 16>& b, unsigned bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) return false;
  return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

}  // namespace

std::optional<TrustedProxies::Address> TrustedProxies::parse_address(std::string_view text) {
  if (text.size() > max_address_length) return std::nullopt;
  const std::string terminated(text);
  Address address;
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes.data()) == 1) return address;
  in_addr v4{};
  if (inet_pton(AF_INET, terminated.c_str(), &v4) != 1) return std::nullopt;
  std::copy(v4_prefix.begin(), v4_prefix.end(), address.bytes.begin());
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&v4.s_addr);
  std::copy(bytes, bytes + sizeof v4.s_addr, address.bytes.begin() + v4_prefix.size());
  return address;
}

std::optional<TrustedProxies::Block> TrustedProxies::parse_block(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return std::nullopt;
  // A block is written in its own family's bits.
  const unsigned offset = text.find(':') == std::string_view::npos ? 96 : 0;
  Block block{*address, 128};
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    const bool plain = digits.size() == 1 || (!digits.empty() && digits.front() != '0');
    if (!plain || error != std::errc{} || end != digits.data() + digits.size() || bits > 128 - offset) {
      return std::nullopt;
    }
    block.prefix_bits = offset + bits;
  }
  for (unsigned bit = block.prefix_bits; bit < 128; ++bit) {
    if ((block.address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return block;
}

std::optional<TrustedProxies> TrustedProxies::parse(std::string_view text, std::string& wrong) {
  TrustedProxies proxies;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string_view item = net::trim_white_space(text.substr(from, comma - from));
    const auto block = parse_block(item);
    if (!block) {
      wrong = item;
      return std::nullopt;
    }
    proxies.blocks_.push_back(*block);
    from = comma + 1;
  }
  return proxies;
}

std::string TrustedProxies::text_of(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool v4 = is_v4(address.bytes);
  inet_ntop(v4 ? AF_INET : AF_INET6, address.bytes.data() + (v4 ? v4_prefix.size() : 0), text.data(), text.size());
  return text.data();
}

bool TrustedProxies::trusts(const Address& address) const noexcept {
  return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) {
    return same_prefix(block.address.bytes, address.bytes, block.prefix_bits);
  });
}

bool TrustedProxies::trusts(std::string_view peer) const {
  const auto address = parse_address(peer);
  return address && trusts(*address);
}

std::string TrustedProxies::client_address(const std::string& peer, const net::Request& request) const {
  const auto from = parse_address(peer);
  if (!from || !trusts(*from)) return peer;
  Address client = *from;
  // Several fields are one list (RFC 9110 section 5.3), and each proxy adds at its end.
  for (auto field = request.headers.rbegin(); field != request.headers.rend(); ++field) {
    if (!net::equal_ignoring_case(field->first, "X-Forwarded-For")) continue;
    std::string_view list = field->second;
    while (true) {
      const std::size_t comma = list.rfind(',');
      const std::size_t begin = comma == std::string_view::npos ? 0 : comma + 1;
      const auto hop = parse_address(net::trim_white_space(list.substr(begin)));
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
