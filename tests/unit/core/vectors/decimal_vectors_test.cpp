#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "fluxora/core/decimal.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

constexpr std::array<std::pair<const char*, Rounding>, 5> roundings{{{"floor", Rounding::floor},
                                                                     {"ceiling", Rounding::ceiling},
                                                                     {"down", Rounding::down},
                                                                     {"half_up", Rounding::half_up},
                                                                     {"half_even", Rounding::half_even}}};

std::string digits_of(const Result<Int128>& result) {
  return result ? format_units(*result) : std::string(error_name(result.error().code));
}

std::string digits_of(const Result<Amount>& result) {
  return result ? format_units(result->units) : std::string(error_name(result.error().code));
}

/// The member's digits where it has some, else the error that stands for null.
std::string expected_digits(const Json& object, const char* key, ErrorCode when_null) {
  return text(object, key).value_or(std::string(error_name(when_null)));
}

/// SPEC section 1 once more, in text only: no number that could overflow in the way the code under test does.
struct SpecDecimal {
  bool accepted = false;  ///< inside the grammar
  ErrorCode error{};      ///< when not accepted, or out of range
  bool in_range = false;
  std::string units;     ///< when in range
  std::string unscaled;  ///< sign and all digits without the point
  int decimals = 0;      ///< fraction digits
};

SpecDecimal by_spec(const std::string& input) {
  SpecDecimal result;
  const auto is_digit = [](char c) { return std::string_view("0123456789").find(c) != std::string_view::npos; };
  if (input.find_first_not_of(" \t\n\v\f\r") == std::string::npos) {
    result.error = ErrorCode::decimal_empty_value;
    return result;
  }
  result.error = ErrorCode::decimal_invalid_format;
  if (input.size() > 64) return result;
  const bool negative = input.front() == '-';
  std::string body = input.substr(negative || input.front() == '+' ? 1 : 0);
  const std::size_t point = body.find('.');
  std::string whole = body.substr(0, point);
  std::string fraction = point == std::string::npos ? "" : body.substr(point + 1);
  if (whole.empty() || (point != std::string::npos && fraction.empty())) return result;
  for (const char c : whole + fraction) {
    if (!is_digit(c)) return result;
  }
  result.accepted = true;
  result.error = ErrorCode::decimal_out_of_range;
  while (fraction.size() > 7 && fraction.back() == '0') fraction.pop_back();
  result.unscaled = (negative ? "-" : "") + whole + fraction;
  result.decimals = static_cast<int>(fraction.size());
  if (fraction.size() > 7) return result;
  std::string digits = whole + fraction + std::string(7 - fraction.size(), '0');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  const std::string limit =
      negative ? "170141183460469231731687303715884105728" : "170141183460469231731687303715884105727";
  if (digits.size() > limit.size() || (digits.size() == limit.size() && digits > limit)) return result;
  result.in_range = true;
  result.units = digits.empty() ? "0" : (negative ? "-" : "") + digits;
  return result;
}

void check_format(const Json& c) {
  const auto value = units(c, "units");
  ASSERT_TRUE(value);
  EXPECT_EQ(format_units(*value), text(c, "units"));
  const std::string formatted = format_decimal(Amount{*value});
  if (has(c, "fixed7")) {
    EXPECT_EQ(formatted, text(c, "fixed7"));
  }
  EXPECT_EQ(digits_of(parse_decimal(formatted)), text(c, "units"));
  if (const auto trimmed = text(c, "trimmed")) {
    EXPECT_EQ(digits_of(parse_decimal(*trimmed)), text(c, "units"));
  }
}

void check_parse(const Json& c) {
  const auto input = text(c, "text");
  ASSERT_TRUE(input);
  const SpecDecimal spec = by_spec(*input);
  const Result<Amount> parsed = parse_decimal(*input);
  EXPECT_EQ(digits_of(parsed), spec.in_range ? spec.units : std::string(error_name(spec.error)));

  // SPEC's grammar takes a plus sign and leading zeros that the strict one doesn't; the bound of 64 is SPEC's own.
  if (!flag(c, "strictDecimalGrammar").value_or(false) || input->size() > decimal_max_length) return;
  if (flag(c, "exact7").value_or(true)) {
    EXPECT_EQ(digits_of(parsed), expected_digits(c, "units", ErrorCode::decimal_out_of_range));
    return;
  }
  EXPECT_EQ(digits_of(parsed), "DECIMAL_OUT_OF_RANGE");
  const Result<Int128> unscaled = parse_units(spec.unscaled);
  if (!unscaled || spec.decimals > 38) return;  // rescale takes what fits i128
  for (const auto& [name, rounding] : roundings) {
    const std::string key = std::string("units_") + name;
    if (!has(c, key.c_str())) continue;
    EXPECT_EQ(digits_of(rescale(*unscaled, spec.decimals, amount_decimals, rounding)),
              expected_digits(c, key.c_str(), ErrorCode::amount_overflow))
        << key;
  }
}

