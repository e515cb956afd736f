#include "exchange.hpp"
#include "fluxora/core/feed_client.hpp"
#include "fluxora/core/json_writer.hpp"

using namespace fluxora;
using core::FeedClient;
using wasm::Status;

namespace {

// As encode_stream bounds an id: a party's client remembers thousands of them.
constexpr std::uint32_t stream_id_max = 256;

/// Gives what to ask for as JSON, its positions as cursors; nothing for other steps.
Status give_step(const FeedClient& client, const FeedClient::Step& step, std::uint32_t* action) {
  *action = static_cast<std::uint32_t>(step.action);
  core::JsonWriter json(wasm::begin_output());
  const auto& cursor = client.cursor();
  if (step.action != FeedClient::Action::ask || !cursor) return wasm::status_ok;
  json.begin_object();
  json.key("after").string(core::format_cursor({cursor->epoch, step.after_seq}));
  json.key("to").string(core::format_cursor({cursor->epoch, step.to_seq}));
  json.key("streamId");
  step.stream_id.empty() ? json.null() : json.string(step.stream_id);
  json.end_object();
  return wasm::status_ok;
}

}  // namespace

extern "C" {

/// A feed's client that stands at a cursor, or begins live where `size` is 0. Its handle goes into `result`.
Status fluxora_feed_create(std::uint32_t scope, const char* cursor, std::uint32_t size, FeedClient** result) {
  if (scope > static_cast<std::uint32_t>(FeedClient::Scope::party)) return wasm::status_argument_invalid;
  std::optional<core::Cursor> from;
  if (size > 0) {
    const auto parsed = core::parse_cursor(std::string_view(cursor, size));
    if (!parsed) return wasm::fail(parsed.error());
    from = *parsed;
  }
  if (!wasm::has_room_for(wasm::heap_left_to_core)) return wasm::status_out_of_memory;
  *result = new FeedClient(static_cast<FeedClient::Scope>(scope), from);
  return wasm::status_ok;
}

void fluxora_feed_destroy(FeedClient* client) {
  delete client;
}

/// Gives the position to show when connecting; nothing: from now on.
Status fluxora_feed_cursor(const FeedClient* client) {
  const auto& cursor = client->cursor();
  return wasm::give(std::string_view(cursor ? core::format_cursor(*cursor) : std::string()));
}

/// The feed's answer to a subscription. `goes_on` 0: the state has to be fetched again.
Status fluxora_feed_opened(FeedClient* client, std::uint32_t outcome, const char* cursor, std::uint32_t size,
                           std::uint32_t* goes_on) {
  if (outcome > static_cast<std::uint32_t>(core::Resume::epoch_changed)) return wasm::status_argument_invalid;
  const auto position = core::parse_cursor(std::string_view(cursor, size));
  if (!position) return wasm::fail(position.error());
  *goes_on = client->opened(static_cast<core::Resume>(outcome), *position) ? 1 : 0;
  return wasm::status_ok;
}

/// An entry: its cursor, and behind it its stream's id. `has_prev` 0: it is its stream's first. The step's action goes
/// into `action`; for ask, gives {after, to, streamId}.
Status fluxora_feed_entry(FeedClient* client, const char* text, std::uint32_t cursor_size, std::uint32_t id_size,
                          std::uint32_t has_prev, std::uint64_t prev_seq, std::uint32_t* action) {
  if (id_size > stream_id_max) return wasm::status_input_too_long;
  const auto at = core::parse_cursor(std::string_view(text, cursor_size));
  if (!at) return wasm::fail(at.error());
  if (!wasm::has_room_for(wasm::heap_left_to_core)) return wasm::status_out_of_memory;
  const std::string_view stream_id(text + cursor_size, id_size);
  const auto prev = has_prev != 0 ? std::optional<std::uint64_t>(prev_seq) : std::nullopt;
  return give_step(*client, client->entry(*at, stream_id, prev), action);
}

/// What was asked for has been handed in. Gives as fluxora_feed_entry does.
Status fluxora_feed_replayed(FeedClient* client, std::uint32_t outcome, std::uint32_t* action) {
  if (outcome > static_cast<std::uint32_t>(core::Resume::epoch_changed)) return wasm::status_argument_invalid;
  return give_step(*client, client->replayed(static_cast<core::Resume>(outcome)), action);
}

/// The state was fetched and holds everything up to a cursor.
Status fluxora_feed_refetched(FeedClient* client, const char* cursor, std::uint32_t size) {
  const auto at = core::parse_cursor(std::string_view(cursor, size));
  if (!at) return wasm::fail(at.error());
  if (!wasm::has_room_for(wasm::heap_left_to_core)) return wasm::status_out_of_memory;
  client->refetched(*at);
  return wasm::status_ok;
}

}  // extern "C"
