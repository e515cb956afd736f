#include "fluxora/core/amount.hpp"

#include <array>
#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core {
namespace {

constexpr Amount largest{int128_max};
constexpr Amount smallest{int128_min};

/// Base units as digits, or the name of the error: what a failed expectation should show.
std::string shown(const Result<Amount>& result) {
  return result ? format_units(result->units) : std::string(error_name(result.error().code));
}
std::string shown(const Result<Int128>& result) {
  return result ? format_units(*result) : std::string(error_name(result.error().code));
}

constexpr std::array<Rounding, 5> all_roundings{Rounding::floor, Rounding::ceiling, Rounding::down, Rounding::half_up,
                                                Rounding::half_even};

/// a ÷ b in every rounding, in the order of all_roundings.
std::string quotients(Int128 a, Int128 b) {
  std::string text;
  for (const Rounding rounding : all_roundings) text += shown(divide_units(a, b, rounding)) + " ";
  return text;
}

TEST(Amount, AddAndSubtractStopAtTheEnds) {
  EXPECT_EQ(shown(add(Amount{2}, Amount{-5})), "-3");
  EXPECT_EQ(shown(add(largest, Amount{0})), "170141183460469231731687303715884105727");
  EXPECT_EQ(shown(add(largest, Amount{1})), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(add(smallest, Amount{-1})), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(add(smallest, largest)), "-1");
  EXPECT_EQ(shown(subtract(smallest, Amount{1})), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(subtract(Amount{0}, smallest)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(subtract(Amount{-1}, smallest)), "170141183460469231731687303715884105727");
}

TEST(Amount, MultiplyStopsAtTheEnds) {
  EXPECT_EQ(shown(multiply(Amount{-3}, 7)), "-21");
  EXPECT_EQ(shown(multiply(smallest, 1)), "-170141183460469231731687303715884105728");
  EXPECT_EQ(shown(multiply(smallest, -1)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply(largest, -1)), "-170141183460469231731687303715884105727");
  EXPECT_EQ(shown(multiply(largest, 2)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply(Amount{Int128{1} << 63}, -(Int128{1} << 64))), "-170141183460469231731687303715884105728");
  EXPECT_EQ(shown(multiply(Amount{Int128{1} << 63}, Int128{1} << 64)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply(Amount{Int128{1} << 64}, Int128{1} << 64)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply(smallest, 0)), "0");
}

TEST(Amount, EveryRoundingOfPlainQuotients) {
  // floor, ceiling, down, half_up, half_even
  EXPECT_EQ(quotients(7, 2), "3 4 3 4 4 ");
  EXPECT_EQ(quotients(-7, 2), "-4 -3 -3 -4 -4 ");
  EXPECT_EQ(quotients(7, -2), "-4 -3 -3 -4 -4 ");
  EXPECT_EQ(quotients(-7, -2), "3 4 3 4 4 ");
  EXPECT_EQ(quotients(5, 2), "2 3 2 3 2 ");
  EXPECT_EQ(quotients(-5, 2), "-3 -2 -2 -3 -2 ");
  EXPECT_EQ(quotients(1, 3), "0 1 0 0 0 ");
  EXPECT_EQ(quotients(-1, 3), "-1 0 0 0 0 ");
  EXPECT_EQ(quotients(2, 3), "0 1 0 1 1 ");
  EXPECT_EQ(quotients(-2, 3), "-1 0 0 -1 -1 ");
  EXPECT_EQ(quotients(-6, 3), "-2 -2 -2 -2 -2 ");
  EXPECT_EQ(quotients(0, -3), "0 0 0 0 0 ");
}

TEST(Amount, DivideUnitsAtTheEnds) {
  EXPECT_EQ(shown(divide_units(1, 0, Rounding::down)), "DIVIDE_BY_ZERO");
  EXPECT_EQ(shown(divide_units(int128_min, -1, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(divide_units(int128_min, 1, Rounding::down)), "-170141183460469231731687303715884105728");
  EXPECT_EQ(quotients(int128_min, int128_min), "1 1 1 1 1 ");
  EXPECT_EQ(quotients(int128_max, int128_min), "-1 0 0 -1 -1 ");
  // 2^126 over 2^127 is a tie; its even neighbour is 0.
  EXPECT_EQ(quotients(-(int128_min / 2), int128_min), "-1 0 0 -1 0 ");
}

TEST(Amount, MultiplyFixedKeeps256Bits) {
  // (10^25 units = 10^18) squared is 10^36 = 10^43 units: out. (10^22 units)² / 10^7 = 10^37: in, over a 147-bit
  // product.
  const Int128 ten_to_22 = Int128{10'000'000'000} * 1'000'000'000'000;
  EXPECT_EQ(shown(multiply_fixed(Amount{ten_to_22}, Amount{ten_to_22}, Rounding::down)), "1" + std::string(37, '0'));
  EXPECT_EQ(shown(multiply_fixed(Amount{ten_to_22 * 1000}, Amount{ten_to_22 * 1000}, Rounding::down)),
            "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply_fixed(largest, Amount{units_per_one}, Rounding::half_even)), format_units(int128_max));
  EXPECT_EQ(shown(multiply_fixed(smallest, Amount{units_per_one}, Rounding::half_even)), format_units(int128_min));
  EXPECT_EQ(shown(multiply_fixed(smallest, Amount{-units_per_one}, Rounding::half_even)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply_fixed(smallest, smallest, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(multiply_fixed(Amount{0}, smallest, Rounding::ceiling)), "0");
}

TEST(Amount, MultiplyFixedRoundsOnce) {
  const auto product = [](Int128 a, Int128 b, Rounding rounding) {
    return shown(multiply_fixed(Amount{a}, Amount{b}, rounding));
  };
  EXPECT_EQ(product(5'000'000, 1, Rounding::half_up), "1");
  EXPECT_EQ(product(5'000'000, 1, Rounding::half_even), "0");
  EXPECT_EQ(product(5'000'000, 3, Rounding::half_even), "2");
  EXPECT_EQ(product(-5'000'000, 3, Rounding::half_even), "-2");
  EXPECT_EQ(product(-5'000'000, 1, Rounding::half_up), "-1");
  EXPECT_EQ(product(1, 1, Rounding::ceiling), "1");
  EXPECT_EQ(product(-1, 1, Rounding::ceiling), "0");
  EXPECT_EQ(product(-1, 1, Rounding::floor), "-1");
  EXPECT_EQ(product(-1, 1, Rounding::down), "0");
  // largest × (1 - 10^-7) is not whole.
  EXPECT_EQ(product(int128_max, 9'999'999, Rounding::floor), "170141166446350885684764130547153734138");
  EXPECT_EQ(product(int128_max, 9'999'999, Rounding::ceiling), "170141166446350885684764130547153734139");
}

TEST(Amount, RoundingMayBeWhatOverflows) {
  // x / 10^7 with x = 2^127 - 1 + a fraction: down fits, ceiling doesn't.
  const Amount a{int128_max};
  const Amount b{units_per_one + 1};
  EXPECT_EQ(shown(multiply_fixed(a, b, Rounding::down)), "AMOUNT_OVERFLOW");
  // MAX ÷ 1.0000001 is inexact and fits in every rounding; its product back never exceeds MAX when rounded down.
  const Result<Amount> quotient = divide_fixed(a, b, Rounding::down);
  ASSERT_TRUE(quotient);
  const Result<Amount> back = multiply_fixed(*quotient, b, Rounding::ceiling);
  ASSERT_TRUE(back);
  EXPECT_LE(back->units, a.units);
  EXPECT_EQ(shown(multiply_fixed(Amount{quotient->units + 1}, b, Rounding::ceiling)), "AMOUNT_OVERFLOW");
}

TEST(Amount, DivideFixedKeeps256Bits) {
  EXPECT_EQ(shown(divide_fixed(largest, largest, Rounding::floor)), "10000000");
  EXPECT_EQ(shown(divide_fixed(smallest, smallest, Rounding::floor)), "10000000");
  EXPECT_EQ(shown(divide_fixed(smallest, largest, Rounding::floor)), "-10000001");
  EXPECT_EQ(shown(divide_fixed(smallest, largest, Rounding::ceiling)), "-10000000");
  EXPECT_EQ(shown(divide_fixed(largest, smallest, Rounding::half_up)), "-10000000");
  EXPECT_EQ(shown(divide_fixed(largest, smallest, Rounding::ceiling)), "-9999999");
  EXPECT_EQ(shown(divide_fixed(largest, Amount{units_per_one}, Rounding::down)), format_units(int128_max));
  EXPECT_EQ(shown(divide_fixed(smallest, Amount{units_per_one}, Rounding::down)), format_units(int128_min));
  EXPECT_EQ(shown(divide_fixed(smallest, Amount{-units_per_one}, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(divide_fixed(largest, Amount{1}, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(divide_fixed(Amount{1}, Amount{0}, Rounding::down)), "DIVIDE_BY_ZERO");
  EXPECT_EQ(shown(divide_fixed(Amount{1}, Amount{3}, Rounding::down)), "3333333");
  EXPECT_EQ(shown(divide_fixed(Amount{-2}, Amount{3}, Rounding::half_even)), "-6666667");
  // A divisor of more than 64 bits under a numerator of more than 128: the bit-by-bit path.
  const Int128 divisor = (Int128{1} << 100) + 1;
  EXPECT_EQ(shown(divide_fixed(largest, Amount{divisor}, Rounding::floor)), "1342177279999999");
  EXPECT_EQ(shown(divide_fixed(largest, Amount{-divisor}, Rounding::floor)), "-1342177280000000");
}

TEST(Amount, RescaleBothWays) {
  EXPECT_EQ(shown(rescale(525, 0, 7, Rounding::down)), "5250000000");
  EXPECT_EQ(shown(rescale(-15, 1, 0, Rounding::half_even)), "-2");
  EXPECT_EQ(shown(rescale(-25, 1, 0, Rounding::half_even)), "-2");
  EXPECT_EQ(shown(rescale(-25, 1, 0, Rounding::half_up)), "-3");
  EXPECT_EQ(shown(rescale(int128_min, 7, 7, Rounding::down)), format_units(int128_min));
  EXPECT_EQ(shown(rescale(int128_max, 38, 0, Rounding::ceiling)), "2");
  EXPECT_EQ(shown(rescale(1, 0, 38, Rounding::down)), "1" + std::string(38, '0'));
  EXPECT_EQ(shown(rescale(2, 0, 38, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(rescale(1, 0, 39, Rounding::down)), "AMOUNT_OVERFLOW");
  EXPECT_EQ(shown(rescale(1, -1, 0, Rounding::down)), "AMOUNT_OVERFLOW");
}

TEST(Amount, SaturatingFormsStopAtTheNearerEnd) {
  EXPECT_EQ(saturating_multiply(int128_max, 2), int128_max);
  EXPECT_EQ(saturating_multiply(int128_min, 2), int128_min);
  EXPECT_EQ(saturating_multiply(int128_min, -1), int128_max);
  EXPECT_EQ(saturating_multiply(int128_max, int128_min), int128_min);
  EXPECT_EQ(saturating_multiply(int128_min, int128_min), int128_max);
  EXPECT_EQ(saturating_multiply(-3, 7), -21);
  EXPECT_EQ(saturating_multiply(int128_min, 1), int128_min);
  EXPECT_EQ(saturating_add(int128_max, 1), int128_max);
  EXPECT_EQ(saturating_add(int128_min, -1), int128_min);
  EXPECT_EQ(saturating_add(int128_min, int128_max), -1);
}

TEST(Amount, IsOrdered) {
  EXPECT_LT(smallest, Amount{-1});
  EXPECT_LT(Amount{-1}, Amount{0});
  EXPECT_GT(largest, Amount{0});
  EXPECT_EQ(Amount{5}, Amount{5});
}

}  // namespace
}  // namespace fluxora::core
