#pragma once

#include <cstddef>
#include <cstdint>

#include "exchange.hpp"
#include "fluxora/core/scval.hpp"

namespace fluxora::wasm {

/// True when there is room for what the decoders make of so much text.
[[nodiscard]] bool has_room_to_decode(std::size_t text_size) noexcept;

/// A contract event's topics and value.
struct EventInput {
  core::ScVec topics;
  core::ScVal value;
};

/// Reads an event: `sizes` has the lengths of `topic_count` base64 topics and then of the value, whose texts follow
/// each other from `text` on. status_ok, or what its caller answers with.
Status read_event(const char* text, const std::uint32_t* sizes, std::uint32_t topic_count, EventInput& event);

}  // namespace fluxora::wasm
