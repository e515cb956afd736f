#pragma once

#include <string_view>

namespace fluxora::core {

/// The ids that are signed: 1 to 256 printable ASCII characters without a space or a '.'.
[[nodiscard]] bool is_signable_webhook_id(std::string_view id) noexcept;

}  // namespace fluxora::core
