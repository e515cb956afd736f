#include "fluxora/indexer/ingest.hpp"

#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "fluxora/core/ledger_digest.hpp"
#include "fluxora/indexer/rollback.hpp"
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

using core::EventName;

class IngestTest : public ::testing::Test {
 protected:
  /// Ingests the events, each in the ledger it is given with, in one batch up to the last of them.
  IngestCounts ingest_ledgers(std::vector<std::pair<std::uint32_t, ports::ChainEvent>> events, bool fold = true) {
    LedgerBatch batch;
    batch.first = events.front().first;
    batch.last = events.back().first;
    std::uint32_t index = 0;
    for (auto& [ledger, event] : events) {
      if (batch.headers.empty() || batch.headers.back().sequence != ledger) {
        batch.headers.push_back(header(ledger));
        index = 0;
      }
      batch.events.push_back(placed(std::move(event), ledger, index++, closed_at(ledger)));
    }
    return ingest_batch(batch, fold);
  }

  IngestCounts ingest_batch(const LedgerBatch& batch, bool fold = true) {
    const auto transaction = store_.begin(store_.checkpoint);
    return ingest(batch, fold, *transaction);
  }

  /// A ledger without events, behind one that closed at `closed_before`.
  void ingest_time(std::uint32_t ledger, core::UnixSeconds closed_before) {
    LedgerBatch batch;
    batch.first = batch.last = ledger;
    batch.headers = {header(ledger)};
    batch.closed_before = closed_before;
    ingest_batch(batch);
  }

  /// Ledger 10 brings one event.
  const core::LogEntry& ingest_one(ports::ChainEvent event) {
    std::vector<std::pair<std::uint32_t, ports::ChainEvent>> events;
    events.emplace_back(next_ledger_++, std::move(event));
    ingest_ledgers(std::move(events));
    return store_.entries.back();
  }

  void expect_seqs_without_hole() const {
    for (std::size_t i = 0; i < store_.entries.size(); ++i) EXPECT_EQ(store_.entries[i].seq, i + 1);
  }

  MemoryLedgerStore store_;
  std::uint32_t next_ledger_ = 10;
};

