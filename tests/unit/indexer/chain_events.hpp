#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/amount.hpp"
#include "fluxora/ports/chain_source.hpp"

namespace fluxora::indexer::test {

// ScVals as XDR, as far as the contract's events need them.
[[nodiscard]] core::Bytes void_xdr();
[[nodiscard]] core::Bytes symbol_xdr(std::string_view text);
[[nodiscard]] core::Bytes u64_xdr(std::uint64_t value);
[[nodiscard]] core::Bytes u32_xdr(std::uint32_t value);
[[nodiscard]] core::Bytes i128_xdr(core::Amount amount);
[[nodiscard]] core::Bytes address_xdr(std::string_view strkey);
/// Keys are symbols.
[[nodiscard]] core::Bytes map_xdr(const std::vector<std::pair<std::string, core::Bytes>>& fields);
/// Bytes that are no ScVal.
[[nodiscard]] core::Bytes broken_xdr();

// Events of sample_contract, still without a place on the chain.
[[nodiscard]] ports::ChainEvent event_of(std::vector<core::Bytes> topics, core::Bytes value);
[[nodiscard]] ports::ChainEvent event_of(std::string_view topic, std::uint64_t stream, core::Bytes value);
/// A thousand tokens, one a second, from 1,000 to 2,000.
[[nodiscard]] ports::ChainEvent created(std::uint64_t stream);
[[nodiscard]] ports::ChainEvent withdrew(std::uint64_t stream, std::int64_t tokens);
[[nodiscard]] ports::ChainEvent delegated(std::uint64_t parent, std::uint64_t child);
[[nodiscard]] ports::ChainEvent failed(ports::ChainEvent event);

/// Puts an event at a place: its ledger, its id (by its place within the ledger) and its ledger's close time.
[[nodiscard]] ports::ChainEvent placed(ports::ChainEvent event, std::uint32_t ledger, std::uint32_t index,
                                       core::UnixSeconds closed_at);

/// The id of stream `number` of sample_contract.
[[nodiscard]] std::string stream_id(std::uint64_t number);

}  // namespace fluxora::indexer::test
