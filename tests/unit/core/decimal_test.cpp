#include "fluxora/core/decimal.hpp"

#include <string>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

/// Base units as digits, or the name of the error.
std::string parsed(std::string_view text) {
  const Result<Amount> result = parse_decimal(text);
  return result ? format_units(result->units) : std::string(error_name(result.error().code));
}
std::string parsed_units(std::string_view text) {
  const Result<Int128> result = parse_units(text);
  return result ? format_units(*result) : std::string(error_name(result.error().code));
}

TEST(Decimal, ReadsTheGrammar) {
  EXPECT_EQ(parsed("0"), "0");
  EXPECT_EQ(parsed("1"), "10000000");
  EXPECT_EQ(parsed("+1.5"), "15000000");
  EXPECT_EQ(parsed("-0.0000116"), "-116");
  EXPECT_EQ(parsed("0.0000001"), "1");
  EXPECT_EQ(parsed("00012.30"), "123000000");
  EXPECT_EQ(parsed("1.00000000000000000000"), "10000000");
}

TEST(Decimal, MinusZeroIsZero) {
  EXPECT_EQ(parsed("-0"), "0");
  EXPECT_EQ(parsed("-0.000"), "0");
  EXPECT_EQ(format_decimal(*parse_decimal("-0")), "0.0000000");
}

TEST(Decimal, RefusesWhatIsOutsideTheGrammar) {
  for (const char* text : {".5", "1.", ".",   "-",   "+",   "--1", "+-1",      "1e3",  "0x10", "1_000", "1,5", "1.2.3",
                           " 1", "1 ", "\t1", "1\n", "NaN", "inf", "\xd9\xa1", "1.-5", "1.+5", "-.5",   "1-"}) {
    EXPECT_EQ(parsed(text), "DECIMAL_INVALID_FORMAT") << text;
  }
  EXPECT_EQ(parsed(std::string_view("1\0", 2)), "DECIMAL_INVALID_FORMAT");
  EXPECT_EQ(parse_decimal("12x").error().offset, 2u);
}

TEST(Decimal, BlankIsEmptyAtAnyLength) {
  for (const std::string& text : {std::string(), std::string(" "), std::string("\t\r\n\v\f"), std::string(64, ' '),
                                  std::string(65, ' '), std::string(1000, '\n')}) {
    EXPECT_EQ(parsed(text), "DECIMAL_EMPTY_VALUE") << text.size();
  }
}

TEST(Decimal, SixtyFourCharactersAreTheLimit) {
  EXPECT_EQ(parsed(std::string(63, '0') + "7"), "70000000");
  EXPECT_EQ(parsed(std::string(64, '0') + "7"), "DECIMAL_INVALID_FORMAT");
  EXPECT_EQ(parsed("-" + std::string(62, '0') + "7"), "-70000000");
  EXPECT_EQ(parsed("1." + std::string(62, '0')), "10000000");
  EXPECT_EQ(parsed("1." + std::string(63, '0')), "DECIMAL_INVALID_FORMAT");
  EXPECT_EQ(parsed(std::string(64, '9')), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("0." + std::string(61, '0') + "1"), "DECIMAL_OUT_OF_RANGE");
}

TEST(Decimal, EndsOfTheRangeAreExact) {
  EXPECT_EQ(parsed("17014118346046923173168730371588.4105727"), "170141183460469231731687303715884105727");
  EXPECT_EQ(parsed("17014118346046923173168730371588.4105728"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("-17014118346046923173168730371588.4105728"), "-170141183460469231731687303715884105728");
  EXPECT_EQ(parsed("-17014118346046923173168730371588.4105729"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("19999999999999999999999999999999.9999999"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("20000000000000000000000000000000"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("99999999999999999999999999999999"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("10000000000000000000000000000000"), "1" + std::string(38, '0'));
  EXPECT_EQ(parsed("100000000000000000000000000000000"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("9999999999999999999999999999999.9999999"), std::string(38, '9'));
}

TEST(Decimal, EightFractionDigitsMustEndInZero) {
  EXPECT_EQ(parsed("1.00000010"), "10000001");
  EXPECT_EQ(parsed("1.00000001"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed("1.000000000000001"), "DECIMAL_OUT_OF_RANGE");
  // The grammar is judged first.
  EXPECT_EQ(parsed("1.00000001x"), "DECIMAL_INVALID_FORMAT");
}

TEST(Decimal, WritesExactlySevenDecimals) {
  EXPECT_EQ(format_decimal(Amount{0}), "0.0000000");
  EXPECT_EQ(format_decimal(Amount{116}), "0.0000116");
  EXPECT_EQ(format_decimal(Amount{-1}), "-0.0000001");
  EXPECT_EQ(format_decimal(Amount{units_per_one * 1'000'000}), "1000000.0000000");
  EXPECT_EQ(format_decimal(Amount{int128_max}), "17014118346046923173168730371588.4105727");
  EXPECT_EQ(format_decimal(Amount{int128_min}), "-17014118346046923173168730371588.4105728");
}

// 10^19 is where one 64-bit word of digits ends.
TEST(Decimal, DigitsAreWholeAroundEveryPowerOfTen) {
  Int128 power = 1;
  std::string digits = "1";
  for (int i = 0; i <= 38; ++i) {
    EXPECT_EQ(format_units(power), digits);
    EXPECT_EQ(format_units(-power), "-" + digits);
    EXPECT_EQ(format_units(power - 1), i == 0 ? "0" : std::string(digits.size() - 1, '9'));
    for (const Int128 units : {power - 1, power, power + 1, -power}) {
      EXPECT_EQ(parsed_units(format_units(units)), format_units(units));
      EXPECT_EQ(parsed(format_decimal(Amount{units})), format_units(units));
    }
    if (i < 38) power *= 10;
    digits += '0';
  }
}

TEST(Decimal, TextIsAViewWithoutAllocation) {
  const DecimalText text(Amount{int128_min});
  const std::string_view view = text;
  EXPECT_EQ(view, "-17014118346046923173168730371588.4105728");
  EXPECT_GE(view.data(), reinterpret_cast<const char*>(&text));
  EXPECT_LE(view.data() + view.size(), reinterpret_cast<const char*>(&text + 1));
}

TEST(Units, ReadAndRefuse) {
  EXPECT_EQ(parsed_units("-17"), "-17");
  EXPECT_EQ(parsed_units("-0"), "0");
  EXPECT_EQ(parsed_units(std::string(100, '0') + "5"), "5");
  EXPECT_EQ(parsed_units("170141183460469231731687303715884105727"), "170141183460469231731687303715884105727");
  EXPECT_EQ(parsed_units("170141183460469231731687303715884105728"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed_units("-170141183460469231731687303715884105728"), "-170141183460469231731687303715884105728");
  EXPECT_EQ(parsed_units("-170141183460469231731687303715884105729"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed_units("340282366920938463463374607431768211456"), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed_units("1" + std::string(39, '0')), "DECIMAL_OUT_OF_RANGE");
  EXPECT_EQ(parsed_units(""), "DECIMAL_EMPTY_VALUE");
  EXPECT_EQ(parsed_units("  "), "DECIMAL_EMPTY_VALUE");
  for (const char* text : {"-", "+1", "1.0", "1 ", "--1", "0x1", "1-"}) {
    EXPECT_EQ(parsed_units(text), "DECIMAL_INVALID_FORMAT") << text;
  }
}

}  // namespace
}  // namespace fluxora::core