TEST_F(IngestTest, AnEntryHoldsWhatTheChainSaid) {
  const core::LogEntry& entry = ingest_one(created(7));
  EXPECT_EQ(entry.seq, 1u);
  EXPECT_EQ(entry.event, EventName::stream_created);
  EXPECT_EQ(entry.kind, "created");
  EXPECT_EQ(entry.stream_id, stream_id(7));
  EXPECT_EQ(entry.event_id, "0000000042949672960-0000000000");
  EXPECT_EQ(entry.contract_id, core::sample_contract);
  EXPECT_EQ(entry.ledger, 10u);
  EXPECT_EQ(entry.ledger_hash, ledger_hash(10));
  EXPECT_EQ(entry.tx_hash, core::hash_of(0xa1));
  EXPECT_EQ(entry.closed_at, closed_at(10));
  EXPECT_TRUE(entry.in_successful_call);
  EXPECT_EQ(entry.topics_xdr, created(7).topics_xdr);
  EXPECT_EQ(entry.value_xdr, created(7).value_xdr);
  EXPECT_EQ(entry.change, "{}");
  EXPECT_EQ(entry.prev_seq, std::nullopt);

  ASSERT_TRUE(entry.stream);
  EXPECT_EQ(entry.stream->deposit, core::tokens(1'000));
  EXPECT_EQ(entry.stream->version, 1u);
  EXPECT_EQ(entry.stream->created_seq, 1u);
  EXPECT_EQ(entry.stream->ledger, 10u);
  EXPECT_EQ(store_.streams.at(stream_id(7)), *entry.stream);
}

TEST_F(IngestTest, SeqGoesOnWithoutAHoleOverBatches) {
  ingest_ledgers({{10, created(1)}, {10, created(2)}, {11, withdrew(1, 5)}});
  ingest_ledgers({{12, withdrew(2, 5)}});
  const IngestCounts counts = ingest_ledgers({{13, event_of({symbol_xdr("new_topic")}, void_xdr())}, {14, created(3)}});
  EXPECT_EQ(counts.inserted, 2u);
  EXPECT_EQ(counts.duplicates, 0u);
  EXPECT_EQ(store_.entries.size(), 6u);
  expect_seqs_without_hole();
}

TEST_F(IngestTest, EntriesFoldOneAfterAnotherWithinABatch) {
  ingest_ledgers({{10, created(1)}, {10, withdrew(1, 5)}, {11, withdrew(1, 7)}});
  EXPECT_EQ(store_.entries[1].stream->withdrawn, core::tokens(5));
  EXPECT_EQ(store_.entries[1].change, R"({"withdrawnAmount":["0.0000000","5.0000000"]})");
  EXPECT_EQ(store_.entries[2].change, R"({"withdrawnAmount":["5.0000000","12.0000000"]})");
  ASSERT_EQ(store_.commits.size(), 1u);
  ASSERT_EQ(store_.commits[0].streams.size(), 1u) << "a stream is written once, as it is in the end";
  EXPECT_EQ(store_.commits[0].streams[0], *store_.entries[2].stream);
}

TEST_F(IngestTest, PrevSeqIsTheStreamsEntryBefore) {
  ingest_ledgers({{10, created(1)}, {10, created(2)}, {11, withdrew(1, 5)}, {12, withdrew(2, 5)}});
  ingest_ledgers({{13, withdrew(1, 5)}});
  EXPECT_EQ(store_.entries[0].prev_seq, std::nullopt);
  EXPECT_EQ(store_.entries[1].prev_seq, std::nullopt);
  EXPECT_EQ(store_.entries[2].prev_seq, 1u);
  EXPECT_EQ(store_.entries[3].prev_seq, 2u);
  EXPECT_EQ(store_.entries[4].prev_seq, 3u);
}

TEST_F(IngestTest, PrevSeqCountsEntriesThatFoldedNothing) {
  ingest_ledgers({{10, withdrew(1, 5)},  // before it is held
                  {11, created(1)},
                  {12, failed(withdrew(1, 5))},  // undone
                  {13, withdrew(1, 5)}});
  EXPECT_EQ(store_.entries[0].prev_seq, std::nullopt);
  EXPECT_EQ(store_.entries[1].prev_seq, 1u);
  EXPECT_EQ(store_.entries[2].prev_seq, 2u);
  EXPECT_EQ(store_.entries[3].prev_seq, 3u);
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(5));
}

TEST_F(IngestTest, AnEventThatStandsInTheLogIsNotEnteredAgain) {
  ingest_ledgers({{10, created(1)}, {11, withdrew(1, 5)}});
  // The same ledgers again, and one more.
  const IngestCounts counts = ingest_ledgers({{10, created(1)}, {11, withdrew(1, 5)}, {12, withdrew(1, 7)}});
  EXPECT_EQ(counts.duplicates, 2u);
  EXPECT_EQ(counts.inserted, 1u);
  expect_seqs_without_hole();
  EXPECT_EQ(store_.entries.back().prev_seq, 2u);
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(12));
}

TEST_F(IngestTest, OfDuplicatesAloneNothingButTheCheckpointIsWritten) {
  ingest_ledgers({{10, created(1)}});
  const IngestCounts counts = ingest_ledgers({{10, created(1)}});
  EXPECT_EQ(counts.inserted, 0u);
  EXPECT_EQ(counts.duplicates, 1u);
  EXPECT_TRUE(store_.commits.back().entries.empty());
  EXPECT_TRUE(store_.commits.back().streams.empty());
}

