#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace fluxora::load {

/// How long things took, in nanoseconds, in memory that doesn't grow: every value is known to 1 part in 64.
class Histogram {
 public:
  void record(std::int64_t nanoseconds) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, nanoseconds));
    ++counts_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  void clear() { *this = {}; }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t max() const noexcept { return max_; }

  /// The value that `share` (0..1) of all reach at most; 0 when there are none.
  [[nodiscard]] std::uint64_t quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
      seen += counts_[bucket];
      if (seen >= wanted && seen > 0) return std::min(max_, upper_end(bucket));
    }
    return 0;
  }

 private:
  static constexpr unsigned precision_bits = 6;
  static constexpr std::uint64_t steps = 1U << precision_bits;

  // Values below `steps` have a bucket each; above, every power of two is cut into `steps` buckets.
  static std::size_t bucket_of(std::uint64_t value) {
    if (value < steps) return value;
    const auto exponent = static_cast<unsigned>(std::bit_width(value)) - 1 - precision_bits;
    return (exponent + 1) * steps + ((value >> exponent) - steps);
  }
  static std::uint64_t upper_end(std::size_t bucket) {
    if (bucket < steps) return bucket;
    const auto exponent = bucket / steps - 1;
    return ((steps + bucket % steps + 1) << exponent) - 1;
  }

  std::array<std::uint64_t, (64 - precision_bits + 1) * steps> counts_{};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace fluxora::load
