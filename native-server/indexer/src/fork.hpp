#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// Where a fork was gone back to.
struct ForkEnd {
  std::optional<ports::Checkpoint>
      checkpoint;             ///< the last ledger that the chain and we have; none: all was taken back
  std::size_t retracted = 0;  ///< entries
};

/// The chain no longer has the last ledger that we indexed, `checkpoint`: goes back to the last that both have, in
/// steps that each leave a whole log of a lower checkpoint. `oldest_held`: the oldest ledger that the chain's source
/// holds. Throws Halt, with nothing written, where what we hold goes back too far to be a fork, or the fork to what was
/// pruned, and what the source and the store throw.
ForkEnd leave_fork(const ports::Checkpoint& checkpoint, std::uint32_t oldest_held, ports::ChainSource& chain,
                   ports::LedgerStore& store);

}  // namespace fluxora::indexer
