// Contract events and the fold on top of them. The input is either one event as XDR, whatever it holds, or a recipe
// for a sequence of events that can mostly be folded, with extreme amounts and times.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/strkey.hpp"
#include "fuzzer/FuzzedDataProvider.h"
#include "require.hpp"
#include "scval_encoder.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

constexpr int events_max = 64;
constexpr std::string_view contract = "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND";

constexpr std::array topics{"created",   "cloned",   "withdrew", "wdraw_to", "paused",    "resumed",
                            "cancelled", "kp_cncl",  "complete", "closed",   "completed", "rate_upd",
                            "rate_dec",  "end_shrt", "end_ext",  "top_up",   "recp_upd",  "sndr_xfr",
                            "del_share", "health",   "gl_pause", "migrated", "offr_new",  "renewed"};
constexpr std::array amount_fields{"deposit_amount",      "rate_per_second",     "amount",        "recipient_amount",
                                   "new_rate_per_second", "checkpointed_amount", "refund_amount", "new_deposit_amount",
                                   "new_parent_rate",     "child_rate"};
constexpr std::array time_fields{"start_time", "cliff_time", "end_time", "effective_time", "new_end_time"};
constexpr std::array address_fields{"sender", "recipient", "new_recipient", "new_sender", "delegatee"};

core::ScVal scval(core::ScValType type, core::ScVal::Data data) {
  return {type, std::move(data)};
}
core::ScVal symbol(std::string_view text) {
  return scval(core::ScValType::symbol, std::string(text));
}
core::ScVal u64(std::uint64_t number) {
  return scval(core::ScValType::u64, number);
}

/// Small, negative, or at the end of i128.
core::Int128 pick_units(FuzzedDataProvider& input) {
  const auto number = input.ConsumeIntegral<std::int64_t>();
  switch (input.ConsumeIntegralInRange<int>(0, 4)) {
    case 0: return number % 1000;
    case 1: return core::int128_max - (number & 0xff);
    case 2: return core::int128_min + (number & 0xff);
    case 3: return core::Int128{number} * 1'000'000'000;
    default: return number;
  }
}

std::uint64_t pick_time(FuzzedDataProvider& input) {
  switch (input.ConsumeIntegralInRange<int>(0, 2)) {
    case 0: return input.ConsumeIntegral<std::uint8_t>();
    case 1: return ~std::uint64_t{0} - input.ConsumeIntegral<std::uint8_t>();
    default: return input.ConsumeIntegral<std::uint64_t>();
  }
}

core::ScVal pick_address(FuzzedDataProvider& input) {
  const core::Bytes key(32, input.ConsumeIntegral<std::uint8_t>());
  const auto version = input.ConsumeBool() ? core::StrKeyVersion::account : core::StrKeyVersion::contract;
  return scval(core::ScValType::address, core::ScAddress{*core::encode_strkey(version, key)});
}

/// Every field that any event has: unknown ones are to be overlooked. One may be missing.
core::ScVal pick_payload(FuzzedDataProvider& input) {
  core::ScMap fields;
  for (const char* name : amount_fields) {
    fields.push_back({symbol(name), scval(core::ScValType::i128, pick_units(input))});
  }
  for (const char* name : time_fields) fields.push_back({symbol(name), u64(pick_time(input))});
  for (const char* name : address_fields) fields.push_back({symbol(name), pick_address(input)});
  fields.push_back({symbol("child_stream_id"), u64(input.ConsumeIntegralInRange<std::uint64_t>(0, 3))});
  const auto missing = input.ConsumeIntegral<std::uint8_t>();
  if (missing < fields.size()) fields.erase(fields.begin() + missing);
  return scval(core::ScValType::map, std::optional(std::move(fields)));
}

void check_stream(const core::Stream& stream, core::UnixSeconds now) {
  const core::Bytes bytes = core::encode_stream(stream);
  const auto again = core::decode_stream(bytes);
  require(again && *again == stream, "a folded stream's bytes give the stream");
  const core::Balances balances = core::balances_at(stream, now);
  if (stream.status != core::StreamStatus::completed) {
    require(balances.streamed.units >= 0, "never less than nothing is streamed");
    require(balances.streamed <= std::max(stream.deposit, core::Amount{0}), "never more than the deposit is streamed");
  }
  require(balances.withdrawable.units >= 0, "never less than nothing is withdrawable");
}

