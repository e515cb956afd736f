#pragma once

#include <cstdint>
#include <span>

namespace fluxora::ports {

/// Unpredictable bytes, passed in, so that tests own them. From any thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

}  // namespace fluxora::ports
