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

}  // namespace fluxora::core
