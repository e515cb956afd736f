#include "exchange.hpp"
#include "fluxora/core/decimal.hpp"

using namespace fluxora;
using wasm::Status;

extern "C" {

/// Gives the texts of `count` cells, one after the other; offsets[i] to offsets[i + 1] is the text of cell i.
Status fluxora_amount_format_column(const std::uint8_t* cells, std::uint32_t count, std::uint32_t* offsets) {
  if (count > wasm::input_max / sizeof(core::Int128)) return wasm::status_input_too_long;
  const std::size_t room = count * core::decimal_text_max + core::decimal_text_room;
  if (!wasm::has_room_for(2 * room)) return wasm::status_out_of_memory;
  std::string& text = wasm::begin_output_from_end(room);
  // From the last one to the first: each is written in front of the next, and nothing is copied.
  char* at = text.data() + text.size();
  offsets[count] = static_cast<std::uint32_t>(text.size());
  for (std::uint32_t i = count; i-- > 0;) {
    at = core::write_decimal(at, wasm::load_amount(cells + i * sizeof(core::Int128)));
    offsets[i] = static_cast<std::uint32_t>(at - text.data());
  }
  const auto begin = static_cast<std::uint32_t>(at - text.data());
  for (std::uint32_t i = 0; i <= count; ++i) offsets[i] -= begin;
  wasm::end_output_at(begin);
  return wasm::status_ok;
}

}  // extern "C"
