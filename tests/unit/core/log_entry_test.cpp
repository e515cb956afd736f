#include "fluxora/core/log_entry.hpp"

#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "fluxora/core/xdr.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

constexpr std::string_view stream_id = "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-7";

Bytes symbol_xdr(std::string_view text) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_u32(15);
  xdr.write_string(text);
  return bytes;
}

Bytes u64_xdr(std::uint64_t value) {
  Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_u32(5);
  xdr.write_u64(value);
  return bytes;
}

/// SPEC section 4's example: a change of stream 7's rate.
LogEntry rate_change() {
  LogEntry entry;
  entry.seq = 1042;
  entry.event = EventName::stream_updated;
  entry.kind = "rate_upd";
  entry.stream_id = stream_id;
  entry.event_id = "0219044594816385024-0000000003";
  entry.contract_id = sample_contract;
  entry.ledger = 51000294;
  entry.ledger_hash = hash_of(0x1e);
  entry.tx_hash = hash_of(0xa1);
  entry.closed_at = 1'774'776'687;
  entry.topics_xdr = {symbol_xdr("rate_upd"), u64_xdr(7)};
  entry.value_xdr = u64_xdr(1);
  entry.stream = sample_stream();
  entry.change = R"({"ratePerSecond":["0.0000116","0.0000232"]})";
  entry.prev_seq = 987;
  return entry;
}

std::string json_of(const LogEntry& entry) {
  std::string text;
  JsonWriter json(text);
  write_log_entry_json(json, entry, "k3f9");
  return text;
}

bool shows(const LogEntry& entry, std::string_view part) {
  return json_of(entry).find(part) != std::string::npos;
}

TEST(LogEntry, IsShownAsTheSpecsExample) {
  const LogEntry entry = rate_change();
  std::string stream;
  JsonWriter stream_json(stream);
  write_stream_json(stream_json, *entry.stream, entry.closed_at);
  EXPECT_EQ(json_of(entry),
            R"({"schemaVersion":1,"cursor":"k3f9-1042","seq":1042,"event":"stream.updated","kind":"rate_upd",)"
            R"("streamId":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-7",)"
            R"("eventId":"0219044594816385024-0000000003",)"
            R"("contractId":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND","ledger":51000294,)"
            R"("ledgerHash":"1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e",)"
            R"("txHash":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",)"
            R"("closedAt":"2026-03-29T09:31:27Z","change":{"ratePerSecond":["0.0000116","0.0000232"]},"stream":)" +
                stream + R"(,"prevSeq":987})");
}

TEST(LogEntry, AmountsAreThoseOfItsCloseTime) {
  LogEntry entry = rate_change();
  entry.closed_at = 1250;
  EXPECT_TRUE(shows(entry, R"("streamedAmount":"250.0000000","withdrawableAmount":"250.0000000",)"
                           R"("remainingAmount":"1000.0000000","asOf":1250,)"));
}

TEST(LogEntry, OfNoStreamOfOurs) {
  LogEntry entry = rate_change();
  entry.event = EventName::chain_event;
  entry.kind.clear();
  entry.stream_id.clear();
  entry.topics_xdr = {u64_xdr(7)};
  entry.value_xdr = {0, 0, 0, 1};
  entry.stream.reset();
  entry.change = "{}";
  entry.prev_seq.reset();
  EXPECT_EQ(json_of(entry),
            R"({"schemaVersion":1,"cursor":"k3f9-1042","seq":1042,"event":"chain.event","kind":null,"streamId":null,)"
            R"("eventId":"0219044594816385024-0000000003",)"
            R"("contractId":"CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND","ledger":51000294,)"
            R"("ledgerHash":"1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e",)"
            R"("txHash":"a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1",)"
            R"("closedAt":"2026-03-29T09:31:27Z","change":{},"stream":null,)"
            R"("raw":{"topics":[{"u64":"7"}],"value":"void"},"prevSeq":null})");
}

TEST(LogEntry, AFailedCallSaysSo) {
  LogEntry entry = rate_change();
  EXPECT_FALSE(shows(entry, "inSuccessfulContractCall"));
  entry.in_successful_call = false;
  EXPECT_TRUE(shows(entry, R"("closedAt":"2026-03-29T09:31:27Z","inSuccessfulContractCall":false,"change":)"));
}

