#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/contract_storage.hpp"

namespace fluxora::chain {

using Json = nlohmann::json;

/// One page of getEvents.
struct EventsAnswer {
  std::vector<ports::ChainEvent> events;  ///< contract events only, ascending by id
  std::size_t items = 0;                  ///< all items of the page, whatever their type
  std::string cursor;
  ports::LedgerWindow window;
};

/// What getLedgerEntries says: the ledger that it looked at, and of its entries those that are there, in no order.
struct EntriesAnswer {
  std::uint32_t ledger = 0;
  std::vector<ports::StorageEntry> entries;
};

/// What getLatestLedger says of its ledger.
struct LatestLedger {
  std::uint32_t sequence = 0;
  core::Hash hash{};
};

/// What Horizon's root document says of its network.
struct HorizonRoot {
  std::string network_passphrase;
  std::uint32_t latest_ledger = 0;  ///< the newest that Horizon or its node knows of
};

/// An answer's JSON. Nonsense also where it is nested more deeply than anything that we ask for.
Json parse_answer(const std::string& text);

/// What the other side says, as it may be shown and logged: not long, and on one line.
std::string quotable(std::string_view text);

// Each reads a JSON-RPC result and throws ChainError::Kind::nonsense naming the field that can't be right.
std::string read_passphrase(const Json& result);
ports::LedgerWindow read_window(const Json& result);
EventsAnswer read_events(const Json& result, std::uint32_t first, std::uint32_t last);
std::vector<ports::LedgerHeader> read_ledgers(const Json& result);
LatestLedger read_latest_ledger(const Json& result);
EntriesAnswer read_entries(const Json& result);
HorizonRoot read_horizon_root(const Json& root);

}  // namespace fluxora::chain
