// Tokens: nothing is good that wasn't signed here, and what was signed here is read as it was written.
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/jwt.hpp"
#include "fuzzer/FuzzedDataProvider.h"
#include "require.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

constexpr core::UnixSeconds now = 1'774'000'000;
constexpr std::string_view good_header = R"({"alg":"HS256","typ":"JWT"})";

const core::HmacSha256Key& key() {
  static const core::HmacSha256Key held(core::as_bytes("a key of the fuzzer's own, 32 bytes or more"));
  return held;
}

std::string sign(std::string_view header, std::string_view payload) {
  std::string token =
      core::base64url_encode(core::as_bytes(header)) + "." + core::base64url_encode(core::as_bytes(payload));
  const core::Hash code = key().authenticate({core::as_bytes(token)});
  return token + "." + core::base64url_encode(code);
}

/// The JSON library as a second opinion; none where it has none, because it refuses numbers above a double's.
std::optional<nlohmann::json> second_opinion(std::string_view text) {
  constexpr std::size_t digits_of_a_double = 300;
  auto json = nlohmann::json::parse(text, nullptr, false);
  const bool may_be_too_large = text.size() > digits_of_a_double || text.find_first_of("eE") != std::string_view::npos;
  if (json.is_discarded() && may_be_too_large) return std::nullopt;
  return json;
}

void check_unsigned(std::string_view token) {
  require(!core::verify_jws(token, key()), "what wasn't signed is refused");
  require(!core::verify_jwt(token, key(), now), "what wasn't signed is refused");
}

/// Any payload that is signed is given again; its claims are read only from a JSON object.
void check_payload(std::string_view payload) {
  const std::string token = sign(good_header, payload);
  const auto read = core::verify_jws(token, key());
  if (!read) {
    require(read.error().code == core::ErrorCode::jwt_too_long, "a signed payload is refused for its length alone");
    return;
  }
  require(*read == payload, "a signed payload is given as it was signed");

  const auto claims = core::verify_jwt(token, key(), now);
  const auto json = second_opinion(payload);
  if (!json) return;
  if (claims) {
    require(json->is_object(), "claims are a JSON object");
    require(!claims->expires_at || now < *claims->expires_at, "an expired token is refused");
    require(!claims->not_before || now >= *claims->not_before, "a token of the future is refused");
    require(json->contains("exp") == claims->expires_at.has_value(), "exp is read where it is there");
    require(json->value("sub", std::string()) == claims->subject, "sub is read as it is written");
    for (const std::string& scope : claims->scopes) require(claims->has_scope(scope), "a scope that is there is found");
  } else if (!json->is_object()) {
    require(claims.error().code == core::ErrorCode::jwt_claims_invalid, "no claims without a JSON object");
  }
}

/// Whatever header is signed: only HS256 is taken.
void check_header(std::string_view header) {
  const auto read = core::verify_jws(sign(header, "{}"), key());
  if (!read) return;
  const auto json = second_opinion(header);
  if (!json) return;
  require(json->is_object() && json->value("alg", std::string()) == "HS256", "the algorithm is pinned");
  require(!json->contains("crit"), "a header that must be understood is refused");
}

/// One changed character anywhere, and a signed token is good no more.
void check_change(std::string_view payload, std::size_t place, char character) {
  std::string token = sign(good_header, payload);
  char& changed = token[place % token.size()];
  if (changed == character) return;
  changed = character;
  check_unsigned(token);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_unsigned(text);
  check_payload(text);
  check_header(text);
  FuzzedDataProvider input(data, size);
  const auto place = input.ConsumeIntegral<std::size_t>();
  const auto character = input.ConsumeIntegral<char>();
  check_change(input.ConsumeRemainingBytesAsString(), place, character);
  return 0;
}
