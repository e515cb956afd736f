#include "fluxora/core/strkey.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace fluxora::core {
namespace {

constexpr std::string_view base32_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::size_t key_size = 32;
constexpr std::size_t muxed_size = 40;              // key and id
constexpr std::size_t claimable_balance_size = 33;  // type byte and hash
constexpr std::size_t signed_payload_head = 36;     // key and length
constexpr std::size_t signed_payload_min = signed_payload_head + 4;
constexpr std::size_t signed_payload_max = signed_payload_head + 64;
constexpr std::size_t checksum_size = 2;
constexpr std::size_t max_raw_size = 1 + signed_payload_max + checksum_size;
constexpr std::size_t max_text_size = (max_raw_size * 8 + 4) / 5;

/// CRC16-XModem: polynomial 0x1021, initial value 0, not reflected. Bit by bit: the keys are short, and a table would
/// be larger than most of what this file does.
std::uint16_t crc16(ByteView bytes) noexcept {
  std::uint32_t crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc ^= static_cast<std::uint32_t>(byte) << 8;
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 0x8000u) != 0 ? (crc << 1) ^ 0x1021u : crc << 1;
    crc &= 0xffffu;
  }
  return static_cast<std::uint16_t>(crc);
}

int base32_value(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

bool is_known(std::uint8_t version) noexcept {
  switch (static_cast<StrKeyVersion>(version)) {
    case StrKeyVersion::account:
    case StrKeyVersion::seed:
    case StrKeyVersion::muxed_account:
    case StrKeyVersion::pre_auth_tx:
    case StrKeyVersion::hash_x:
    case StrKeyVersion::signed_payload:
    case StrKeyVersion::contract:
    case StrKeyVersion::liquidity_pool:
    case StrKeyVersion::claimable_balance: return true;
  }
  return false;
}

bool size_fits(StrKeyVersion version, std::size_t size) noexcept {
  switch (version) {
    case StrKeyVersion::muxed_account: return size == muxed_size;
    case StrKeyVersion::claimable_balance: return size == claimable_balance_size;
    case StrKeyVersion::signed_payload:
      return size >= signed_payload_min && size <= signed_payload_max && size % 4 == 0;
    case StrKeyVersion::account:
    case StrKeyVersion::seed:
    case StrKeyVersion::pre_auth_tx:
    case StrKeyVersion::hash_x:
    case StrKeyVersion::contract:
    case StrKeyVersion::liquidity_pool: return size == key_size;
  }
  return false;
}

/// What a payload of a fitting size has wrong by its version's own rules; none where nothing is.
std::optional<ErrorCode> content_error(StrKeyVersion version, ByteView payload) noexcept {
  if (version == StrKeyVersion::claimable_balance && payload[0] != 0) return ErrorCode::strkey_invalid_payload;
  if (version == StrKeyVersion::signed_payload) {
    std::uint32_t length = 0;
    for (std::size_t i = key_size; i < signed_payload_head; ++i) length = length << 8 | payload[i];
    const std::size_t padded = payload.size() - signed_payload_head;  // 4..64
    if (length > padded || length + 4 <= padded) return ErrorCode::strkey_invalid_payload;
    for (const std::uint8_t byte : payload.subspan(signed_payload_head + length)) {
      if (byte != 0) return ErrorCode::strkey_not_canonical;
    }
  }
  return std::nullopt;
}

/// Version byte, payload and checksum, decoded in place: no allocation.
struct Decoded {
  std::array<std::uint8_t, max_raw_size> raw;
  std::size_t size;

  [[nodiscard]] StrKeyVersion version() const noexcept { return static_cast<StrKeyVersion>(raw[0]); }
  [[nodiscard]] ByteView payload() const noexcept { return ByteView(raw).subspan(1, size - 1 - checksum_size); }
};

Result<Decoded> decode(std::string_view text) {
  const std::size_t tail = text.size() % 8;
  // 1, 3 or 6 characters in the last group can't be a whole number of bytes.
  if (text.empty() || text.size() > max_text_size || tail == 1 || tail == 3 || tail == 6) {
    return Error{ErrorCode::strkey_invalid_length, std::min(text.size(), max_text_size)};
  }
  Decoded decoded{};
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int value = base32_value(text[i]);
    if (value < 0) return Error{ErrorCode::strkey_invalid_character, i};
    bits = (bits << 5 | static_cast<std::uint32_t>(value)) & 0xfffu;
    bit_count += 5;
    if (bit_count >= 8) {
      bit_count -= 8;
      decoded.raw[decoded.size++] = static_cast<std::uint8_t>(bits >> bit_count);
    }
  }
  if ((bits & ((1u << bit_count) - 1u)) != 0) return Error{ErrorCode::strkey_not_canonical, text.size() - 1};
  if (!is_known(decoded.raw[0])) return ErrorCode::strkey_unknown_version;
  if (decoded.size < 1 + checksum_size || !size_fits(decoded.version(), decoded.payload().size())) {
    return Error{ErrorCode::strkey_invalid_length, text.size()};
  }
  // SEP-23 puts the checksum in little-endian order.
  const std::size_t body = decoded.size - checksum_size;
  const std::uint16_t checksum = crc16(ByteView(decoded.raw).first(body));
  if (decoded.raw[body] != (checksum & 0xffu) || decoded.raw[body + 1] != checksum >> 8) {
    return ErrorCode::strkey_invalid_checksum;
  }
  if (const auto wrong = content_error(decoded.version(), decoded.payload())) return *wrong;
  return decoded;
}

}  // namespace

Result<StrKey> decode_strkey(std::string_view text) {
  const Result<Decoded> decoded = decode(text);
  if (!decoded) return decoded.error();
  const ByteView payload = decoded->payload();
  return StrKey{decoded->version(), Bytes(payload.begin(), payload.end())};
}

Result<std::string> encode_strkey(StrKeyVersion version, ByteView payload) {
  if (!size_fits(version, payload.size()) || content_error(version, payload)) {
    return ErrorCode::strkey_invalid_payload;
  }
  std::array<std::uint8_t, max_raw_size> raw{};
  raw[0] = static_cast<std::uint8_t>(version);
  std::copy(payload.begin(), payload.end(), raw.begin() + 1);
  const std::size_t body = 1 + payload.size();
  const std::uint16_t checksum = crc16(ByteView(raw).first(body));
  raw[body] = static_cast<std::uint8_t>(checksum & 0xffu);
  raw[body + 1] = static_cast<std::uint8_t>(checksum >> 8);

  const std::size_t size = body + checksum_size;
  std::string text;
  text.reserve((size * 8 + 4) / 5);
  std::uint32_t bits = 0;
  unsigned bit_count = 0;
  for (std::size_t i = 0; i < size; ++i) {
    bits = (bits << 8 | raw[i]) & 0xfffu;
    bit_count += 8;
    while (bit_count >= 5) {
      bit_count -= 5;
      text.push_back(base32_digits[bits >> bit_count & 31u]);
    }
  }
  if (bit_count > 0) text.push_back(base32_digits[bits << (5 - bit_count) & 31u]);
  return text;
}

bool is_stream_party(std::string_view text) {
  const Result<Decoded> decoded = decode(text);
  return decoded && (decoded->version() == StrKeyVersion::account || decoded->version() == StrKeyVersion::contract);
}

bool is_contract_id(std::string_view text) {
  const Result<Decoded> decoded = decode(text);
  return decoded && decoded->version() == StrKeyVersion::contract;
}

}  // namespace fluxora::core
