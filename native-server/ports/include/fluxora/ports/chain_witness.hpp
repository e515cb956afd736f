#pragma once

#include <cstdint>
#include <string>

namespace fluxora::ports {

/// What somebody else than the RPC says of the network.
struct WitnessSight {
  enum class State : std::uint8_t {
    not_looked,   ///< the first look isn't over
    seen,         ///< as of the last look, which went well
    unreachable,  ///< the last look failed; the rest is as of the last that didn't
  };
  State state = State::not_looked;
  std::string network_passphrase;  ///< empty until seen
  std::uint32_t latest_ledger = 0;
};

/// A second opinion on the chain. SPEC section 9, "Witness".
class ChainWitness {
 public:
  virtual ~ChainWitness() = default;
  /// What was last seen; never waits. From any thread.
  [[nodiscard]] virtual WitnessSight sight() const = 0;
};

}  // namespace fluxora::ports
