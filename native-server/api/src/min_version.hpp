#pragma once

#include <cstdint>
#include <optional>

#include "query.hpp"

namespace fluxora::api {

// Read-your-writes, SPEC section 5: a read that sends X-Fluxora-Min-Version never sees less of the log than that.

/// Looks at the header's form. What is wrong is in `parameters` afterwards.
void check_min_version(const net::Request& request, QueryParameters& parameters);

/// The version asked for; 0 where none is. After check_min_version() has found nothing wrong.
[[nodiscard]] std::uint64_t min_version(const net::Request& request);

/// 503 with Retry-After where the answer was read from a log that ends before the version asked for; otherwise none.
[[nodiscard]] std::optional<net::Response> refuse_stale(const net::Request& request, std::uint64_t head_seq);

}  // namespace fluxora::api
