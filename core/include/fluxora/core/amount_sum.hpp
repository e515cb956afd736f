#pragma once

#include <cstdint>
#include <string>

#include "fluxora/core/amount.hpp"

namespace fluxora::core {

/// An exact sum of amounts, wider than an amount: 2^63 of any size fit, so that adding has no error case. Anyone may
/// open streams of nearly i128's size to an account, and what it is shown must be right all the same.
class AmountSum {
 public:
  AmountSum() = default;
  AmountSum(Amount amount) noexcept { add(amount); }  // NOLINT(google-explicit-constructor)

  void add(Amount amount) noexcept;
  void add(const AmountSum& other) noexcept;
  void subtract(Amount amount) noexcept;

  /// With exactly 7 decimals, as an amount is written: "-0.0000116". SPEC section 1.
  [[nodiscard]] std::string text() const;

  friend bool operator==(const AmountSum&, const AmountSum&) = default;

 private:
  // Two's complement of 192 bits: high_ × 2^128 + low_.
  UInt128 low_ = 0;
  std::int64_t high_ = 0;
};

/// a - b, which needs 129 bits.
[[nodiscard]] AmountSum difference(Amount a, Amount b) noexcept;

}  // namespace fluxora::core
