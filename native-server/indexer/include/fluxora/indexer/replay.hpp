#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>

#include "fluxora/indexer/indexer.hpp"
#include "fluxora/ports/job_progress.hpp"
#include "fluxora/ports/next_log.hpp"

namespace fluxora::indexer {

/// The replay can't go on as things are; what() is a sentence that says why. What was read stays.
class ReplayFailed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Where a replay is to begin: what is asked for, or with what an earlier run has begun, or the served log's first
/// ledger, or `configured`, or the chain's oldest; that also where the chain has another ledger, or none yet, in place
/// of the served log's first. Throws ports::ChainError, StoreUnavailable.
[[nodiscard]] std::uint32_t replay_start(std::optional<std::uint32_t> wanted, bool anew, ports::NextLog& next,
                                         std::optional<std::uint32_t> configured, ports::ChainSource& chain);

/// Reads the chain into `next`, which was begun, with an indexer as the served log has one, until it is at the chain's
/// safe tip, and puts it into the served log's place. `progress` is told ledgers and entries, at least once a second.
/// True: done; false: its progress, or the clock's end, has stopped it, and a later run goes on.
/// SPEC sections 4 and 9. Throws ReplayFailed, StoreUnavailable.
bool replay(const IndexerOptions& options, ports::ChainSource& chain, ports::NextLog& next, ports::Clock& clock,
            ports::Log& log, ports::JobProgress& progress);

}  // namespace fluxora::indexer
