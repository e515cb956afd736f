#pragma once

#include <algorithm>
#include <cstdint>

#include "fluxora/ports/random.hpp"

namespace fluxora::webhooks::test {

class ZeroRandom final : public ports::Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override { std::fill(bytes.begin(), bytes.end(), std::uint8_t{0}); }
};

}  // namespace fluxora::webhooks::test
