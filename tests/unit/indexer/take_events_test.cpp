#include "fluxora/indexer/take_events.hpp"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "fluxora/indexer/ingest.hpp"
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

using core::EventName;
using Batch = std::vector<ports::SentEvent>;
using Reason = ports::IntakeRefusal::Reason;

ports::SentEvent sent(std::uint32_t ledger, std::uint32_t index, ports::ChainEvent event, std::uint8_t fork = 0) {
  return {placed(std::move(event), ledger, index, closed_at(ledger)), ledger_hash(ledger, fork)};
}

/// What a log says of the chain, whatever it took to get there.
struct Chronicle {
  std::vector<std::string> events;                        ///< those that stand, in their order
  std::map<std::uint32_t, core::Hash> digests;            ///< by ledger
  std::map<std::string, std::string> streams;             ///< without their places in the log
  std::map<std::string, std::vector<std::string>> times;  ///< entries of time that stand, by stream
  std::optional<ports::Checkpoint> checkpoint;

  friend bool operator==(const Chronicle&, const Chronicle&) = default;
};

Chronicle chronicle_of(const MemoryLedgerStore& store) {
  Chronicle all;
  for (const core::LogEntry& entry : store.entries) {
    if (!store.stands(entry)) continue;
    if (entry.tx_hash) all.events.push_back(entry.event_id + " " + entry.stream_id);
    if (!entry.tx_hash) all.times[entry.stream_id].push_back(entry.event_id);
  }
  for (const auto& [number, record] : store.ledgers) {
    if (record.digest) all.digests[number] = *record.digest;
  }
  for (core::Stream stream : [&] {
         std::vector<core::Stream> streams;
         for (const auto& [id, stream] : store.streams) streams.push_back(stream);
         return streams;
       }()) {
    stream.version = stream.created_seq = 0;
    const core::Bytes bytes = core::encode_stream(stream);
    all.streams[stream.id] = core::hex_encode(bytes);
  }
  all.checkpoint = store.checkpoint;
  return all;
}

class TakeEventsTest : public ::testing::Test {
 protected:
  tl::expected<TakenEvents, ports::IntakeRefusal> take(const Batch& batch, bool fold = true) {
    const auto transaction = store_.begin_at_held({"", "C"});
    return take_events(batch, fold, {"worker", "chain.ingest", "", "192.0.2.1", "r-1", ""}, *transaction);
  }

  TakenEvents taken(const Batch& batch) {
    auto answer = take(batch);
    EXPECT_TRUE(answer.has_value()) << (answer ? "" : answer.error().message);
    return answer ? *answer : TakenEvents{};
  }

  ports::IntakeRefusal refused(const Batch& batch) {
    const std::size_t commits = store_.commits.size();
    auto answer = take(batch);
    EXPECT_FALSE(answer.has_value());
    EXPECT_EQ(store_.commits.size(), commits) << "nothing is written";
    return answer ? ports::IntakeRefusal{} : answer.error();
  }

  /// The same events as a chain's that was read at once.
  static Chronicle read_at_once(Batch events) {
    std::sort(events.begin(), events.end(),
              [](const ports::SentEvent& a, const ports::SentEvent& b) { return a.event.event_id < b.event.event_id; });
    LedgerBatch batch;
    for (const ports::SentEvent& each : events) {
      if (batch.headers.empty() || batch.headers.back().sequence != each.event.ledger) {
        batch.headers.push_back({each.event.ledger, each.ledger_hash, std::nullopt, each.event.closed_at});
      }
      batch.events.push_back(each.event);
    }
    batch.first = batch.headers.front().sequence;
    batch.last = batch.headers.back().sequence;
    MemoryLedgerStore store;
    const auto transaction = store.begin(std::nullopt);
    ingest(batch, true, *transaction);
    return chronicle_of(store);
  }

