#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "fluxora/core/circuit_breaker.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/rpc_circuit.hpp"

namespace fluxora::chain {

/// What all who call one RPC know of it together: whoever finds that it doesn't answer spares the others the wait. From
/// any thread. The log is told when it opens, when it first tries again and when it closes.
class RpcBreaker final : public ports::RpcCircuit {
 public:
  /// All outlive it.
  RpcBreaker(ports::Clock& clock, ports::Random& random, ports::Log& log) : clock_(clock), random_(random), log_(log) {}

  /// Throws ChainError::Kind::unreachable, with the time to wait, where no call may be made now. Whoever is let through
  /// says how it ended.
  void admit();
  void succeeded();
  /// Gives how long to wait before the next call. `retry_after`: what the server has asked for.
  std::chrono::milliseconds failed(std::optional<std::chrono::milliseconds> retry_after);
  void abandoned();

  [[nodiscard]] core::CircuitBreaker::State state() const override;

 private:
  ports::Clock& clock_;
  ports::Random& random_;
  ports::Log& log_;
  mutable std::mutex mutex_;
  core::CircuitBreaker breaker_;
  bool trial_told_ = false;
};

}  // namespace fluxora::chain
