#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/ports/random.hpp"

namespace fluxora::api {

/// An API key as its holder has it: `flx_<id>_<secret>`. The id (16 hexadecimal digits) says which key it is, for
/// lists, logs and whoever finds one somewhere; the secret is base64url of 32 random bytes, and only its SHA-256 is
/// kept.
struct ApiKeyText {
  std::string id;
  std::string secret;

  [[nodiscard]] std::string text() const;
  [[nodiscard]] core::Hash secret_hash() const;
};

[[nodiscard]] ApiKeyText make_api_key(ports::Random& random);
/// None where the text hasn't a key's form.
[[nodiscard]] std::optional<ApiKeyText> parse_api_key(std::string_view text);
[[nodiscard]] bool is_api_key_id(std::string_view text) noexcept;

/// The text without the secrets of API keys and of webhooks (`whsec_`, `whsk_`), and without what comes behind `eyJ` of
/// tokens (JWS in its compact form, RFC 7515 section 7.1): for what is logged, exported or sent back of a request,
/// where people put them by mistake.
[[nodiscard]] std::string without_credentials(std::string_view text);

/// What is wrong with a key's name; empty: nothing.
[[nodiscard]] std::string_view key_name_problem(std::string_view name) noexcept;

}  // namespace fluxora::api