TEST_F(IngestTest, TheSameEventInALedgerOfAnotherHashIsAnother) {
  ingest_ledgers({{10, event_of({symbol_xdr("gl_pause")}, void_xdr())}});
  LedgerBatch other;
  other.first = other.last = 10;
  other.headers = {header(10, /*fork=*/1)};
  other.events = {placed(event_of({symbol_xdr("gl_pause")}, void_xdr()), 10, 0, closed_at(10))};
  const IngestCounts counts = ingest_batch(other);
  EXPECT_EQ(counts.inserted, 1u);
  EXPECT_EQ(store_.entries.back().ledger_hash, ledger_hash(10, 1));
}

TEST_F(IngestTest, AFailedCallIsLoggedNotFolded) {
  ingest_one(created(1));
  const core::LogEntry& entry = ingest_one(failed(withdrew(1, 5)));
  EXPECT_EQ(entry.event, EventName::chain_event);
  EXPECT_EQ(entry.kind, "withdrew");
  EXPECT_EQ(entry.stream_id, stream_id(1));
  EXPECT_FALSE(entry.in_successful_call);
  EXPECT_FALSE(entry.stream);
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(0));
}

TEST_F(IngestTest, AnUnknownTopicIsLoggedWithItsBytes) {
  const core::LogEntry& entry = ingest_one(event_of("brand_new", 7, i128_xdr(core::tokens(1))));
  EXPECT_EQ(entry.event, EventName::chain_event);
  EXPECT_EQ(entry.kind, "brand_new");
  EXPECT_EQ(entry.stream_id, "") << "whether its number is a stream's isn't known";
  EXPECT_EQ(entry.value_xdr, i128_xdr(core::tokens(1)));
  EXPECT_FALSE(entry.stream);
}

TEST_F(IngestTest, TopicsThatAreNoSymbolOrNone) {
  EXPECT_EQ(ingest_one(event_of({u64_xdr(1)}, void_xdr())).event, EventName::chain_event);
  EXPECT_EQ(ingest_one(event_of(std::vector<core::Bytes>{}, void_xdr())).event, EventName::chain_event);
  EXPECT_EQ(store_.entries[0].kind, "");
  EXPECT_EQ(store_.entries[1].kind, "");
}

TEST_F(IngestTest, AProtocolsEventIsNoStreams) {
  const core::LogEntry& entry = ingest_one(event_of({symbol_xdr("gl_pause")}, void_xdr()));
  EXPECT_EQ(entry.event, EventName::protocol_event);
  EXPECT_EQ(entry.stream_id, "");
  EXPECT_EQ(entry.prev_seq, std::nullopt);
}

TEST_F(IngestTest, UndecodableTopicsKeepTheirBytes) {
  const core::LogEntry& entry = ingest_one(event_of({symbol_xdr("created"), broken_xdr()}, void_xdr()));
  EXPECT_EQ(entry.event, EventName::chain_event);
  EXPECT_EQ(entry.kind, "");
  EXPECT_EQ(entry.stream_id, "");
  EXPECT_EQ(entry.topics_xdr, (std::vector<core::Bytes>{symbol_xdr("created"), broken_xdr()}));
}

TEST_F(IngestTest, AnUndecodableValueOfAStreamsEventIsTheStreamsAndFoldsNothing) {
  ingest_one(created(1));
  // Even where the topic alone would do: what the payload says isn't known.
  const core::LogEntry& entry = ingest_one(event_of("paused", 1, broken_xdr()));
  EXPECT_EQ(entry.event, EventName::stream_updated);
  EXPECT_EQ(entry.stream_id, stream_id(1));
  EXPECT_EQ(entry.value_xdr, broken_xdr());
  EXPECT_EQ(entry.prev_seq, 1u);
  EXPECT_FALSE(entry.stream);
  EXPECT_EQ(store_.streams.at(stream_id(1)).status, core::StreamStatus::active);
}

