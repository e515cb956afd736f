#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "random.hpp"
#include "stored_entries.hpp"

namespace fluxora::simulation {

/// What the contracts on the chain hold after a ledger. Of each stream what the contract knows; the log's own marks
/// (version, ledger, times of change) stay empty.
struct ContractState {
  std::map<std::string, core::Stream> streams;
  std::map<std::string, std::uint32_t> modified;  ///< ledger of each stream's last change
  std::uint64_t next_number = 1;
  bool all_is_told = true;  ///< by events, none of them missed: what overflows here does in the log
  bool kinds = false;       ///< streams are of all kinds, which no event tells
};

/// An event and what the log has to make of it.
struct Happening {
  ports::ChainEvent event;
  core::EventName name = core::EventName::chain_event;
  std::string stream_id;        ///< empty: of no stream
  bool folds = false;           ///< it changes its stream
  std::string child_id;         ///< the stream that it splits off
  mutable bool missed = false;  ///< the RPC server doesn't have it, until somebody brings it
};

/// Who pays and is paid.
[[nodiscard]] const std::vector<std::string>& accounts();
/// The contracts that are followed, and one more that isn't.
[[nodiscard]] const std::vector<std::string>& followed_contracts();
[[nodiscard]] const std::string& other_contract();

/// One transaction: something happens to a stream or to none, by SPEC section 3's table, in a ledger that closes at
/// `now`. This is the simulation's own reading of the table: it changes the state first and tells of it then, as the
/// contract does, where core's reducer goes from what was told to the state. Only accrual is core's.
[[nodiscard]] std::vector<Happening> act(ContractState& state, Random& random, core::UnixSeconds now,
                                         std::uint32_t ledger);

/// The instances of the contracts that are followed, which all pay in the same token, and of that.
[[nodiscard]] const indexer::test::Storage& instances();
[[nodiscard]] std::string_view token();

/// The storage entry of a stream, as LedgerEntryData XDR under its key.
[[nodiscard]] core::Bytes storage_entry(const core::Stream& stream);

}  // namespace fluxora::simulation
