#include "fluxora/core/log_fold.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/core/reducer.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

const std::string id = chain_stream_id(sample_contract, 7);

LogEntry chain_entry(std::uint64_t seq, std::uint32_t ledger) {
  LogEntry entry;
  entry.seq = seq;
  entry.event = EventName::stream_updated;
  entry.stream_id = id;
  entry.event_id = "event-" + std::to_string(seq);
  entry.contract_id = sample_contract;
  entry.ledger = ledger;
  entry.ledger_hash = hash_of(static_cast<std::uint8_t>(ledger));
  entry.tx_hash = hash_of(0x77);
  entry.closed_at = 10 * UnixSeconds{ledger};
  return entry;
}

DecodedEvent event_of(EventPayload payload) {
  return {"kind", 7, std::move(payload)};
}

StreamCreated terms() {
  return {std::string(sample_sender), std::string(sample_recipient), tokens(1000), tokens(1), 1000, 1000, 2000};
}

/// A fold that holds number 7 after its creation, which is its entry 1 of ledger 90.
LogFold after_creation() {
  LogFold log;
  LogEntry entry = chain_entry(1, 90);
  log.fold(entry, event_of(terms()));
  return log;
}

TEST(LogFold, FoldsAnEventIntoItsStreamAndItsEntry) {
  LogFold log = after_creation();
  LogEntry entry = chain_entry(2, 110);
  EXPECT_FALSE(log.fold(entry, event_of(StreamWithdrew{tokens(5)})));
  ASSERT_TRUE(entry.stream);
  EXPECT_EQ(entry.stream->withdrawn, tokens(5));
  EXPECT_EQ(entry.stream->version, 2u);
  EXPECT_EQ(entry.change, R"({"withdrawnAmount":["0.0000000","5.0000000"]})");
  EXPECT_EQ(*log.find(id), *entry.stream);
}

TEST(LogFold, WhatCannotBeFoldedLeavesStreamAndEntryAlone) {
  LogFold log = after_creation();
  const Stream before = *log.find(id);
  LogEntry again = chain_entry(2, 110);
  log.fold(again, event_of(terms()));
  LogEntry failed = chain_entry(3, 110);
  failed.in_successful_call = false;
  log.fold(failed, event_of(StreamWithdrew{tokens(5)}));
  LogEntry unreadable = chain_entry(4, 110);
  log.fold(unreadable, event_of(Unfoldable{}));
  for (const LogEntry& entry : {again, failed, unreadable}) {
    EXPECT_FALSE(entry.stream);
    EXPECT_EQ(entry.change, "{}");
  }
  EXPECT_EQ(*log.find(id), before);
}

TEST(LogFold, ADelegationMakesTwoEntries) {
  LogFold log = after_creation();
  LogEntry entry = chain_entry(5, 150);
  entry.prev_seq = 1;
  const auto child = log.fold(entry, event_of(ShareDelegated{9, std::string(sample_delegate), Amount{5}, Amount{5}}));
  ASSERT_TRUE(child);
  EXPECT_EQ(child->seq, 6u);
  EXPECT_EQ(child->event, EventName::stream_created);
  EXPECT_EQ(child->stream_id, chain_stream_id(sample_contract, 9));
  EXPECT_EQ(child->event_id, entry.event_id);
  EXPECT_EQ(child->prev_seq, std::nullopt);
  ASSERT_NE(log.find(child->stream_id), nullptr);
  EXPECT_EQ(*log.find(child->stream_id), *child->stream);

  LogEntry twice = chain_entry(7, 151);
  EXPECT_FALSE(log.fold(twice, event_of(ShareDelegated{9, std::string(sample_delegate), Amount{1}, Amount{1}})));
  EXPECT_FALSE(twice.stream) << "the child is there already";
}

TEST(LogFold, AnObservationWithoutAnEntryBringsItsStreamTheToken) {
  LogFold log = after_creation();
  Stream expected = *log.find(id);
  LogEntry entry = chain_entry(2, 110);
  entry.event = EventName::stream_observed;
  entry.topics_xdr = *encode_observation_topics(7, std::string(sample_token));
  entry.value_xdr = encode_no_entry();
  EXPECT_FALSE(log.fold(entry));
  expected.token = sample_token;
  expected.updated_at = 1'100'000;
  expected.version = 2;
  expected.ledger = 110;
  EXPECT_EQ(entry.stream, expected);
  EXPECT_EQ(entry.change, R"({"token":[null,")" + std::string(sample_token) + R"("]})");

  LogFold empty;
  empty.fold(entry);
  EXPECT_FALSE(entry.stream) << "a token makes no stream";
  EXPECT_EQ(empty.find(id), nullptr);
}

