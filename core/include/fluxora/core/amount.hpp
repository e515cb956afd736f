#pragma once

#include <compare>
#include <cstdint>

#include "fluxora/core/result.hpp"

namespace fluxora::core {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

inline constexpr Int128 int128_max = static_cast<Int128>(~UInt128{0} >> 1);
inline constexpr Int128 int128_min = -int128_max - 1;

/// An amount of the stream's token in base units: a signed 128-bit fixed-point number with 7 decimals
/// (1.0 is 10,000,000 units). SPEC section 1. A type of its own, so that no float, no count of seconds
/// and no other integer can take its place unnoticed.
struct Amount {
  Int128 units = 0;

  friend constexpr bool operator==(Amount, Amount) = default;
  friend constexpr std::strong_ordering operator<=>(Amount a, Amount b) noexcept {
    return a.units < b.units   ? std::strong_ordering::less
           : a.units > b.units ? std::strong_ordering::greater
                               : std::strong_ordering::equal;
  }
};

inline constexpr int amount_decimals = 7;
inline constexpr Int128 units_per_one = 10'000'000;

/// How an inexact quotient becomes an integer. Always an explicit argument.
enum class Rounding : std::uint8_t {
  floor,      ///< towards minus infinity
  ceiling,    ///< towards plus infinity
  down,       ///< towards zero
  half_up,    ///< to nearest, ties away from zero
  half_even,  ///< to nearest, ties to the even neighbour
};

/// Exact sums and differences. Errors: amount_overflow.
Result<Amount> add(Amount a, Amount b);
Result<Amount> subtract(Amount a, Amount b);

/// amount × an integer. Errors: amount_overflow.
Result<Amount> multiply(Amount a, Int128 factor);

/// amount × amount, both with 7 decimals, the 256-bit product rounded once. Errors: amount_overflow.
Result<Amount> multiply_fixed(Amount a, Amount b, Rounding rounding);

/// amount ÷ amount, both with 7 decimals. Errors: divide_by_zero, amount_overflow.
Result<Amount> divide_fixed(Amount a, Amount b, Rounding rounding);

/// Integer quotient of two unit counts. Errors: divide_by_zero, amount_overflow (only MIN ÷ -1).
Result<Int128> divide_units(Int128 a, Int128 b, Rounding rounding);

/// `units` counted in 10^-from parts, counted again in 10^-to parts. 0 <= from, to <= 38.
/// Errors: amount_overflow.
Result<Int128> rescale(Int128 units, int from_decimals, int to_decimals, Rounding rounding);

/// amount × seconds, at the i128's end instead of an overflow. What accrual uses.
[[nodiscard]] Int128 saturating_multiply(Int128 a, Int128 b) noexcept;
[[nodiscard]] Int128 saturating_add(Int128 a, Int128 b) noexcept;
[[nodiscard]] Int128 saturating_subtract(Int128 a, Int128 b) noexcept;

}  // namespace fluxora::core
