#include "fluxora/indexer/verify.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "fluxora/core/decimal.hpp"
#include "log_of_all_kinds.hpp"
#include "memory_log_scan.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

using Of = FoldDifference::Of;

class NeverEnded final : public ports::JobProgress {
 public:
  bool reached(std::uint64_t, std::uint64_t, std::uint64_t) override { return true; }
};

/// `entry 17 change: held > folded`, a text a difference; - stands for none.
std::vector<std::string> told(const VerifyResult& result) {
  std::vector<std::string> texts;
  for (const FoldDifference& difference : result.differences.kept()) {
    const char* of = difference.of == Of::entry    ? "entry "
                     : difference.of == Of::stream ? "stream "
                     : difference.of == Of::ledger ? "ledger "
                     : difference.of == Of::pruned ? "pruned"
                                                   : "checkpoint";
    texts.push_back(of + difference.name + " " + difference.field + ": " + difference.held.value_or("-") + " > " +
                    difference.folded.value_or("-"));
  }
  return texts;
}

class VerifyTest : public ::testing::Test {
 protected:
  VerifyTest() { made_.make_all_kinds(); }

  VerifyResult check() {
    NeverEnded progress;
    return verify(scan_, progress);
  }
  void expect_told(const std::vector<std::string>& texts) { EXPECT_EQ(told(check()), texts); }

  core::LogEntry& entry(std::uint64_t seq) { return store_.entries[seq - 1]; }
  /// The first entry of which that holds.
  core::LogEntry& first(const std::function<bool(const core::LogEntry&)>& wanted) {
    return *std::find_if(store_.entries.begin(), store_.entries.end(), wanted);
  }

  LogMaker made_;
  MemoryLedgerStore& store_ = made_.store;
  MemoryLogScan scan_{store_};
};

TEST_F(VerifyTest, ALogOfEveryKindOfEntryIsAsItWasFolded) {
  const VerifyResult result = check();
  EXPECT_EQ(told(result), std::vector<std::string>());
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.entries, store_.entries.size());
  EXPECT_EQ(result.streams, store_.streams.size());
  EXPECT_EQ(result.digest, store_.ledgers.rbegin()->second.digest.value_or(store_.ledgers.at(103).digest.value()));
  for (const core::EventName name :
       {core::EventName::stream_created, core::EventName::stream_updated, core::EventName::stream_completed,
        core::EventName::stream_cancelled, core::EventName::stream_ended, core::EventName::stream_observed,
        core::EventName::stream_retracted, core::EventName::protocol_event, core::EventName::chain_event}) {
    EXPECT_TRUE(std::any_of(store_.entries.begin(), store_.entries.end(), [&](const core::LogEntry& one) {
      return one.event == name;
    })) << core::event_name_text(name);
  }
}

TEST_F(VerifyTest, ALogThatWasNotFoldedIsAsItIs) {
  LogMaker unfolded(/*folds_chain=*/false);
  unfolded.ledger({created(1), withdrew(1, 3)});
  unfolded.api(api_id(1), api_creation());
  unfolded.ledger({delegated(1, 2)});
  unfolded.fork(1);
  unfolded.ledger({delegated(1, 2)});
  MemoryLogScan scan(unfolded.store);
  scan.folds_chain = false;
  NeverEnded progress;
  const VerifyResult result = verify(scan, progress);
  EXPECT_EQ(told(result), std::vector<std::string>());
  EXPECT_EQ(result.streams, 1U);
}

TEST_F(VerifyTest, AnEmptyLogIsAsItIs) {
  store_ = {};
  const VerifyResult result = check();
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.differences.count(), 0U);
  EXPECT_EQ(result.digest, core::Hash{});
}

TEST_F(VerifyTest, AStreamsColumnsAreComparedOneByOne) {
  core::Stream& stream = store_.streams.at(stream_id(1));
  const core::Stream right = stream;
  stream.withdrawn = core::tokens(4);
  const auto texts = told(check());
  ASSERT_EQ(texts.size(), 2U);
  EXPECT_EQ(texts[0], "stream " + right.id + " withdrawn: 40000000 > " + core::format_units(right.withdrawn.units));
  EXPECT_EQ(texts[1].substr(0, right.id.size() + 11), "stream " + right.id + " all");
}