TEST_F(IngestTest, AnUndecodableValueMakesNoStreamsEventOfAnother) {
  EXPECT_EQ(ingest_one(event_of("brand_new", 1, broken_xdr())).event, EventName::chain_event);
  EXPECT_EQ(ingest_one(event_of({symbol_xdr("gl_pause")}, broken_xdr())).event, EventName::protocol_event);
  EXPECT_EQ(ingest_one(event_of({symbol_xdr("cancelled"), u32_xdr(3)}, broken_xdr())).event, EventName::protocol_event);
}

TEST_F(IngestTest, AnEventOfAStreamThatIsNotHeldIsLogged) {
  const core::LogEntry& entry = ingest_one(withdrew(9, 5));
  EXPECT_EQ(entry.event, EventName::stream_updated);
  EXPECT_EQ(entry.stream_id, stream_id(9));
  EXPECT_FALSE(entry.stream);
  EXPECT_TRUE(store_.streams.empty());
}

TEST_F(IngestTest, ASecondCreationIsLoggedAndChangesNothing) {
  ingest_one(created(1));
  const core::Stream before = store_.streams.at(stream_id(1));
  const core::LogEntry& entry = ingest_one(created(1));
  EXPECT_EQ(entry.event, EventName::stream_created);
  EXPECT_FALSE(entry.stream);
  EXPECT_EQ(store_.streams.at(stream_id(1)), before);
}

TEST_F(IngestTest, TheOldestCreationIsLogged) {
  const core::LogEntry& entry = ingest_one(event_of("created", 1, i128_xdr(core::tokens(5))));
  EXPECT_EQ(entry.event, EventName::stream_created);
  EXPECT_EQ(entry.stream_id, stream_id(1));
  EXPECT_FALSE(entry.stream);
}

TEST_F(IngestTest, ADelegationIsTwoEntries) {
  // Ledger 200 closes at 1,500: half of a thousand tokens is streamed.
  ingest_ledgers({{10, created(1)}, {200, delegated(1, 2)}, {201, withdrew(2, 5)}});
  ASSERT_EQ(store_.entries.size(), 4u);
  expect_seqs_without_hole();
  const core::LogEntry& parent = store_.entries[1];
  const core::LogEntry& child = store_.entries[2];

  EXPECT_EQ(parent.event, EventName::stream_updated);
  EXPECT_EQ(parent.stream_id, stream_id(1));
  EXPECT_EQ(parent.prev_seq, 1u);
  EXPECT_EQ(parent.stream->deposit, core::tokens(850));
  EXPECT_EQ(parent.stream->version, 2u);

  EXPECT_EQ(child.event, EventName::stream_created);
  EXPECT_EQ(child.kind, "del_share");
  EXPECT_EQ(child.stream_id, stream_id(2));
  EXPECT_EQ(child.event_id, parent.event_id);
  EXPECT_EQ(child.prev_seq, std::nullopt);
  EXPECT_EQ(child.change, "{}");
  EXPECT_EQ(child.stream->id, stream_id(2));
  EXPECT_EQ(child.stream->deposit, core::tokens(150));
  EXPECT_EQ(child.stream->version, 3u);
  EXPECT_EQ(child.stream->created_seq, 3u);

  EXPECT_EQ(store_.entries[3].prev_seq, 3u) << "the child's history begins with its entry";
  EXPECT_EQ(store_.streams.at(stream_id(1)), *parent.stream);
  EXPECT_EQ(store_.streams.at(stream_id(2)).withdrawn, core::tokens(5));
}

TEST_F(IngestTest, ADelegationThatStandsInTheLogIsNotEnteredAgain) {
  ingest_ledgers({{10, created(1)}, {200, delegated(1, 2)}});
  const IngestCounts counts = ingest_ledgers({{200, delegated(1, 2)}, {201, withdrew(2, 5)}});
  EXPECT_EQ(counts.duplicates, 1u);
  EXPECT_EQ(counts.inserted, 1u);
  expect_seqs_without_hole();
}

