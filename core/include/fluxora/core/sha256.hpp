#pragma once

#include "fluxora/core/bytes.hpp"

namespace fluxora::core {

/// SHA-256 (FIPS 180-4) of the bytes.
[[nodiscard]] Hash sha256(ByteView bytes) noexcept;

}  // namespace fluxora::core
