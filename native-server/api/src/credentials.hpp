#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

struct NoCredentials {};
struct BearerToken {
  std::string_view token;  ///< of the request
};
struct PresentedApiKey {
  std::string_view text;  ///< of the request
};
struct PresentedWorkerToken {
  std::string_view token;  ///< of the request
};
/// What was meant isn't clear: RFC 6750 section 3.1, invalid_request.
struct UnclearCredentials {
  std::string_view field;
  std::string_view why;
};
/// Another authentication scheme than ours.
struct OtherScheme {};

using Credentials =
    std::variant<NoCredentials, BearerToken, PresentedApiKey, PresentedWorkerToken, UnclearCredentials, OtherScheme>;

/// `Authorization: Bearer <token>` (RFC 6750 section 2.1), `X-API-Key` or, where it counts, `X-Indexer-Worker-Token`;
/// one of them, once.
[[nodiscard]] Credentials read_credentials(const net::Request& request, bool takes_worker_token);

/// The token that opens a feed: that of `Authorization: Bearer`, else the first query parameter `token`, which is for
/// browsers, where WebSocket and EventSource can set no header. Empty: one was meant, and it hasn't a token's form.
/// SPEC section 6, Auth.
[[nodiscard]] std::optional<std::string_view> read_feed_token(const net::Request& request);

}  // namespace fluxora::api
