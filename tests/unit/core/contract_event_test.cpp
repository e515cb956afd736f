#include "fluxora/core/contract_event.hpp"

#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

// Values as contracts write them.
ScVal symbol(std::string_view text) {
  return {ScValType::symbol, std::string(text)};
}
ScVal text_value(std::string_view text) {
  return {ScValType::string, std::string(text)};
}
ScVal u32(std::uint32_t value) {
  return {ScValType::u32, value};
}
ScVal u64(std::uint64_t value) {
  return {ScValType::u64, value};
}
ScVal i128(Int128 value) {
  return {ScValType::i128, value};
}
ScVal address(std::string_view strkey) {
  return {ScValType::address, ScAddress{std::string(strkey)}};
}
ScVal void_value() {
  return {};
}
ScVal vec(ScVec values) {
  return {ScValType::vec, std::optional<ScVec>(std::move(values))};
}

using Fields = std::vector<std::pair<std::string_view, ScVal>>;

ScVal map(const Fields& fields) {
  ScMap entries;
  for (const auto& [name, value] : fields) entries.push_back({symbol(name), value});
  return {ScValType::map, std::optional<ScMap>(std::move(entries))};
}

/// An event of stream 7.
DecodedEvent decode(std::string_view topic, const ScVal& value) {
  return decode_contract_event({symbol(topic), u64(7)}, value);
}

template <class Payload>
bool is(const DecodedEvent& event) {
  return std::holds_alternative<Payload>(event.payload);
}

/// The payload, where the event is stream 7's and of that kind.
template <class Payload>
const Payload* payload_of(const DecodedEvent& event, std::string_view topic) {
  EXPECT_EQ(event.kind, topic);
  EXPECT_EQ(event.stream_number, 7u);
  return std::get_if<Payload>(&event.payload);
}

std::string_view name_of(const DecodedEvent& event) {
  return event_name_text(event_name(event, true));
}

/// A `created` of the newest contract.
Fields created_fields() {
  return {{"cliff_time", u64(1100)},
          {"deposit_amount", i128(1000)},
          {"end_time", u64(2000)},
          {"memo", void_value()},
          {"metadata", void_value()},
          {"rate_per_second", i128(3)},
          {"recipient", address(sample_recipient)},
          {"sender", address(sample_sender)},
          {"start_time", u64(1000)},
          {"stream_id", u64(7)},
          {"withdraw_dust_threshold", i128(5)}};
}

Fields without(Fields fields, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    std::erase_if(fields, [&](const auto& field) { return field.first == name; });
  }
  return fields;
}

Fields with(Fields fields, std::string_view name, const ScVal& value) {
  for (auto& field : fields) {
    if (field.first == name) {
      field.second = value;
      return fields;
    }
  }
  fields.emplace_back(name, value);
  return fields;
}

void expect_created(const DecodedEvent& event) {
  const auto* created = payload_of<StreamCreated>(event, "created");
  ASSERT_NE(created, nullptr);
  EXPECT_EQ(created->sender, sample_sender);
  EXPECT_EQ(created->recipient, sample_recipient);
  EXPECT_EQ(created->deposit, Amount{1000});
  EXPECT_EQ(created->rate_per_second, Amount{3});
  EXPECT_EQ(created->start_time, 1000u);
  EXPECT_EQ(created->cliff_time, 1100u);
  EXPECT_EQ(created->end_time, 2000u);
}

TEST(CreatedEvent, OfTheNewestContract) {
  expect_created(decode("created", map(created_fields())));
}

TEST(CreatedEvent, OfTheContractWithEightFields) {
  expect_created(decode("created", map(without(created_fields(), {"memo", "metadata", "withdraw_dust_threshold"}))));
}

TEST(CreatedEvent, TakesFieldsThatItDoesNotKnow) {
  expect_created(decode("created", map(with(created_fields(), "a_new_field", vec({symbol("Linear")})))));
}

TEST(CreatedEvent, NeedsNoStreamIdInItsPayload) {
  // The second topic names the stream.
  expect_created(decode("created", map(without(created_fields(), {"stream_id"}))));
}

