#pragma once

#include <cstddef>
#include <optional>

#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// Takes the ledgers above `to` back, all where it is none: commits a retraction of each of their standing entries,
/// newest first, the streams as they were before, and `to` as the checkpoint. Gives the number of retractions. Throws
/// what the transaction throws. SPEC section 4.
std::size_t roll_back(const std::optional<ports::Checkpoint>& to, ports::IngestTransaction& transaction);

}  // namespace fluxora::indexer
