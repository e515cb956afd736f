#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <tl/expected.hpp>

#include "fluxora/core/chain_tip.hpp"
#include "fluxora/ports/event_intake.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// Most entries that a batch may take back, for events that come late and for forks: one transaction does it.
inline constexpr std::size_t max_taken_back = 10'000;

struct TakenEvents {
  ports::IntakeReceipt receipt;
  std::optional<ports::Checkpoint> checkpoint;  ///< as it is now
  std::optional<core::Reorg> reorg;             ///< the batch had another hash of a ledger that was held
  std::size_t retracted = 0;                    ///< entries taken back
};

/// Enters a batch (as ports::EventIntake takes it) into the log, in this transaction, at whatever checkpoint it holds:
/// events of later ledgers go behind all others; a late one (of an earlier ledger, or an earlier place in the last)
/// takes back the entries from its ledger on, which follow again behind it; another hash of a ledger that is held takes
/// back what was held from it on, and the batch's branch follows. SPEC sections 4 and 9. What the log has already
/// writes nothing. `by` becomes the record of what was changed. Throws what the transaction throws.
tl::expected<TakenEvents, ports::IntakeRefusal> take_events(const std::vector<ports::SentEvent>& batch, bool fold,
                                                            ports::AuditRecord by,
                                                            ports::IngestTransaction& transaction);

}  // namespace fluxora::indexer