TEST(CreatedEvent, HoldsTheEndsOfEveryRange) {
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  const Fields fields = with(with(with(created_fields(), "end_time", u64(last)), "deposit_amount", i128(int128_max)),
                             "rate_per_second", i128(int128_min));
  const DecodedEvent event = decode_contract_event({symbol("created"), u64(last)}, map(fields));
  EXPECT_EQ(event.stream_number, last);
  const auto* created = std::get_if<StreamCreated>(&event.payload);
  ASSERT_NE(created, nullptr);
  EXPECT_EQ(created->end_time, last);
  EXPECT_EQ(created->deposit, Amount{int128_max});
  EXPECT_EQ(created->rate_per_second, Amount{int128_min});
}

TEST(CreatedEvent, OfTheOldestContractCannotBeFolded) {
  const DecodedEvent event = decode("created", i128(1000));
  EXPECT_TRUE(is<Unfoldable>(event));
  EXPECT_EQ(event.kind, "created");
  EXPECT_EQ(event.stream_number, 7u);
  EXPECT_EQ(name_of(event), "stream.created");
}

TEST(CreatedEvent, WithoutAFieldThatTheFoldNeedsCannotBeFolded) {
  for (const std::string_view name :
       {"sender", "recipient", "deposit_amount", "rate_per_second", "start_time", "cliff_time", "end_time"}) {
    const DecodedEvent missing = decode("created", map(without(created_fields(), {name})));
    EXPECT_TRUE(is<Unfoldable>(missing)) << name;
    EXPECT_EQ(name_of(missing), "stream.created") << name;
    for (const ScVal& wrong : {void_value(), symbol("x"), u32(1), vec({}), text_value("1000")}) {
      EXPECT_TRUE(is<Unfoldable>(decode("created", map(with(created_fields(), name, wrong))))) << name;
    }
  }
}

TEST(CreatedEvent, NumbersOfAnotherWidthAreNotTaken) {
  EXPECT_TRUE(is<Unfoldable>(decode("created", map(with(created_fields(), "deposit_amount", u64(1000))))));
  EXPECT_TRUE(is<Unfoldable>(decode("created", map(with(created_fields(), "start_time", i128(1000))))));
  const ScVal timepoint{ScValType::timepoint, std::uint64_t{1000}};
  EXPECT_TRUE(is<Unfoldable>(decode("created", map(with(created_fields(), "start_time", timepoint)))));
}

TEST(StreamEvent, Withdrew) {
  const auto event =
      decode("withdrew", map({{"amount", i128(250)}, {"recipient", address(sample_recipient)}, {"stream_id", u64(7)}}));
  const auto* withdrew = payload_of<StreamWithdrew>(event, "withdrew");
  ASSERT_NE(withdrew, nullptr);
  EXPECT_EQ(withdrew->amount, Amount{250});
  EXPECT_EQ(name_of(event), "stream.updated");
}

TEST(StreamEvent, WithdrewOfTheOldestContractIsABareAmount) {
  const auto event = decode("withdrew", i128(250));
  const auto* withdrew = payload_of<StreamWithdrew>(event, "withdrew");
  ASSERT_NE(withdrew, nullptr);
  EXPECT_EQ(withdrew->amount, Amount{250});
}

TEST(StreamEvent, WithdrewToAnotherAddress) {
  const auto event = decode("wdraw_to", map({{"amount", i128(9)},
                                             {"destination", address(sample_delegate)},
                                             {"recipient", address(sample_recipient)},
                                             {"stream_id", u64(7)}}));
  const auto* withdrew = payload_of<StreamWithdrew>(event, "wdraw_to");
  ASSERT_NE(withdrew, nullptr);
  EXPECT_EQ(withdrew->amount, Amount{9});
  EXPECT_EQ(name_of(event), "stream.updated");
}

