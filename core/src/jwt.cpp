#include "fluxora/core/jwt.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "fluxora/core/bytes.hpp"
#include "json_reader.hpp"

namespace fluxora::core {
namespace {

/// Header, payload and signature of `header.payload.signature`.
std::optional<std::array<std::string_view, 3>> split_token(std::string_view token) noexcept {
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == last || token.find('.', first + 1) != last) return std::nullopt;
  return std::array{token.substr(0, first), token.substr(first + 1, last - first - 1), token.substr(last + 1)};
}

Result<std::string> decode_text(std::string_view encoded) {
  const auto bytes = base64url_decode(encoded);
  if (!bytes) return ErrorCode::jwt_malformed;
  return std::string(bytes->begin(), bytes->end());
}

/// Everything else that a header may say (jku, jwk, kid, typ, …) has no say here.
Result<bool> check_header(std::string_view encoded) {
  const auto text = decode_text(encoded);
  if (!text) return text.error();
  const auto header = read_json_object(*text);
  if (!header) return ErrorCode::jwt_malformed;
  // Extensions that must be understood (RFC 7515 section 4.1.11): there are none that are.
  if (find_member(*header, "crit") != nullptr) return ErrorCode::jwt_malformed;
  const JsonMember* algorithm = find_member(*header, "alg");
  if (algorithm == nullptr || algorithm->kind != JsonKind::string || algorithm->value != "HS256") {
    return ErrorCode::jwt_algorithm_refused;
  }
  return true;
}

/// value * 10 + digit, or the largest number.
UnixSeconds append_digit(UnixSeconds value, UnixSeconds digit) noexcept {
  constexpr UnixSeconds largest = std::numeric_limits<UnixSeconds>::max();
  return value > (largest - digit) / 10 ? largest : value * 10 + digit;
}

/// A JSON number's exponent; one that is far beyond any number of digits, as that.
std::int64_t read_exponent(std::string_view text) noexcept {
  constexpr std::int64_t far = 1'000'000;
  const bool negative = text.front() == '-';
  if (negative || text.front() == '+') text.remove_prefix(1);
  std::int64_t exponent = 0;
  for (const char c : text) exponent = std::min(exponent * 10 + (c - '0'), far);
  return negative ? -exponent : exponent;
}
static_assert(jwt_size_max < 1'000'000);

/// A NumericDate (RFC 7519 section 2) as JSON writes it, rounded up; below 0 as 0, too large as the largest.
/// No time is below either of 0 and a negative number, and every time is at or past both.
UnixSeconds round_up(std::string_view number) noexcept {
  if (number.front() == '-') return 0;
  const std::size_t mark = std::min(number.find_first_of("eE"), number.size());
  const std::string_view mantissa = number.substr(0, mark);
  auto whole_digits = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  if (mark < number.size()) whole_digits += read_exponent(number.substr(mark + 1));

  UnixSeconds seconds = 0;
  bool fraction = false;
  for (const char c : mantissa) {
    if (c == '.') continue;
    if (whole_digits > 0) {
      seconds = append_digit(seconds, static_cast<UnixSeconds>(c - '0'));
    } else {
      fraction = fraction || c != '0';
    }
    --whole_digits;
  }
  constexpr UnixSeconds largest = std::numeric_limits<UnixSeconds>::max();
  for (; whole_digits > 0 && seconds != 0 && seconds != largest; --whole_digits) seconds = append_digit(seconds, 0);
  return fraction && seconds != largest ? seconds + 1 : seconds;
}

/// False where the claim has another type.
bool read_date(const JsonMember* claim, std::optional<UnixSeconds>& date) noexcept {
  if (claim == nullptr) return true;
  if (claim->kind != JsonKind::number) return false;
  date = round_up(claim->value);
  return true;
}

bool read_string(const JsonMember* claim, std::string& value) {
  if (claim == nullptr) return true;
  value = claim->value;
  return claim->kind == JsonKind::string;
}

std::vector<std::string> split_scopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find(' '), text.size());
    if (size > 0) scopes.emplace_back(text.substr(0, size));
    text.remove_prefix(std::min(size + 1, text.size()));
  }
  return scopes;
}

}  // namespace

bool JwtClaims::has_scope(std::string_view name) const noexcept {
  return std::find(scopes.begin(), scopes.end(), name) != scopes.end();
}

Result<std::string> verify_jws(std::string_view token, const HmacSha256Key& key) {
  if (token.size() > jwt_size_max) return ErrorCode::jwt_too_long;
  const auto parts = split_token(token);
  if (!parts) return ErrorCode::jwt_malformed;
  const auto [header, payload, encoded_signature] = *parts;
  if (const auto checked = check_header(header); !checked) return checked.error();
  const auto signature = base64url_decode(encoded_signature);
  if (!signature) return ErrorCode::jwt_malformed;
  const Hash expected = key.authenticate({as_bytes(header), as_bytes("."), as_bytes(payload)});
  if (!equal_in_constant_time(*signature, expected)) return ErrorCode::jwt_signature_mismatch;
  return decode_text(payload);
}

Result<JwtClaims> verify_jwt(std::string_view token, const HmacSha256Key& key, UnixSeconds now) {
  const auto payload = verify_jws(token, key);
  if (!payload) return payload.error();
  const auto members = read_json_object(*payload);
  if (!members) return ErrorCode::jwt_claims_invalid;

  JwtClaims claims;
  std::string scope;
  if (!read_string(find_member(*members, "sub"), claims.subject) ||
      !read_string(find_member(*members, "scope"), scope) ||
      !read_date(find_member(*members, "exp"), claims.expires_at) ||
      !read_date(find_member(*members, "nbf"), claims.not_before)) {
    return ErrorCode::jwt_claims_invalid;
  }
  claims.scopes = split_scopes(scope);
  if (claims.expires_at && now >= *claims.expires_at) return ErrorCode::jwt_expired;
  if (claims.not_before && now < *claims.not_before) return ErrorCode::jwt_not_yet_valid;
  return claims;
}

}  // namespace fluxora::core
