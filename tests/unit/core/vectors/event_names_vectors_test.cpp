#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/scval.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

// SPEC section 3's table again, by the names of section 4.
constexpr std::array stream_topics = {
    "created", "cloned",   "withdrew", "wdraw_to", "paused",    "resumed", "cancelled", "kp_cncl",  "completed",
    "closed",  "rate_upd", "rate_dec", "end_shrt", "end_ext",   "top_up",  "recp_upd",  "sndr_xfr", "del_share",
    "decomm",  "health",   "rate_cap", "ac_set",   "ac_revoke", "ac_trig", "claim_own", "renewed"};
constexpr std::array protocol_topics = {"gl_pause", "gl_resume", "ct_pause", "pr_pause", "pr_resume",
                                        "ex_swept", "upgraded",  "AdminUpd", "res_rel",  "migrated"};

template <class List>
bool has_topic(const List& list, std::string_view topic) {
  return std::find(list.begin(), list.end(), topic) != list.end();
}

std::string_view expected_name(std::string_view topic, bool names_a_stream) {
  if (topic == "cancelled" && !names_a_stream) return "protocol.event";
  if (topic == "created") return "stream.created";
  if (topic == "cancelled" || topic == "kp_cncl") return "stream.cancelled";
  if (topic == "completed") return "stream.completed";
  if (has_topic(stream_topics, topic)) return "stream.updated";
  if (topic.substr(0, 5) == "offr_" || has_topic(protocol_topics, topic)) return "protocol.event";
  return "chain.event";
}

using Said = std::map<std::string, std::string>;  // the payload's names, values as plain text

/// What was read of a payload, by the names that the contract gives its fields.
struct Reader {
  Said said;

  void operator()(const StreamCreated& e) {
    text("sender", e.sender);
    text("recipient", e.recipient);
    amount("deposit_amount", e.deposit);
    amount("rate_per_second", e.rate_per_second);
    number("start_time", e.start_time);
    number("cliff_time", e.cliff_time);
    number("end_time", e.end_time);
  }
  void operator()(const StreamWithdrew& e) { amount("amount", e.amount); }
  void operator()(const KeeperCancelled& e) { amount("recipient_amount", e.recipient_amount); }
  void operator()(const RateUpdated& e) {
    amount("new_rate_per_second", e.new_rate);
    number("effective_time", e.effective_time);
  }
  void operator()(const RateDecreased& e) {
    amount("new_rate_per_second", e.new_rate);
    number("effective_time", e.effective_time);
    amount("checkpointed_amount", e.checkpointed);
    amount("refund_amount", e.refund);
  }
  void operator()(const EndShortened& e) {
    number("new_end_time", e.new_end);
    amount("refund_amount", e.refund);
  }
  void operator()(const EndExtended& e) { number("new_end_time", e.new_end); }
  void operator()(const ToppedUp& e) {
    amount("new_deposit_amount", e.new_deposit);
    number("new_end_time", e.new_end);
  }
  void operator()(const RecipientUpdated& e) { text("new_recipient", e.new_recipient); }
  void operator()(const SenderTransferred& e) { text("new_sender", e.new_sender); }
  void operator()(const ShareDelegated& e) {
    number("child_stream_id", e.child_stream);
    text("delegatee", e.delegatee);
    amount("new_parent_rate", e.new_parent_rate);
    amount("child_rate", e.child_rate);
  }
  /// The others say nothing but their topic.
  template <class Other>
  void operator()(const Other&) {}

 private:
  void text(const char* name, const std::string& value) { said[name] = value; }
  void amount(const char* name, Amount value) { said[name] = format_units(value.units); }
  void number(const char* name, std::uint64_t value) { said[name] = std::to_string(value); }
};

/// Compares with what another decoder made of the same value; returns how many fields there were.
std::size_t compare_payload(const EventPayload& payload, const Json& native) {
  Reader reader;
  std::visit(reader, payload);
  if (!native.is_object()) return 0;
  for (const auto& [name, value] : reader.said) {
    EXPECT_EQ(text(native, name.c_str()), value) << name;
  }
  return reader.said.size();
}

/// What an event's XDR says; none where it can't be decoded.
struct EventValues {
  ScVec topics;
  ScVal value;
};

std::optional<EventValues> values_of(const Json& c) {
  EventValues event;
  for (const Json& topic : c.value("topic", Json::array())) {
    auto value = decode_scval_base64(topic.is_string() ? topic.get<std::string>() : "");
    if (!value) return std::nullopt;
    event.topics.push_back(*std::move(value));
  }
  auto value = decode_scval_base64(text(c, "value").value_or(""));
  if (!value) return std::nullopt;
  event.value = *std::move(value);
  return event;
}

void check_classes(const VectorCases& file) {
  std::size_t classified = 0;
  std::size_t fields = 0;
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i) + ": " + text(c, "name").value_or(""));
    const auto event = values_of(c);
    ASSERT_TRUE(event);
    const std::string* topic = event->topics.empty() ? nullptr : event->topics[0].symbol();
    const auto number = event->topics.size() > 1 ? event->topics[1].u64() : std::nullopt;
    const std::string kind = topic != nullptr ? *topic : "";

    const DecodedEvent said = decode_contract_event(event->topics, event->value);
    EXPECT_EQ(said.kind, kind);
    EXPECT_EQ(event_name_text(event_name(said, true)), expected_name(kind, number.has_value()));
    EXPECT_EQ(event_name_text(event_name(said, false)), "chain.event");
    if (has_topic(stream_topics, kind)) {
      EXPECT_EQ(said.stream_number, number);
      const bool oldest_creation = kind == "created" && event->value.i128();
      EXPECT_EQ(std::holds_alternative<Unfoldable>(said.payload), oldest_creation);
    } else {
      EXPECT_FALSE(said.stream_number);
    }
    if (!std::holds_alternative<UnknownTopic>(said.payload)) ++classified;
    if (const auto native = c.find("valueNative"); native != c.end()) fields += compare_payload(said.payload, *native);
  }
  EXPECT_GT(classified, 0u);
  file.report();
  std::printf("vectors: %s %zu events of known topics, %zu payload fields compared\n", file.name.c_str(), classified,
              fields);
}

TEST(EventNameVectors, HostEvents) {
  const VectorCases file = read_lines("contract-events/host_events.jsonl");
  REQUIRE_VECTORS(file);
  check_classes(file);
}

TEST(EventNameVectors, GeneratedEvents) {
  const VectorCases file = read_lines("contract-events/generated_events.jsonl");
  REQUIRE_VECTORS(file);
  check_classes(file);
}

}  // namespace
}  // namespace fluxora::core::vectors