TEST_F(VerifyTest, MissingAndAdditionalStreamsAreNamed) {
  store_.streams.erase(stream_id(1));
  store_.streams.erase(api_id(1));
  core::Stream stranger = core::sample_stream();
  store_.streams.emplace(stranger.id, stranger);
  expect_told({"stream " + stranger.id + " id: " + stranger.id + " > -",
               "stream " + stream_id(1) + " id: - > " + stream_id(1), "stream " + api_id(1) + " id: - > " + api_id(1)});
}

TEST_F(VerifyTest, AnEntrysStateAndChangeAreThoseOfTheFold) {
  const std::uint64_t seq = store_.entries.back().seq;
  core::Bytes state = *core::encode_stream_state(entry(seq));
  const std::string right = core::hex_encode(state);
  state[5] ^= 1;
  scan_.states[seq] = state;
  expect_told({"entry " + std::to_string(seq) + " stream_state: " + core::hex_encode(state) + " > " + right});

  scan_.states[seq] = std::nullopt;
  expect_told({"entry " + std::to_string(seq) + " stream_state: - > " + right});

  scan_.states.clear();
  core::LogEntry& updated = first([](const core::LogEntry& one) { return one.kind == "withdrew" && one.stream; });
  const std::string change = updated.change;
  updated.change = "{}";
  expect_told({"entry " + std::to_string(updated.seq) + " change: {} > " + change});
}

TEST_F(VerifyTest, ARemovalThatDoesNotSayWhoseItWasIsNoFinding) {
  core::LogEntry& removal =
      first([](const core::LogEntry& one) { return one.retracts && !one.stream && one.change != "{}"; });
  const std::string change = std::exchange(removal.change, "{}");
  expect_told({});
  removal.change = R"({"sender":["G",null]})";
  expect_told({"entry " + std::to_string(removal.seq) + " change: " + removal.change + " > " + change});

  core::LogEntry& undone =
      first([](const core::LogEntry& one) { return one.retracts && one.stream && one.change != "{}"; });
  const std::string undone_change = std::exchange(undone.change, "{}");
  removal.change = change;
  expect_told({"entry " + std::to_string(undone.seq) + " change: {} > " + undone_change});
}

TEST_F(VerifyTest, AnEntrysTimeIsNotBeforeItsStreams) {
  core::LogEntry& ended = first([](const core::LogEntry& one) { return one.event == core::EventName::stream_ended; });
  const auto right = static_cast<core::UnixSeconds>(ended.stream->updated_at / 1000);
  ended.closed_at = 0;
  const auto texts = told(check());
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts[0], "entry " + std::to_string(ended.seq) + " closed_at: 0 > " + std::to_string(right));
}

TEST_F(VerifyTest, AnEntryNamesTheOneOfItsStreamBefore) {
  core::LogEntry& last = store_.entries.back();
  const std::string right = std::to_string(*last.prev_seq);
  last.prev_seq = 1;
  expect_told({"entry " + std::to_string(last.seq) + " prev_seq: 1 > " + right});
  last.prev_seq.reset();
  expect_told({"entry " + std::to_string(last.seq) + " prev_seq: - > " + right});
}

TEST_F(VerifyTest, AHoleIsNamed) {
  // An entry of no stream, outside every digest's way: only its place is missing.
  LogMaker plain;
  for (int number = 1; number <= 4; ++number) plain.api(api_id(number), api_creation());
  plain.store.entries.erase(plain.store.entries.begin() + 1);
  plain.store.streams.erase(api_id(2));
  MemoryLogScan scan(plain.store);
  NeverEnded progress;
  EXPECT_EQ(told(verify(scan, progress)), std::vector<std::string>{"entry 2 seq: 3 > 2"});
}

