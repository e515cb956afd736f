#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/unix_time.hpp"

/// JSON Web Tokens in compact form (RFC 7515, RFC 7519, RFC 8725). HS256 is the only algorithm there is: a token's own
/// header can't choose another, and what it says of keys is ignored.
namespace fluxora::core {

inline constexpr std::size_t jwt_size_max = std::size_t{128} << 10;

/// The payload of a token whose signature is good. Three parts of base64url without padding, unused bits zero; the
/// header a JSON object without a duplicate name, `alg` "HS256", no `crit`.
/// Errors: jwt_too_long, jwt_malformed, jwt_algorithm_refused, jwt_signature_mismatch.
Result<std::string> verify_jws(std::string_view token, const HmacSha256Key& key);

struct JwtClaims {
  std::string subject;                    ///< `sub`, empty when there is none
  std::vector<std::string> scopes;        ///< `scope`, split at its spaces (RFC 8693 section 4.2)
  std::optional<UnixSeconds> expires_at;  ///< `exp`, rounded up: good while now is below it
  std::optional<UnixSeconds> not_before;  ///< `nbf`, rounded up: good from it on

  [[nodiscard]] bool has_scope(std::string_view name) const noexcept;
};

/// As verify_jws, and the claims, without leeway at `now`. A token without `exp` doesn't expire.
/// Errors: those of verify_jws; jwt_claims_invalid (no JSON object, a duplicate name at any depth, a claim of ours of
/// another type), jwt_expired, jwt_not_yet_valid.
Result<JwtClaims> verify_jwt(std::string_view token, const HmacSha256Key& key, UnixSeconds now);

}  // namespace fluxora::core
