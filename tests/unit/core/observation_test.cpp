#include "fluxora/core/observation.hpp"

#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/xdr.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

ScVal symbol(std::string_view text) {
  return {ScValType::symbol, std::string(text)};
}
ScVal u32(std::uint32_t value) {
  return {ScValType::u32, value};
}
ScVal u64(std::uint64_t value) {
  return {ScValType::u64, value};
}
ScVal i128(Amount amount) {
  return {ScValType::i128, amount.units};
}
ScVal address(std::string_view strkey) {
  return {ScValType::address, ScAddress{std::string(strkey)}};
}
ScVal nothing() {
  return {ScValType::void_, std::monostate{}};
}

/// The topics of an observation, as they are read again.
ScVec topics_with(const std::optional<std::string>& token) {
  ScVec topics;
  const auto encoded = encode_observation_topics(7, token);
  for (const Bytes& xdr : *encoded) topics.push_back(*decode_scval(xdr));
  return topics;
}

/// What the contract stores of sample_stream().
ScMap stored_fields() {
  return {{symbol("cancelled_at"), nothing()},
          {symbol("checkpointed_amount"), i128(tokens(3))},
          {symbol("checkpointed_at"), u64(1003)},
          {symbol("cliff_time"), u64(1000)},
          {symbol("deposit_amount"), i128(tokens(1000))},
          {symbol("end_time"), u64(2000)},
          {symbol("kind"), u32(2)},
          {symbol("memo"), nothing()},
          {symbol("rate_per_second"), i128(tokens(1))},
          {symbol("recipient"), address(sample_recipient)},
          {symbol("sender"), address(sample_sender)},
          {symbol("start_time"), u64(1000)},
          {symbol("status"), u32(1)},
          {symbol("stream_id"), u64(7)},
          {symbol("withdrawn_amount"), i128(tokens(2))}};
}

ScVal value_of(ScMap fields) {
  return {ScValType::map, std::optional<ScMap>(std::move(fields))};
}

ScMap with(std::string_view name, const ScVal& value) {
  ScMap fields = stored_fields();
  for (ScMapEntry& entry : fields) {
    if (*entry.key.symbol() == name) entry.value = value;
  }
  return fields;
}

ScMap without(std::string_view name) {
  ScMap fields;
  for (const ScMapEntry& entry : stored_fields()) {
    if (*entry.key.symbol() != name) fields.push_back(entry);
  }
  return fields;
}

TEST(Observation, ReadsTheStoredStream) {
  const auto stored = decode_stored_stream(value_of(stored_fields()));
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->number, 7u);
  EXPECT_EQ(stored->sender, sample_sender);
  EXPECT_EQ(stored->recipient, sample_recipient);
  EXPECT_EQ(stored->deposit, tokens(1000));
  EXPECT_EQ(stored->rate_per_second, tokens(1));
  EXPECT_EQ(stored->withdrawn, tokens(2));
  EXPECT_EQ(stored->start_time, 1000u);
  EXPECT_EQ(stored->cliff_time, 1000u);
  EXPECT_EQ(stored->end_time, 2000u);
  EXPECT_EQ(stored->status, StreamStatus::paused);
  EXPECT_EQ(stored->cancelled_at, std::nullopt);
  EXPECT_EQ(stored->kind, StreamKind::cliff_slope);
  EXPECT_EQ(stored->checkpoint_amount, tokens(3));
  EXPECT_EQ(stored->checkpoint_at, 1003u);
}

TEST(Observation, WhatOlderContractsDidNotStoreIsNone) {
  for (const std::string_view name : {"kind", "checkpointed_amount", "checkpointed_at", "cancelled_at"}) {
    EXPECT_TRUE(decode_stored_stream(value_of(without(name)))) << name;
  }
  EXPECT_EQ(decode_stored_stream(value_of(without("kind")))->kind, std::nullopt);
}