TEST(StreamEvent, PausedInAllItsShapes) {
  for (const ScVal& value : {map({{"reason", vec({symbol("Administrative")})}, {"stream_id", u64(7)}}),
                             vec({symbol("Paused"), u64(7)}), void_value()}) {
    const auto event = decode("paused", value);
    EXPECT_NE(payload_of<StreamPaused>(event, "paused"), nullptr);
    EXPECT_EQ(name_of(event), "stream.updated");
  }
}

TEST(StreamEvent, Resumed) {
  for (const ScVal& value : {vec({symbol("Resumed"), u64(7)}), void_value()}) {
    const auto event = decode("resumed", value);
    EXPECT_NE(payload_of<StreamResumed>(event, "resumed"), nullptr);
    EXPECT_EQ(name_of(event), "stream.updated");
  }
}

TEST(StreamEvent, Cancelled) {
  // The oldest contract wrote the refund.
  for (const ScVal& value : {vec({symbol("StreamCancelled"), u64(7)}), i128(600)}) {
    const auto event = decode("cancelled", value);
    EXPECT_NE(payload_of<StreamCancelled>(event, "cancelled"), nullptr);
    EXPECT_EQ(name_of(event), "stream.cancelled");
  }
}

TEST(StreamEvent, CancelledByAKeeper) {
  const auto event = decode("kp_cncl", map({{"keeper", address(sample_delegate)},
                                            {"keeper_fee", i128(1)},
                                            {"recipient_amount", i128(40)},
                                            {"sender_refund", i128(59)},
                                            {"stream_id", u64(7)}}));
  const auto* cancelled = payload_of<KeeperCancelled>(event, "kp_cncl");
  ASSERT_NE(cancelled, nullptr);
  EXPECT_EQ(cancelled->recipient_amount, Amount{40});
  EXPECT_EQ(name_of(event), "stream.cancelled");
}

TEST(StreamEvent, CompletedAndClosed) {
  const auto completed = decode("completed", vec({symbol("StreamCompleted"), u64(7)}));
  EXPECT_NE(payload_of<StreamCompleted>(completed, "completed"), nullptr);
  EXPECT_EQ(name_of(completed), "stream.completed");
  const auto closed = decode("closed", vec({symbol("StreamClosed"), u64(7)}));
  EXPECT_NE(payload_of<StreamClosed>(closed, "closed"), nullptr);
  EXPECT_EQ(name_of(closed), "stream.updated");
}

TEST(StreamEvent, RateUpdated) {
  const auto event = decode("rate_upd", map({{"effective_time", u64(1500)},
                                             {"new_rate_per_second", i128(4)},
                                             {"old_rate_per_second", i128(3)},
                                             {"stream_id", u64(7)}}));
  const auto* updated = payload_of<RateUpdated>(event, "rate_upd");
  ASSERT_NE(updated, nullptr);
  EXPECT_EQ(updated->new_rate, Amount{4});
  EXPECT_EQ(updated->effective_time, 1500u);
  EXPECT_EQ(name_of(event), "stream.updated");
}

TEST(StreamEvent, RateDecreased) {
  const auto event = decode("rate_dec", map({{"checkpointed_amount", i128(500)},
                                             {"effective_time", u64(1500)},
                                             {"new_rate_per_second", i128(2)},
                                             {"old_rate_per_second", i128(3)},
                                             {"refund_amount", i128(50)},
                                             {"stream_id", u64(7)}}));
  const auto* decreased = payload_of<RateDecreased>(event, "rate_dec");
  ASSERT_NE(decreased, nullptr);
  EXPECT_EQ(decreased->new_rate, Amount{2});
  EXPECT_EQ(decreased->effective_time, 1500u);
  EXPECT_EQ(decreased->checkpointed, Amount{500});
  EXPECT_EQ(decreased->refund, Amount{50});
}

