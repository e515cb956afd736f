#include <algorithm>

#include "event_input.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/strkey.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

constexpr std::size_t contract_id_size = 56;

/// Where an event stands, as the caller's memory has it.
struct PlaceInput {
  std::uint64_t closed_at;
  std::uint64_t seq;
  std::uint32_t ledger;
  std::uint32_t in_successful_call;
  core::Hash tx_hash;
  char contract_id[contract_id_size];
};
static_assert(sizeof(PlaceInput) == 112);

void append_size(core::ByteView bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  wasm::append_output({reinterpret_cast<const char*>(&size), sizeof size});
}

void append(core::ByteView bytes) {
  wasm::append_output({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

extern "C" {

/// Folds an event, as read_event reads it, into the stream whose canonical bytes are `before` (`before_size` 0: none is
/// held). Gives the sizes of two streams as u32, the stream's bytes, those of the child that it splits off (or none),
/// and the JSON of the change.
Status fluxora_fold(const std::uint8_t* before, std::uint32_t before_size, const char* text, const std::uint32_t* sizes,
                    std::uint32_t topic_count, const std::uint8_t* place_cell) {
  PlaceInput place;
  std::memcpy(&place, place_cell, sizeof place);
  const std::string_view contract_id(place.contract_id, contract_id_size);
  if (!core::is_contract_id(contract_id)) return wasm::status_argument_invalid;

  wasm::EventInput input;
  if (const Status status = wasm::read_event(text, sizes, topic_count, input); status != wasm::status_ok) return status;
  const core::DecodedEvent event = core::decode_contract_event(input.topics, input.value);
  // SPEC section 3: an event of a failed call is logged, never folded.
  if (place.in_successful_call == 0) return wasm::fail(core::ErrorCode::event_payload_unreadable);

  core::Stream held;
  if (before_size > 0) {
    auto stream = core::decode_stream({before, before_size});
    if (!stream) return wasm::fail(stream.error());
    held = std::move(*stream);
    if (event.stream_number && held.id != core::chain_stream_id(contract_id, *event.stream_number)) {
      return wasm::fail(core::ErrorCode::fold_unknown_stream);
    }
  }
  const auto folded = core::fold(before_size > 0 ? &held : nullptr, event,
                                 {contract_id, place.ledger, place.tx_hash, place.closed_at, place.seq});
  if (!folded) return wasm::fail(folded.error());

  const core::Bytes stream = core::encode_stream(folded->stream);
  const core::Bytes child = folded->child ? core::encode_stream(*folded->child) : core::Bytes{};
  wasm::begin_output();
  append_size(stream);
  append_size(child);
  append(stream);
  append(child);
  wasm::append_output(before_size > 0 ? core::describe_change(held, folded->stream) : "{}");
  return wasm::status_ok;
}

/// Gives the JSON of a stream's canonical bytes, as every feed shows it, with its amounts at `as_of`.
Status fluxora_stream_json(const std::uint8_t* bytes, std::uint32_t size, std::uint64_t as_of) {
  const auto stream = core::decode_stream({bytes, size});
  if (!stream) return wasm::fail(stream.error());
  core::JsonWriter json(wasm::begin_output());
  core::write_stream_json(json, *stream, as_of);
  return wasm::status_ok;
}

}  // extern "C"
