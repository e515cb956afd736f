#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fluxora/core/unix_time.hpp"

namespace fluxora::ports {

/// How the indexer is, as /health shows it. SPEC section 10.
struct IndexerStatus {
  enum class State : std::uint8_t { not_configured, starting, healthy, stalled, halted };
  State state = State::not_configured;
  std::int64_t lag_ms = 0;
  std::int64_t threshold_ms = 0;
  std::optional<core::UnixMillis> last_successful_sync;
  std::uint32_t last_ledger = 0;
  std::uint32_t last_safe_ledger = 0;
  bool reorg_detected = false;
  bool rpc_healthy = false;
  bool degraded = false;  ///< clients were told service.degraded and not yet service.recovered
  std::string network;    ///< passphrase; empty until known
  std::string summary;    ///< one sentence for an operator
};

class IndexerStatusSource {
 public:
  virtual ~IndexerStatusSource() = default;
  /// From any thread.
  [[nodiscard]] virtual IndexerStatus status() const = 0;
};

}  // namespace fluxora::ports