TEST(StreamEvent, EndShortenedAndExtended) {
  const auto shorter = decode("end_shrt", map({{"new_end_time", u64(1800)},
                                               {"old_end_time", u64(2000)},
                                               {"refund_amount", i128(200)},
                                               {"stream_id", u64(7)}}));
  const auto* shortened = payload_of<EndShortened>(shorter, "end_shrt");
  ASSERT_NE(shortened, nullptr);
  EXPECT_EQ(shortened->new_end, 1800u);
  EXPECT_EQ(shortened->refund, Amount{200});

  const auto longer =
      decode("end_ext", map({{"new_end_time", u64(2200)}, {"old_end_time", u64(2000)}, {"stream_id", u64(7)}}));
  const auto* extended = payload_of<EndExtended>(longer, "end_ext");
  ASSERT_NE(extended, nullptr);
  EXPECT_EQ(extended->new_end, 2200u);
}

TEST(StreamEvent, ToppedUp) {
  const auto event = decode("top_up", map({{"new_deposit_amount", i128(1500)},
                                           {"new_end_time", u64(2500)},
                                           {"stream_id", u64(7)},
                                           {"top_up_amount", i128(500)}}));
  const auto* topped_up = payload_of<ToppedUp>(event, "top_up");
  ASSERT_NE(topped_up, nullptr);
  EXPECT_EQ(topped_up->new_deposit, Amount{1500});
  EXPECT_EQ(topped_up->new_end, 2500u);
}

TEST(StreamEvent, PartiesChange) {
  const auto recipient = decode("recp_upd", map({{"new_recipient", address(sample_delegate)},
                                                 {"old_recipient", address(sample_recipient)},
                                                 {"stream_id", u64(7)}}));
  const auto* updated = payload_of<RecipientUpdated>(recipient, "recp_upd");
  ASSERT_NE(updated, nullptr);
  EXPECT_EQ(updated->new_recipient, sample_delegate);

  const auto sender = decode(
      "sndr_xfr",
      map({{"new_sender", address(sample_contract)}, {"old_sender", address(sample_sender)}, {"stream_id", u64(7)}}));
  const auto* transferred = payload_of<SenderTransferred>(sender, "sndr_xfr");
  ASSERT_NE(transferred, nullptr);
  EXPECT_EQ(transferred->new_sender, sample_contract);
}

TEST(StreamEvent, ShareDelegated) {
  const auto event = decode("del_share", map({{"child_rate", i128(1)},
                                              {"child_stream_id", u64(8)},
                                              {"delegatee", address(sample_delegate)},
                                              {"delegator", address(sample_recipient)},
                                              {"new_parent_rate", i128(2)},
                                              {"parent_stream_id", u64(7)},
                                              {"share_bps", u32(3333)}}));
  const auto* delegated = payload_of<ShareDelegated>(event, "del_share");
  ASSERT_NE(delegated, nullptr);
  EXPECT_EQ(delegated->child_stream, 8u);
  EXPECT_EQ(delegated->delegatee, sample_delegate);
  EXPECT_EQ(delegated->new_parent_rate, Amount{2});
  EXPECT_EQ(delegated->child_rate, Amount{1});
  EXPECT_EQ(name_of(event), "stream.updated");
}

TEST(StreamEvent, ThatChangesNoAmountIsHistory) {
  for (const std::string_view topic :
       {"cloned", "decomm", "health", "rate_cap", "ac_set", "ac_revoke", "ac_trig", "claim_own", "renewed"}) {
    const auto event = decode(topic, map({{"whatever", void_value()}}));
    EXPECT_NE(payload_of<StreamHistory>(event, topic), nullptr) << topic;
    EXPECT_EQ(name_of(event), "stream.updated") << topic;
  }
}

TEST(StreamEvent, MoreTopicsThanTwoChangeNothing) {
  // `renewed` carries the new stream's number as its third.
  const auto event = decode_contract_event({symbol("renewed"), u64(7), u64(8)}, map({}));
  EXPECT_NE(payload_of<StreamHistory>(event, "renewed"), nullptr);
}

struct FoldablePayload {
  std::string_view topic;
  Fields fields;
};

