#pragma once

#include <cstddef>
#include <cstdint>

namespace fluxora::simulation {

/// The same numbers for the same seed, on every machine: SplitMix64.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  /// 0..count-1; count > 0.
  std::uint64_t below(std::uint64_t count) { return next() % count; }
  /// Both included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  /// True in so many of a thousand.
  bool permille(std::uint64_t share) { return below(1'000) < share; }

  template <class List>
  auto& pick(List& list) {
    return list[static_cast<std::size_t>(below(list.size()))];
  }

 private:
  std::uint64_t state_;
};

}  // namespace fluxora::simulation
