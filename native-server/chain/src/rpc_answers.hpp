#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "fluxora/ports/chain_source.hpp"

namespace fluxora::chain {

using Json = nlohmann::json;

/// One page of getEvents.
struct EventsAnswer {
  std::vector<ports::ChainEvent> events;  ///< contract events only, ascending by id
  std::size_t items = 0;                  ///< all items of the page, whatever their type
  std::string cursor;
  ports::LedgerWindow window;
};

// Each reads a JSON-RPC result and throws ChainError::Kind::nonsense naming the field that can't be right.
std::string read_passphrase(const Json& result);
ports::LedgerWindow read_window(const Json& result);
EventsAnswer read_events(const Json& result, std::uint32_t first, std::uint32_t last);
std::vector<ports::LedgerHeader> read_ledgers(const Json& result);

}  // namespace fluxora::chain
