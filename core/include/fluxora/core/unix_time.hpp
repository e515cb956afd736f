#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// Seconds since 1970-01-01T00:00:00Z. The chain's times are u64 and may be any of them.
using UnixSeconds = std::uint64_t;

/// Milliseconds since the same instant; what the service's own clocks give.
using UnixMillis = std::int64_t;

/// The last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
inline constexpr UnixSeconds last_rfc3339_second = 253'402'300'799;

/// "2026-03-29T09:31:27Z". Seconds past year 9999 are written as that last second.
[[nodiscard]] std::string format_rfc3339(UnixSeconds seconds);

/// "2026-03-29T09:31:27.000Z". Bounded like the above; before 1970 is written as 1970.
[[nodiscard]] std::string format_rfc3339_millis(UnixMillis millis);

/// Reads RFC 3339 in UTC ("Z" or "+00:00", fraction of a second allowed and cut off).
/// Errors: time_invalid (other forms, impossible dates, leap seconds, before 1970).
Result<UnixSeconds> parse_rfc3339(std::string_view text);

}  // namespace fluxora::core
