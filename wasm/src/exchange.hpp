#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/error.hpp"
#include "fluxora/core/result.hpp"

/// What every exported function shares: how text, amounts and errors cross between JavaScript and core.
///
/// The caller writes into the input area and passes pointers into it; a function that gives text or bytes leaves them
/// in the output area, where they stay until the next call. i128 amounts are 16 little-endian bytes anywhere.
/// Pointers come only from the loader beside this folder, never from its users; lengths are still checked.
namespace fluxora::wasm {

/// 0, a core error's code plus one, or one of the boundary's own.
using Status = std::uint32_t;
inline constexpr Status status_ok = 0;
inline constexpr Status status_out_of_memory = 0x100;
inline constexpr Status status_input_too_long = 0x101;
inline constexpr Status status_argument_invalid = 0x102;

/// Most bytes that one call may bring in: any text that is decoded, and columns of up to a million amounts.
inline constexpr std::size_t input_max = std::size_t{16} << 20;
/// Most bytes of text that decoding functions take, all parts together.
inline constexpr std::size_t decode_text_max = std::size_t{1} << 20;

/// The status of a core error, whose place `fluxora_error_offset` then gives.
Status fail(core::Error error) noexcept;
Status fail(core::ErrorCode code) noexcept;

/// The output area, emptied. Text that a call gives is written straight into it.
std::string& begin_output() noexcept;

/// The output area with at least `size` characters of anything, for text that is written from its end to its front, and
/// then where that text begins.
std::string& begin_output_from_end(std::size_t size);
void end_output_at(std::size_t begin) noexcept;
Status give(std::string_view text);
Status give(core::ByteView bytes);
/// More of what a call gives.
void append_output(std::string_view text);

/// True when the heap can still grow by `bytes`. Core's containers end the process when it can't, so what allocates
/// in proportion to its input asks first.
[[nodiscard]] bool has_room_for(std::size_t bytes) noexcept;

/// What `allocate` leaves alone: the small strings of core, which can't report that there is no memory, live there.
inline constexpr std::size_t heap_left_to_core = std::size_t{1} << 20;

/// Memory for columns and input, null when there is none besides heap_left_to_core.
[[nodiscard]] void* allocate(std::size_t bytes) noexcept;

inline core::Int128 load_int128(const std::uint8_t* cell) noexcept {
  core::Int128 value;
  std::memcpy(&value, cell, sizeof value);
  return value;
}
inline void store_int128(std::uint8_t* cell, core::Int128 value) noexcept {
  std::memcpy(cell, &value, sizeof value);
}

inline core::Amount load_amount(const std::uint8_t* cell) noexcept {
  return core::Amount{load_int128(cell)};
}
inline void store_amount(std::uint8_t* cell, core::Amount amount) noexcept {
  store_int128(cell, amount.units);
}

inline Status store(std::uint8_t* cell, const core::Result<core::Amount>& result) {
  if (!result) return fail(result.error());
  store_amount(cell, *result);
  return status_ok;
}
inline Status store(std::uint8_t* cell, const core::Result<core::Int128>& result) {
  if (!result) return fail(result.error());
  store_int128(cell, *result);
  return status_ok;
}

}  // namespace fluxora::wasm
