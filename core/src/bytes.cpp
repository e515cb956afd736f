#include "fluxora/core/bytes.hpp"

#include <algorithm>
#include <optional>

namespace fluxora::core {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::uint8_t hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return no_digit;
}

constexpr std::array<std::uint8_t, 256> make_base64_values() noexcept {
  std::array<std::uint8_t, 256> values{};
  for (auto& value : values) value = no_digit;
  for (std::size_t i = 0; i < base64_digits.size(); ++i) {
    values[static_cast<std::uint8_t>(base64_digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> base64_values = make_base64_values();

std::uint8_t base64_value(char c) noexcept {
  return base64_values[static_cast<std::uint8_t>(c)];
}

/// Reads text of an even length into `out`. Gives the place of the first character that is no digit, or none.
std::optional<std::size_t> hex_decode_into(std::string_view text, std::uint8_t* out) noexcept {
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::uint8_t high = hex_value(text[i]);
    const std::uint8_t low = hex_value(text[i + 1]);
    if (high == no_digit) return i;
    if (low == no_digit) return i + 1;
    out[i / 2] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return std::nullopt;
}

}  // namespace

std::string hex_encode(ByteView bytes) {
  std::string text(bytes.size() * 2, '\0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    text[2 * i] = hex_digits[bytes[i] >> 4];
    text[2 * i + 1] = hex_digits[bytes[i] & 0x0f];
  }
  return text;
}

Result<Bytes> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return Error{ErrorCode::hex_invalid, text.size()};
  Bytes bytes(text.size() / 2);
  if (const auto bad = hex_decode_into(text, bytes.data())) return Error{ErrorCode::hex_invalid, *bad};
  return bytes;
}

Result<Hash> hash_from_hex(std::string_view text) {
  Hash hash{};
  if (text.size() != hash.size() * 2) return Error{ErrorCode::hex_invalid, std::min(text.size(), hash.size() * 2)};
  if (const auto bad = hex_decode_into(text, hash.data())) return Error{ErrorCode::hex_invalid, *bad};
  return hash;
}

std::string base64_encode(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; bytes.size() - i >= 3; i += 3) {
    const std::uint32_t group =
        static_cast<std::uint32_t>(bytes[i]) << 16 | static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text.push_back(base64_digits[group >> shift & 63]);
  }
  if (const std::size_t left = bytes.size() - i; left > 0) {
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
    if (left == 2) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
    text.push_back(base64_digits[group >> 18 & 63]);
    text.push_back(base64_digits[group >> 12 & 63]);
    text.push_back(left == 2 ? base64_digits[group >> 6 & 63] : '=');
    text.push_back('=');
  }
  return text;
}

Result<Bytes> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return Error{ErrorCode::base64_invalid, text.size()};
  if (text.empty()) return Bytes{};
  const std::size_t padding = text.back() != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  const std::size_t digits = text.size() - padding;

  Bytes bytes;
  bytes.reserve(digits / 4 * 3 + 2);
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint8_t value = base64_value(text[i]);
    if (value == no_digit) return Error{ErrorCode::base64_invalid, i};
    group = group << 6 | value;
    if (i % 4 == 3) {
      bytes.push_back(static_cast<std::uint8_t>(group >> 16));
      bytes.push_back(static_cast<std::uint8_t>(group >> 8));
      bytes.push_back(static_cast<std::uint8_t>(group));
      group = 0;
    }
  }
  // With padding the last group has 12 or 18 bits of which 8 or 16 count; the others must be zero.
  if (padding == 1) {
    if ((group & 0x3u) != 0) return Error{ErrorCode::base64_invalid, digits - 1};
    bytes.push_back(static_cast<std::uint8_t>(group >> 10));
    bytes.push_back(static_cast<std::uint8_t>(group >> 2));
  } else if (padding == 2) {
    if ((group & 0xfu) != 0) return Error{ErrorCode::base64_invalid, digits - 1};
    bytes.push_back(static_cast<std::uint8_t>(group >> 4));
  }
  return bytes;
}

}  // namespace fluxora::core
