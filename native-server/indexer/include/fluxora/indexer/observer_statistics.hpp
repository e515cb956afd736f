#pragma once

#include <array>
#include <cstdint>

#include "fluxora/ports/reconciliation.hpp"

namespace fluxora::indexer {

/// What this process has read from contract storage since it started.
struct ObserverStatistics {
  std::uint64_t observations = 0;  ///< that entered the log
  std::uint64_t failures = 0;      ///< looks that ended in trouble with the RPC
  std::uint64_t audited = 0;       ///< streams that the audit has compared
  std::uint64_t audit_passes = 0;  ///< completed
  std::array<std::uint64_t, ports::difference_kinds.size()> differences{};  ///< by ports::DifferenceKind
};

}  // namespace fluxora::indexer
