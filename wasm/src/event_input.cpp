#include "event_input.hpp"

#include <utility>

namespace fluxora::wasm {
namespace {

// A contract event has at most 4 topics today; a list far beyond that is no event.
constexpr std::uint32_t topics_max = 64;

// A byte of input makes at most this many of values, text and the growth of both. The void in a vector is the worst:
// 4 bytes of XDR, one ScVal in a doubling vector.
constexpr std::size_t memory_a_byte = 96;
constexpr std::size_t memory_at_least = std::size_t{256} << 10;

}  // namespace

bool has_room_to_decode(std::size_t text_size) noexcept {
  return has_room_for(memory_at_least + text_size * memory_a_byte);
}

Status read_event(const char* text, const std::uint32_t* sizes, std::uint32_t topic_count, EventInput& event) {
  if (topic_count > topics_max) return status_input_too_long;
  std::size_t total = 0;
  for (std::uint32_t i = 0; i <= topic_count; ++i) {
    if (sizes[i] > decode_text_max) return status_input_too_long;
    total += sizes[i];
  }
  if (total > decode_text_max) return status_input_too_long;
  if (!has_room_to_decode(total)) return status_out_of_memory;

  event.topics.resize(topic_count);
  for (std::uint32_t i = 0; i <= topic_count; ++i) {
    auto value = core::decode_scval_base64(std::string_view(text, sizes[i]));
    if (!value) return fail(value.error());
    (i < topic_count ? event.topics[i] : event.value) = std::move(*value);
    text += sizes[i];
  }
  return status_ok;
}

}  // namespace fluxora::wasm
