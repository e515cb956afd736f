#include "event_input.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/scval_json.hpp"

using namespace fluxora;
using wasm::Status;

extern "C" {

/// An ScVal in base64. Gives its SEP-51 JSON.
Status fluxora_scval_json(const char* text, std::uint32_t size) {
  if (size > wasm::decode_text_max) return wasm::status_input_too_long;
  if (!wasm::has_room_to_decode(size)) return wasm::status_out_of_memory;
  const auto value = core::decode_scval_base64(std::string_view(text, size));
  if (!value) return wasm::fail(value.error());
  core::JsonWriter json(wasm::begin_output());
  core::write_scval_json(json, *value);
  return wasm::status_ok;
}

/// A contract event, as read_event reads it. Gives {event, kind, streamNumber, topics, value}.
Status fluxora_contract_event_json(const char* text, const std::uint32_t* sizes, std::uint32_t topic_count,
                                   std::uint32_t in_successful_call) {
  wasm::EventInput input;
  if (const Status status = wasm::read_event(text, sizes, topic_count, input); status != wasm::status_ok) return status;
  const core::DecodedEvent event = core::decode_contract_event(input.topics, input.value);
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
    json.string(core::format_u64(*event.stream_number));
  } else {
    json.null();
  }
  json.key("topics").begin_array();
  for (const core::ScVal& topic : input.topics) core::write_scval_json(json, topic);
  json.end_array();
  json.key("value");
  core::write_scval_json(json, input.value);
  json.end_object();
  return wasm::status_ok;
}

}  // extern "C"
