#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/circuit_breaker.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/indexer_alarms.hpp"

namespace fluxora::ports {

/// How the indexer is, as /health shows it. SPEC section 10. Where another instance leads, it is what that one tells of
/// itself.
struct IndexerStatus {
  enum class State : std::uint8_t { not_configured, starting, healthy, stalled, halted };
  enum class Horizon : std::uint8_t { not_configured, healthy, unhealthy };
  State state = State::not_configured;
  std::int64_t lag_ms = 0;  ///< since the last successful sync; before it, since the start, or 0 without an RPC
  std::int64_t threshold_ms = 0;
  std::optional<core::UnixMillis> last_successful_sync;  ///< by whichever instance
  std::uint32_t last_ledger = 0;
  std::uint32_t last_safe_ledger = 0;
  bool reorg_detected = false;
  bool rpc_healthy = false;
  bool rpc_lagging = false;  ///< Horizon's latest ledger is well past the RPC's
  core::CircuitBreaker::State rpc_circuit = core::CircuitBreaker::State::closed;  ///< this instance's
  Horizon horizon = Horizon::not_configured;                                      ///< as this instance sees it
  bool leads = false;     ///< this instance is the one that indexes
  bool degraded = false;  ///< clients are told service.degraded
  /// How many ledgers more the RPC's window may lose before it loses one that isn't indexed; none until known.
  std::optional<std::uint32_t> retention_ledgers;
  std::vector<IndexerAlarm> alarms;  ///< those that stand
  bool follows_rpc = true;           ///< false: others send what the chain says, and there is no RPC to be well
  std::string network;               ///< passphrase; empty until known
  std::string summary;               ///< a sentence or two for an operator
};

class IndexerStatusSource {
 public:
  virtual ~IndexerStatusSource() = default;
  /// From any thread.
  [[nodiscard]] virtual IndexerStatus status() const = 0;
};

}  // namespace fluxora::ports
