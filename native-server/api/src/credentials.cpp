#include "credentials.hpp"

#include <algorithm>

namespace fluxora::api {
namespace {

std::size_t count_fields(const net::Request& request, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(request.headers.begin(), request.headers.end(), [&](const auto& field) {
    return net::equal_ignoring_case(field.first, name);
  }));
}

/// RFC 6750 section 2.1: 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
bool is_b64token(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/").find(c) != std::string_view::npos;
  });
}

Credentials read_authorization(std::string_view value) {
  const std::size_t space = std::min(value.find(' '), value.size());
  if (!net::equal_ignoring_case(value.substr(0, space), "Bearer")) return OtherScheme{};
  std::string_view token = value.substr(space);
  token.remove_prefix(std::min(token.find_first_not_of(' '), token.size()));
  if (!is_b64token(token)) return UnclearCredentials{"Authorization", "must be Bearer and one token."};
  return BearerToken{token};
}

}  // namespace

Credentials read_credentials(const net::Request& request, bool takes_worker_token) {
  const std::size_t authorizations = count_fields(request, "Authorization");
  const std::size_t keys = count_fields(request, "X-API-Key");
  if (authorizations > 1) return UnclearCredentials{"Authorization", "is given more than once."};
  if (keys > 1) return UnclearCredentials{"X-API-Key", "is given more than once."};
  if (authorizations + keys > 1) return UnclearCredentials{"X-API-Key", "is given beside Authorization: send one."};
  if (const auto token = takes_worker_token ? request.header("X-Indexer-Worker-Token") : std::nullopt) {
    if (authorizations + keys == 0) return PresentedWorkerToken{*token};
    return UnclearCredentials{"X-Indexer-Worker-Token", "is given beside another credential: send one."};
  }
  if (keys == 1) return PresentedApiKey{*request.header("X-API-Key")};
  if (authorizations == 1) return read_authorization(*request.header("Authorization"));
  return NoCredentials{};
}

std::optional<std::string_view> read_feed_token(const net::Request& request) {
  if (const auto authorization = request.header("Authorization")) {
    const Credentials given = read_authorization(*authorization);
    if (const auto* bearer = std::get_if<BearerToken>(&given)) return bearer->token;
    if (std::holds_alternative<UnclearCredentials>(given)) return std::string_view();
  }
  const auto parameter = std::find_if(request.query.begin(), request.query.end(),
                                      [](const auto& named) { return named.first == "token"; });
  if (parameter == request.query.end()) return std::nullopt;
  return std::string_view(parameter->second);
}

}  // namespace fluxora::api
