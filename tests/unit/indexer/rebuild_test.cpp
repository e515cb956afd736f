#include "fluxora/indexer/rebuild.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "log_of_all_kinds.hpp"
#include "memory_log_scan.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

/// Ends the job the next time but `left`; never where that is negative.
class EndsAfter final : public ports::JobProgress {
 public:
  explicit EndsAfter(int left = -1) : left_(left) {}
  bool reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) override {
    EXPECT_LE(done, total);
    EXPECT_EQ(rows, done);
    return left_ < 0 || left_-- > 0;
  }

 private:
  int left_;
};

RebuildOptions step_by_step() {
  RebuildOptions options;
  options.page_entries = 1;
  options.save_entries = 3;
  return options;
}

class RebuildTest : public ::testing::Test {
 protected:
  RebuildResult run(ports::JobProgress& progress, const RebuildOptions& options = {}) {
    return rebuild(rebuilt_, progress, options);
  }
  RebuildResult run(const RebuildOptions& options = {}) {
    EndsAfter progress;
    return run(progress, options);
  }
  std::vector<std::string> written_ids() const {
    std::vector<std::string> ids;
    for (const ports::RebuiltStream& stream : rebuilt_.written) ids.push_back(stream.id);
    return ids;
  }

  LogMaker made_;
  MemoryLedgerStore& store_ = made_.store;
  MemoryRebuildStore rebuilt_{store_};
};

TEST_F(RebuildTest, OfStreamsThatAreRightWritesNothing) {
  made_.make_all_kinds();
  for (const std::size_t page : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{1'000}}) {
    RebuildOptions options;
    options.page_entries = page;
    const RebuildResult result = run(options);
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.entries, store_.entries.size());
    EXPECT_EQ(result.streams, store_.streams.size());
    EXPECT_EQ(result.mended_count, 0U) << page;
    EXPECT_TRUE(rebuilt_.written.empty());
    EXPECT_FALSE(rebuilt_.kept_place);
  }
}

TEST_F(RebuildTest, MendsWhatDiffersAndNamesIt) {
  made_.make_all_kinds();
  const auto right = store_.streams;
  store_.streams.erase(stream_id(1));
  store_.streams.at(stream_id(2)).deposit = core::tokens(1);
  const core::Stream stranger = core::sample_stream();
  store_.streams.emplace(stranger.id, stranger);

  const RebuildResult result = run();
  EXPECT_EQ(store_.streams, right);
  EXPECT_EQ(result.mended_count, 3U);
  ASSERT_EQ(result.mended.size(), 3U);
  EXPECT_EQ(written_ids(), (std::vector<std::string>{stream_id(1), stream_id(2), stranger.id}));
  EXPECT_EQ(result.mended[0].differences.front().field, "id");
  EXPECT_EQ(result.mended[0].differences.front().held, std::nullopt);
  EXPECT_EQ(result.mended[1].id, stream_id(2));
  EXPECT_EQ(result.mended[1].differences.front().field, "deposit");
  EXPECT_EQ(result.mended[1].differences.front().held, "10000000");
  EXPECT_EQ(result.mended[1].differences.front().folded, "10000000000");
  EXPECT_EQ(result.mended[2].differences.front().folded, std::nullopt);
}

TEST_F(RebuildTest, GoesOnFromWhereverItWasEnded) {
  made_.make_all_kinds();
  const auto right = store_.streams;
  bool finished = false;
  for (int steps = 0; !finished; ++steps) {
    ASSERT_LT(steps, 1'000);
    store_.streams.at(stream_id(1)).withdrawn = core::tokens(77);
    EndsAfter progress(steps);
    const RebuildResult ended = run(progress, step_by_step());
    finished = ended.finished;
    if (finished) break;
    EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(77)) << "nothing is written before the end";
    ASSERT_EQ(rebuilt_.kept_place.has_value(), ended.entries > 0);
    const RebuildResult result = run(step_by_step());
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(result.resumed_from, ended.entries);
    EXPECT_EQ(store_.streams, right) << "ended behind entry " << ended.entries;
    EXPECT_EQ(result.mended_count, 1U);
  }
  EXPECT_EQ(store_.streams, right);
}