TEST_F(IngestTest, ADelegationToAStreamThatIsHeldIsLoggedAndChangesNothing) {
  ingest_ledgers({{10, created(1)}, {10, created(2)}, {200, delegated(1, 2)}, {201, delegated(1, 1)}});
  ASSERT_EQ(store_.entries.size(), 4u);
  EXPECT_FALSE(store_.entries[2].stream);
  EXPECT_FALSE(store_.entries[3].stream);
  EXPECT_EQ(store_.streams.at(stream_id(1)), *store_.entries[0].stream);
  EXPECT_EQ(store_.streams.at(stream_id(2)), *store_.entries[1].stream);
}

TEST_F(IngestTest, AFailedDelegationSplitsNothing) {
  ingest_ledgers({{10, created(1)}, {200, failed(delegated(1, 2))}});
  EXPECT_EQ(store_.entries.size(), 2u);
  EXPECT_FALSE(store_.streams.contains(stream_id(2)));
}

TEST_F(IngestTest, WithoutFoldingEverythingIsLogged) {
  ingest_ledgers({{10, created(1)}, {11, withdrew(1, 5)}, {200, delegated(1, 2)}}, /*fold=*/false);
  ASSERT_EQ(store_.entries.size(), 3u);
  expect_seqs_without_hole();
  EXPECT_TRUE(store_.streams.empty());
  for (const core::LogEntry& entry : store_.entries) EXPECT_FALSE(entry.stream);
  EXPECT_EQ(store_.entries[0].event, EventName::stream_created);
  EXPECT_EQ(store_.entries[1].prev_seq, 1u);
  EXPECT_EQ(store_.entries[2].prev_seq, 2u);
}

TEST_F(IngestTest, StreamsOfOtherContractsAreOthers) {
  ports::ChainEvent elsewhere = withdrew(1, 5);
  elsewhere.contract_id = core::sample_token;
  ingest_ledgers({{10, created(1)}, {11, std::move(elsewhere)}});
  EXPECT_EQ(store_.entries[1].stream_id, core::chain_stream_id(core::sample_token, 1));
  EXPECT_EQ(store_.entries[1].prev_seq, std::nullopt);
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(0));
}

TEST_F(IngestTest, TheCheckpointIsTheLastHeader) {
  LedgerBatch batch;
  batch.first = 10;
  batch.last = 30;
  batch.headers = {header(10), header(20), header(30)};
  batch.events = {placed(created(1), 20, 0, closed_at(20))};
  ingest_batch(batch);
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{30, ledger_hash(30), closed_at(30)}));
  EXPECT_EQ(store_.ledgers.size(), 3u);
}

TEST_F(IngestTest, ABatchWithoutEventsMovesTheCheckpoint) {
  LedgerBatch batch;
  batch.first = 10;
  batch.last = 11;
  batch.headers = {header(10), header(11)};
  const IngestCounts counts = ingest_batch(batch, /*fold=*/false);
  EXPECT_EQ(counts.inserted, 0u);
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{11, ledger_hash(11), closed_at(11)}));
  EXPECT_EQ(store_.log_locks, 0) << "nothing can have come of it";
  EXPECT_EQ(store_.ledgers.size(), 2u);
}

