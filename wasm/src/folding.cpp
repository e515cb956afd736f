#include "event_input.hpp"
#include "fluxora/core/log_fold.hpp"
#include "fluxora/core/strkey.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

constexpr std::size_t contract_id_size = 56;
constexpr std::size_t stream_id_max = 80;

enum PlaceFlags : std::uint32_t { in_successful_call = 1, has_ledger = 2, has_tx_hash = 4 };

/// Where an entry stands, as the caller's memory has it.
struct PlaceInput {
  std::uint64_t closed_at;
  std::uint64_t seq;
  std::uint32_t ledger;
  std::uint32_t flags;
  std::uint32_t event;           ///< core::EventName
  std::uint32_t stream_id_size;  ///< of an event that was in no log, the contract alone
  core::Hash tx_hash;
  char stream_id[stream_id_max];
};
static_assert(sizeof(PlaceInput) == 144);

bool is_api_stream(std::string_view stream_id) {
  return stream_id.substr(0, 4) == "api-";
}

core::EventPlace place_of(const PlaceInput& input) {
  core::EventPlace place;
  place.stream_id = std::string_view(input.stream_id, input.stream_id_size);
  if (!is_api_stream(place.stream_id)) place.contract_id = place.stream_id.substr(0, contract_id_size);
  if ((input.flags & has_ledger) != 0) place.ledger = input.ledger;
  if ((input.flags & has_tx_hash) != 0) place.tx_hash = input.tx_hash;
  place.closed_at = input.closed_at;
  place.seq = input.seq;
  return place;
}

/// A stream by its canonical bytes; no bytes: none.
class StreamInput {
 public:
  /// status_ok, or what its caller answers with.
  Status read(const std::uint8_t* bytes, std::uint32_t size) {
    if (size == 0) return wasm::status_ok;
    auto decoded = core::decode_stream({bytes, size});
    if (!decoded) return wasm::fail(decoded.error());
    stream_ = std::move(*decoded);
    held_ = true;
    return wasm::status_ok;
  }
  core::Stream* get() { return held_ ? &stream_ : nullptr; }

 private:
  core::Stream stream_;
  bool held_ = false;
};

/// Whether the chain's event names another stream than the one that is held.
bool is_of_another(const core::Stream& held, const wasm::EventInput& payload, const core::EventPlace& place) {
  if (place.contract_id.empty() || payload.topics.size() < 2) return false;
  const auto number = payload.topics[1].u64();
  return number && held.id != core::chain_stream_id(place.contract_id, *number);
}

void append(const void* from, std::size_t size) {
  wasm::append_output({static_cast<const char*>(from), size});
}

/// Gives the sizes of two streams as u32, the bytes of what `before` became and of the child that it split off (none:
/// no bytes), and the JSON of the change.
void give(const core::Stream* before, const core::Stream* after, const core::Stream* child) {
  core::Bytes bytes;
  if (after != nullptr) bytes = core::encode_stream(*after);
  core::Bytes child_bytes;
  if (child != nullptr) child_bytes = core::encode_stream(*child);
  const std::uint32_t sizes[] = {static_cast<std::uint32_t>(bytes.size()),
                                 static_cast<std::uint32_t>(child_bytes.size())};
  wasm::begin_output();
  append(sizes, sizeof sizes);
  append(bytes.data(), bytes.size());
  append(child_bytes.data(), child_bytes.size());
  wasm::append_output(core::describe_change(before, after));
}

}  // namespace

extern "C" {

/// Folds an entry of the log that is no retraction, its payload as read_event reads it (of one of time: not at all),
/// into the stream whose canonical bytes are `before` (`before_size` 0: none is held). Gives what `give` says.
Status fluxora_fold(const std::uint8_t* before, std::uint32_t before_size, const char* text, const std::uint32_t* sizes,
                    std::uint32_t topic_count, const std::uint8_t* place_cell) {
  PlaceInput input;
  std::memcpy(&input, place_cell, sizeof input);
  if (input.stream_id_size > stream_id_max) return wasm::status_argument_invalid;
  const core::EventPlace place = place_of(input);
  if (!place.contract_id.empty() && !core::is_contract_id(place.contract_id)) return wasm::status_argument_invalid;
  const auto event = static_cast<core::EventName>(input.event);

  wasm::EventInput payload;
  if (!core::is_of_time(event)) {
    const Status status = wasm::read_event(text, sizes, topic_count, payload);
    if (status != wasm::status_ok) return status;
  }
  // SPEC section 3: an event of a failed call is logged, never folded.
  if ((input.flags & in_successful_call) == 0) return wasm::fail(core::ErrorCode::event_payload_unreadable);

  StreamInput held;
  if (const Status status = held.read(before, before_size); status != wasm::status_ok) return status;
  if (held.get() != nullptr && is_of_another(*held.get(), payload, place)) {
    return wasm::fail(core::ErrorCode::fold_unknown_stream);
  }
  const auto folded = core::fold_entry(held.get(), event, payload.topics, payload.value, place);
  if (!folded) return wasm::fail(folded.error());
  give(held.get(), &folded->stream, folded->child ? &*folded->child : nullptr);
  return wasm::status_ok;
}

/// Undoes an entry by one at `seq`: the stream whose canonical bytes are `before` becomes `after` again (no bytes: it
/// is held no more). Gives what `give` says.
Status fluxora_retract(const std::uint8_t* before, std::uint32_t before_size, const std::uint8_t* after,
                       std::uint32_t after_size, std::uint64_t seq) {
  StreamInput held;
  if (const Status status = held.read(before, before_size); status != wasm::status_ok) return status;
  StreamInput left;
  if (const Status status = left.read(after, after_size); status != wasm::status_ok) return status;
  if (left.get() != nullptr) left.get()->version = seq;
  give(held.get(), left.get(), nullptr);
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
