#pragma once

#include "fluxora/core/circuit_breaker.hpp"

namespace fluxora::ports {

/// Whether this process calls the chain's RPC at the moment, or leaves it alone because it doesn't answer.
class RpcCircuit {
 public:
  virtual ~RpcCircuit() = default;
  /// From any thread.
  [[nodiscard]] virtual core::CircuitBreaker::State state() const = 0;
};

}  // namespace fluxora::ports
