#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "curl_handles.hpp"
#include "fluxora/outbound/webhook_transport.hpp"

namespace fluxora::outbound {

/// Reads the URL into `parsed`, which is then what a request goes by, or says what is wrong with it, as
/// target_problem() does.
[[nodiscard]] std::optional<std::string> read_target(CURLU* parsed, std::string_view url, const TargetRules& rules);

}  // namespace fluxora::outbound