TEST(LogFold, AnObservationThatIsNoneLeavesItsStreamAlone) {
  LogFold log = after_creation();
  const Stream before = *log.find(id);
  LogEntry entry = chain_entry(2, 110);
  entry.event = EventName::stream_observed;
  entry.value_xdr = encode_no_entry();
  for (const Bytes& topic : {Bytes{1, 2, 3}, encode_no_entry()}) {
    entry.topics_xdr = {topic, topic, topic};
    log.fold(entry);
    EXPECT_FALSE(entry.stream);
    EXPECT_EQ(*log.find(id), before);
  }
}

TEST(FoldEntry, SaysWhyItLeavesAStreamAlone) {
  const EventPlace place{sample_contract, 110, hash_of(0x77), 1100, 2, id};
  const auto refused = [&](EventName event, const ScVec& topics) {
    const auto folded = fold_entry(nullptr, event, topics, ScVal{}, place);
    return folded ? std::string() : std::string(error_name(folded.error().code));
  };
  EXPECT_EQ(refused(EventName::stream_ended, {}), "FOLD_UNKNOWN_STREAM");
  EXPECT_EQ(refused(EventName::stream_observed, {}), "OBSERVATION_UNREADABLE");
  EXPECT_EQ(refused(EventName::chain_event, {}), "EVENT_PAYLOAD_UNREADABLE");
  const ScVal number{ScValType::u64, std::uint64_t{7}};
  const ScVal paused{ScValType::symbol, std::string("paused")};
  EXPECT_EQ(refused(EventName::stream_updated, {paused, number}), "FOLD_UNKNOWN_STREAM");
}

TEST(LogFold, TimeMovesNothingButTheVersion) {
  LogFold log = after_creation();
  Stream expected = *log.find(id);
  LogEntry entry = make_time_entry(EventName::stream_ended, id, 2000, {200, hash_of(2), hash_of(1), 2001});
  entry.seq = 2;
  log.fold(entry);
  expected.version = 2;
  EXPECT_EQ(entry.stream, expected);
  EXPECT_EQ(*log.find(id), expected);
  EXPECT_EQ(entry.event_id, "ended-2000");
  EXPECT_EQ(entry.kind, "ended");
  EXPECT_EQ(entry.contract_id, sample_contract);
  EXPECT_EQ(entry.closed_at, 2001u);
  EXPECT_EQ(entry.ledger, 200u);
  EXPECT_EQ(entry.tx_hash, std::nullopt);
}

TEST(LogFold, TimeOfAnApiStreamNamesNoContract) {
  const LogEntry entry = make_time_entry(EventName::stream_cliff_reached, "api-01890a5d-ac96-774b-bcce-b302099a8057",
                                         1100, {200, hash_of(2), hash_of(1), 2001});
  EXPECT_EQ(entry.contract_id, "");
  EXPECT_EQ(entry.event_id, "cliff_reached-1100");
}

TEST(LogFold, TimeThatIsNoticedLateComesBehindTheLastChange) {
  LogFold log;
  Stream stream = sample_stream();
  stream.updated_at = 2'600'000;  // as an API stream's clock can be, ahead of the ledgers that we have read
  log.put(stream);
  LogEntry entry = make_time_entry(EventName::stream_ended, id, 2000, {200, hash_of(2), hash_of(1), 2001});
  entry.seq = 50;
  log.fold(entry);
  EXPECT_EQ(entry.closed_at, 2600u) << "at 2,001 the stream was another one";
  EXPECT_EQ(entry.ledger, 200u);
}

TEST(LogFold, TimeOfAStreamThatIsNotHeldFoldsNothing) {
  LogFold log;
  LogEntry entry = make_time_entry(EventName::stream_ended, id, 2000, {200, hash_of(2), hash_of(1), 2001});
  log.fold(entry);
  EXPECT_FALSE(entry.stream);
  EXPECT_EQ(log.find(id), nullptr);
}

TEST(LogFold, AnApiEntryFoldsAgain) {
  const LogEntry made =
      *make_api_entry(nullptr, "api-01890a5d-ac96-774b-bcce-b302099a8057", terms(), /*now=*/900, /*seq=*/40);
  LogEntry again = made;
  again.stream.reset();
  LogFold log;
  log.fold(again);
  EXPECT_EQ(again.stream, made.stream);
}