/// Every event whose payload the fold reads, with exactly the fields that it reads.
std::vector<FoldablePayload> foldable_payloads() {
  const ScVal someone = address(sample_delegate);
  return {
      {"withdrew", {{"amount", i128(1)}}},
      {"wdraw_to", {{"amount", i128(1)}}},
      {"kp_cncl", {{"recipient_amount", i128(1)}}},
      {"rate_upd", {{"new_rate_per_second", i128(1)}, {"effective_time", u64(1)}}},
      {"rate_dec",
       {{"new_rate_per_second", i128(1)},
        {"effective_time", u64(1)},
        {"checkpointed_amount", i128(1)},
        {"refund_amount", i128(1)}}},
      {"end_shrt", {{"new_end_time", u64(1)}, {"refund_amount", i128(1)}}},
      {"end_ext", {{"new_end_time", u64(1)}}},
      {"top_up", {{"new_deposit_amount", i128(1)}, {"new_end_time", u64(1)}}},
      {"recp_upd", {{"new_recipient", someone}}},
      {"sndr_xfr", {{"new_sender", someone}}},
      {"del_share",
       {{"child_stream_id", u64(1)}, {"delegatee", someone}, {"new_parent_rate", i128(1)}, {"child_rate", i128(1)}}}};
}

TEST(StreamEvent, FieldsThatOnlyInformMayBeMissing) {
  for (const auto& [topic, fields] : foldable_payloads()) {
    EXPECT_FALSE(is<Unfoldable>(decode(topic, map(fields)))) << topic;
  }
}

TEST(StreamEvent, FieldsOfOtherNamesMayBeThere) {
  for (const auto& [topic, fields] : foldable_payloads()) {
    Fields more = {{"a_new_field", vec({})}};
    more.insert(more.end(), fields.begin(), fields.end());
    more.emplace_back("zz_newest_field", void_value());
    const auto event = decode(topic, map(more));
    EXPECT_EQ(event.payload.index(), decode(topic, map(fields)).payload.index()) << topic;
  }
}

TEST(StreamEvent, WithoutAFieldThatTheFoldNeedsKeepsItsNameAndStream) {
  for (const auto& [topic, fields] : foldable_payloads()) {
    for (const auto& field : fields) {
      for (const ScVal& value : {map(without(fields, {field.first})), map(with(fields, field.first, void_value()))}) {
        const auto event = decode(topic, value);
        EXPECT_NE(payload_of<Unfoldable>(event, topic), nullptr) << topic << " without " << field.first;
        EXPECT_EQ(name_of(event), topic == "kp_cncl" ? "stream.cancelled" : "stream.updated") << topic;
      }
    }
  }
}

TEST(StreamEvent, PayloadsOfOtherShapesCannotBeFolded) {
  const ScVal null_map{ScValType::map, std::optional<ScMap>()};
  const ScVal string_keys{ScValType::map, std::optional<ScMap>(ScMap{{text_value("amount"), i128(1)}})};
  for (const auto& [topic, fields] : foldable_payloads()) {
    for (const ScVal& value : {void_value(), vec({}), map({}), u64(1), symbol("x"), null_map, string_keys}) {
      const auto event = decode(topic, value);
      EXPECT_NE(payload_of<Unfoldable>(event, topic), nullptr) << topic;
    }
  }
}

TEST(GovernanceCancelled, IsProtocolHistory) {
  const ScVec topics[] = {{symbol("cancelled")}, {symbol("cancelled"), u32(7)}};
  for (const ScVec& one : topics) {
    const auto event = decode_contract_event(one, map({{"proposal_id", u32(7)}}));
    EXPECT_TRUE(is<ProtocolHistory>(event));
    EXPECT_EQ(event.kind, "cancelled");
    EXPECT_FALSE(event.stream_number);
    EXPECT_EQ(name_of(event), "protocol.event");
  }
}