/// Entries that were folded before the end of a run are undone after it: what they had found isn't kept anywhere.
TEST_F(RebuildTest, WhatIsUndoneLaterIsFoldedAgain) {
  for (int steps = 0; steps < 40; ++steps) {
    LogMaker made;
    MemoryRebuildStore rebuilt(made.store);
    made.ledger({created(1), created(2)});
    made.ledger({withdrew(1, 1), delegated(1, 3), withdrew(1, 2), event_of("paused", 2, void_xdr())});
    made.fork(1);
    made.ledger({delegated(1, 3), withdrew(3, 1)});
    made.ledger({delegated(3, 4), withdrew(4, 1), withdrew(2, 1)});
    EndsAfter progress(steps);
    const bool finished = rebuild(rebuilt, progress, step_by_step()).finished;
    made.fork(2);
    made.ledger({event_of("paused", 1, void_xdr()), delegated(1, 4), withdrew(4, 3)});
    made.fork(1);
    made.ledger({delegated(1, 3), delegated(3, 4)});
    const auto right = made.store.streams;
    made.store.streams.clear();
    EndsAfter never;
    const RebuildResult result = rebuild(rebuilt, never, step_by_step());
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(made.store.streams, right) << steps;
    if (finished) {
      EXPECT_EQ(result.resumed_from, 0U);
    }
  }
}

TEST_F(RebuildTest, TakesWhatComesWhileItRuns) {
  made_.make_all_kinds();
  store_.streams.at(stream_id(2)).deposit = core::tokens(1);
  rebuilt_.before_locking = [this] {
    made_.ledger({created(20), withdrew(1, 1)});
    made_.ledger({withdrew(20, 1)});
    made_.fork(1);
    made_.api(api_id(5), api_creation());
  };
  const std::size_t before = store_.entries.size();
  const RebuildResult result = run();
  EXPECT_GT(result.entries, before);
  EXPECT_EQ(result.entries, store_.entries.size());
  EXPECT_EQ(written_ids(), std::vector<std::string>{stream_id(2)});
  rebuilt_.before_locking = nullptr;
  EXPECT_EQ(run().mended_count, 0U);
}

TEST_F(RebuildTest, WaitsForTheLogsEndUnlessItIsEnded) {
  made_.make_all_kinds();
  store_.streams.erase(stream_id(1));
  rebuilt_.busy_times = 3;
  RebuildOptions at_once;
  EndsAfter progress(5);  // before and behind the only page, the same once more, and one wait
  const RebuildResult ended = run(progress, at_once);
  EXPECT_FALSE(ended.finished);
  EXPECT_EQ(ended.entries, store_.entries.size());
  EXPECT_EQ(store_.streams.count(stream_id(1)), 0U);
  const RebuildResult result = run();
  EXPECT_EQ(result.resumed_from, store_.entries.size());
  EXPECT_EQ(result.mended_count, 1U);
}

TEST_F(RebuildTest, APlaceInAnotherLogIsForgotten) {
  made_.make_all_kinds();
  const std::uint64_t head = store_.entries.back().seq;
  for (const ports::RebuildPlace& place : {ports::RebuildPlace{"e0", 3}, ports::RebuildPlace{"e1", head + 1}}) {
    rebuilt_.kept_place = place;
    rebuilt_.kept_streams[core::sample_stream().id] = core::sample_stream();
    const RebuildResult result = run();
    EXPECT_EQ(result.resumed_from, 0U);
    EXPECT_EQ(result.mended_count, 0U);
  }
}

TEST_F(RebuildTest, FromWhatPrunedEntriesLeftGivesTheSameStreams) {
  made_.make_all_kinds();
  made_.ledger({created(30), withdrew(30, 1), delegated(30, 31)});
  const std::uint64_t cut = store_.entries.back().seq + 1;
  made_.ledger({withdrew(31, 1), delegated(1, 32), withdrew(32, 1)});
  made_.api(api_id(2), core::StreamPaused{});
  const auto right = store_.streams;
  rebuilt_.scan.prune_below(cut);
  for (int steps = 0; steps < 30; ++steps) {
    store_.streams.at(stream_id(30)).deposit = core::tokens(1);
    store_.streams.erase(stream_id(32));
    EndsAfter progress(steps);
    const bool finished = run(progress, step_by_step()).finished;
    const RebuildResult result = run(step_by_step());
    EXPECT_TRUE(result.finished);
    EXPECT_EQ(store_.streams, right) << steps;
    EXPECT_EQ(result.mended_count, finished ? 0U : 2U);
    EXPECT_EQ(result.entries, store_.entries.size());
  }
}