void check_entry(const core::Stream& stream, const core::DecodedEvent& event, const core::EventPlace& place,
                 std::string change) {
  core::LogEntry entry;
  entry.seq = place.seq;
  entry.event = core::event_name(event, true);
  entry.kind = event.kind;
  entry.stream_id = stream.id;
  entry.contract_id = place.contract_id;
  entry.closed_at = place.closed_at;
  entry.stream = stream;
  entry.change = std::move(change);
  std::string text;
  core::JsonWriter json(text);
  core::write_log_entry_json(json, entry, "k3f9");
  require(nlohmann::json::accept(text), "an entry's JSON is JSON");
}

bool is_a_final_status(core::StreamStatus status) {
  return status == core::StreamStatus::completed || status == core::StreamStatus::cancelled;
}

void check_step(const core::Stream* before, const core::FoldResult& after, const core::EventPlace& place) {
  require(after.stream.version == place.seq, "the version is the entry's position");
  require(core::is_stream_id(after.stream.id), "a folded stream has a stream's id");
  if (before == nullptr) return;
  require(after.stream.id == before->id, "an event changes its own stream");
  require(after.stream.created_seq == before->created_seq, "a stream is created once");
  require(!before->archived || after.stream.archived, "an archived stream stays archived");
  if (is_a_final_status(before->status)) require(after.stream.status == before->status, "a final status stays");
  const bool changed = core::describe_change(*before, after.stream) != "{}";
  core::Stream restamped = after.stream;
  restamped.version = before->version;
  restamped.ledger = before->ledger;
  restamped.tx_hash = before->tx_hash;
  restamped.updated_at = before->updated_at;
  require(changed == (restamped != *before), "a change is described exactly when there is one");
}

using Streams = std::map<std::string, core::Stream>;

void fold_event(Streams& streams, const core::DecodedEvent& event, const core::EventPlace& place) {
  const core::Stream* before = nullptr;
  if (event.stream_number) {
    const auto held = streams.find(core::chain_stream_id(place.contract_id, *event.stream_number));
    if (held != streams.end()) before = &held->second;
  }
  const auto result = core::fold(before, event, place);
  const auto again = core::fold(before, event, place);
  require(result.ok() == again.ok(), "the fold is pure");
  if (!result) return;
  require(result->stream == again->stream && result->child == again->child, "the fold is pure");
  check_step(before, *result, place);
  check_stream(result->stream, place.closed_at);
  check_entry(result->stream, event, place, before == nullptr ? "{}" : core::describe_change(*before, result->stream));
  if (result->child) {
    require(result->child->version == place.seq + 1, "a child's entry follows its parent's");
    check_stream(*result->child, place.closed_at);
    streams.insert_or_assign(result->child->id, *result->child);
  }
  streams.insert_or_assign(result->stream.id, result->stream);
}

void check_names(const core::DecodedEvent& event) {
  require(core::event_name(event, false) == core::EventName::chain_event, "a failed call's event is no change");
  const core::EventName name = core::event_name(event, true);
  require(core::event_name_from_text(core::event_name_text(name)) == name, "an event's name is read again");
}

void check_recipe(FuzzedDataProvider& input) {
  Streams streams;
  core::EventPlace place;
  place.contract_id = contract;
  for (int i = 0; i < events_max && input.remaining_bytes() > 0; ++i) {
    place.ledger = place.ledger.value_or(0) + 1;
    place.seq += 2;
    place.closed_at = pick_time(input);
    const core::ScVec event_topics{symbol(topics[input.ConsumeIntegralInRange<std::size_t>(0, topics.size() - 1)]),
                                   u64(input.ConsumeIntegralInRange<std::uint64_t>(0, 3))};
    const core::DecodedEvent event = core::decode_contract_event(event_topics, pick_payload(input));
    check_names(event);
    fold_event(streams, event, place);
  }
}

/// A vec of topics and, last, the value.
void check_xdr(core::ByteView xdr) {
  const auto whole = core::decode_scval(xdr);
  if (!whole || whole->vec() == nullptr || whole->vec()->empty()) return;
  core::ScVec event_topics = *whole->vec();
  const core::ScVal value = std::move(event_topics.back());
  event_topics.pop_back();
  const core::DecodedEvent event = core::decode_contract_event(event_topics, value);
  check_names(event);
  Streams streams;
  core::EventPlace place;
  place.contract_id = contract;
  place.seq = 1;
  fold_event(streams, event, place);
  place.seq = 2;
  fold_event(streams, event, place);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if (data[0] == 0) {
    check_xdr(core::ByteView(data, size));  // a vec's discriminant begins with a zero
  } else {
    FuzzedDataProvider input(data + 1, size - 1);
    check_recipe(input);
  }
  return 0;
}
