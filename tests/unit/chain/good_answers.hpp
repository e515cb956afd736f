#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

#include <nlohmann/json.hpp>

#include "fluxora/core/bytes.hpp"

namespace fluxora::chain::test {

using Json = nlohmann::json;

/// `%019d-%010d` of the ledger's TOID and the index.
[[nodiscard]] std::string event_id(std::uint32_t ledger, std::uint32_t index);

// Results as a Stellar RPC server gives them.
[[nodiscard]] Json health(std::uint32_t oldest = 1, std::uint32_t latest = 1'000);
[[nodiscard]] Json event(std::uint32_t ledger, std::uint32_t index = 0);
[[nodiscard]] Json events_page(std::initializer_list<Json> events, std::uint32_t latest = 1'000);
[[nodiscard]] Json ledger(std::uint32_t sequence);
/// Ledgers first..last.
[[nodiscard]] Json ledgers_page(std::uint32_t first, std::uint32_t last);

[[nodiscard]] Json latest_ledger(std::uint32_t sequence);
/// The entry of number `stream` of the sample contract: its value is u32 `value`.
[[nodiscard]] Json stream_entry(std::uint64_t stream, std::uint32_t value, std::uint32_t modified = 10);
[[nodiscard]] Json entries(std::initializer_list<Json> items, std::uint32_t latest);

/// Ledger `sequence`'s hash.
[[nodiscard]] core::Hash ledger_hash(std::uint32_t sequence);

}  // namespace fluxora::chain::test
