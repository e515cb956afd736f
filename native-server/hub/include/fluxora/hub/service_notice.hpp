#pragma once

#include <string_view>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/hub/published_entry.hpp"

namespace fluxora::hub {

/// The message that tells every client of trouble (`service.degraded`) or of its end (`service.recovered`). SPEC
/// section 6. For server-sent events: an event of that name, without an id, because it has no place in the log.
[[nodiscard]] Notice service_notice(bool degraded, std::string_view reason, core::UnixMillis now);

}  // namespace fluxora::hub