TEST_F(IngestTest, ALedgerThatPassesAnEndMakesAnEntry) {
  ingest_ledgers({{100, created(1)}});  // ends at 2,000, when ledger 300 closes
  ingest_time(299, closed_at(100));
  EXPECT_EQ(store_.entries.size(), 1u);
  ingest_time(301, closed_at(299));
  ASSERT_EQ(store_.entries.size(), 2u);
  const core::LogEntry& ended = store_.entries[1];
  EXPECT_EQ(ended.event, EventName::stream_ended);
  EXPECT_EQ(ended.event_id, "ended-2000");
  EXPECT_EQ(ended.ledger, 301u);
  EXPECT_EQ(ended.closed_at, closed_at(301));
  EXPECT_EQ(ended.prev_seq, 1u);
  EXPECT_EQ(ended.stream->version, 2u);
  EXPECT_EQ(store_.streams.at(stream_id(1)), *ended.stream);
  EXPECT_EQ(store_.ledgers.at(301).digest, std::nullopt) << "time is not the chain's";
  ingest_time(302, closed_at(301));
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(IngestTest, AnEndIsPassedByTheLedgerThatClosesAtIt) {
  ingest_ledgers({{100, created(1)}});
  ingest_time(300, closed_at(299));
  ASSERT_EQ(store_.entries.size(), 2u);
  EXPECT_EQ(store_.entries[1].closed_at, 2'000u);
}

TEST_F(IngestTest, TimeIsPassedWithinABatchToo) {
  // Stream 1 ends in ledger 300; 2 is created behind its own end; the withdrawal comes behind the end that it finds.
  ingest_ledgers({{100, created(1)}, {300, withdrew(1, 5)}, {310, created(2)}});
  std::vector<std::string> seen;
  for (const core::LogEntry& entry : store_.entries) {
    seen.push_back(std::to_string(*entry.ledger) + " " + entry.kind + " " + entry.stream_id.substr(57));
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"100 created 1", "300 ended 1", "300 withdrew 1", "310 created 2",
                                            "310 ended 2"}));
}

