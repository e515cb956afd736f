#include "fluxora/core/decimal.hpp"

#include <cstdint>
#include <optional>

namespace fluxora::core {
namespace {

constexpr std::uint64_t ten_to_7 = 10'000'000;
constexpr std::uint64_t ten_to_19 = 10'000'000'000'000'000'000u;  // the largest power of ten in 64 bits
constexpr std::size_t chunk_digits = 19;
constexpr std::size_t fraction_digits = amount_decimals;
constexpr std::size_t max_units_digits = 39;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_blank(std::string_view text) noexcept {
  return text.find_first_not_of(" \t\n\v\f\r") == std::string_view::npos;
}

/// Up to 19 digits.
std::uint64_t chunk_value(std::string_view digits) noexcept {
  std::uint64_t value = 0;
  for (const char c : digits) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value;
}

/// Digits as base units with a sign; none where they don't fit.
std::optional<Int128> units_from_digits(std::string_view digits, bool negative) noexcept {
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string_view::npos) return Int128{0};
  digits.remove_prefix(first);
  if (digits.size() > max_units_digits) return std::nullopt;

  UInt128 value = 0;
  if (digits.size() > 2 * chunk_digits) {
    // 39 digits: i128 ends at 1.7 × 10^38, so a first digit above 1 is out, and with 1 the sum below fits 128 bits.
    if (digits.front() != '1') return std::nullopt;
    value = 1;
    digits.remove_prefix(1);
  }
  if (digits.size() > chunk_digits) {
    const std::size_t size = digits.size() - chunk_digits;
    // Only after a 39th digit is value not zero here, and then this chunk is a whole one.
    value = value * ten_to_19 + chunk_value(digits.substr(0, size));
    digits.remove_prefix(size);
  }
  if (value != 0) value *= ten_to_19;
  value += chunk_value(digits);

  const UInt128 limit = static_cast<UInt128>(int128_max) + (negative ? 1u : 0u);
  if (value > limit) return std::nullopt;
  return static_cast<Int128>(negative ? UInt128{0} - value : value);
}

/// Writes digits in front of `end`; returns where they begin. No digits for 0.
char* write_digits(char* end, std::uint64_t value) noexcept {
  for (; value != 0; value /= 10) *--end = static_cast<char>('0' + value % 10);
  return end;
}

char* write_padded(char* end, std::uint64_t value, std::size_t width) noexcept {
  for (; width > 0; --width, value /= 10) *--end = static_cast<char>('0' + value % 10);
  return end;
}

/// A magnitude of at most 2^127 in base 10^19.
struct Chunks {
  std::uint64_t high;
  std::uint64_t low;
};

Chunks split(Int128 units) noexcept {
  const auto bits = static_cast<UInt128>(units);
  const UInt128 value = units < 0 ? UInt128{0} - bits : bits;
  if (value < ten_to_19) return {0, static_cast<std::uint64_t>(value)};
  return {static_cast<std::uint64_t>(value / ten_to_19), static_cast<std::uint64_t>(value % ten_to_19)};
}

}  // namespace

Result<Amount> parse_decimal(std::string_view text) {
  if (is_blank(text)) return ErrorCode::decimal_empty_value;
  if (text.size() > decimal_max_length) return Error{ErrorCode::decimal_invalid_format, decimal_max_length};

  std::size_t at = 0;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') ++at;

  const std::size_t whole_begin = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  const std::string_view whole = text.substr(whole_begin, at - whole_begin);
  if (whole.empty()) return Error{ErrorCode::decimal_invalid_format, at};

  std::string_view fraction;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction_begin = ++at;
    while (at < text.size() && is_digit(text[at])) ++at;
    fraction = text.substr(fraction_begin, at - fraction_begin);
    if (fraction.empty()) return Error{ErrorCode::decimal_invalid_format, at};
  }
  if (at != text.size()) return Error{ErrorCode::decimal_invalid_format, at};

  if (fraction.size() > fraction_digits && fraction.find_first_not_of('0', fraction_digits) != std::string_view::npos) {
    return ErrorCode::decimal_out_of_range;
  }
  // The digits of the whole number of units: the whole part, then exactly 7 of the fraction.
  std::array<char, decimal_max_length + fraction_digits> digits{};
  std::size_t size = whole.copy(digits.data(), whole.size());
  for (std::size_t i = 0; i < fraction_digits; ++i) digits[size++] = i < fraction.size() ? fraction[i] : '0';

  const auto units = units_from_digits({digits.data(), size}, negative);
  if (!units) return ErrorCode::decimal_out_of_range;
  return Amount{*units};
}

DecimalText::DecimalText(Amount amount) noexcept : buffer_{}, begin_(0) {
  char* const end = buffer_.data() + buffer_.size();
  const Chunks chunks = split(amount.units);
  char* at = write_padded(end, chunks.low % ten_to_7, fraction_digits);
  *--at = '.';
  if (chunks.high != 0) {
    at = write_padded(at, chunks.low / ten_to_7, chunk_digits - fraction_digits);
    at = write_digits(at, chunks.high);
  } else {
    char* const point = at;
    at = write_digits(at, chunks.low / ten_to_7);
    if (at == point) *--at = '0';
  }
  if (amount.units < 0) *--at = '-';
  begin_ = static_cast<std::size_t>(at - buffer_.data());
}

std::string format_decimal(Amount amount) {
  return std::string(DecimalText(amount).view());
}

std::string format_units(Int128 units) {
  std::array<char, max_units_digits + 1> buffer{};
  char* const end = buffer.data() + buffer.size();
  const Chunks chunks = split(units);
  char* at = end;
  if (chunks.high != 0) {
    at = write_padded(at, chunks.low, chunk_digits);
    at = write_digits(at, chunks.high);
  } else {
    at = write_digits(at, chunks.low);
    if (at == end) *--at = '0';
  }
  if (units < 0) *--at = '-';
  return std::string(at, end);
}

Result<Int128> parse_units(std::string_view text) {
  if (is_blank(text)) return ErrorCode::decimal_empty_value;
  const bool negative = text.front() == '-';
  const std::string_view digits = text.substr(negative ? 1 : 0);
  if (digits.empty()) return Error{ErrorCode::decimal_invalid_format, text.size()};
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (!is_digit(digits[i])) return Error{ErrorCode::decimal_invalid_format, i + (negative ? 1u : 0u)};
  }
  const auto units = units_from_digits(digits, negative);
  if (!units) return ErrorCode::decimal_out_of_range;
  return *units;
}

}  // namespace fluxora::core
