#include "fluxora/core/contract_event.hpp"

#include <algorithm>
#include <array>

#include "fluxora/core/strkey.hpp"
#include "scval_writer.hpp"
#include "struct_fields.hpp"

namespace fluxora::core {
namespace {

/// What was read, or Unfoldable when any of it was missing.
template <class Payload>
EventPayload or_unfoldable(const StructFields& fields, Payload payload) {
  if (!fields.readable()) return Unfoldable{};
  return payload;
}

EventPayload read_created(const ScVal& value) {
  StructFields fields(value);
  StreamCreated created{fields.address("sender"),        fields.address("recipient"),
                        fields.amount("deposit_amount"), fields.amount("rate_per_second"),
                        fields.u64("start_time"),        fields.u64("cliff_time"),
                        fields.u64("end_time")};
  return or_unfoldable(fields, std::move(created));
}

EventPayload read_withdrew(const ScVal& value) {
  if (const auto bare = value.i128()) return StreamWithdrew{*bare};  // the oldest contract
  StructFields fields(value);
  StreamWithdrew withdrew{fields.amount("amount")};
  return or_unfoldable(fields, withdrew);
}

EventPayload read_keeper_cancelled(const ScVal& value) {
  StructFields fields(value);
  KeeperCancelled cancelled{fields.amount("recipient_amount")};
  return or_unfoldable(fields, cancelled);
}

EventPayload read_rate_updated(const ScVal& value) {
  StructFields fields(value);
  RateUpdated updated{fields.amount("new_rate_per_second"), fields.u64("effective_time")};
  return or_unfoldable(fields, updated);
}

EventPayload read_rate_decreased(const ScVal& value) {
  StructFields fields(value);
  RateDecreased decreased{fields.amount("new_rate_per_second"), fields.u64("effective_time"),
                          fields.amount("checkpointed_amount"), fields.amount("refund_amount")};
  return or_unfoldable(fields, decreased);
}

EventPayload read_end_shortened(const ScVal& value) {
  StructFields fields(value);
  EndShortened shortened{fields.u64("new_end_time"), fields.amount("refund_amount")};
  return or_unfoldable(fields, shortened);
}

EventPayload read_end_extended(const ScVal& value) {
  StructFields fields(value);
  EndExtended extended{fields.u64("new_end_time")};
  return or_unfoldable(fields, extended);
}

EventPayload read_topped_up(const ScVal& value) {
  StructFields fields(value);
  ToppedUp topped_up{fields.amount("new_deposit_amount"), fields.u64("new_end_time")};
  return or_unfoldable(fields, topped_up);
}

EventPayload read_recipient_updated(const ScVal& value) {
  StructFields fields(value);
  RecipientUpdated updated{fields.address("new_recipient")};
  return or_unfoldable(fields, std::move(updated));
}

EventPayload read_sender_transferred(const ScVal& value) {
  StructFields fields(value);
  SenderTransferred transferred{fields.address("new_sender")};
  return or_unfoldable(fields, std::move(transferred));
}

EventPayload read_share_delegated(const ScVal& value) {
  StructFields fields(value);
  ShareDelegated delegated{fields.u64("child_stream_id"), fields.address("delegatee"), fields.amount("new_parent_rate"),
                           fields.amount("child_rate")};
  return or_unfoldable(fields, std::move(delegated));
}

template <class Payload>
EventPayload whatever_it_says(const ScVal&) {
  return Payload{};
}

struct StreamTopic {
  std::string_view topic;
  EventPayload (*read)(const ScVal& value);
};

// SPEC section 3, the rows whose second topic is the stream.
constexpr auto stream_topics = std::to_array<StreamTopic>({
    {"created", read_created},
    {"cloned", whatever_it_says<StreamHistory>},
    {"withdrew", read_withdrew},
    {"wdraw_to", read_withdrew},
    {"paused", whatever_it_says<StreamPaused>},
    {"resumed", whatever_it_says<StreamResumed>},
    {"cancelled", whatever_it_says<StreamCancelled>},
    {"kp_cncl", read_keeper_cancelled},
    {"completed", whatever_it_says<StreamCompleted>},
    {"closed", whatever_it_says<StreamClosed>},
    {"rate_upd", read_rate_updated},
    {"rate_dec", read_rate_decreased},
    {"end_shrt", read_end_shortened},
    {"end_ext", read_end_extended},
    {"top_up", read_topped_up},
    {"recp_upd", read_recipient_updated},
    {"sndr_xfr", read_sender_transferred},
    {"del_share", read_share_delegated},
    {"decomm", whatever_it_says<StreamHistory>},
    {"health", whatever_it_says<StreamHistory>},
    {"rate_cap", whatever_it_says<StreamHistory>},
    {"ac_set", whatever_it_says<StreamHistory>},
    {"ac_revoke", whatever_it_says<StreamHistory>},
    {"ac_trig", whatever_it_says<StreamHistory>},
    {"claim_own", whatever_it_says<StreamHistory>},
    {"renewed", whatever_it_says<StreamHistory>},
});

constexpr auto protocol_topics =
    std::to_array<std::string_view>({"gl_pause", "gl_resume", "ct_pause", "pr_pause", "pr_resume", "ex_swept",
                                     "upgraded", "AdminUpd", "res_rel", "migrated"});

bool is_protocol_topic(std::string_view topic) {
  return topic.substr(0, 5) == "offr_" ||
         std::find(protocol_topics.begin(), protocol_topics.end(), topic) != protocol_topics.end();
}

constexpr auto event_names = std::to_array<std::string_view>(
    {"stream.created", "stream.updated", "stream.cancelled", "stream.completed", "stream.cliff_reached", "stream.ended",
     "stream.observed", "stream.retracted", "protocol.event", "chain.event"});

EventName name_of_stream_topic(std::string_view topic) {
  if (topic == "created") return EventName::stream_created;
  if (topic == "cancelled" || topic == "kp_cncl") return EventName::stream_cancelled;
  if (topic == "completed") return EventName::stream_completed;
  return EventName::stream_updated;
}

EncodedEvent encoded_topics(std::string_view topic, std::uint64_t stream_number) {
  EncodedEvent event;
  event.topics_xdr.resize(2);
  ScValWriter(event.topics_xdr[0]).symbol(topic);
  ScValWriter(event.topics_xdr[1]).u64(stream_number);
  return event;
}

/// `vec[symbol, u64 stream]`: what an enum's variant looks like.
EncodedEvent encode_variant(std::string_view topic, std::string_view variant, std::uint64_t stream_number) {
  EncodedEvent event = encoded_topics(topic, stream_number);
  ScValWriter value(event.value_xdr);
  value.begin(ScValType::vec, 2);
  value.symbol(variant);
  value.u64(stream_number);
  return event;
}

Result<EncodedEvent> encode_created(const StreamCreated& created, std::uint64_t stream_number) {
  const auto sender = decode_strkey(created.sender);
  if (!sender) return sender.error();
  const auto recipient = decode_strkey(created.recipient);
  if (!recipient) return recipient.error();

  EncodedEvent event = encoded_topics("created", stream_number);
  ScValWriter value(event.value_xdr);
  value.begin(ScValType::map, 8);  // keys in alphabetical order, as every map of the chain's has them
  value.symbol("cliff_time");
  value.u64(created.cliff_time);
  value.symbol("deposit_amount");
  value.i128(created.deposit);
  value.symbol("end_time");
  value.u64(created.end_time);
  value.symbol("rate_per_second");
  value.i128(created.rate_per_second);
  value.symbol("recipient");
  value.address(*recipient);
  value.symbol("sender");
  value.address(*sender);
  value.symbol("start_time");
  value.u64(created.start_time);
  value.symbol("stream_id");
  value.u64(stream_number);
  return event;
}

}  // namespace

std::string_view event_name_text(EventName name) noexcept {
  return event_names[static_cast<std::size_t>(name)];
}

std::optional<EventName> event_name_from_text(std::string_view text) noexcept {
  const auto found = std::find(event_names.begin(), event_names.end(), text);
  if (found == event_names.end()) return std::nullopt;
  return static_cast<EventName>(found - event_names.begin());
}

bool is_of_time(EventName name) noexcept {
  return name == EventName::stream_cliff_reached || name == EventName::stream_ended;
}

DecodedEvent decode_contract_event(const ScVec& topics, const ScVal& value) {
  DecodedEvent event;
  const std::string* topic = topics.empty() ? nullptr : topics[0].symbol();
  if (topic == nullptr) return event;
  event.kind = *topic;

  if (is_protocol_topic(*topic)) {
    event.payload = ProtocolHistory{};
    return event;
  }
  const auto known = std::find_if(stream_topics.begin(), stream_topics.end(),
                                  [&](const StreamTopic& row) { return row.topic == *topic; });
  if (known == stream_topics.end()) return event;

  if (topics.size() >= 2) event.stream_number = topics[1].u64();
  if (event.stream_number) {
    event.payload = known->read(value);
  } else if (*topic == "cancelled") {
    event.payload = ProtocolHistory{};  // governance uses the same word: one topic, or a u32 proposal
  } else {
    event.payload = Unfoldable{};
  }
  return event;
}

DecodedEvent decode_contract_event_xdr(const std::vector<Bytes>& topics_xdr, ByteView value_xdr) {
  ScVec topics;
  topics.reserve(topics_xdr.size());
  for (const Bytes& xdr : topics_xdr) {
    auto topic = decode_scval(xdr);
    if (!topic) return {};
    topics.push_back(std::move(*topic));
  }
  const auto value = decode_scval(value_xdr);
  if (value) return decode_contract_event(topics, *value);
  // The topics may still say whose it is; what a stream's event says can't be folded then.
  DecodedEvent event = decode_contract_event(topics, ScVal{});
  if (event.stream_number) event.payload = Unfoldable{};
  return event;
}

Result<EncodedEvent> encode_contract_event(const EventPayload& payload, std::uint64_t stream_number) {
  if (const auto* created = std::get_if<StreamCreated>(&payload)) return encode_created(*created, stream_number);
  if (std::holds_alternative<StreamPaused>(payload)) return encode_variant("paused", "Paused", stream_number);
  if (std::holds_alternative<StreamResumed>(payload)) return encode_variant("resumed", "Resumed", stream_number);
  if (std::holds_alternative<StreamCancelled>(payload)) {
    return encode_variant("cancelled", "StreamCancelled", stream_number);
  }
  return ErrorCode::event_payload_unreadable;
}

EventName event_name(const DecodedEvent& event, bool in_successful_call) noexcept {
  if (!in_successful_call || std::holds_alternative<UnknownTopic>(event.payload)) return EventName::chain_event;
  if (std::holds_alternative<ProtocolHistory>(event.payload)) return EventName::protocol_event;
  return name_of_stream_topic(event.kind);
}

}  // namespace fluxora::core