TEST_F(IngestTest, ACancelledStreamDoesNotEnd) {
  ingest_ledgers({{100, created(1)}, {101, event_of("cancelled", 1, void_xdr())}});
  ingest_time(301, closed_at(101));
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(IngestTest, ATimeThatHasItsEntryMakesNoSecond) {
  ingest_ledgers({{100, created(1)}});
  ingest_time(301, closed_at(100));
  ingest_time(302, closed_at(100));  // the same times once more, as after starting over
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(IngestTest, ALedgerThatMovesAnEndAwayAndBackHasPassedItOnce) {
  const auto ends_at = [](core::UnixSeconds end) {
    return event_of("end_ext", 1, map_xdr({{"new_end_time", u64_xdr(end)}}));
  };
  ingest_ledgers({{100, created(1)}, {301, ends_at(9'000)}, {301, ends_at(2'000)}});
  ASSERT_EQ(store_.entries.size(), 4u);
  EXPECT_EQ(store_.entries[1].event_id, "ended-2000") << "passed before the ledger's own events";
  EXPECT_EQ(store_.entries[3].kind, "end_ext");
}

TEST_F(IngestTest, DigestsGoOnFromLedgerToLedger) {
  ingest_ledgers({{10, created(1)}, {12, withdrew(1, 5)}});
  ingest_ledgers({{13, withdrew(1, 7)}});
  const auto digest = [&](const core::Hash& previous, std::uint32_t ledger, const core::LogEntry& entry) {
    return core::ledger_digest(previous, ledger, ledger_hash(ledger),
                               {{entry.event_id, entry.contract_id, entry.topics_xdr, entry.value_xdr}});
  };
  const core::Hash first = digest({}, 10, store_.entries[0]);
  const core::Hash second = digest(first, 12, store_.entries[1]);
  EXPECT_EQ(store_.ledgers.at(10).digest, first);
  EXPECT_EQ(store_.ledgers.at(12).digest, second);
  EXPECT_EQ(store_.ledgers.at(13).digest, digest(second, 13, store_.entries[2]));
}

TEST_F(IngestTest, ADigestIsOfAllThatALedgerHasAlsoWhereItIsReadAgain) {
  ports::ChainEvent elsewhere = created(2);
  elsewhere.contract_id = core::sample_token;
  MemoryLedgerStore at_once;
  std::swap(at_once, store_);
  ingest_ledgers({{10, created(1)}, {10, elsewhere}, {12, withdrew(1, 5)}});
  const auto expected = store_.ledgers;

  // First one contract, then, from the beginning, both.
  store_ = std::move(at_once);
  ingest_ledgers({{10, created(1)}, {12, withdrew(1, 5)}});
  const IngestCounts counts = ingest_ledgers({{10, created(1)}, {10, elsewhere}, {12, withdrew(1, 5)}});
  EXPECT_EQ(counts.duplicates, 2u);
  for (const std::uint32_t ledger : {10u, 12u}) {
    EXPECT_EQ(store_.ledgers.at(ledger).digest, expected.at(ledger).digest) << ledger;
  }
}

TEST_F(IngestTest, ARollbackUndoesTimeWithItsLedger) {
  ingest_ledgers({{100, created(1)}});
  const core::Stream before = store_.streams.at(stream_id(1));
  ingest_time(301, closed_at(100));
  const auto transaction = store_.begin(store_.checkpoint);
  EXPECT_EQ(roll_back(ports::Checkpoint{100, ledger_hash(100), closed_at(100)}, *transaction), 1u);
  core::Stream expected = before;
  expected.version = 3;
  EXPECT_EQ(store_.streams.at(stream_id(1)), expected);
  EXPECT_EQ(store_.ledgers.count(301), 0u);
  ingest_time(302, closed_at(100));
  EXPECT_EQ(store_.entries.back().event, EventName::stream_ended) << "it is passed again, by another ledger";
  EXPECT_EQ(store_.entries.back().ledger, 302u);
}

TEST_F(IngestTest, ARollbackKeepsAnObservationThatStandsBehindTimeThatItUndoes) {
  ingest_ledgers({{100, created(1)}});
  ingest_time(301, closed_at(100));
  // What was seen after ledger 301, and is of the stream's last change, in ledger 100.
  core::LogEntry observed;
  observed.seq = 3;
  observed.event = EventName::stream_observed;
  observed.stream_id = stream_id(1);
  observed.event_id = "observed";
  observed.ledger = 100;
  observed.ledger_hash = ledger_hash(100);
  observed.prev_seq = 2;
  observed.stream = store_.streams.at(stream_id(1));
  observed.stream->kind = core::StreamKind::cliff_only;
  observed.stream->version = 3;
  store_.entries.push_back(observed);
  store_.streams[stream_id(1)] = *observed.stream;
  ingest_ledgers({{302, withdrew(1, 5)}});

  const auto transaction = store_.begin(store_.checkpoint);
  EXPECT_EQ(roll_back(ports::Checkpoint{100, ledger_hash(100), closed_at(100)}, *transaction), 2u);
  core::Stream expected = *observed.stream;
  expected.version = 6;
  EXPECT_EQ(store_.streams.at(stream_id(1)), expected);
}

TEST_F(IngestTest, ARollbackOfADelegationTakesTheChildAway) {
  ingest_ledgers({{100, created(1)}, {110, delegated(1, 2)}});
  ASSERT_EQ(store_.streams.size(), 2u);
  const auto transaction = store_.begin(store_.checkpoint);
  EXPECT_EQ(roll_back(ports::Checkpoint{100, ledger_hash(100), closed_at(100)}, *transaction), 2u);
  EXPECT_EQ(store_.streams.size(), 1u);
  EXPECT_EQ(store_.entries[3].stream_id, stream_id(2)) << "newest first";
  EXPECT_EQ(store_.entries[3].stream, std::nullopt);
  EXPECT_EQ(store_.streams.at(stream_id(1)).deposit, core::tokens(1'000));
  expect_seqs_without_hole();
}

TEST_F(IngestTest, AStoreThatGoesAwayAtTheCommitHasNothing) {
  store_.is_away_at_commit = true;
  EXPECT_THROW(ingest_ledgers({{10, created(1)}}), ports::StoreUnavailable);
  EXPECT_TRUE(store_.entries.empty());
  EXPECT_TRUE(store_.streams.empty());
  EXPECT_EQ(store_.checkpoint, std::nullopt);
}

}  // namespace
}  // namespace fluxora::indexer::test
