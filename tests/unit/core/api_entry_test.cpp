#include "fluxora/core/api_entry.hpp"

#include <string>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

constexpr std::string_view api_id = "api-01890a5d-ac96-774b-bcce-b302099a8057";

StreamCreated terms() {
  return {std::string(sample_sender), std::string(sample_token), tokens(1000), Amount{1}, 1000, 1100, 2000};
}

LogEntry created() {
  return *make_api_entry(nullptr, api_id, terms(), 900, 40);
}

/// What a rebuild does with the entry's bytes.
Result<FoldResult> folded_again(const Stream* before, const LogEntry& entry) {
  return fold(before, decode_contract_event_xdr(entry.topics_xdr, entry.value_xdr), place_of(entry));
}

TEST(ApiEntry, OfACreationIsTheLogsWithoutALedger) {
  const LogEntry entry = created();
  EXPECT_EQ(entry.seq, 40u);
  EXPECT_EQ(entry.event, EventName::stream_created);
  EXPECT_EQ(entry.kind, "created");
  EXPECT_EQ(entry.stream_id, api_id);
  EXPECT_EQ(entry.event_id, "api-40");
  EXPECT_EQ(entry.contract_id, "");
  EXPECT_FALSE(entry.ledger || entry.ledger_hash || entry.tx_hash || entry.prev_seq);
  EXPECT_EQ(entry.closed_at, 900u);
  EXPECT_EQ(entry.change, "{}");
}

TEST(ApiEntry, OfACreationHasTheStream) {
  Stream expected = sample_stream();
  expected.id = api_id;
  expected.source = StreamSource::api;
  expected.recipient = sample_token;
  expected.rate_per_second = {1};
  expected.cliff_time = 1100;
  expected.ledger.reset();
  expected.tx_hash.reset();
  EXPECT_EQ(created().stream, expected);
}

TEST(ApiEntry, ShowsNullWhereTheChainIsNotConcerned) {
  std::string text;
  JsonWriter json(text);
  write_log_entry_json(json, created(), "k3f9");
  EXPECT_NE(text.find(R"("contractId":null,"ledger":null,"ledgerHash":null,"txHash":null)"), std::string::npos) << text;
}

TEST(ApiEntry, OfAChangeNamesItsPredecessorAndWhatDiffers) {
  const LogEntry creation = created();
  const auto pause = make_api_entry(&*creation.stream, api_id, StreamPaused{}, 950, 41);
  ASSERT_TRUE(pause);
  EXPECT_EQ(pause->event, EventName::stream_updated);
  EXPECT_EQ(pause->prev_seq, 40u);
  EXPECT_EQ(pause->change, R"({"status":["active","paused"]})");
  const auto cancel = make_api_entry(&*pause->stream, api_id, StreamCancelled{}, 960, 42);
  ASSERT_TRUE(cancel);
  EXPECT_EQ(cancel->event, EventName::stream_cancelled);
  EXPECT_EQ(cancel->stream->cancelled_at, 960u);
  EXPECT_EQ(cancel->stream->created_seq, 40u);
}

TEST(ApiEntry, FoldsAgainFromItsBytes) {
  LogEntry entry = created();
  auto again = folded_again(nullptr, entry);
  ASSERT_TRUE(again);
  EXPECT_EQ(encode_stream(again->stream), encode_stream(*entry.stream));
  std::uint64_t seq = 40;
  for (const EventPayload& payload :
       {EventPayload(StreamPaused{}), EventPayload(StreamResumed{}), EventPayload(StreamCancelled{})}) {
    const Stream before = *entry.stream;
    ++seq;
    entry = *make_api_entry(&before, api_id, payload, 1000 + seq, seq);
    again = folded_again(&before, entry);
    ASSERT_TRUE(again);
    EXPECT_EQ(encode_stream(again->stream), encode_stream(*entry.stream)) << entry.kind;
  }
}

TEST(ApiEntry, IsNeverBeforeTheStreamsLastChange) {
  const LogEntry creation = created();
  EXPECT_EQ(make_api_entry(&*creation.stream, api_id, StreamPaused{}, 100, 41)->closed_at, 900u);
}

TEST(ApiEntry, IsOnlyOfWhatTheApiCanDo) {
  const Stream stream = *created().stream;
  EXPECT_EQ(make_api_entry(&stream, api_id, StreamCompleted{}, 1, 2).error().code, ErrorCode::event_payload_unreadable);
  EXPECT_EQ(make_api_entry(nullptr, api_id, StreamPaused{}, 1, 2).error().code, ErrorCode::fold_unknown_stream);
  EXPECT_EQ(make_api_entry(&stream, api_id, terms(), 1, 2).error().code, ErrorCode::fold_duplicate_stream);
  StreamCreated nobody = terms();
  nobody.sender = "G";
  EXPECT_FALSE(make_api_entry(nullptr, api_id, nobody, 1, 2));
}

}  // namespace
}  // namespace fluxora::core