TEST_F(VerifyTest, TheLogsEndIsThatOfItsEntries) {
  const std::uint64_t newest = store_.entries.back().seq;
  scan_.head_seq = newest + 2;
  expect_told({"entry " + std::to_string(newest + 1) + " seq: - > " + std::to_string(newest + 1)});
  scan_.head_seq = newest - 1;
  expect_told({"entry " + std::to_string(newest) + " seq: " + std::to_string(newest) + " > -"});
}

TEST_F(VerifyTest, ARowThatIsNoEntryIsToldOf) {
  const std::uint64_t seq = first([](const core::LogEntry& one) { return one.kind == "news"; }).seq;
  scan_.unreadable[seq] = "column value";
  const auto texts = told(check());
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts[0], "entry " + std::to_string(seq) + " entry: column value > -");
}

TEST_F(VerifyTest, ARetractionNamesAnEntryThatStood) {
  core::LogEntry& retraction = first([](const core::LogEntry& one) { return one.retracts.has_value(); });
  const std::string seq = std::to_string(retraction.seq);
  retraction.retracts = 1;  // another stream's
  auto texts = told(check());
  EXPECT_EQ(std::count(texts.begin(), texts.end(), "entry " + seq + " retracts: 1 > -"), 1);
  retraction.retracts = retraction.seq + 1;
  texts = told(check());
  EXPECT_EQ(std::count(texts.begin(), texts.end(),
                       "entry " + seq + " retracts: " + std::to_string(retraction.seq + 1) + " > -"),
            1);
}

TEST_F(VerifyTest, RetractionsComeNewestFirst) {
  LogMaker plain;
  plain.ledger({created(1)});
  plain.ledger({withdrew(1, 1), withdrew(1, 2)});
  plain.fork(1);
  ASSERT_EQ(plain.store.entries[3].retracts, 3U);
  std::swap(plain.store.entries[3].retracts, plain.store.entries[4].retracts);
  MemoryLogScan scan(plain.store);
  NeverEnded progress;
  const auto texts = told(verify(scan, progress));
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts[0], "entry 4 retracts: 2 > -");
}

TEST_F(VerifyTest, TheEntryOfASplitIsThere) {
  LogMaker plain;
  plain.ledger({created(1)});
  plain.ledger({delegated(1, 2), withdrew(1, 1)});
  plain.store.entries[2].stream_id = stream_id(3);
  MemoryLogScan scan(plain.store);
  NeverEnded progress;
  const auto texts = told(verify(scan, progress));
  ASSERT_FALSE(texts.empty());
  EXPECT_EQ(texts[0], "entry 3 stream_id: " + stream_id(3) + " > -");
}

TEST_F(VerifyTest, DigestsAreRecomputed) {
  ports::LedgerRecord& ledger = store_.ledgers.at(102);
  const std::string right = core::hex_encode(*ledger.digest);
  ledger.digest = core::hash_of(1);
  expect_told({"ledger 102 digest: " + core::hex_encode(core::hash_of(1)) + " > " + right});
  ledger.digest.reset();
  expect_told({"ledger 102 digest: - > " + right});
}

TEST_F(VerifyTest, ALedgerWithoutEntriesHasNoDigest) {
  store_.ledgers.at(301).digest = core::hash_of(1);
  expect_told({"ledger 301 digest: " + core::hex_encode(core::hash_of(1)) + " > -"});
}

TEST_F(VerifyTest, EveryLedgerWithEntriesIsHeldWithTheirHash) {
  const ports::LedgerRecord held = store_.ledgers.at(102);
  store_.ledgers.erase(102);
  expect_told({"ledger 102 sequence: - > 102"});
  store_.ledgers.emplace(102, held);
  store_.ledgers.at(102).header.hash = core::hash_of(2);
  expect_told({"ledger 102 hash: " + core::hex_encode(core::hash_of(2)) + " > " + core::hex_encode(held.header.hash)});
}

TEST_F(VerifyTest, TheCheckpointIsNotBelowWhatIsHeld) {
  const ports::Checkpoint right = *store_.checkpoint;
  store_.checkpoint->ledger = 300;
  expect_told({"checkpoint ledger: 300 > 301"});
  store_.checkpoint.reset();
  expect_told({"checkpoint ledger: - > 301"});
  store_.checkpoint = right;
  store_.checkpoint->hash = core::hash_of(2);
  expect_told({"checkpoint ledger_hash: " + core::hex_encode(core::hash_of(2)) + " > " + core::hex_encode(right.hash)});
}

