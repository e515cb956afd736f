#include "fluxora/core/decimal.hpp"

#include <bit>
#include <cstring>
#include <limits>

namespace fluxora::core {
namespace {

constexpr std::uint32_t ten_to_7 = 10'000'000;
constexpr std::uint64_t ten_to_19 = 10'000'000'000'000'000'000u;  // the largest power of ten in 64 bits
constexpr std::size_t chunk_digits = 19;
constexpr std::size_t fraction_digits = amount_decimals;
constexpr std::size_t max_units_digits = 39;
constexpr std::size_t max_u64_digits = 20;

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

// Digits are written from the end, eight at a time; what a group writes too much in front is overwritten, or isn't part
// of the text. So a buffer has room for a whole group in front of its longest text.
constexpr std::size_t group_digits = 8;
constexpr std::uint32_t ten_to_8 = 100'000'000;

/// The digits of a number below 10^8, one a byte, the first in the lowest. All at once, by multiplications: halves of 4
/// digits, then quarters of 2, then single ones, each next to the other in one word.
std::uint64_t digits_of_group(std::uint32_t value) noexcept {
  const std::uint64_t halves = value / 10'000 | std::uint64_t{value % 10'000} << 32;
  const std::uint64_t hundreds = (halves * 10'486 >> 20) & 0x7f'0000'007f;  // n / 100 for n < 10^4
  const std::uint64_t quarters = hundreds | (halves - 100 * hundreds) << 16;
  const std::uint64_t tens = (quarters * 103 >> 10) & 0x000f'000f'000f'000f;  // n / 10 for n < 100
  return tens | (quarters - 10 * tens) << 8;
}

/// What stands before the last digits, and those. One division: in WebAssembly those of 64 bits are slow.
struct Parted {
  std::uint64_t rest;
  std::uint32_t last;
};
Parted part(std::uint64_t value, std::uint32_t divisor) noexcept {
  const std::uint64_t rest = value / divisor;
  return {rest, static_cast<std::uint32_t>(value - rest * divisor)};
}

void write_group(char* to, std::uint64_t digits) noexcept {
  const std::uint64_t text = digits | 0x3030'3030'3030'3030;  // '0' is 0x30
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(to, &text, group_digits);
  } else {
    for (std::size_t i = 0; i < group_digits; ++i) to[i] = static_cast<char>(text >> (8 * i));
  }
}

/// Writes digits in front of `end`; returns where they begin. No digits for 0.
char* write_digits(char* end, std::uint64_t value) noexcept {
  while (value >= ten_to_8) {
    const Parted parted = part(value, ten_to_8);
    end -= group_digits;
    write_group(end, digits_of_group(parted.last));
    value = parted.rest;
  }
  if (value == 0) return end;
  const std::uint64_t digits = digits_of_group(static_cast<std::uint32_t>(value));
  end -= group_digits;
  write_group(end, digits);
  return end + std::countr_zero(digits) / 8;  // without leading zeros
}

/// The last `width` digits.
char* write_padded(char* end, std::uint64_t value, std::size_t width) noexcept {
  char* const begin = end - width;
  while (end > begin) {
    const Parted parted = part(value, ten_to_8);
    end -= group_digits;
    write_group(end, digits_of_group(parted.last));
    value = parted.rest;
  }
  return begin;
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

char* write_decimal(char* end, Amount amount) noexcept {
  const Chunks chunks = split(amount.units);
  const Parted parted = part(chunks.low, ten_to_7);
  char* const point = end - fraction_digits - 1;
  write_group(point, digits_of_group(parted.last));
  *point = '.';
  char* at = point;
  if (chunks.high != 0) {
    at = write_padded(at, parted.rest, chunk_digits - fraction_digits);
    at = write_digits(at, chunks.high);
  } else {
    at = write_digits(at, parted.rest);
    if (at == point) *--at = '0';
  }
  if (amount.units < 0) *--at = '-';
  return at;
}

DecimalText::DecimalText(Amount amount) noexcept {
  const char* const begin = write_decimal(buffer_.data() + buffer_.size(), amount);
  begin_ = static_cast<std::size_t>(begin - buffer_.data());
}

std::string format_decimal(Amount amount) {
  return std::string(DecimalText(amount).view());
}

std::string format_units(Int128 units) {
  std::array<char, max_units_digits + 1 + group_digits> buffer;
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

std::string format_u64(std::uint64_t value) {
  std::array<char, max_u64_digits + group_digits> buffer;
  char* const end = buffer.data() + buffer.size();
  char* at = write_digits(end, value);
  if (at == end) *--at = '0';
  return std::string(at, end);
}

std::optional<std::uint64_t> parse_u64(std::string_view text) noexcept {
  constexpr std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (max - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
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