TEST(Observation, RefusesWhatIsNoStream) {
  for (const char* name : {"deposit_amount", "rate_per_second", "withdrawn_amount", "start_time", "cliff_time",
                           "end_time", "sender", "recipient", "status", "stream_id"}) {
    EXPECT_FALSE(decode_stored_stream(value_of(without(name)))) << name;
    EXPECT_FALSE(decode_stored_stream(value_of(with(name, symbol("x"))))) << name;
  }
  EXPECT_FALSE(decode_stored_stream(value_of(with("kind", u32(3)))));
  EXPECT_FALSE(decode_stored_stream(value_of(with("status", u32(4)))));
  EXPECT_FALSE(decode_stored_stream(value_of(with("cancelled_at", u32(4)))));
  EXPECT_FALSE(decode_stored_stream(nothing()));
  EXPECT_EQ(decode_stored_stream(nothing()).error().code, ErrorCode::observation_unreadable);
}

TEST(Observation, ChangesWhatTheContractStoresAndNothingElse) {
  Stream stream = sample_stream();
  stream.settled = tokens(1);
  stream.archived = true;
  const Stream before = stream;
  apply_observation(stream, {*decode_stored_stream(value_of(stored_fields())), std::string(sample_token)});

  Stream expected = before;
  expected.kind = StreamKind::cliff_slope;
  expected.status = StreamStatus::paused;
  expected.withdrawn = tokens(2);
  expected.checkpoint_amount = tokens(3);
  expected.checkpoint_at = 1003;
  expected.token = sample_token;
  EXPECT_EQ(stream, expected);
}

TEST(Observation, WithoutAnEntryItBringsTheTokenAlone) {
  const auto read = decode_observation(topics_with(std::string(sample_token)), *decode_scval(encode_no_entry()));
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->stored);
  EXPECT_EQ(read->token, sample_token);
  Stream stream = sample_stream();
  stream.token.reset();
  Stream expected = stream;
  apply_observation(stream, *read);
  expected.token = sample_token;
  EXPECT_EQ(stream, expected);

  const auto silent = decode_observation(topics_with(std::nullopt), nothing());
  ASSERT_FALSE(silent) << "it would say nothing";
  EXPECT_EQ(silent.error().code, ErrorCode::observation_unreadable);
}

TEST(Observation, ACompletedStreamHasWithdrawnAll) {
  Stream stream = sample_stream();
  apply_observation(stream, {*decode_stored_stream(value_of(with("status", u32(2)))), std::nullopt});
  EXPECT_EQ(stream.status, StreamStatus::completed);
  EXPECT_EQ(stream.withdrawn, tokens(1000));
  EXPECT_EQ(stream.token, std::nullopt);
}

TEST(Observation, TopicsKeepTheToken) {
  const auto with_token = encode_observation_topics(7, std::string(sample_token));
  ASSERT_TRUE(with_token);
  ASSERT_EQ(with_token->size(), 3u);
  EXPECT_EQ(*decode_scval((*with_token)[0])->symbol(), "observed");
  EXPECT_EQ(decode_scval((*with_token)[1])->u64(), 7u);
  EXPECT_EQ(*decode_scval((*with_token)[2])->address(), sample_token);

  const auto unknown = encode_observation_topics(7, std::nullopt);
  ASSERT_TRUE(unknown);
  EXPECT_EQ(decode_scval((*unknown)[2])->type, ScValType::void_);
  EXPECT_FALSE(encode_observation_topics(7, std::string("nonsense")));
}

TEST(Observation, RefusesTopicsAndValuesThatAreNone) {
  EXPECT_FALSE(decode_observation({}, value_of(stored_fields())));
  EXPECT_FALSE(decode_observation(topics_with(std::nullopt), u64(7)));
  EXPECT_TRUE(decode_observation(topics_with(std::nullopt), value_of(stored_fields())));
}

}  // namespace
}  // namespace fluxora::core