  void expect_log_without_holes() const {
    std::map<std::string, std::uint64_t> last;
    for (std::size_t i = 0; i < store_.entries.size(); ++i) {
      const core::LogEntry& entry = store_.entries[i];
      EXPECT_EQ(entry.seq, i + 1);
      if (entry.stream_id.empty()) continue;
      EXPECT_EQ(entry.prev_seq.value_or(0), last[entry.stream_id]);
      last[entry.stream_id] = entry.seq;
    }
  }

  /// The list of streams to be observed: from which ledger on.
  std::map<std::string, std::uint32_t> listed() const {
    std::map<std::string, std::uint32_t> streams;
    for (const auto& [id, request] : store_.observations) streams[id] = request.not_before;
    return streams;
  }

  MemoryLedgerStore store_;
};

const Batch& story() {
  static const Batch events = {sent(100, 0, created(1)),
                               sent(100, 1, created(2)),
                               sent(105, 0, withdrew(1, 5)),
                               sent(110, 0, withdrew(2, 7)),
                               sent(110, 1, withdrew(1, 1)),
                               sent(200, 0, delegated(1, 3)),
                               sent(305, 0, withdrew(3, 2)),
                               sent(305, 1, failed(withdrew(2, 9))),
                               sent(320, 0, event_of({symbol_xdr("gl_pause")}, void_xdr())),
                               sent(320, 1, withdrew(2, 3))};
  return events;
}

TEST_F(TakeEventsTest, NewLedgersFollowThoseThatAreHeld) {
  const TakenEvents first = taken({story()[1], story()[0]});
  EXPECT_EQ(first.receipt.inserted_ids,
            (std::vector<std::string>{story()[0].event.event_id, story()[1].event.event_id}));
  EXPECT_EQ(first.receipt.duplicate_ids, std::vector<std::string>{});
  EXPECT_EQ(first.receipt.log_end, (core::Cursor{"epoch", 2}));
  EXPECT_EQ(first.retracted, 0u);
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{100, ledger_hash(100), closed_at(100)}));
  EXPECT_EQ(store_.ledgers.at(100).header.previous_hash, std::nullopt) << "events don't say it";

  taken({story()[2]});
  EXPECT_EQ(store_.checkpoint->ledger, 105u);
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(5));
}

TEST_F(TakeEventsTest, EachCommitHasItsAuditRecord) {
  taken({story()[0], story()[1]});
  ASSERT_TRUE(store_.commits[0].audit);
  EXPECT_EQ(store_.commits[0].audit->actor, "worker");
  EXPECT_EQ(store_.commits[0].audit->detail, R"({"seq":2,"insertedCount":2,"duplicateCount":0,"retracted":0})");
}

TEST_F(TakeEventsTest, WhatStandsIsADuplicateAndChangesNothing) {
  taken({story()[0], story()[1]});
  const TakenEvents again = taken({story()[1], story()[0]});
  EXPECT_EQ(again.receipt.inserted_ids, std::vector<std::string>{});
  EXPECT_EQ(again.receipt.duplicate_ids,
            (std::vector<std::string>{story()[0].event.event_id, story()[1].event.event_id}));
  EXPECT_EQ(again.receipt.log_end, (core::Cursor{"epoch", 2}));
  EXPECT_EQ(store_.commits.size(), 1u);
}

