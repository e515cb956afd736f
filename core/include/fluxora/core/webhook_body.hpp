#pragma once

#include <string>
#include <string_view>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// What a webhook says of an entry: {"type":"stream.updated","timestamp":"…","data":{entry}}, the timestamp being the
/// entry's close time. SPEC section 8. Never over webhook_body_max, which receivers refuse: of an entry that is larger
/// `raw` is left out, and "rawOmitted":true says so.
[[nodiscard]] std::string webhook_body(const LogEntry& entry, std::string_view epoch);

/// Of a test: {"type":"webhook.test","timestamp":"…","data":{"endpointId":"12"}}.
[[nodiscard]] std::string webhook_test_body(std::string_view endpoint_id, UnixMillis now);

}  // namespace fluxora::core
