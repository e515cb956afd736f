#pragma once

#include <array>
#include <string_view>

namespace fluxora::store {

/// The tables that are one log: they hold what was read from the chain and made of it, under one epoch. A log that is
/// made beside the served one has all of them, and takes the place of all of them. What isn't named here is the
/// service's: it stays where it is. A test knows both lists.
inline constexpr std::array<std::string_view, 8> log_tables = {
    "log_head", "indexer_checkpoint", "events",         "ledgers",
    "streams",  "observation_list",   "reconciliation", "reconciliation_differences"};

}  // namespace fluxora::store
