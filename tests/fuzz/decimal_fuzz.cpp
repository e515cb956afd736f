// Amounts as text: what is read is written again as the same amount, and what is refused lies outside the grammar.
#include <algorithm>
#include <cstring>
#include <string_view>

#include "fluxora/core/decimal.hpp"
#include "require.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// SPEC section 1: ^[+-]?[0-9]+(\.[0-9]+)?$
bool in_grammar(std::string_view text) {
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) text.remove_prefix(1);
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return all_digits(text);
  return all_digits(text.substr(0, point)) && all_digits(text.substr(point + 1));
}

void check_amount(core::Amount amount) {
  const std::string text = core::format_decimal(amount);
  require(in_grammar(text) && text[0] != '+', "an amount's text is in the grammar");
  require(text.size() >= 9 && text[text.size() - 8] == '.', "an amount's text has 7 decimals");
  const auto again = core::parse_decimal(text);
  require(again && *again == amount, "format, then parse gives the amount");

  const auto units = core::parse_units(core::format_units(amount.units));
  require(units && *units == amount.units, "format_units, then parse_units gives the units");
}

void check_decimal_text(std::string_view text) {
  const auto amount = core::parse_decimal(text);
  const bool readable = in_grammar(text) && text.size() <= core::decimal_max_length;
  if (amount) {
    require(readable, "only the grammar is read");
    check_amount(*amount);
    return;
  }
  require(amount.error().offset <= text.size(), "an error lies in the text");
  const bool out_of_range = amount.error().code == core::ErrorCode::decimal_out_of_range;
  require(readable == out_of_range, "what is in the grammar is refused for its range alone");
}

void check_units_text(std::string_view text) {
  const auto units = core::parse_units(text);
  if (!units) return;
  require(all_digits(text[0] == '-' ? text.substr(1) : text), "units are digits");
  const auto again = core::parse_units(core::format_units(*units));
  require(again && *again == *units, "parse_units, then format_units gives the same number");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_decimal_text(text);
  check_units_text(text);
  core::Amount amount;
  if (size >= sizeof amount.units) {
    std::memcpy(&amount.units, data, sizeof amount.units);
    check_amount(amount);
  }
  return 0;
}
