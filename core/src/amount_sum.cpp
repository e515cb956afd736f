#include "fluxora/core/amount_sum.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core {
namespace {

constexpr std::uint64_t ten_to_19 = 10'000'000'000'000'000'000U;
constexpr std::size_t chunk_digits = 19;
constexpr std::size_t fraction_digits = amount_decimals;

/// A magnitude in words of 64 bits, the highest first.
using Words = std::array<std::uint64_t, 3>;

bool is_zero(const Words& words) {
  return std::all_of(words.begin(), words.end(), [](std::uint64_t word) { return word == 0; });
}

/// Divides in place; gives the remainder.
std::uint64_t divide_by_chunk(Words& words) {
  std::uint64_t remainder = 0;
  for (std::uint64_t& word : words) {
    const UInt128 dividend = UInt128{remainder} << 64 | word;
    word = static_cast<std::uint64_t>(dividend / ten_to_19);
    remainder = static_cast<std::uint64_t>(dividend % ten_to_19);
  }
  return remainder;
}

/// At least 8 digits, so that there is one before the point.
std::string digits_of(Words words) {
  std::string digits;
  while (!is_zero(words)) {
    const std::string chunk = format_u64(divide_by_chunk(words));
    digits.insert(0, is_zero(words) ? chunk : std::string(chunk_digits - chunk.size(), '0') + chunk);
  }
  if (digits.size() <= fraction_digits) digits.insert(0, fraction_digits + 1 - digits.size(), '0');
  return digits;
}

}  // namespace

void AmountSum::add(Amount amount) noexcept {
  AmountSum wide;
  wide.low_ = static_cast<UInt128>(amount.units);
  wide.high_ = amount.units < 0 ? -1 : 0;
  add(wide);
}

void AmountSum::add(const AmountSum& other) noexcept {
  const UInt128 added = other.low_;  // `other` may be this one
  low_ += added;
  high_ += other.high_ + (low_ < added ? 1 : 0);
}

void AmountSum::subtract(Amount amount) noexcept {
  const auto subtracted = static_cast<UInt128>(amount.units);
  const bool borrows = low_ < subtracted;
  low_ -= subtracted;
  high_ -= (amount.units < 0 ? -1 : 0) + (borrows ? 1 : 0);
}

std::string AmountSum::text() const {
  const bool negative = high_ < 0;
  const UInt128 low = negative ? UInt128{0} - low_ : low_;
  const auto bits = static_cast<std::uint64_t>(high_);
  const std::uint64_t high = negative ? ~bits + (low_ == 0 ? 1U : 0U) : bits;
  std::string text = digits_of({high, static_cast<std::uint64_t>(low >> 64), static_cast<std::uint64_t>(low)});
  text.insert(text.size() - fraction_digits, 1, '.');
  if (negative) text.insert(0, 1, '-');
  return text;
}

AmountSum difference(Amount a, Amount b) noexcept {
  AmountSum sum(a);
  sum.subtract(b);
  return sum;
}

}  // namespace fluxora::core