TEST_F(VerifyTest, CountsAllAndKeepsTheFirst) {
  LogMaker many;
  std::vector<ports::ChainEvent> events;
  for (std::uint64_t number = 1; number <= 150; ++number) events.push_back(created(number));
  many.ledger(std::move(events));
  many.store.streams.clear();
  MemoryLogScan scan(many.store);
  NeverEnded progress;
  const VerifyResult result = verify(scan, progress);
  EXPECT_EQ(result.differences.count(), 150U);
  EXPECT_EQ(result.differences.kept().size(), FoldDifferences::kept_at_most);
}

TEST_F(VerifyTest, ALogWhoseBeginningIsGoneWithoutATraceCannotBeFolded) {
  scan_.oldest_seq = 5;
  EXPECT_THROW(check(), LogUnfoldable);
}

/// Where a log can be pruned: nothing of a ledger lies on both sides but what comes late for it.
std::vector<std::uint64_t> cuts_of(const MemoryLedgerStore& store) {
  std::vector<std::uint64_t> cuts;
  for (const core::LogEntry& first : store.entries) {
    std::uint32_t below = 0;
    for (const core::LogEntry& entry : store.entries) {
      if (entry.seq < first.seq) below = std::max(below, entry.ledger.value_or(0));
    }
    const bool is_one = std::none_of(store.entries.begin(), store.entries.end(), [&](const core::LogEntry& entry) {
      const bool comes_late = entry.event == core::EventName::stream_observed;
      return entry.seq >= first.seq && !comes_late && entry.ledger.value_or(below + 1) <= below;
    });
    if (is_one && first.seq > 1) cuts.push_back(first.seq);
  }
  return cuts;
}

TEST_F(VerifyTest, FromWhereverTheLogWasPrunedItIsAsItWas) {
  made_.ledger({created(30), withdrew(30, 1), delegated(30, 31)});
  made_.ledger({delegated(1, 32), withdrew(32, 1), event_of("closed", 2, void_xdr())});
  made_.fork(1);
  made_.ledger({withdrew(30, 1), delegated(1, 32)});
  made_.observe(30, core::StreamKind::cliff_slope);
  made_.api(api_id(2), core::StreamPaused{});
  const VerifyResult whole = check();
  ASSERT_EQ(told(whole), std::vector<std::string>());
  const std::vector<std::uint64_t> cuts = cuts_of(store_);
  ASSERT_GT(cuts.size(), 5U);
  for (const std::uint64_t cut : cuts) {
    scan_.prune_below(cut);
    const VerifyResult result = check();
    EXPECT_EQ(told(result), std::vector<std::string>()) << "below entry " << cut;
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.from_seq, cut);
    EXPECT_EQ(result.pruned_ledger, store_.pruned_ledger);
    EXPECT_EQ(result.entries, whole.entries - (cut - 1));
    EXPECT_EQ(result.streams, whole.streams);
    EXPECT_EQ(result.digest, whole.digest);
  }
}

class PrunedVerifyTest : public VerifyTest {
 protected:
  PrunedVerifyTest() {
    made_.ledger({withdrew(1, 1), withdrew(3, 1)});
    made_.ledger({withdrew(1, 1)});
    scan_.prune_below(entry(store_.entries.size()).seq);
  }
  /// Whether the hash that was kept says that something isn't as it was, and what else is told.
  std::pair<bool, std::vector<std::string>> told_of_pruned() {
    std::vector<std::string> texts = told(check());
    const auto end = std::remove_if(texts.begin(), texts.end(), [](const std::string& text) {
      return text.rfind("pruned pruned_states: ", 0) == 0;
    });
    const bool of_pruned = end != texts.end();
    texts.erase(end, texts.end());
    return {of_pruned, std::move(texts)};
  }
  core::LogEntry& newest_below_of(const std::string& stream) {
    const auto found = std::find_if(store_.entries.rbegin(), store_.entries.rend(), [&](const core::LogEntry& one) {
      return one.seq < scan_.oldest_seq && one.stream_id == stream;
    });
    return *found;
  }
};

