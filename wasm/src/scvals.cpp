#include <cstddef>

#include "exchange.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/scval_json.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

// A contract event has at most 4 topics today; a list far beyond that is no event.
constexpr std::uint32_t topics_max = 64;

// A byte of input makes at most this many of values, text and the growth of both. The void in a vector is the worst:
// 4 bytes of XDR, one ScVal in a doubling vector.
constexpr std::size_t memory_a_byte = 96;
constexpr std::size_t memory_at_least = std::size_t{256} << 10;

bool has_room_to_decode(std::size_t text_size) noexcept {
  return wasm::has_room_for(memory_at_least + text_size * memory_a_byte);
}

}  // namespace

extern "C" {

/// An ScVal in base64. Gives its SEP-51 JSON.
Status fluxora_scval_json(const char* text, std::uint32_t size) {
  if (size > wasm::decode_text_max) return wasm::status_input_too_long;
  if (!has_room_to_decode(size)) return wasm::status_out_of_memory;
  const auto value = core::decode_scval_base64(std::string_view(text, size));
  if (!value) return wasm::fail(value.error());
  core::JsonWriter json(wasm::begin_output());
  core::write_scval_json(json, *value);
  return wasm::status_ok;
}

/// A contract event: `sizes` has the lengths of the base64 topics and then of the value, whose texts follow each other
/// from `text` on. Gives {event, kind, streamNumber, topics, value}.
Status fluxora_contract_event_json(const char* text, const std::uint32_t* sizes, std::uint32_t topic_count,
                                   std::uint32_t in_successful_call) {
  if (topic_count > topics_max) return wasm::status_input_too_long;
  std::size_t total = 0;
  for (std::uint32_t i = 0; i <= topic_count; ++i) {
    if (sizes[i] > wasm::decode_text_max) return wasm::status_input_too_long;
    total += sizes[i];
  }
  if (total > wasm::decode_text_max) return wasm::status_input_too_long;
  if (!has_room_to_decode(total)) return wasm::status_out_of_memory;

  core::ScVec topics;
  topics.reserve(topic_count);
  for (std::uint32_t i = 0; i < topic_count; ++i) {
    auto topic = core::decode_scval_base64(std::string_view(text, sizes[i]));
    if (!topic) return wasm::fail(topic.error());
    topics.push_back(std::move(*topic));
    text += sizes[i];
  }
  const auto value = core::decode_scval_base64(std::string_view(text, sizes[topic_count]));
  if (!value) return wasm::fail(value.error());

  const core::DecodedEvent event = core::decode_contract_event(topics, *value);
  core::JsonWriter json(wasm::begin_output());
  json.begin_object();
  json.key("event").string(core::event_name_text(core::event_name(event, in_successful_call != 0)));
  json.key("kind");
  if (event.kind.empty()) {
    json.null();
  } else {
    json.string(event.kind);
  }
  json.key("streamNumber");
  if (event.stream_number) {
    json.string(std::to_string(*event.stream_number));
  } else {
    json.null();
  }
  json.key("topics").begin_array();
  for (const core::ScVal& topic : topics) core::write_scval_json(json, topic);
  json.end_array();
  json.key("value");
  core::write_scval_json(json, *value);
  json.end_object();
  return wasm::status_ok;
}

}  // extern "C"
