#include "fluxora/api/api_key_text.hpp"

#include <algorithm>
#include <array>

#include "fluxora/core/sha256.hpp"

namespace fluxora::api {
namespace {

constexpr std::string_view prefix = "flx_";
constexpr std::size_t id_bytes = 8;
constexpr std::size_t id_length = 2 * id_bytes;
constexpr std::size_t secret_bytes = 32;
constexpr std::size_t secret_length = 43;
constexpr std::size_t max_name_length = 100;
constexpr std::string_view token_start = "eyJ";  // {" in base64url, as every header of a token begins
/// Of webhooks' secrets, and of the keys that sign them.
constexpr std::array<std::string_view, 2> webhook_prefixes = {"whsec_", "whsk_"};

bool is_secret_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// Base64 of either alphabet; `%`: in a path its slashes may be encoded.
bool is_webhook_secret_character(char c) {
  return is_secret_character(c) || c == '+' || c == '/' || c == '=' || c == '%';
}

/// Erases what belongs to a secret behind each `start`.
void cut_behind(std::string& text, std::string_view start, bool (*belongs)(char)) {
  for (std::size_t at = 0; (at = text.find(start, at)) != std::string::npos;) {
    at += start.size();
    std::size_t end = at;
    while (end < text.size() && belongs(text[end])) ++end;
    text.erase(at, end - at);
  }
}

/// Where the run of base64url characters ends that begins at `from`.
std::size_t end_of_run(std::string_view text, std::size_t from) {
  while (from < text.size() && is_secret_character(text[from])) ++from;
  return from;
}

}  // namespace

std::string ApiKeyText::text() const {
  return std::string(prefix) + id + "_" + secret;
}

core::Hash ApiKeyText::secret_hash() const {
  return core::sha256(core::as_bytes(secret));
}

ApiKeyText make_api_key(ports::Random& random) {
  std::array<std::uint8_t, id_bytes> id;
  std::array<std::uint8_t, secret_bytes> secret;
  random.fill(id);
  random.fill(secret);
  return {core::hex_encode(id), core::base64url_encode(secret)};
}

std::optional<ApiKeyText> parse_api_key(std::string_view text) {
  if (text.size() != prefix.size() + id_length + 1 + secret_length || !text.starts_with(prefix)) return std::nullopt;
  const std::string_view id = text.substr(prefix.size(), id_length);
  const std::string_view secret = text.substr(text.size() - secret_length);
  if (!is_api_key_id(id) || text[prefix.size() + id_length] != '_') return std::nullopt;
  if (!std::all_of(secret.begin(), secret.end(), is_secret_character)) return std::nullopt;
  return ApiKeyText{std::string(id), std::string(secret)};
}

bool is_api_key_id(std::string_view text) noexcept {
  return text.size() == id_length &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string without_credentials(std::string_view text) {
  std::string clean(text);
  cut_behind(clean, prefix, is_secret_character);
  for (const std::string_view start : webhook_prefixes) cut_behind(clean, start, is_webhook_secret_character);
  for (std::size_t at = 0; (at = clean.find(token_start, at)) != std::string::npos;) {
    at += token_start.size();
    std::size_t end = end_of_run(clean, at);
    // A token that was cut off within its signature, or before it, is cut all the same.
    for (int part = 0; part < 2 && end < clean.size() && clean[end] == '.'; ++part) end = end_of_run(clean, end + 1);
    clean.erase(at, end - at);
  }
  return clean;
}

std::string_view key_name_problem(std::string_view name) noexcept {
  const bool printable = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
  const bool blank = name.find_first_not_of(' ') == std::string_view::npos;
  if (blank || !printable || name.size() > max_name_length) return "must be 1 to 100 printable ASCII characters.";
  return {};
}

}  // namespace fluxora::api
