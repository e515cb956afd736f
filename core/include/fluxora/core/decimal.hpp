#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// Longest decimal text accepted as input. SPEC section 1.
inline constexpr std::size_t decimal_max_length = 64;

/// Reads `^[+-]?[0-9]+(\.[0-9]+)?$`, at most 64 characters, into base units.
/// Errors: decimal_empty_value (empty or blank), decimal_invalid_format (outside the grammar, or too long),
/// decimal_out_of_range (does not fit i128 units; more than 7 fraction digits that are not zeros).
Result<Amount> parse_decimal(std::string_view text);

/// Longest text of an amount: a sign, 32 digits, a point, 7 digits. And what write_decimal needs in front of it.
inline constexpr std::size_t decimal_text_max = 41;
inline constexpr std::size_t decimal_text_room = decimal_text_max + 7;

/// Writes an amount with exactly 7 decimals in front of `end`; returns where it begins. Of the decimal_text_room bytes
/// in front of `end`, those before the text may be overwritten too.
char* write_decimal(char* end, Amount amount) noexcept;

/// Text of an amount with exactly 7 decimals, in a buffer of its own: no allocation.
class DecimalText {
 public:
  explicit DecimalText(Amount amount) noexcept;
  [[nodiscard]] std::string_view view() const noexcept { return {buffer_.data() + begin_, buffer_.size() - begin_}; }
  operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)

 private:
  std::array<char, decimal_text_room> buffer_;
  std::size_t begin_;
};

/// The same as a string: "0.0000116".
[[nodiscard]] std::string format_decimal(Amount amount);

/// Base units as plain integer digits and back ("-17"), as databases and ScVal JSON write an i128.
/// Grammar of the input: `^-?[0-9]+$`, no leading zeros needed or refused.
/// Errors: decimal_empty_value, decimal_invalid_format, decimal_out_of_range.
[[nodiscard]] std::string format_units(Int128 units);
Result<Int128> parse_units(std::string_view text);

/// An unsigned integer as plain digits ("7"), and back from that form alone: no sign, no leading zeros.
[[nodiscard]] std::string format_u64(std::uint64_t value);
[[nodiscard]] std::optional<std::uint64_t> parse_u64(std::string_view text) noexcept;

}  // namespace fluxora::core
