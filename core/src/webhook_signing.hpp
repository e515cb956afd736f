#pragma once

#include <string_view>

#include "fluxora/core/result.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// What can be signed so that a receiver takes it. Errors: webhook_id_invalid (not 1 to 256 printable ASCII characters
/// without a space or a '.'), time_invalid (not 1 to 15 digits).
Result<bool> check_signable(std::string_view id, UnixSeconds timestamp) noexcept;

}  // namespace fluxora::core