/// A log of one stream: entries with the states that they left, and how they are undone again.
class Retraction : public testing::Test {
 protected:
  void append(LogEntry entry, const DecodedEvent& event) {
    log_.fold(entry, event);
    entries_.push_back(std::move(entry));
  }
  void pass_time(std::uint64_t seq, std::uint32_t ledger) {
    LogEntry entry =
        make_time_entry(EventName::stream_ended, id, 2000, {ledger, hash_of(2), hash_of(1), 10 * UnixSeconds{ledger}});
    entry.seq = seq;
    log_.fold(entry);
    entries_.push_back(std::move(entry));
  }
  /// The state that entry `index` found: what the folded entries before it left.
  std::optional<Stream> before(std::size_t index) const {
    for (std::size_t i = index; i-- > 0;) {
      if (entries_[i].stream) return entries_[i].stream;
    }
    return std::nullopt;
  }
  LogEntry retract(std::size_t index) { return log_.retract(entries_[index], before(index), next_++); }

  LogFold log_;
  std::vector<LogEntry> entries_;
  std::uint64_t next_ = 100;
};

TEST_F(Retraction, NewestFirstGivesTheStatesBackwards) {
  append(chain_entry(1, 90), event_of(terms()));
  append(chain_entry(2, 110), event_of(StreamWithdrew{tokens(5)}));
  append(chain_entry(3, 120), event_of(StreamPaused{}));

  const LogEntry third = retract(2);
  EXPECT_EQ(third.event, EventName::stream_retracted);
  EXPECT_EQ(third.kind, "retracted");
  EXPECT_EQ(third.event_id, "retracted-3");
  EXPECT_EQ(third.retracts, 3u);
  EXPECT_EQ(third.ledger, 120u);
  EXPECT_EQ(third.ledger_hash, entries_[2].ledger_hash);
  EXPECT_EQ(third.closed_at, 1200u);
  EXPECT_EQ(third.change, R"({"status":["paused","active"]})");
  Stream expected = *entries_[1].stream;
  expected.version = 100;
  EXPECT_EQ(third.stream, expected);

  const LogEntry second = retract(1);
  expected = *entries_[0].stream;
  expected.version = 101;
  EXPECT_EQ(second.stream, expected);
  EXPECT_EQ(*log_.find(id), expected);

  const LogEntry first = retract(0);
  EXPECT_FALSE(first.stream);
  EXPECT_EQ(first.change, R"({"sender":["GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J",null],)"
                          R"("recipient":["GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I",null]})")
      << "whoever follows a party has to hear of it";
  EXPECT_EQ(log_.find(id), nullptr) << "it was never created";
}

TEST_F(Retraction, OfWhatChangedNothingKeepsTheStream) {
  append(chain_entry(1, 90), event_of(terms()));
  append(chain_entry(2, 110), event_of(Unfoldable{}));
  pass_time(3, 200);
  const Stream created = *entries_[0].stream;
  for (const std::size_t index : {std::size_t{2}, std::size_t{1}}) {
    Stream expected = created;
    expected.version = next_;
    const LogEntry entry = retract(index);
    EXPECT_EQ(entry.stream, expected);
    EXPECT_EQ(entry.change, "{}");
  }
}

TEST_F(Retraction, OfTimeKeepsWhatCameAfterIt) {
  append(chain_entry(1, 90), event_of(terms()));
  pass_time(2, 200);
  append(chain_entry(3, 110), event_of(StreamPaused{}));  // as an API stream's pause can be, of no ledger
  const LogEntry entry = log_.retract(entries_[1], before(1), 100);
  EXPECT_EQ(entry.stream->status, StreamStatus::paused);
}

TEST_F(Retraction, OfAnEntryOfNoStreamNamesNone) {
  LogEntry protocol = chain_entry(1, 90);
  protocol.stream_id.clear();
  protocol.event = EventName::protocol_event;
  const LogEntry entry = log_.retract(protocol, std::nullopt, 2);
  EXPECT_FALSE(entry.stream);
  EXPECT_EQ(entry.stream_id, "");
  EXPECT_EQ(entry.retracts, 1u);
}

TEST_F(Retraction, IsShownWithWhatItUndoes) {
  append(chain_entry(1, 90), event_of(terms()));
  std::string text;
  JsonWriter json(text);
  write_log_entry_json(json, retract(0), "k3f9");
  EXPECT_NE(text.find(R"("event":"stream.retracted")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("retracts":1)"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("stream":null)"), std::string::npos) << text;
}

}  // namespace
}  // namespace fluxora::core
