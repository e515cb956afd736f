#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// A stream's entity tag, quotes included: "<epoch>-<version>-<asOf>". SPEC section 5.
[[nodiscard]] std::string stream_etag(std::string_view epoch, std::uint64_t version, core::UnixSeconds as_of);

/// The entity tags of a list (RFC 9110 section 8.8.3), quotes and W/ included; none where it isn't such a list.
[[nodiscard]] std::optional<std::vector<std::string_view>> entity_tags(std::string_view list);

/// Whether If-None-Match is `*` or has that tag, by weak comparison: RFC 9110 section 13.1.2.
[[nodiscard]] bool if_none_match_names(const net::Request& request, std::string_view etag);

}  // namespace fluxora::api