constexpr std::string_view raw_of_rate_change =
    R"("raw":{"topics":[{"symbol":"rate_upd"},{"u64":"7"}],"value":{"u64":"1"}},"prevSeq":)";

TEST(LogEntry, AnEventThatChangedItsStreamNeedsNoRaw) {
  EXPECT_FALSE(shows(rate_change(), R"("raw")"));
}

TEST(LogEntry, ACreationNeedsNoRaw) {
  LogEntry entry = rate_change();
  entry.event = EventName::stream_created;
  entry.kind = "created";
  entry.change = "{}";
  EXPECT_FALSE(shows(entry, R"("raw")"));
}

TEST(LogEntry, AnEventThatChangedNothingOfItsStreamShowsItsRaw) {
  LogEntry entry = rate_change();
  entry.change = "{}";
  EXPECT_TRUE(shows(entry, raw_of_rate_change));
}

TEST(LogEntry, AnEventThatCouldNotBeFoldedShowsItsRaw) {
  LogEntry entry = rate_change();
  entry.stream.reset();
  EXPECT_TRUE(shows(entry, raw_of_rate_change));
  // Named by its topic, though no stream came of it.
  entry.event = EventName::stream_created;
  EXPECT_TRUE(shows(entry, raw_of_rate_change));
}

TEST(LogEntry, ThatIsNoEventsHasNoRaw) {
  // What time and rollbacks append: no contract wrote it.
  LogEntry entry = rate_change();
  entry.topics_xdr.clear();
  entry.value_xdr.clear();
  for (const EventName event :
       {EventName::stream_ended, EventName::stream_cliff_reached, EventName::stream_retracted}) {
    entry.event = event;
    entry.change = "{}";
    entry.stream = sample_stream();
    EXPECT_FALSE(shows(entry, R"("raw")")) << event_name_text(event);
    entry.stream.reset();
    EXPECT_FALSE(shows(entry, R"("raw")")) << event_name_text(event);
  }
}

TEST(LogEntry, XdrThatCannotBeDecodedIsShownAsBase64) {
  LogEntry entry = rate_change();
  entry.change = "{}";
  // An arm that today's networks don't know, a truncated number, and a value with a byte behind it.
  entry.topics_xdr = {symbol_xdr("rate_upd"), {0, 0, 0, 22}, {0, 0, 0, 5, 0, 0}};
  entry.value_xdr = {0, 0, 0, 1, 0xff};
  EXPECT_TRUE(shows(entry, R"("raw":{"topics":[{"symbol":"rate_upd"},"AAAAFg==","AAAABQAA"],"value":"AAAAAf8="},)"));
}

TEST(LogEntry, AnEventWithoutTopicsShowsAnEmptyList) {
  LogEntry entry = rate_change();
  entry.change = "{}";
  entry.topics_xdr.clear();
  EXPECT_TRUE(shows(entry, R"("raw":{"topics":[],"value":{"u64":"1"}},)"));
}

TEST(LogEntry, OfAnApiStreamNamesNoContract) {
  LogEntry entry = rate_change();
  entry.contract_id.clear();
  EXPECT_TRUE(shows(entry, R"("contractId":null,)"));
}

TEST(LogEntry, HoldsTheEndsOfEveryRange) {
  LogEntry entry = rate_change();
  entry.stream.reset();
  entry.seq = std::numeric_limits<std::uint64_t>::max();
  entry.prev_seq = std::numeric_limits<std::uint64_t>::max() - 1;
  entry.ledger = std::numeric_limits<std::uint32_t>::max();
  entry.closed_at = std::numeric_limits<UnixSeconds>::max();
  EXPECT_TRUE(shows(entry, R"("cursor":"k3f9-18446744073709551615","seq":18446744073709551615,)"));
  EXPECT_TRUE(shows(entry, R"("ledger":4294967295,)"));
  EXPECT_TRUE(shows(entry, R"("closedAt":"9999-12-31T23:59:59Z",)"));
  EXPECT_TRUE(shows(entry, R"("prevSeq":18446744073709551614})"));
}

TEST(LogEntry, TextFromTheChainIsEscaped) {
  LogEntry entry = rate_change();
  entry.kind = "a\"b";
  entry.event_id = "line\nbreak";
  EXPECT_TRUE(shows(entry, R"("kind":"a\"b",)"));
  EXPECT_TRUE(shows(entry, R"("eventId":"line\nbreak",)"));
}

}  // namespace
}  // namespace fluxora::core