/// One result for each rounding that the case names; at least one.
template <class Operation>
void check_roundings(const Json& c, ErrorCode when_null, Operation operation) {
  int checked = 0;
  for (const auto& [name, rounding] : roundings) {
    if (!has(c, name)) continue;
    ++checked;
    EXPECT_EQ(digits_of(operation(rounding)), expected_digits(c, name, when_null)) << name;
  }
  EXPECT_GT(checked, 0);
}

void check_binary(const std::string& op, const Json& c) {
  const auto a = units(c, "a");
  const auto b = units(c, "b");
  ASSERT_TRUE(a && b);
  const ErrorCode division_error = *b == 0 ? ErrorCode::divide_by_zero : ErrorCode::amount_overflow;
  if (op == "add" || op == "sub" || op == "mul_int") {
    const Result<Amount> result = op == "add"   ? add(Amount{*a}, Amount{*b})
                                  : op == "sub" ? subtract(Amount{*a}, Amount{*b})
                                                : multiply(Amount{*a}, *b);
    EXPECT_EQ(digits_of(result), expected_digits(c, "result", ErrorCode::amount_overflow));
    if (const auto overflow = flag(c, "overflow")) {
      EXPECT_EQ(!result.ok(), *overflow);
    }
    // The saturating forms agree wherever the result fits.
    if (result && op == "add") {
      EXPECT_EQ(format_units(saturating_add(*a, *b)), digits_of(result));
    }
    if (result && op == "mul_int") {
      EXPECT_EQ(format_units(saturating_multiply(*a, *b)), digits_of(result));
    }
  } else if (op == "cmp") {
    const auto order = Amount{*a} <=> Amount{*b};
    const Int128 sign = order < 0 ? -1 : order > 0 ? 1 : 0;
    EXPECT_TRUE(units(c, "result") == sign);
  } else if (op == "mul_fixed7") {
    check_roundings(c, ErrorCode::amount_overflow,
                    [&](Rounding rounding) { return multiply_fixed(Amount{*a}, Amount{*b}, rounding); });
  } else if (op == "div_fixed7") {
    check_roundings(c, division_error,
                    [&](Rounding rounding) { return divide_fixed(Amount{*a}, Amount{*b}, rounding); });
  } else if (op == "div_int_trunc") {
    const Result<Int128> quotient = divide_units(*a, *b, Rounding::down);
    EXPECT_EQ(digits_of(quotient), expected_digits(c, "quot", division_error));
    if (quotient && text(c, "rem")) {
      EXPECT_EQ(format_units(*a - *quotient * *b), text(c, "rem"));
    }
  } else {
    ADD_FAILURE() << "unknown operation " << op;
  }
}

void check_rescale(const Json& c) {
  const auto a = units(c, "a");
  const auto from = units(c, "from_decimals");
  const auto to = units(c, "to_decimals");
  ASSERT_TRUE(a && from && to);
  check_roundings(c, ErrorCode::amount_overflow, [&](Rounding rounding) {
    return rescale(*a, static_cast<int>(*from), static_cast<int>(*to), rounding);
  });
}

TEST(DecimalVectors, FixedPointOperations) {
  const VectorCases file = read_lines("decimal/fixed7_i128.jsonl");
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i) + ": " + c.dump());
    const std::string op = text(c, "op").value_or("");
    if (op == "format") {
      check_format(c);
    } else if (op == "parse") {
      check_parse(c);
    } else if (op == "rescale") {
      check_rescale(c);
    } else {
      check_binary(op, c);
    }
  }
  file.report();
}

}  // namespace
}  // namespace fluxora::core::vectors
