#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fluxora/core/scval.hpp"

/// What contracts keep in their instance storage, as far as streams need it. SPEC section 2, `token`.
namespace fluxora::core {

/// The token that a stream contract pays in: `token` of the struct under `vec[symbol "Config"]`. None where `instance`
/// is no contract's instance or has no such field.
[[nodiscard]] std::optional<std::string> contract_token(const ScVal& instance);

/// The decimals of a token contract: `decimal` of the struct under `symbol "METADATA"`, where the Stellar asset
/// contract and tokens made with its interface keep them. None where there is none.
[[nodiscard]] std::optional<std::uint32_t> token_decimals(const ScVal& instance);

}  // namespace fluxora::core
