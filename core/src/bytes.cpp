#include "fluxora/core/bytes.hpp"

#include <algorithm>
#include <optional>

namespace fluxora::core {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view base64url_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t no_digit = 0xff;

constexpr std::uint8_t hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return no_digit;
}

using DigitValues = std::array<std::uint8_t, 256>;

constexpr DigitValues make_digit_values(std::string_view digits) noexcept {
  DigitValues values{};
  for (auto& value : values) value = no_digit;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr DigitValues base64_values = make_digit_values(base64_digits);
constexpr DigitValues base64url_values = make_digit_values(base64url_digits);

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

/// Digits without padding: the last group has one digit more than it has bytes.
std::string encode_digits(ByteView bytes, std::string_view alphabet) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; bytes.size() - i >= 3; i += 3) {
    const std::uint32_t group =
        static_cast<std::uint32_t>(bytes[i]) << 16 | static_cast<std::uint32_t>(bytes[i + 1]) << 8 | bytes[i + 2];
    for (int shift = 18; shift >= 0; shift -= 6) text.push_back(alphabet[group >> shift & 63]);
  }
  if (const std::size_t left = bytes.size() - i; left > 0) {
    std::uint32_t group = static_cast<std::uint32_t>(bytes[i]) << 16;
    if (left == 2) group |= static_cast<std::uint32_t>(bytes[i + 1]) << 8;
    text.push_back(alphabet[group >> 18 & 63]);
    text.push_back(alphabet[group >> 12 & 63]);
    if (left == 2) text.push_back(alphabet[group >> 6 & 63]);
  }
  return text;
}

/// The bytes that so many digits make.
constexpr std::size_t decoded_size(std::size_t digits) noexcept {
  return digits / 4 * 3 + digits % 4 * 3 / 4;
}

/// Reads digits without padding into `out`, which has room for decoded_size(). Gives the place of the first that is
/// none, or that sets bits no byte uses, or none.
std::optional<std::size_t> decode_digits(std::string_view digits, const DigitValues& values,
                                         std::uint8_t* out) noexcept {
  std::uint32_t group = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const std::uint8_t value = values[static_cast<std::uint8_t>(digits[i])];
    if (value == no_digit) return i;
    group = group << 6 | value;
    if (i % 4 == 3) {
      *out++ = static_cast<std::uint8_t>(group >> 16);
      *out++ = static_cast<std::uint8_t>(group >> 8);
      *out++ = static_cast<std::uint8_t>(group);
      group = 0;
    }
  }
  // The last group may have 12 or 18 bits of which 8 or 16 count; the others must be zero. 6 bits make no byte.
  const std::size_t left = digits.size() % 4;
  if (left == 1 || (left == 2 && (group & 0xfu) != 0) || (left == 3 && (group & 0x3u) != 0)) return digits.size() - 1;
  if (left == 2) *out = static_cast<std::uint8_t>(group >> 4);
  if (left == 3) {
    *out++ = static_cast<std::uint8_t>(group >> 10);
    *out = static_cast<std::uint8_t>(group >> 2);
  }
  return std::nullopt;
}

/// Base64 without its padding; none where the length can't be right.
std::optional<std::string_view> without_padding(std::string_view text) noexcept {
  if (text.size() % 4 != 0) return std::nullopt;
  for (int i = 0; i < 2 && !text.empty() && text.back() == '='; ++i) text.remove_suffix(1);
  return text;
}

Result<Bytes> decode_to_bytes(std::string_view digits, const DigitValues& values) {
  Bytes bytes(decoded_size(digits.size()));
  if (const auto bad = decode_digits(digits, values, bytes.data())) return Error{ErrorCode::base64_invalid, *bad};
  return bytes;
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
  std::string text = encode_digits(bytes, base64_digits);
  while (text.size() % 4 != 0) text.push_back('=');
  return text;
}

Result<Bytes> base64_decode(std::string_view text) {
  const auto digits = without_padding(text);
  if (!digits) return Error{ErrorCode::base64_invalid, text.size()};
  return decode_to_bytes(*digits, base64_values);
}

std::size_t base64_decoded_size(std::string_view text) noexcept {
  const auto digits = without_padding(text);
  return digits ? decoded_size(digits->size()) : 0;
}

bool base64_decode_exactly(std::string_view text, std::span<std::uint8_t> out) noexcept {
  const auto digits = without_padding(text);
  return digits && decoded_size(digits->size()) == out.size() && !decode_digits(*digits, base64_values, out.data());
}

std::string base64url_encode(ByteView bytes) {
  return encode_digits(bytes, base64url_digits);
}

Result<Bytes> base64url_decode(std::string_view text) {
  return decode_to_bytes(text, base64url_values);
}

}  // namespace fluxora::core
