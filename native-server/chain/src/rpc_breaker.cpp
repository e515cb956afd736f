#include "fluxora/chain/rpc_breaker.hpp"

#include <array>
#include <cstdint>

#include "fluxora/ports/chain_source.hpp"

namespace fluxora::chain {

using State = core::CircuitBreaker::State;
using std::chrono::milliseconds;

void RpcBreaker::admit() {
  const std::lock_guard lock(mutex_);
  const core::UnixMillis now = clock_.now();
  if (!breaker_.admit(now)) {
    const std::int64_t wait_ms = breaker_.retry_in_ms(now);
    throw ports::ChainError(ports::ChainError::Kind::unreachable,
                            "the RPC hasn't answered and is left alone for " + std::to_string(wait_ms) + " ms more",
                            milliseconds(wait_ms));
  }
  if (breaker_.state() != State::half_open || trial_told_) return;
  trial_told_ = true;
  log_.info("rpc_circuit_half_open", "one call is tried");
}

void RpcBreaker::succeeded() {
  const std::lock_guard lock(mutex_);
  const bool was_closed = breaker_.state() == State::closed;
  breaker_.succeeded();
  trial_told_ = false;
  if (!was_closed) log_.info("rpc_circuit_closed", "the RPC answers again");
}

milliseconds RpcBreaker::failed(std::optional<milliseconds> retry_after) {
  std::array<std::uint8_t, 4> bytes{};
  random_.fill(bytes);
  std::uint32_t chance = 0;
  for (const std::uint8_t byte : bytes) chance = chance << 8 | byte;

  const std::lock_guard lock(mutex_);
  const core::UnixMillis now = clock_.now();
  const bool was_closed = breaker_.state() == State::closed;
  breaker_.failed(now, chance, retry_after ? std::optional<std::int64_t>(retry_after->count()) : std::nullopt);
  const std::int64_t wait_ms = breaker_.retry_in_ms(now);
  if (was_closed && breaker_.state() == State::open) {
    log_.warn("rpc_circuit_open", "the RPC doesn't answer: no call but a trial now and then", {{"waitMs", wait_ms}});
  }
  return milliseconds(wait_ms);
}

void RpcBreaker::abandoned() {
  const std::lock_guard lock(mutex_);
  breaker_.abandoned();
}

State RpcBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return breaker_.state();
}

}  // namespace fluxora::chain