TEST_F(TakeEventsTest, AnEventThatComesTwiceInABatchIsEnteredOnce) {
  const TakenEvents both = taken({story()[0], story()[1], story()[0]});
  EXPECT_EQ(both.receipt.inserted_ids.size(), 2u);
  EXPECT_EQ(both.receipt.duplicate_ids, std::vector<std::string>{story()[0].event.event_id});
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(TakeEventsTest, MoreOfTheLastLedgerTakesNothingBack) {
  taken({story()[3]});
  taken({story()[0], story()[1], story()[2], story()[3]});  // late ones, so that there is something to go on from
  const std::size_t entries = store_.entries.size();
  const TakenEvents more = taken({story()[4]});
  EXPECT_EQ(more.retracted, 0u);
  EXPECT_EQ(store_.entries.size(), entries + 1);
  EXPECT_EQ(chronicle_of(store_), read_at_once({story().begin(), story().begin() + 5}));
}

TEST_F(TakeEventsTest, ALateEventTakesBackWhatFollowsItAndTellsItAgain) {
  taken({story()[0], story()[1], story()[3], story()[4]});
  const TakenEvents late = taken({story()[2]});
  EXPECT_EQ(late.retracted, 2u);
  EXPECT_EQ(late.receipt.inserted_ids, std::vector<std::string>{story()[2].event.event_id});
  EXPECT_FALSE(late.reorg);
  EXPECT_EQ(store_.checkpoint->ledger, 110u) << "it isn't the last";
  EXPECT_EQ(store_.commits.size(), 2u) << "one transaction";
  EXPECT_EQ(late.receipt.log_end.seq, store_.entries.back().seq);

  ASSERT_EQ(store_.entries.size(), 4u + 2u + 3u);
  EXPECT_EQ(store_.entries[4].event, EventName::stream_retracted);
  EXPECT_EQ(store_.entries[4].retracts, 4u) << "newest first";
  EXPECT_EQ(store_.entries[5].retracts, 3u);
  EXPECT_EQ(store_.entries[6].event_id, story()[2].event.event_id);
  expect_log_without_holes();
  EXPECT_EQ(chronicle_of(store_), read_at_once({story().begin(), story().begin() + 5}));
}

TEST_F(TakeEventsTest, AnEarlierPlaceInTheLastLedgerIsLateToo) {
  taken({story()[0], story()[1], story()[2], story()[4]});
  const TakenEvents late = taken({story()[3]});
  EXPECT_EQ(late.retracted, 1u);
  expect_log_without_holes();
  EXPECT_EQ(chronicle_of(store_), read_at_once({story().begin(), story().begin() + 5}));
}

TEST_F(TakeEventsTest, TimesThatWereTakenBackArePassedAgain) {
  // Streams 1 and 2 end at 2,000, when ledger 300 closes; ledger 305 is the first to come after it.
  taken({story()[0], story()[1], story()[6], story()[7]});
  EXPECT_TRUE(store_.has_standing(stream_id(1), "ended-2000"));
  taken({story()[5]});
  taken({story()[2], story()[3], story()[4]});
  expect_log_without_holes();
  EXPECT_EQ(chronicle_of(store_), read_at_once({story().begin(), story().begin() + 8}));
  EXPECT_EQ(chronicle_of(store_).times.at(stream_id(3)), std::vector<std::string>{"ended-2000"});
}

/// Stream 1's end, moved away and back in the ledger that has passed it.
Batch end_moved_and_back() {
  return {story()[0], sent(305, 0, event_of("end_ext", 1, map_xdr({{"new_end_time", u64_xdr(3'000)}}))),
          sent(305, 1,
               event_of("end_shrt", 1, map_xdr({{"new_end_time", u64_xdr(2'000)}, {"refund_amount", i128_xdr({0})}})))};
}

TEST_F(TakeEventsTest, AnEndThatIsMovedAwayAndBackIsPassedOnceByItsLedger) {
  const Batch events = end_moved_and_back();
  const std::vector<std::vector<Batch>> ways = {
      {events},
      {{events[0]}, {events[1]}, {events[2]}},  // the last comes late, behind all that its ledger has
      {{events[0], events[2]}, {events[1]}},    // the one before it does
      {{events[1], events[2]}, {events[0]}},
  };
  for (std::size_t i = 0; i < ways.size(); ++i) {
    SCOPED_TRACE("way " + std::to_string(i));
    store_ = MemoryLedgerStore();
    for (const Batch& batch : ways[i]) taken(batch);
    EXPECT_EQ(chronicle_of(store_).times.at(stream_id(1)), std::vector<std::string>{"ended-2000"});
    EXPECT_EQ(chronicle_of(store_), read_at_once(events));
  }
}

TEST_F(TakeEventsTest, TimesArePassedAgainByTheLedgersThatAreHeldWithoutEvents) {
  LedgerBatch read;  // by an RPC, before: ledger 301 closed behind the end, and had no event
  read.first = 100;
  read.last = 305;
  read.headers = {header(100), header(301), header(305)};
  read.events = {story()[0].event, story()[6].event};
  ingest(read, true, *store_.begin(std::nullopt));
  taken({story()[1]});
  taken({story()[2], story()[5]});
  std::map<std::string, std::uint32_t> passed_by;
  for (const core::LogEntry& entry : store_.entries) {
    if (!store_.stands(entry) || entry.event != EventName::stream_ended) continue;
    EXPECT_TRUE(passed_by.emplace(entry.stream_id, *entry.ledger).second) << entry.stream_id << " ended twice";
    EXPECT_EQ(entry.ledger_hash, ledger_hash(301));
    EXPECT_EQ(entry.closed_at, closed_at(301));
  }
  EXPECT_EQ(passed_by,
            (std::map<std::string, std::uint32_t>{{stream_id(1), 301}, {stream_id(2), 301}, {stream_id(3), 301}}));
  expect_log_without_holes();
}

TEST_F(TakeEventsTest, ALateEventAsksForTheStorageOfItsStreamAgain) {
  taken({story()[0], story()[1], story()[4]});
  store_.observations.clear();  // they were read, and refused for what was missing
  taken({story()[2], sent(105, 1, failed(withdrew(2, 9)))});
  EXPECT_EQ(listed(), (std::map<std::string, std::uint32_t>{{stream_id(1), 105}}));

  store_.observations.clear();
  taken({sent(110, 2, withdrew(2, 1))});  // behind all that the last ledger has
  EXPECT_EQ(listed(), (std::map<std::string, std::uint32_t>{{stream_id(2), 110}}));

  store_.observations.clear();
  taken({sent(120, 0, withdrew(1, 1))});
  EXPECT_TRUE(listed().empty()) << "it isn't late";
}

TEST_F(TakeEventsTest, AReorgAsksForTheStorageOfItsStreamsAgain) {
  taken({story()[0], story()[1], story()[4]});
  store_.observations.clear();
  taken({sent(110, 0, withdrew(2, 1), 1), sent(115, 0, withdrew(1, 1), 1)});
  EXPECT_EQ(listed(), (std::map<std::string, std::uint32_t>{{stream_id(1), 115}, {stream_id(2), 110}}));
}

TEST_F(TakeEventsTest, AStreamIsAskedForOnceHoweverManyWantIt) {
  taken({story()[0]});
  core::LogEntry observed;
  observed.seq = 2;
  observed.event = EventName::stream_observed;
  observed.kind = "observed";
  observed.stream_id = stream_id(1);
  observed.event_id = "observed";
  observed.ledger = 100;
  observed.ledger_hash = ledger_hash(100);
  observed.closed_at = closed_at(100);
  observed.prev_seq = 1;
  observed.stream = store_.streams.at(stream_id(1));
  observed.stream->version = 2;
  store_.entries.push_back(observed);
  store_.streams.at(stream_id(1)) = *observed.stream;
  taken({sent(90, 0, withdrew(1, 1))});  // its creation and its observation are undone, and it is told again
  EXPECT_EQ(listed(), (std::map<std::string, std::uint32_t>{{stream_id(1), 89}}));
}

TEST_F(TakeEventsTest, LedgersWithoutEventsStayHeldWhenALateEventComes) {
  LedgerBatch read;  // by an RPC, before: its last ledger had no event
  read.first = 100;
  read.last = 150;
  read.headers = {header(100), header(150)};
  read.events = {story()[0].event};
  ingest(read, true, *store_.begin(std::nullopt));
  const TakenEvents late = taken({story()[1], story()[2]});
  EXPECT_EQ(late.receipt.inserted_ids.size(), 2u);
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{150, ledger_hash(150), closed_at(150)}));
  EXPECT_EQ(store_.ledgers.count(150), 1u);
  EXPECT_EQ(chronicle_of(store_).events.size(), 3u);
  EXPECT_EQ(chronicle_of(store_).digests, read_at_once({story().begin(), story().begin() + 3}).digests);
}

TEST_F(TakeEventsTest, InAnyOrderAndAnyPiecesTheLogSaysTheSame) {
  const Chronicle expected = read_at_once(story());
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    store_ = MemoryLedgerStore();
    Batch waiting = story();
    waiting.insert(waiting.end(), story().begin(), story().end());  // each of them twice
    std::shuffle(waiting.begin(), waiting.end(), random);
    for (std::size_t from = 0; from < waiting.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 6, waiting.size() - from);
      const auto begin = waiting.begin() + static_cast<std::ptrdiff_t>(from);
      taken({begin, begin + static_cast<std::ptrdiff_t>(size)});
      from += size;
    }
    expect_log_without_holes();
    EXPECT_EQ(chronicle_of(store_), expected);
  }
}

TEST_F(TakeEventsTest, AnotherHashOfAHeldLedgerIsAReorg) {
  taken({story()[0], story()[1], story()[2], story()[3], story()[4]});
  const ports::SentEvent other = sent(105, 0, withdrew(2, 50), 1);
  const TakenEvents reorg = taken({other});
  ASSERT_TRUE(reorg.reorg);
  EXPECT_EQ(*reorg.reorg, (core::Reorg{105, ledger_hash(105), ledger_hash(105, 1)}));
  EXPECT_EQ(reorg.retracted, 3u);
  EXPECT_EQ(store_.commits.size(), 2u) << "one transaction";
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{105, ledger_hash(105, 1), closed_at(105)}));
  EXPECT_EQ(store_.ledgers.count(110), 0u) << "it is on the other branch";
  expect_log_without_holes();
  EXPECT_EQ(chronicle_of(store_), read_at_once({story()[0], story()[1], other}));
}

TEST_F(TakeEventsTest, AReorgAndALateEventMayComeTogether) {
  taken({story()[0], story()[2], story()[3]});
  const Batch branch = {sent(110, 0, withdrew(2, 1), 1), story()[1], story()[2], sent(115, 0, withdrew(1, 8), 1)};
  const TakenEvents both = taken(branch);
  ASSERT_TRUE(both.reorg);
  EXPECT_EQ(both.reorg->ledger, 110u);
  EXPECT_EQ(both.receipt.duplicate_ids, std::vector<std::string>{story()[2].event.event_id});
  expect_log_without_holes();
  EXPECT_EQ(chronicle_of(store_), read_at_once({story()[0], story()[1], story()[2], branch[0], branch[3]}));
}

TEST_F(TakeEventsTest, ATransactionThatAReorgIncludesAgainKeepsItsId) {
  taken({story()[0], story()[2]});
  const ports::SentEvent again = sent(105, 0, withdrew(1, 5), 1);
  EXPECT_EQ(taken({again}).receipt.inserted_ids, std::vector<std::string>{again.event.event_id});
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(5));
}

TEST_F(TakeEventsTest, AReorgOfTheFirstLedgerTakesEverythingBack) {
  taken({story()[0], story()[1], story()[2]});
  const ports::SentEvent other = sent(100, 0, created(9), 1);
  EXPECT_EQ(taken({other}).retracted, 3u);
  EXPECT_EQ(chronicle_of(store_), read_at_once({other}));
}

TEST_F(TakeEventsTest, TimesThatDontFitTheLedgersHeldAreRefusedAllAtOnce) {
  taken({story()[0], story()[3]});
  ports::SentEvent early = sent(111, 0, withdrew(1, 1));
  early.event.closed_at = closed_at(110);
  ports::SentEvent late = sent(105, 0, withdrew(1, 1));
  late.event.closed_at = closed_at(110);
  ports::SentEvent other = sent(100, 5, withdrew(1, 1));
  other.event.closed_at = closed_at(100) + 1;
  const ports::IntakeRefusal refusal = refused({early, late, other});
  EXPECT_EQ(refusal.reason, Reason::contradiction);
  ASSERT_EQ(refusal.problems.size(), 3u);
  EXPECT_EQ(refusal.problems[0].event, 2u);
  EXPECT_EQ(refusal.problems[1].event, 1u);
  EXPECT_EQ(refusal.problems[2].event, 0u);
  for (const ports::IntakeProblem& problem : refusal.problems) EXPECT_EQ(problem.field, "happenedAt");
}

TEST_F(TakeEventsTest, AnIdThatTheLogHasForAnotherEventIsRefused) {
  taken({story()[0], story()[1]});
  const ports::IntakeRefusal refusal = refused({story()[2], sent(100, 1, created(3))});
  ASSERT_EQ(refusal.problems.size(), 1u);
  EXPECT_EQ(refusal.problems[0].event, 1u);
  EXPECT_EQ(refusal.problems[0].field, "eventId");
}

TEST_F(TakeEventsTest, WhatLiesTooFarBackIsRefused) {
  LedgerBatch batch;
  batch.first = batch.last = 200;
  batch.headers = {header(200)};
  for (std::uint32_t i = 0; i <= max_taken_back; ++i) {
    batch.events.push_back(placed(event_of({symbol_xdr("gl_pause")}, void_xdr()), 200, i, closed_at(200)));
  }
  ingest(batch, true, *store_.begin(std::nullopt));
  const ports::IntakeRefusal refusal = refused({story()[0]});
  EXPECT_EQ(refusal.reason, Reason::too_deep);
  EXPECT_NE(refusal.message.find("fluxora-server replay"), std::string::npos);
  EXPECT_EQ(refused({sent(200, 0, created(1), 1)}).reason, Reason::too_deep) << "a fork too";
  EXPECT_EQ(taken({sent(201, 0, created(1))}).receipt.inserted_ids.size(), 1u) << "what follows is welcome";
}

TEST_F(TakeEventsTest, OfWhatWasPrunedNobodyCanTellAndTheBatchIsRefused) {
  taken(story());
  store_.pruned_ledger = 105;
  for (const Batch& batch : {Batch{sent(105, 0, withdrew(1, 5))}, Batch{sent(90, 0, created(9)), story()[3]},
                             Batch{sent(105, 0, withdrew(1, 5), 1)}}) {
    const ports::IntakeRefusal refusal = refused(batch);
    EXPECT_EQ(refusal.reason, Reason::too_deep);
    EXPECT_NE(refusal.message.find("events of ledger " + std::to_string(batch[0].event.ledger)), std::string::npos);
    EXPECT_NE(refusal.message.find("up to ledger 105"), std::string::npos);
  }
  EXPECT_EQ(taken({story()[3]}).receipt.duplicate_ids.size(), 1u) << "of a ledger behind it everything is known";
  EXPECT_EQ(taken({sent(106, 0, withdrew(1, 1))}).receipt.inserted_ids.size(), 1u) << "also what comes late";
}

TEST_F(TakeEventsTest, WithoutFoldingEverythingIsLogged) {
  ASSERT_TRUE(take({story()[3], story()[4]}, false));
  ASSERT_TRUE(take({story()[0], story()[1], story()[2]}, false));
  EXPECT_TRUE(store_.streams.empty());
  EXPECT_EQ(chronicle_of(store_).digests, read_at_once({story().begin(), story().begin() + 5}).digests);
}

TEST_F(TakeEventsTest, ADatabaseThatIsAwayIsTheCallersToNotice) {
  store_.is_away_at_commit = true;
  EXPECT_THROW(static_cast<void>(take({story()[0]})), ports::StoreUnavailable);
  store_.is_away_at_commit = false;
  EXPECT_EQ(taken({story()[0]}).receipt.inserted_ids.size(), 1u);
}

}  // namespace
}  // namespace fluxora::indexer::test
