#include "fluxora/indexer/replay.hpp"

#include <deque>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"

namespace fluxora::indexer::test {
namespace {

using Swap = ports::NextLog::Swap;
using Place = std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>;

/// A log beside another: the indexer's store in memory, and swaps that go as the test has set.
class MemoryNextLog final : public ports::NextLog {
 public:
  std::optional<ports::ReplayTarget> begun() override { return target; }
  std::optional<ports::LedgerHeader> served_first_ledger() override { return first_ledger; }
  void begin(const ports::ReplayTarget& wanted, bool) override { target = wanted; }
  ports::LedgerStore& ledgers() override { return store; }
  std::uint64_t rows() override { return store.entries.size(); }
  Swap swap() override {
    swapped_at.push_back(store.checkpoint->ledger);
    if (swaps.empty()) return Swap::done;
    const Swap next = swaps.front();
    swaps.pop_front();
    return next;
  }

  MemoryLedgerStore store;
  std::optional<ports::ReplayTarget> target;
  std::optional<ports::LedgerHeader> first_ledger;
  std::deque<Swap> swaps;                 ///< what the next calls give; then done
  std::vector<std::uint32_t> swapped_at;  ///< the checkpoints at which it was tried
};

/// Keeps what it is told, and stops the job after so many steps.
class Steps final : public ports::JobProgress {
 public:
  bool reached(std::uint64_t done, std::uint64_t total, std::uint64_t rows) override {
    places.emplace_back(done, total, rows);
    return !stop_after || places.size() < *stop_after;
  }

  std::vector<Place> places;
  std::optional<std::size_t> stop_after;
};

class ReplayTest : public ::testing::Test {
 protected:
  ReplayTest() {
    options_.contracts = "CONTRACTS";
    options_.batch_ledgers = 10;
    options_.start_ledger = 11;
    chain_.held = {1, 36};
    chain_.put(15, created(1));
    chain_.put(20, withdrew(1, 5));
    chain_.put(35, withdrew(1, 5));
  }
  bool run() { return replay(options_, chain_, next_, clock_, log_, steps_); }

  IndexerOptions options_;
  MemoryChain chain_;
  MemoryNextLog next_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  Steps steps_;
};

TEST_F(ReplayTest, ReadsTheChainToItsSafeTipAndPutsItInPlace) {
  EXPECT_TRUE(run());
  EXPECT_EQ(next_.swapped_at, std::vector<std::uint32_t>{35}) << "the tip itself isn't safe";
  EXPECT_EQ(next_.store.entries.size(), 3u);
  EXPECT_EQ(steps_.places, (std::vector<Place>{{10, 25, 2}, {20, 25, 2}, {25, 25, 3}}));
}

TEST_F(ReplayTest, GoesOnWhereItWasStopped) {
  steps_.stop_after = 1;
  EXPECT_FALSE(run());
  EXPECT_TRUE(next_.swapped_at.empty());
  EXPECT_EQ(next_.store.checkpoint->ledger, 20u);

  Steps again;
  EXPECT_TRUE(replay(options_, chain_, next_, clock_, log_, again));
  EXPECT_EQ(again.places, (std::vector<Place>{{20, 25, 2}, {25, 25, 3}}));
  EXPECT_EQ(next_.swapped_at, std::vector<std::uint32_t>{35});
}

TEST_F(ReplayTest, FollowsTheChainUntilItMayTakeThePlace) {
  next_.swaps = {Swap::more, Swap::behind, Swap::busy};
  EXPECT_TRUE(run());
  EXPECT_EQ(next_.swapped_at, (std::vector<std::uint32_t>{35, 35, 35, 35}));
}

TEST_F(ReplayTest, ReadersThatNeverLetGoEndIt) {
  next_.swaps.assign(10'000, Swap::busy);
  EXPECT_THROW(run(), ReplayFailed);
  EXPECT_EQ(next_.swapped_at.size(), 200u);
}

TEST_F(ReplayTest, WaitsForWhatOnlyStorageSays) {
  chain_.at_contract_data = [] { throw ports::ChainError(ports::ChainError::Kind::unreachable, "no answer"); };
  next_.store.observations["stream"] = {"stream", 0, false};
  steps_.stop_after = 6;
  EXPECT_FALSE(run());
  EXPECT_TRUE(next_.swapped_at.empty());
  EXPECT_EQ(std::get<0>(steps_.places.back()), 25u);
}

TEST_F(ReplayTest, WhatHaltsAnIndexerEndsIt) {
  options_.start_ledger = 3;
  chain_.held = {5, 36};
  try {
    run();
    FAIL() << "it went on";
  } catch (const ReplayFailed& error) {
    EXPECT_NE(std::string(error.what()).find("below the RPC's window 5 to 36"), std::string::npos) << error.what();
  }
}

TEST_F(ReplayTest, TroubleIsWaitedOut) {
  chain_.fail_next(ports::ChainError::Kind::unreachable);
  EXPECT_TRUE(run());
  EXPECT_EQ(next_.store.entries.size(), 3u);
}

TEST_F(ReplayTest, MigrationsBesideItEndIt) {
  next_.swaps = {Swap::outdated};
  EXPECT_THROW(run(), ReplayFailed);
}

TEST_F(ReplayTest, WhoeverStopsTheJobBeforeTheSwapHasStoppedIt) {
  next_.swaps = {Swap::stopped};
  EXPECT_FALSE(run());
  EXPECT_EQ(next_.swapped_at.size(), 1u);
}

TEST_F(ReplayTest, AStartAboveTheTipEndsIt) {
  options_.start_ledger = 37;
  try {
    run();
    FAIL() << "it waited";
  } catch (const ReplayFailed& error) {
    EXPECT_NE(std::string(error.what()).find("Ledger 37, where the replay begins, is above"), std::string::npos)
        << error.what();
  }
}

TEST_F(ReplayTest, AfterAResetItBeginsWhereTheNetworkDoes) {
  const auto start = [this] { return replay_start(std::nullopt, false, next_, 9, chain_); };
  next_.first_ledger = chain_.ledgers(8, 8).front();
  next_.first_ledger->sequence = 5'000;
  EXPECT_EQ(start(), 1u) << "above the tip";
  next_.first_ledger = chain_.ledgers(8, 8).front();
  next_.first_ledger->hash[0] ^= 1;
  EXPECT_EQ(start(), 1u) << "another ledger under its number";
  chain_.held.oldest = 9;
  EXPECT_EQ(start(), 8u) << "what can't be told isn't skipped";
}

TEST_F(ReplayTest, BeginsWhereItIsToldOrWasBegunOrTheLogDoes) {
  EXPECT_EQ(replay_start(7, false, next_, 9, chain_), 7u);
  EXPECT_EQ(replay_start(std::nullopt, false, next_, 9, chain_), 9u);
  EXPECT_EQ(replay_start(std::nullopt, false, next_, std::nullopt, chain_), 1u);
  next_.first_ledger = chain_.ledgers(8, 8).front();
  EXPECT_EQ(replay_start(std::nullopt, false, next_, 9, chain_), 8u);
  next_.target = ports::ReplayTarget{"CONTRACTS", 6};
  EXPECT_EQ(replay_start(std::nullopt, false, next_, 9, chain_), 6u);
  EXPECT_EQ(replay_start(std::nullopt, true, next_, 9, chain_), 8u) << "what was begun is dropped";
}

}  // namespace
}  // namespace fluxora::indexer::test