/// What a fork undoes was folded by the run before: its streams are folded again, from what pruned entries left.
TEST_F(RebuildTest, WhatIsUndoneLaterIsFoldedAgainFromWhatPrunedEntriesLeft) {
  for (int steps = 0; steps < 20; ++steps) {
    LogMaker made;
    MemoryRebuildStore rebuilt(made.store);
    made.ledger({created(1), created(2), withdrew(2, 1)});
    const std::uint64_t cut = made.store.entries.back().seq + 1;
    made.ledger({delegated(1, 3), withdrew(3, 1)});
    made.ledger({delegated(3, 4), withdrew(2, 1)});
    rebuilt.scan.prune_below(cut);
    EndsAfter progress(steps);
    static_cast<void>(rebuild(rebuilt, progress, step_by_step()));
    made.fork(2);
    made.ledger({withdrew(1, 5), delegated(1, 4), withdrew(2, 3)});
    const auto right = made.store.streams;
    made.store.streams.clear();
    EndsAfter never;
    EXPECT_TRUE(rebuild(rebuilt, never, step_by_step()).finished);
    EXPECT_EQ(made.store.streams, right) << steps;
  }
}

/// Nothing else says any more what the streams were: what is damaged there must not become the streams.
TEST_F(RebuildTest, FromWhatPrunedEntriesLeftMendsNothingWhereThatIsDamaged) {
  made_.ledger({created(1), withdrew(1, 1)});
  const core::LogEntry last = store_.entries.back();
  made_.ledger({withdrew(1, 1)});
  rebuilt_.scan.prune_below(last.seq + 1);
  const auto right = store_.streams;
  core::Stream damaged = *last.stream;
  damaged.deposit = core::tokens(1);
  rebuilt_.scan.states[last.seq] = core::encode_stream(damaged);
  EXPECT_THROW(run(), LogUnfoldable);
  EXPECT_EQ(store_.streams, right);
}

TEST_F(RebuildTest, APlaceBelowWhatWasPrunedIsForgotten) {
  made_.make_all_kinds();
  const std::uint64_t cut = store_.entries.back().seq + 1;
  made_.ledger({withdrew(1, 1)});
  rebuilt_.scan.prune_below(cut);
  rebuilt_.kept_place = ports::RebuildPlace{"e1", cut - 2};
  rebuilt_.kept_streams[core::sample_stream().id] = core::sample_stream();
  const RebuildResult result = run();
  EXPECT_EQ(result.resumed_from, 0U);
  EXPECT_EQ(result.mended_count, 0U);
}

TEST_F(RebuildTest, ALogThatIsReplacedMeanwhileEndsIt) {
  made_.make_all_kinds();
  rebuilt_.before_locking = [this] { rebuilt_.scan.epoch = "e2"; };
  EXPECT_THROW(run(), LogUnfoldable);
  EXPECT_TRUE(rebuilt_.written.empty());
}

TEST_F(RebuildTest, OfADamagedLogMendsNothing) {
  made_.make_all_kinds();
  store_.streams.erase(stream_id(1));
  const std::vector<core::LogEntry> right = store_.entries;
  rebuilt_.scan.oldest_seq = 2;
  EXPECT_THROW(run(), LogUnfoldable);
  rebuilt_.scan.oldest_seq = 1;
  rebuilt_.scan.unreadable[3] = "column value";
  EXPECT_THROW(run(), LogUnfoldable);
  rebuilt_.scan.unreadable.clear();
  store_.entries.erase(store_.entries.begin() + 3);
  EXPECT_THROW(run(), LogUnfoldable);
  store_.entries = right;
  for (core::LogEntry& entry : store_.entries) {
    if (!entry.retracts) continue;
    entry.retracts = 1;
    break;
  }
  EXPECT_THROW(run(), LogUnfoldable);
  EXPECT_EQ(store_.streams.count(stream_id(1)), 0U);
}

TEST_F(RebuildTest, OneAtATime) {
  rebuilt_.claimed_by_another = true;
  EXPECT_THROW(run(), RebuildRunning);
}

}  // namespace
}  // namespace fluxora::indexer::test
