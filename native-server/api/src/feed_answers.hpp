#pragma once

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// 503: no feed is opened any more.
[[nodiscard]] net::Response shutting_down_problem(const net::Request& request);

/// 429 with Retry-After: the address has all the feeds that it may have open.
[[nodiscard]] net::Response too_many_feeds(const net::Request& request);

}  // namespace fluxora::api