TEST_F(PrunedVerifyTest, WhatIsLeftHasTheHashThatWasKept) {
  EXPECT_EQ(told_of_pruned(), std::pair(false, std::vector<std::string>()));
  const std::uint64_t seq = newest_below_of(stream_id(3)).seq;
  core::Stream wrong = *newest_below_of(stream_id(3)).stream;
  wrong.withdrawn = core::tokens(99);
  scan_.states[seq] = core::encode_stream(wrong);
  const auto [is_told, others] = told_of_pruned();
  EXPECT_TRUE(is_told);
  EXPECT_FALSE(others.empty()) << "and the stream's row isn't what follows from that";
}

TEST_F(PrunedVerifyTest, AStreamThatIsMissingAmongWhatIsLeftIsSeen) {
  const std::string id = stream_id(3);
  std::erase_if(store_.entries,
                [&](const core::LogEntry& one) { return one.seq < scan_.oldest_seq && one.stream_id == id; });
  const auto [is_told, others] = told_of_pruned();
  EXPECT_TRUE(is_told);
  EXPECT_EQ(others, std::vector<std::string>{"stream " + id + " id: " + id + " > -"});
}

TEST_F(PrunedVerifyTest, AStateThatIsNoStreamsIsNamed) {
  const std::uint64_t seq = newest_below_of(stream_id(3)).seq;
  scan_.states[seq] = core::Bytes{1, 2, 3};
  const auto [is_told, others] = told_of_pruned();
  EXPECT_TRUE(is_told);
  ASSERT_FALSE(others.empty());
  EXPECT_EQ(others[0], "entry " + std::to_string(seq) + " stream_state: 010203 > -");
}

TEST_F(PrunedVerifyTest, TheEntryBeforeMayBeOneThatWasPruned) {
  core::LogEntry& last = store_.entries.back();
  const std::string right = std::to_string(*last.prev_seq);
  ASSERT_LT(*last.prev_seq, scan_.oldest_seq);
  last.prev_seq.reset();
  EXPECT_EQ(told_of_pruned().second,
            std::vector<std::string>{"entry " + std::to_string(last.seq) + " prev_seq: - > " + right});
}

TEST_F(PrunedVerifyTest, DigestsGoOnFromTheOneThatWasKept) {
  const std::string right = core::hex_encode(scan_.pruned->digest);
  std::uint32_t newest = 0;
  for (const auto& [sequence, record] : store_.ledgers) {
    if (sequence <= scan_.pruned->ledger && record.digest) newest = sequence;
  }
  store_.ledgers.at(newest).digest = core::hash_of(9);
  EXPECT_EQ(told_of_pruned().second, std::vector<std::string>{"ledger " + std::to_string(newest) + " digest: " +
                                                              core::hex_encode(core::hash_of(9)) + " > " + right});
  const std::uint32_t behind = *store_.entries.back().ledger;
  const std::string digest = core::hex_encode(*store_.ledgers.at(behind).digest);
  scan_.pruned->digest = core::hash_of(9);
  const auto others = told_of_pruned().second;
  ASSERT_EQ(others.size(), 1U) << "the ledger's own digest doesn't follow from that one any more";
  EXPECT_EQ(others[0].rfind("ledger " + std::to_string(behind) + " digest: " + digest + " > ", 0), 0U) << others[0];
}

TEST_F(PrunedVerifyTest, AnEntryOfAPrunedLedgerHasNoPlaceBehindIt) {
  store_.entries.back().ledger = scan_.pruned->ledger;
  EXPECT_FALSE(told_of_pruned().second.empty());
}

TEST_F(VerifyTest, EndsWhereItIsEnded) {
  class EndedAtOnce final : public ports::JobProgress {
   public:
    bool reached(std::uint64_t, std::uint64_t, std::uint64_t) override { return false; }
  } progress;
  EXPECT_FALSE(verify(scan_, progress).finished);
}

}  // namespace
}  // namespace fluxora::indexer::test
