#pragma once

#include "fluxora/ports/random.hpp"

namespace fluxora::app {

/// The kernel's random numbers.
class SystemRandom final : public ports::Random {
 public:
  /// Throws std::system_error where the kernel gives none, which Linux doesn't do once it has started.
  void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace fluxora::app
