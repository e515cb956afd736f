#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fluxora::core {

/// Everything that can go wrong in core. A code is stable: clients and tests compare it.
enum class ErrorCode : std::uint8_t {
  // Decimal text (SPEC section 1)
  decimal_invalid_type,    ///< not a JSON string; reported by callers that read JSON
  decimal_invalid_format,  ///< outside the grammar
  decimal_out_of_range,    ///< does not fit i128 base units, or more than 7 significant fraction digits
  decimal_empty_value,     ///< missing, empty or blank
  // Amount arithmetic
  amount_overflow,  ///< the exact result does not fit i128
  divide_by_zero,
  // Text encodings
  base64_invalid,
  hex_invalid,
  time_invalid,  ///< not an RFC 3339 UTC time, or outside 1970..9999
  // StrKey (SEP-23)
  strkey_invalid_length,
  strkey_invalid_character,
  strkey_not_canonical,  ///< unused trailing bits are set, or padding bytes are not zero
  strkey_unknown_version,
  strkey_invalid_checksum,
  strkey_invalid_payload,  ///< the payload contradicts its version byte
  // XDR (RFC 4506) and ScVal
  xdr_truncated,
  xdr_trailing_bytes,
  xdr_unknown_discriminant,
  xdr_invalid_value,  ///< a bool that is not 0 or 1, a symbol outside its alphabet, a null required pointer
  xdr_nonzero_padding,
  xdr_too_long,  ///< a length above the type's bound
  xdr_too_deep,  ///< nesting above the bound
  // Contract events and folding (SPEC section 3)
  event_payload_unreadable,  ///< a known topic whose payload has none of the known shapes
  fold_unknown_stream,       ///< the event is about a stream that is not held
  fold_duplicate_stream,     ///< a creation of a stream that is held already
  fold_overflow,             ///< an amount would leave i128
  observation_unreadable,    ///< a storage entry that is no stream of the contract's
  // Cursor (SPEC section 4)
  cursor_invalid,
  // Webhook signatures (SPEC section 8)
  webhook_secret_invalid,  ///< a key's text that doesn't decode
  webhook_id_invalid,      ///< a delivery id that can't be signed
  webhook_too_many_keys,
  // Tokens (RFC 7515, RFC 7519)
  jwt_too_long,
  jwt_malformed,  ///< not three parts of strict base64url, or a header that isn't a JSON object
  jwt_algorithm_refused,
  jwt_signature_mismatch,
  jwt_claims_invalid,  ///< the payload is no JSON object, has a duplicate name, or a claim of another type
  jwt_expired,
  jwt_not_yet_valid,
  // Settings that core reads
  retry_schedule_invalid,
};

/// The last of them, for who goes through all.
inline constexpr ErrorCode last_error_code = ErrorCode::retry_schedule_invalid;

/// The code as clients see it, for example "DECIMAL_INVALID_FORMAT".
[[nodiscard]] std::string_view error_name(ErrorCode code) noexcept;

/// One plain sentence for people, without the input in it.
[[nodiscard]] std::string_view error_message(ErrorCode code) noexcept;

/// An error value. `offset` is the input byte at which it was noticed, 0 where that says nothing.
struct Error {
  ErrorCode code;
  std::size_t offset = 0;

  friend bool operator==(const Error&, const Error&) = default;
};

}  // namespace fluxora::core
