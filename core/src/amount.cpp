#include "fluxora/core/amount.hpp"

#include <optional>

namespace fluxora::core {
namespace {

constexpr int max_decimals = 38;  // 10^38 is the largest power of ten in an i128

/// 0 <= exponent <= max_decimals.
Int128 power_of_ten(int exponent) noexcept {
  Int128 power = 1;
  for (; exponent > 0; --exponent) power *= 10;
  return power;
}

/// An unsigned 256-bit number.
struct Wide {
  UInt128 high = 0;
  UInt128 low = 0;
};

struct Division {
  UInt128 quotient = 0;
  UInt128 remainder = 0;
};

UInt128 magnitude(Int128 value) noexcept {
  const auto bits = static_cast<UInt128>(value);
  return value < 0 ? UInt128{0} - bits : bits;
}

std::uint64_t low_word(UInt128 value) noexcept {
  return static_cast<std::uint64_t>(value);
}
std::uint64_t high_word(UInt128 value) noexcept {
  return static_cast<std::uint64_t>(value >> 64);
}

Wide multiply_wide(UInt128 a, UInt128 b) noexcept {
  const UInt128 low = UInt128{low_word(a)} * low_word(b);
  const UInt128 cross_a = UInt128{high_word(a)} * low_word(b);
  const UInt128 cross_b = UInt128{low_word(a)} * high_word(b);
  const UInt128 high = UInt128{high_word(a)} * high_word(b);
  const UInt128 middle = UInt128{high_word(low)} + low_word(cross_a) + low_word(cross_b);  // at most 3 × 2^64
  return {high + high_word(cross_a) + high_word(cross_b) + high_word(middle), (middle << 64) | low_word(low)};
}

Division divide_once(UInt128 numerator, UInt128 divisor) noexcept {
  const UInt128 quotient = numerator / divisor;
  return {quotient, numerator - quotient * divisor};
}

/// numerator ÷ divisor, none when the quotient has more than 128 bits. 0 < divisor <= 2^127.
std::optional<Division> divide_wide(Wide numerator, UInt128 divisor) noexcept {
  if (numerator.high == 0) return divide_once(numerator.low, divisor);
  if (numerator.high >= divisor) return std::nullopt;
  if (high_word(divisor) == 0) {
    // The remainder stays below 2^64, so two steps of 128 by 64 bits do it.
    const Division first = divide_once((numerator.high << 64) | high_word(numerator.low), divisor);
    const Division second = divide_once((first.remainder << 64) | low_word(numerator.low), divisor);
    return Division{(first.quotient << 64) | second.quotient, second.remainder};
  }
  // Bit by bit: the remainder is below the divisor, so twice of it and one still fit 128 bits.
  Division result{0, numerator.high};
  for (int bit = 127; bit >= 0; --bit) {
    result.remainder = (result.remainder << 1) | ((numerator.low >> bit) & 1u);
    result.quotient <<= 1;
    if (result.remainder >= divisor) {
      result.remainder -= divisor;
      result.quotient |= 1u;
    }
  }
  return result;
}

/// Whether the magnitude of an inexact quotient grows by one.
bool rounds_away(const Division& division, UInt128 divisor, bool negative, Rounding rounding) noexcept {
  if (division.remainder == 0) return false;
  const UInt128 missing = divisor - division.remainder;
  switch (rounding) {
    case Rounding::floor: return negative;
    case Rounding::ceiling: return !negative;
    case Rounding::down: return false;
    case Rounding::half_up: return division.remainder >= missing;
    case Rounding::half_even:
      return division.remainder > missing || (division.remainder == missing && (division.quotient & 1u) != 0);
  }
  return false;
}

Result<Int128> with_sign(UInt128 value, bool negative) noexcept {
  const UInt128 limit = magnitude(negative ? int128_min : int128_max);
  if (value > limit) return ErrorCode::amount_overflow;
  return static_cast<Int128>(negative ? UInt128{0} - value : value);
}

Result<Int128> divide_rounded(Wide numerator, UInt128 divisor, bool negative, Rounding rounding) noexcept {
  const std::optional<Division> division = divide_wide(numerator, divisor);
  if (!division) return ErrorCode::amount_overflow;
  UInt128 value = division->quotient;
  if (rounds_away(*division, divisor, negative, rounding)) {
    if (++value == 0) return ErrorCode::amount_overflow;
  }
  return with_sign(value, negative);
}

Result<Amount> as_amount(Result<Int128> units) noexcept {
  if (!units) return units.error();
  return Amount{*units};
}

/// The exact product, none where it leaves i128. Written out because the builtin with overflow check calls a
/// library function that not every WebAssembly link has.
std::optional<Int128> checked_multiply(Int128 a, Int128 b) noexcept {
  const Wide product = multiply_wide(magnitude(a), magnitude(b));
  const bool negative = (a < 0) != (b < 0);
  if (product.high != 0 || product.low > magnitude(negative ? int128_min : int128_max)) return std::nullopt;
  return static_cast<Int128>(negative ? UInt128{0} - product.low : product.low);
}

}  // namespace

Result<Amount> add(Amount a, Amount b) {
  Int128 sum = 0;
  if (__builtin_add_overflow(a.units, b.units, &sum)) return ErrorCode::amount_overflow;
  return Amount{sum};
}

Result<Amount> subtract(Amount a, Amount b) {
  Int128 difference = 0;
  if (__builtin_sub_overflow(a.units, b.units, &difference)) return ErrorCode::amount_overflow;
  return Amount{difference};
}

Result<Amount> multiply(Amount a, Int128 factor) {
  const std::optional<Int128> product = checked_multiply(a.units, factor);
  if (!product) return ErrorCode::amount_overflow;
  return Amount{*product};
}

Result<Amount> multiply_fixed(Amount a, Amount b, Rounding rounding) {
  const bool negative = (a.units < 0) != (b.units < 0);
  return as_amount(divide_rounded(multiply_wide(magnitude(a.units), magnitude(b.units)), magnitude(units_per_one),
                                  negative, rounding));
}

Result<Amount> divide_fixed(Amount a, Amount b, Rounding rounding) {
  if (b.units == 0) return ErrorCode::divide_by_zero;
  const bool negative = (a.units < 0) != (b.units < 0);
  return as_amount(divide_rounded(multiply_wide(magnitude(a.units), magnitude(units_per_one)), magnitude(b.units),
                                  negative, rounding));
}

Result<Int128> divide_units(Int128 a, Int128 b, Rounding rounding) {
  if (b == 0) return ErrorCode::divide_by_zero;
  return divide_rounded({0, magnitude(a)}, magnitude(b), (a < 0) != (b < 0), rounding);
}

Result<Int128> rescale(Int128 units, int from_decimals, int to_decimals, Rounding rounding) {
  if (from_decimals < 0 || from_decimals > max_decimals || to_decimals < 0 || to_decimals > max_decimals) {
    return ErrorCode::amount_overflow;
  }
  if (to_decimals >= from_decimals) {
    const auto product = checked_multiply(units, power_of_ten(to_decimals - from_decimals));
    if (!product) return ErrorCode::amount_overflow;
    return *product;
  }
  return divide_units(units, power_of_ten(from_decimals - to_decimals), rounding);
}

Int128 saturating_multiply(Int128 a, Int128 b) noexcept {
  if (const auto product = checked_multiply(a, b)) return *product;
  return (a < 0) != (b < 0) ? int128_min : int128_max;
}

Int128 saturating_add(Int128 a, Int128 b) noexcept {
  Int128 sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return a < 0 ? int128_min : int128_max;
}

Int128 saturating_subtract(Int128 a, Int128 b) noexcept {
  Int128 difference = 0;
  if (!__builtin_sub_overflow(a, b, &difference)) return difference;
  return a < 0 ? int128_min : int128_max;
}

}  // namespace fluxora::core
