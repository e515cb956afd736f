#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// What a StrKey stands for. The values are SEP-23's version bytes.
enum class StrKeyVersion : std::uint8_t {
  account = 6 << 3,            ///< G: ed25519 public key, 32 bytes
  seed = 18 << 3,              ///< S: ed25519 secret seed, 32 bytes
  muxed_account = 12 << 3,     ///< M: key and u64 id, 40 bytes
  pre_auth_tx = 19 << 3,       ///< T: 32 bytes
  hash_x = 23 << 3,            ///< X: 32 bytes
  signed_payload = 15 << 3,    ///< P: key, length and padded payload
  contract = 2 << 3,           ///< C: 32 bytes
  liquidity_pool = 11 << 3,    ///< L: 32 bytes
  claimable_balance = 1 << 3,  ///< B: type byte 0 and 32 bytes
};

struct StrKey {
  StrKeyVersion version;
  Bytes payload;

  friend bool operator==(const StrKey&, const StrKey&) = default;
};

/// Decodes a StrKey by SEP-23: canonical base32 without padding, version byte, CRC16-XModem, payload rules.
/// Errors: strkey_invalid_length, strkey_invalid_character, strkey_not_canonical, strkey_unknown_version,
/// strkey_invalid_checksum, strkey_invalid_payload.
Result<StrKey> decode_strkey(std::string_view text);

/// The text of a key. Errors: strkey_invalid_payload (a payload that its version doesn't allow).
Result<std::string> encode_strkey(StrKeyVersion version, ByteView payload);

/// True for what may send or receive a stream: a valid G… or C… address. SPEC section 2.
[[nodiscard]] bool is_stream_party(std::string_view text);

/// True for a valid C… address.
[[nodiscard]] bool is_contract_id(std::string_view text);

}  // namespace fluxora::core
