#pragma once

#include <cstdint>

#include "fluxora/ports/random.hpp"

namespace fluxora::telemetry::test {

/// Bytes that count up, or all the same one.
class FakeRandom final : public ports::Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = counting ? next++ : next;
  }

  bool counting = true;
  std::uint8_t next = 1;
};

}  // namespace fluxora::telemetry::test
