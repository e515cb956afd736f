#pragma once

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/scval.hpp"

namespace fluxora::fuzz {

/// A value's XDR (Stellar-contract.x). Core only decodes: this is the other direction, to hold its decoder to, and to
/// make payloads from.
core::Bytes encode_scval(const core::ScVal& value);

}  // namespace fluxora::fuzz
