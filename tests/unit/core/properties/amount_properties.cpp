#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/decimal.hpp"
#include "generators.hpp"

namespace fluxora::core::properties {
namespace {

Int128 magnitude(Int128 value) {
  return value < 0 ? -value : value;
}

/// What an exact quotient a/b with remainder r must satisfy for its rounding. |a| and |b| at most 2^125, so
/// that nothing here overflows.
void check_quotient(Int128 a, Int128 b, Int128 quotient, Rounding rounding) {
  if (b < 0) {
    a = -a;
    b = -b;
  }
  const Int128 rest = a - quotient * b;  // a/b - quotient, in b-ths
  RC_ASSERT(magnitude(rest) < b);
  switch (rounding) {
    case Rounding::floor: RC_ASSERT(rest >= 0); return;
    case Rounding::ceiling: RC_ASSERT(rest <= 0); return;
    case Rounding::down: RC_ASSERT(rest == 0 || (rest > 0) == (a > 0)); return;
    case Rounding::half_up:
      RC_ASSERT(2 * magnitude(rest) <= b);
      // A tie goes away from zero: what is left has the other sign.
      if (2 * magnitude(rest) == b) RC_ASSERT((rest < 0) == (a > 0));
      return;
    case Rounding::half_even:
      RC_ASSERT(2 * magnitude(rest) <= b);
      if (2 * magnitude(rest) == b) RC_ASSERT(quotient % 2 == 0);
      return;
  }
  RC_FAIL("no such rounding");
}

/// Leaves check_quotient room.
Int128 quarter(Amount amount) {
  return amount.units / 4;
}

RC_GTEST_PROP(AmountProperties, ParseReversesFormat, ()) {
  const Amount amount = *any_amount();
  const auto read = parse_decimal(format_decimal(amount));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == amount);
}

RC_GTEST_PROP(AmountProperties, ParseUnitsReversesFormatUnits, ()) {
  const Amount amount = *any_amount();
  const auto read = parse_units(format_units(amount.units));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == amount.units);
}

RC_GTEST_PROP(AmountProperties, TextsOrderLikeAmountsOfTheSameLength, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  const std::string first = format_decimal(a);
  const std::string second = format_decimal(b);
  RC_PRE(first.size() == second.size() && a.units >= 0 && b.units >= 0);
  RC_ASSERT((a < b) == (first < second));
}

RC_GTEST_PROP(AmountProperties, SubtractReversesAdd, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  const auto sum = add(a, b);
  RC_PRE(sum.ok());
  const auto difference = subtract(*sum, b);
  RC_ASSERT(difference.ok());
  RC_ASSERT(*difference == a);
}

RC_GTEST_PROP(AmountProperties, ArithmeticOverflowsExactlyWhereTheCompilersDoes, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  Int128 exact = 0;
  const auto sum = add(a, b);
  RC_ASSERT(sum.ok() == !__builtin_add_overflow(a.units, b.units, &exact));
  if (sum) RC_ASSERT(sum->units == exact);
  const auto difference = subtract(a, b);
  RC_ASSERT(difference.ok() == !__builtin_sub_overflow(a.units, b.units, &exact));
  if (difference) RC_ASSERT(difference->units == exact);
  const auto product = multiply(a, b.units);
  RC_ASSERT(product.ok() == !__builtin_mul_overflow(a.units, b.units, &exact));
  if (product) RC_ASSERT(product->units == exact);
}

RC_GTEST_PROP(AmountProperties, SaturatingArithmeticEndsAtTheEnds, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  const auto sum = add(a, b);
  RC_ASSERT(saturating_add(a.units, b.units) == (sum ? sum->units : b.units > 0 ? int128_max : int128_min));
  const auto difference = subtract(a, b);
  RC_ASSERT(saturating_subtract(a.units, b.units) == (difference    ? difference->units
                                                      : b.units < 0 ? int128_max
                                                                    : int128_min));
  const auto product = multiply(a, b.units);
  const bool same_sign = (a.units < 0) == (b.units < 0);
  RC_ASSERT(saturating_multiply(a.units, b.units) == (product ? product->units : same_sign ? int128_max : int128_min));
}

RC_GTEST_PROP(AmountProperties, DivideUnitsRoundsByDefinition, ()) {
  const Int128 a = quarter(*any_amount());
  const Int128 b = quarter(*any_amount());
  const Rounding rounding = *any_rounding();
  const auto quotient = divide_units(a, b, rounding);
  if (b == 0) {
    RC_ASSERT(quotient.error().code == ErrorCode::divide_by_zero);
    return;
  }
  RC_ASSERT(quotient.ok());
  check_quotient(a, b, *quotient, rounding);
}

RC_GTEST_PROP(AmountProperties, DivideFixedRoundsByDefinition, ()) {
  const Amount a{quarter(*any_amount()) / units_per_one};
  const Amount b{quarter(*any_amount())};
  const Rounding rounding = *any_rounding();
  RC_PRE(b.units != 0);
  const auto quotient = divide_fixed(a, b, rounding);
  RC_ASSERT(quotient.ok());
  check_quotient(a.units * units_per_one, b.units, quotient->units, rounding);
}

RC_GTEST_PROP(AmountProperties, MultiplyFixedRoundsByDefinition, ()) {
  const Amount a{quarter(*any_amount())};
  const Amount b{*rc::gen::arbitrary<std::int32_t>()};
  const Rounding rounding = *any_rounding();
  Int128 exact = 0;
  RC_PRE(!__builtin_mul_overflow(a.units, b.units, &exact) && magnitude(exact) < int128_max / 4);
  const auto product = multiply_fixed(a, b, rounding);
  RC_ASSERT(product.ok());
  check_quotient(exact, units_per_one, product->units, rounding);
}

RC_GTEST_PROP(AmountProperties, MultiplyFixedCommutes, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  const Rounding rounding = *any_rounding();
  const auto forwards = multiply_fixed(a, b, rounding);
  const auto backwards = multiply_fixed(b, a, rounding);
  RC_ASSERT(forwards.ok() == backwards.ok());
  if (forwards) RC_ASSERT(*forwards == *backwards);
}

RC_GTEST_PROP(AmountProperties, FloorAndCeilingEncloseEveryRounding, ()) {
  const Amount a = *any_amount();
  const Amount b = *any_amount();
  const Rounding rounding = *any_rounding();
  const auto low = multiply_fixed(a, b, Rounding::floor);
  const auto high = multiply_fixed(a, b, Rounding::ceiling);
  const auto rounded = multiply_fixed(a, b, rounding);
  RC_PRE(low.ok() && high.ok());
  RC_ASSERT(rounded.ok());
  RC_ASSERT(*low <= *rounded);
  RC_ASSERT(*rounded <= *high);
  RC_ASSERT(high->units - low->units <= 1);
}

RC_GTEST_PROP(AmountProperties, RescaleUpThenDownGivesTheUnits, ()) {
  const Amount amount = *any_amount();
  const int from = *rc::gen::inRange(0, 39);
  const int to = *rc::gen::inRange(from, 39);
  const auto finer = rescale(amount.units, from, to, Rounding::floor);
  RC_PRE(finer.ok());
  const auto back = rescale(*finer, to, from, *any_rounding());
  RC_ASSERT(back.ok());
  RC_ASSERT(*back == amount.units);
}

}  // namespace
}  // namespace fluxora::core::properties
