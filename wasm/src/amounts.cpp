#include "exchange.hpp"
#include "fluxora/core/decimal.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

bool is_rounding(std::uint32_t value) noexcept {
  return value <= static_cast<std::uint32_t>(core::Rounding::half_even);
}

}  // namespace

extern "C" {

/// Decimal text into the cell `result`.
Status fluxora_amount_parse(const char* text, std::uint32_t size, std::uint8_t* result) {
  return wasm::store(result, core::parse_decimal(std::string_view(text, size)));
}

/// Gives the amount's decimal text.
Status fluxora_amount_format(const std::uint8_t* amount) {
  return wasm::give(core::DecimalText(wasm::load_amount(amount)).view());
}

Status fluxora_amount_add(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* result) {
  return wasm::store(result, core::add(wasm::load_amount(a), wasm::load_amount(b)));
}

Status fluxora_amount_subtract(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* result) {
  return wasm::store(result, core::subtract(wasm::load_amount(a), wasm::load_amount(b)));
}

Status fluxora_amount_multiply(const std::uint8_t* a, const std::uint8_t* factor, std::uint8_t* result) {
  return wasm::store(result, core::multiply(wasm::load_amount(a), wasm::load_int128(factor)));
}

Status fluxora_amount_multiply_fixed(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t rounding,
                                     std::uint8_t* result) {
  if (!is_rounding(rounding)) return wasm::status_argument_invalid;
  return wasm::store(
      result, core::multiply_fixed(wasm::load_amount(a), wasm::load_amount(b), static_cast<core::Rounding>(rounding)));
}

Status fluxora_amount_divide_fixed(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t rounding,
                                   std::uint8_t* result) {
  if (!is_rounding(rounding)) return wasm::status_argument_invalid;
  return wasm::store(
      result, core::divide_fixed(wasm::load_amount(a), wasm::load_amount(b), static_cast<core::Rounding>(rounding)));
}

Status fluxora_units_divide(const std::uint8_t* a, const std::uint8_t* b, std::uint32_t rounding,
                            std::uint8_t* result) {
  if (!is_rounding(rounding)) return wasm::status_argument_invalid;
  return wasm::store(
      result, core::divide_units(wasm::load_int128(a), wasm::load_int128(b), static_cast<core::Rounding>(rounding)));
}

Status fluxora_units_rescale(const std::uint8_t* units, std::uint32_t from_decimals, std::uint32_t to_decimals,
                             std::uint32_t rounding, std::uint8_t* result) {
  if (!is_rounding(rounding) || from_decimals > 38 || to_decimals > 38) return wasm::status_argument_invalid;
  return wasm::store(result, core::rescale(wasm::load_int128(units), static_cast<int>(from_decimals),
                                           static_cast<int>(to_decimals), static_cast<core::Rounding>(rounding)));
}

}  // extern "C"