TEST(ProtocolEvent, WhateverItsSecondTopicAndPayload) {
  for (const std::string_view topic :
       {"gl_pause", "gl_resume", "ct_pause", "pr_pause", "pr_resume", "ex_swept", "upgraded", "AdminUpd", "res_rel",
        "migrated", "offr_crt", "offr_acc", "offr_cxl", "offr_"}) {
    const ScVec topics[] = {{symbol(topic)},
                            {symbol(topic), u64(7)},
                            {symbol(topic), address(sample_contract)},
                            {symbol(topic), symbol("x"), u32(1)}};
    for (const ScVec& one : topics) {
      const auto event = decode_contract_event(one, map({}));
      EXPECT_TRUE(is<ProtocolHistory>(event)) << topic;
      EXPECT_EQ(event.kind, topic);
      EXPECT_FALSE(event.stream_number) << topic;
      EXPECT_EQ(name_of(event), "protocol.event") << topic;
    }
  }
}

TEST(UnknownEvent, IsKeptByItsTopic) {
  for (const std::string_view topic : {"", "transfer", "mint", "set_admin", "Created", "CREATED", "create", "createdx",
                                       "offr", "offer_1", "adminupd", "tmpl_def", "executed"}) {
    const auto event = decode(topic, map(created_fields()));
    EXPECT_TRUE(is<UnknownTopic>(event)) << topic;
    EXPECT_EQ(event.kind, topic);
    EXPECT_FALSE(event.stream_number) << topic;
    EXPECT_EQ(name_of(event), "chain.event") << topic;
  }
}

TEST(UnknownEvent, WhoseFirstTopicIsNoSymbolHasNoKind) {
  const ScVec topics[] = {{},
                          {void_value()},
                          {text_value("created"), u64(7)},
                          {u64(7), symbol("created")},
                          {vec({symbol("created")}), u64(7)},
                          {map({}), u64(7)},
                          {address(sample_contract), u64(7)}};
  for (const ScVec& one : topics) {
    const auto event = decode_contract_event(one, map(created_fields()));
    EXPECT_TRUE(is<UnknownTopic>(event));
    EXPECT_EQ(event.kind, "");
    EXPECT_FALSE(event.stream_number);
    EXPECT_EQ(name_of(event), "chain.event");
  }
}

TEST(StreamEvent, WithoutAStreamInItsSecondTopicCannotBeFolded) {
  const ScVal timepoint{ScValType::timepoint, std::uint64_t{7}};
  const ScVec seconds[] = {{}, {u32(7)}, {i128(7)}, {symbol("x")}, {void_value()}, {timepoint}, {vec({u64(7)})}};
  for (const ScVec& second : seconds) {
    ScVec topics = {symbol("created")};
    topics.insert(topics.end(), second.begin(), second.end());
    const auto event = decode_contract_event(topics, map(created_fields()));
    EXPECT_TRUE(is<Unfoldable>(event));
    EXPECT_FALSE(event.stream_number);
    EXPECT_EQ(name_of(event), "stream.created");
  }
}

TEST(EventNames, GoThereAndBack) {
  constexpr std::string_view names[] = {
      "stream.created", "stream.updated",  "stream.cancelled", "stream.completed", "stream.cliff_reached",
      "stream.ended",   "stream.observed", "stream.retracted", "protocol.event",   "chain.event"};
  for (std::size_t i = 0; i < std::size(names); ++i) {
    const auto name = static_cast<EventName>(i);
    EXPECT_EQ(event_name_text(name), names[i]);
    EXPECT_EQ(event_name_from_text(names[i]), name);
  }
  for (const std::string_view text :
       {"", "stream", "stream.", "stream.Created", "stream.created ", "service.degraded"}) {
    EXPECT_FALSE(event_name_from_text(text)) << text;
  }
}

TEST(EventNames, NothingThatAFailedCallSaidIsAChange) {
  const ScVec protocol = {symbol("upgraded")};
  for (const DecodedEvent& event :
       {decode("created", map(created_fields())), decode("created", i128(1)), decode("cancelled", void_value()),
        decode("completed", void_value()), decode("health", void_value()), decode("transfer", void_value()),
        decode_contract_event(protocol, void_value())}) {
    EXPECT_EQ(event_name(event, false), EventName::chain_event) << event.kind;
  }
}

}  // namespace
}  // namespace fluxora::core
