#include "fluxora/core/error.hpp"

namespace fluxora::core {
namespace {

struct ErrorText {
  std::string_view name;
  std::string_view message;
};

// A switch without a default: the compiler names the code that was forgotten here.
ErrorText text_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::decimal_invalid_type: return {"DECIMAL_INVALID_TYPE", "An amount must be a JSON string."};
    case ErrorCode::decimal_invalid_format:
      return {"DECIMAL_INVALID_FORMAT",
              "An amount must be plain decimal digits, such as 12.5, in at most 64 characters."};
    case ErrorCode::decimal_out_of_range:
      return {"DECIMAL_OUT_OF_RANGE", "The amount is too large, or has more than 7 decimals."};
    case ErrorCode::decimal_empty_value: return {"DECIMAL_EMPTY_VALUE", "An amount is missing or empty."};
    case ErrorCode::amount_overflow: return {"AMOUNT_OVERFLOW", "The result does not fit a 128-bit amount."};
    case ErrorCode::divide_by_zero: return {"DIVIDE_BY_ZERO", "The divisor is zero."};
    case ErrorCode::base64_invalid: return {"BASE64_INVALID", "The text is not canonical base64 with padding."};
    case ErrorCode::hex_invalid: return {"HEX_INVALID", "The text is not hexadecimal of the right length."};
    case ErrorCode::time_invalid:
      return {"TIME_INVALID", "The time is not of the form, or not within the range, that is taken."};
    case ErrorCode::strkey_invalid_length: return {"STRKEY_INVALID_LENGTH", "The address has the wrong length."};
    case ErrorCode::strkey_invalid_character:
      return {"STRKEY_INVALID_CHARACTER", "The address has a character outside upper-case base32."};
    case ErrorCode::strkey_not_canonical:
      return {"STRKEY_NOT_CANONICAL", "The address sets bits that its encoding does not use."};
    case ErrorCode::strkey_unknown_version:
      return {"STRKEY_UNKNOWN_VERSION", "The address does not begin with a known version."};
    case ErrorCode::strkey_invalid_checksum:
      return {"STRKEY_INVALID_CHECKSUM", "The checksum of the address is wrong."};
    case ErrorCode::strkey_invalid_payload:
      return {"STRKEY_INVALID_PAYLOAD", "The content of the address does not fit its kind."};
    case ErrorCode::xdr_truncated: return {"XDR_TRUNCATED", "The XDR ends before its value does."};
    case ErrorCode::xdr_trailing_bytes: return {"XDR_TRAILING_BYTES", "The XDR goes on after its value."};
    case ErrorCode::xdr_unknown_discriminant:
      return {"XDR_UNKNOWN_DISCRIMINANT", "The XDR names a union arm that is not known."};
    case ErrorCode::xdr_invalid_value: return {"XDR_INVALID_VALUE", "The XDR holds a value outside its type."};
    case ErrorCode::xdr_nonzero_padding: return {"XDR_NONZERO_PADDING", "The padding of the XDR is not zero."};
    case ErrorCode::xdr_too_long: return {"XDR_TOO_LONG", "The XDR holds a length above its bound."};
    case ErrorCode::xdr_too_deep: return {"XDR_TOO_DEEP", "The XDR is nested too deeply."};
    case ErrorCode::event_payload_unreadable:
      return {"EVENT_PAYLOAD_UNREADABLE", "The payload of the event has none of the known shapes."};
    case ErrorCode::fold_unknown_stream:
      return {"FOLD_UNKNOWN_STREAM", "The event is about a stream that is not held."};
    case ErrorCode::fold_duplicate_stream:
      return {"FOLD_DUPLICATE_STREAM", "The event creates a stream that is held already."};
    case ErrorCode::fold_overflow: return {"FOLD_OVERFLOW", "The event would take an amount out of its range."};
    case ErrorCode::observation_unreadable:
      return {"OBSERVATION_UNREADABLE", "The storage entry is not a stream of the contract's."};
    case ErrorCode::cursor_invalid: return {"CURSOR_INVALID", "The cursor is not one of this service's."};
    case ErrorCode::webhook_secret_invalid:
      return {"WEBHOOK_SECRET_INVALID", "The webhook secret or key is not its prefix and base64."};
    case ErrorCode::webhook_id_invalid:
      return {"WEBHOOK_ID_INVALID", "A delivery id is 1 to 256 printable ASCII characters without a dot or a space."};
    case ErrorCode::webhook_too_many_keys: return {"WEBHOOK_TOO_MANY_KEYS", "A verifier holds at most 16 keys."};
    case ErrorCode::jwt_too_long: return {"JWT_TOO_LONG", "The token is longer than 128 KiB."};
    case ErrorCode::jwt_malformed: return {"JWT_MALFORMED", "The token is not a signed token in compact form."};
    case ErrorCode::jwt_algorithm_refused: return {"JWT_ALGORITHM_REFUSED", "The token is not signed with HS256."};
    case ErrorCode::jwt_signature_mismatch: return {"JWT_SIGNATURE_MISMATCH", "The token's signature is wrong."};
    case ErrorCode::jwt_claims_invalid: return {"JWT_CLAIMS_INVALID", "The token's claims can't be read."};
    case ErrorCode::jwt_expired: return {"JWT_EXPIRED", "The token has expired."};
    case ErrorCode::jwt_not_yet_valid: return {"JWT_NOT_YET_VALID", "The token is not valid yet."};
    case ErrorCode::retry_schedule_invalid:
      return {"RETRY_SCHEDULE_INVALID", "A retry schedule is 1 to 32 pauses such as 5s,5m,2h, of at most 7 days."};
  }
  // Only a number that was cast to an ErrorCode comes here.
  return {"UNKNOWN_ERROR", "An unknown error."};
}

}  // namespace

std::string_view error_name(ErrorCode code) noexcept {
  return text_of(code).name;
}

std::string_view error_message(ErrorCode code) noexcept {
  return text_of(code).message;
}

}  // namespace fluxora::core
