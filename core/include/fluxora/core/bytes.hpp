#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/result.hpp"

namespace fluxora::core {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

/// A 32-byte hash: a ledger's, a transaction's, a contract's.
using Hash = std::array<std::uint8_t, 32>;

/// The bytes of a string, as they are.
[[nodiscard]] inline ByteView as_bytes(std::string_view text) noexcept {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Lower-case hexadecimal.
[[nodiscard]] std::string hex_encode(ByteView bytes);

/// Reads hexadecimal of either case. Errors: hex_invalid (odd length, other characters).
Result<Bytes> hex_decode(std::string_view text);

/// Reads exactly 64 hexadecimal characters. Errors: hex_invalid.
Result<Hash> hash_from_hex(std::string_view text);

/// Base64 with padding (RFC 4648 section 4).
[[nodiscard]] std::string base64_encode(ByteView bytes);

/// Reads base64 strictly: padding required, no white space, unused bits zero. Errors: base64_invalid.
Result<Bytes> base64_decode(std::string_view text);

/// The bytes that base64_decode_exactly() would write for the text; 0 where its length can't be right.
[[nodiscard]] std::size_t base64_decoded_size(std::string_view text) noexcept;

/// As base64_decode, into memory of the caller's. False where the text isn't base64 of exactly `out.size()` bytes;
/// some of `out` may have been written then.
[[nodiscard]] bool base64_decode_exactly(std::string_view text, std::span<std::uint8_t> out) noexcept;

/// Base64url without padding (RFC 4648 section 5, RFC 7515 section 2).
[[nodiscard]] std::string base64url_encode(ByteView bytes);

/// Reads base64url strictly: no padding, no white space, unused bits zero. Errors: base64_invalid.
Result<Bytes> base64url_decode(std::string_view text);

}  // namespace fluxora::core
