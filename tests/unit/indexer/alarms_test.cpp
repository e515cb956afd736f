// What the rounds call an operator for, what they let other instances know, and what those make of it.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "chain_events.hpp"
#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"

namespace fluxora::indexer::test {
namespace {

using ports::AlarmKind;
using std::chrono::milliseconds;
using Horizon = ports::IndexerStatus::Horizon;
using Kind = ports::ChainError::Kind;
using Sight = ports::WitnessSight;
using State = ports::IndexerStatus::State;

constexpr milliseconds poll{1'000};
constexpr milliseconds threshold{60'000};

class FakeWitness final : public ports::ChainWitness {
 public:
  [[nodiscard]] Sight sight() const override { return now; }
  Sight now{Sight::State::seen, "Test network", 100};
};

/// An instance of its own on the shared store.
struct Instance {
  Instance(const IndexerOptions& options, ports::LedgerStore& store, ports::Clock& clock, ports::Log& log)
      : indexer(options, chain, store, clock, log, [this](bool degraded, std::string_view reason) {
          told.push_back((degraded ? "degraded: " : "recovered: ") + std::string(reason));
        }) {}

  MemoryChain chain;
  std::vector<std::string> told;
  Indexer indexer;
};

class AlarmsTest : public ::testing::Test {
 protected:
  AlarmsTest() {
    options_.contracts = "CONTRACTS";
    options_.batch_ledgers = 10;
    options_.poll = poll;
    options_.stall_threshold = threshold;
    store_.checkpoint = ports::Checkpoint{99, ledger_hash(99), closed_at(99)};
    store_.network = "Test network";
  }

  Instance& one() {
    if (!one_) one_.emplace(options_, store_, clock_, log_);
    return *one_;
  }
  /// Another instance, which follows.
  Instance& other() {
    if (!other_) other_.emplace(options_, store_, clock_, log_);
    return *other_;
  }
  milliseconds round() {
    store_.may_lead = true;
    return one().indexer.round();
  }
  milliseconds other_round() {
    store_.may_lead = false;
    return other().indexer.round();
  }
  ports::IndexerStatus status() { return one().indexer.status(); }
  void restart() { one_.reset(); }

  void fail_round() {
    one().chain.fail_next(Kind::unreachable, "no connection");
    round();
  }
  void acknowledge() {
    ports::IndexerAlarm& alarm = store_.alarms.back();
    alarm.acknowledged_at = clock_.now();
    if (ports::halts_indexing(alarm.kind)) alarm.cleared_at = clock_.now();
    clock_.advance(poll);
  }
  void stall() {
    round();
    clock_.advance(threshold + milliseconds(1));
    fail_round();
  }
  void reset_network() {
    round();
    one().chain.held = {1, 30};
    round();
    clock_.advance(milliseconds(300'000));
    round();
  }

  IndexerOptions options_;
  MemoryLedgerStore store_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  FakeWitness witness_;

 private:
  std::optional<Instance> one_;
  std::optional<Instance> other_;
};

TEST_F(AlarmsTest, AStallIsRaisedOnceAndLatched) {
  stall();
  ASSERT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(store_.alarms[0].kind, AlarmKind::stalled);
  EXPECT_EQ(status().state, State::stalled);
  const auto lines = log_.lines("indexer_stalled");
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].level, ports::LogLevel::error);
  fail_round();
  fail_round();
  EXPECT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);

  round();
  EXPECT_EQ(status().state, State::healthy);
  ASSERT_EQ(status().alarms.size(), 1U) << "until somebody has seen it";
  EXPECT_TRUE(status().alarms[0].cleared_at);
  EXPECT_NE(status().summary.find("waits to be acknowledged"), std::string::npos) << status().summary;
  acknowledge();
  round();
  EXPECT_TRUE(status().alarms.empty());
  EXPECT_EQ(status().summary, "Up to date.");
}

TEST_F(AlarmsTest, AcknowledgedWhileItLastsItStandsUntilItsEnd) {
  stall();
  acknowledge();
  one().chain.fail_next(Kind::unreachable);
  round();
  ASSERT_EQ(status().alarms.size(), 1U);
  EXPECT_EQ(status().state, State::stalled);
  round();
  round();
  EXPECT_TRUE(status().alarms.empty());
  EXPECT_EQ(store_.alarms.size(), 1U);
}

TEST_F(AlarmsTest, AStallIsOneAlarmHoweverManyNotice) {
  round();
  other_round();
  clock_.advance(threshold + milliseconds(1));
  other_round();
  fail_round();
  other_round();
  EXPECT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);
  EXPECT_EQ(other().indexer.status().state, State::stalled);
  EXPECT_EQ(other().indexer.status().alarms.size(), 1U);
  EXPECT_EQ(other().told, std::vector<std::string>{"degraded: Indexing stalled"});
  round();
  other_round();
  EXPECT_EQ(other().indexer.status().state, State::healthy);
  EXPECT_EQ(other().told.back(), "recovered: ");
}

TEST_F(AlarmsTest, ARestartDoesNotEndAStall) {
  stall();
  restart();
  one().chain.fail_after(1, Kind::unreachable);
  round();
  EXPECT_EQ(status().state, State::stalled);
  EXPECT_FALSE(store_.alarms[0].cleared_at);
  round();
  EXPECT_TRUE(store_.alarms[0].cleared_at);
}

TEST_F(AlarmsTest, TimeBeforeTheStartIsNoStallYet) {
  round();
  clock_.advance(milliseconds(86'400'000));
  restart();
  one().chain.fail_after(1, Kind::unreachable);
  round();
  EXPECT_EQ(status().lag_ms, 86'400'000) << "what isn't indexed isn't";
  EXPECT_NE(status().state, State::stalled) << "but it has only begun";
  round();
  EXPECT_TRUE(store_.alarms.empty());
}

TEST_F(AlarmsTest, AStallThatTheDatabaseCouldNotRecordIsRecordedLater) {
  round();
  store_.is_away = true;
  clock_.advance(threshold + milliseconds(1));
  round();
  round();
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);
  EXPECT_TRUE(store_.alarms.empty());
  EXPECT_EQ(status().state, State::stalled);
  store_.is_away = false;
  round();
  ASSERT_EQ(store_.alarms.size(), 1U);
  EXPECT_TRUE(store_.alarms[0].cleared_at);
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(AlarmsTest, AStallThatNoRoundSawCountsToo) {
  round();
  clock_.advance(threshold + milliseconds(1));  // in a call of the RPC's, say
  EXPECT_EQ(status().state, State::stalled);
  round();
  EXPECT_EQ(status().state, State::healthy);
  ASSERT_EQ(store_.alarms.size(), 1U);
  EXPECT_TRUE(store_.alarms[0].cleared_at);
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);
}

TEST_F(AlarmsTest, WhileNothingIsTriedAStallIsRecorded) {
  class WaitingClock final : public ports::Clock {
   public:
    [[nodiscard]] core::UnixMillis now() const override { return now_; }
    bool sleep(milliseconds duration) override {
      now_ += duration.count();
      slept += duration;
      return slept < milliseconds(100'000);
    }
    milliseconds slept{0};

   private:
    core::UnixMillis now_ = 1'800'000'000'000;
  } clock;
  MemoryChain chain;
  options_.poll = milliseconds(90'000);  // one round, and then a long pause
  Indexer indexer(options_, chain, store_, clock, log_, [](bool, std::string_view) {});
  indexer.start();
  indexer.stop();
  EXPECT_GE(store_.alarms.size(), 1U);
  EXPECT_EQ(log_.lines("indexer_stalled").size(), 1U);
}

TEST_F(AlarmsTest, ANetworkResetHaltsUntilItIsAcknowledged) {
  reset_network();
  ASSERT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(store_.alarms[0].kind, AlarmKind::network_reset);
  EXPECT_NE(store_.alarms[0].reason.find("acknowledge the alarm"), std::string::npos);
  EXPECT_EQ(status().state, State::halted);
  one().chain.held = {1, 101};  // the cause is gone
  clock_.advance(poll);
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(status().summary, store_.alarms[0].reason);
  EXPECT_EQ(log_.lines("indexer_halted").size(), 1U);
  EXPECT_TRUE(log_.lines("indexer_stalled").empty()) << "halted says more";

  acknowledge();
  round();
  EXPECT_EQ(status().state, State::healthy);
  EXPECT_EQ(store_.checkpoint->ledger, 100U);
  EXPECT_EQ(store_.alarms.size(), 1U);
}

TEST_F(AlarmsTest, ANetworkResetHaltsOverRestartsWithoutAskingTheChain) {
  reset_network();
  restart();
  one().chain.held = {1, 101};
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(one().chain.passphrase_calls, 0);
  EXPECT_EQ(store_.checkpoint->ledger, 99U);
}

TEST_F(AlarmsTest, AcknowledgedTheChainIsLookedAtAnew) {
  reset_network();
  acknowledge();
  round();
  EXPECT_NE(status().state, State::halted) << "five minutes again";
  clock_.advance(milliseconds(300'000));
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(store_.alarms.size(), 3U) << "waiting for so long is a stall, too";
  EXPECT_EQ(log_.lines("indexer_halted").size(), 2U);
}

TEST_F(AlarmsTest, AnAlarmOfAnotherLogIsNoneOfOurs) {
  reset_network();
  store_.alarms.clear();  // what the database gives once another epoch is in its place
  one().chain.held = {1, 101};
  clock_.advance(poll);
  round();
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(AlarmsTest, AnotherNetworkThanTheLogsHaltsUntilItIsAcknowledged) {
  store_.network = "Main network";
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(store_.alarms.at(0).kind, AlarmKind::other_network);
  EXPECT_TRUE(store_.opened.empty());
  acknowledge();
  round();
  EXPECT_EQ(store_.alarms.size(), 2U) << "it still is";
  one().chain.passphrase = "Main network";
  acknowledge();
  round();
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(AlarmsTest, WithNothingIndexedAWrongSettingIsOnlyWrongWhileItIsSet) {
  store_.checkpoint.reset();
  store_.network.clear();
  options_.expected_passphrase = "Main network";
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_TRUE(store_.alarms.empty());
}

TEST_F(AlarmsTest, ACheckpointThatTheWindowIsAboutToPassIsAlarming) {
  auto& chain = one().chain;
  chain.held = {1, 200};
  store_.checkpoint = ports::Checkpoint{50, ledger_hash(50), closed_at(50)};
  const auto look = [&](std::uint32_t oldest) {
    chain.held = {oldest, oldest + 199};
    clock_.advance(poll);
    chain.fail_after(1, Kind::nonsense);  // the window is answered, nothing else
    round();
  };
  chain.fail_after(2, Kind::nonsense);
  round();
  look(12);
  EXPECT_EQ(status().retention_ledgers, 39U);
  ASSERT_EQ(store_.alarms.size(), 1U) << "39 of 200 are less than a fifth, and it doesn't move";
  EXPECT_EQ(store_.alarms[0].kind, AlarmKind::retention);
  look(13);
  EXPECT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(log_.lines("retention_nearly_over").size(), 1U);
  EXPECT_NE(status().summary.find("ledgers are left"), std::string::npos) << status().summary;
  for (int i = 0; i < 20; ++i) round();
  EXPECT_TRUE(store_.alarms[0].cleared_at) << "by itself";
  EXPECT_TRUE(status().alarms.empty());
}

TEST_F(AlarmsTest, CatchingUpFromTheOldestLedgerIsNotAlarming) {
  store_.checkpoint.reset();
  one().chain.held = {1, 2'000};
  for (int i = 0; i < 30; ++i) round();
  EXPECT_EQ(store_.checkpoint->ledger, 300U);
  EXPECT_TRUE(store_.alarms.empty());
}

TEST_F(AlarmsTest, ADeepMarginIsNoDanger) {
  options_.safety_margin = 90;
  one().chain.held = {1, 100};
  store_.checkpoint = ports::Checkpoint{10, ledger_hash(10), closed_at(10)};
  for (int i = 0; i < 3; ++i) round();
  EXPECT_TRUE(store_.alarms.empty());
}

TEST_F(AlarmsTest, ForALogThatNobodyIsServedNobodyIsCalledOrTold) {
  store_.leader = ports::LeaderReport{"Main network", 5'000, clock_.now(), false, true, false, "", "Up to date.", 7};
  store_.alarms = {{1, AlarmKind::network_reset, "other", "of the served log", 0, std::nullopt, std::nullopt, ""}};
  options_.is_served = false;
  const auto known = store_.leader;
  stall();
  EXPECT_EQ(status().state, State::stalled) << "it isn't halted by the served log's alarm";
  EXPECT_EQ(status().last_safe_ledger, 99U);
  one().chain.held = {1, 30};
  round();
  clock_.advance(milliseconds(300'000));
  EXPECT_GT(round(), poll);
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(store_.alarms.size(), 1U);
  EXPECT_EQ(store_.leader, known);
  store_.may_lead = false;
  one().indexer.round();
  EXPECT_EQ(status().last_safe_ledger, 99U) << "and knows nothing of the served log's leader";
}

TEST_F(AlarmsTest, AFollowerShowsWhatTheLeaderKnows) {
  store_.network.clear();
  one().chain.held = {1, 120};
  round();
  round();
  other_round();
  const ports::IndexerStatus seen = other().indexer.status();
  EXPECT_FALSE(seen.leads);
  EXPECT_TRUE(status().leads);
  EXPECT_EQ(seen.network, "Test network");
  EXPECT_EQ(seen.last_safe_ledger, 119U);
  EXPECT_EQ(seen.last_ledger, 119U);
  EXPECT_EQ(seen.retention_ledgers, status().retention_ledgers);
  EXPECT_TRUE(seen.rpc_healthy);
  EXPECT_EQ(seen.lag_ms, 0);
  EXPECT_EQ(seen.summary, "Another instance indexes: Up to date.");
  EXPECT_EQ(other().chain.passphrase_calls, 0);
}

TEST_F(AlarmsTest, AFollowersClientsAreToldOfTheLeadersTrouble) {
  round();
  other_round();
  EXPECT_TRUE(other().told.empty());
  fail_round();
  fail_round();
  other_round();
  EXPECT_EQ(other().told, std::vector<std::string>{"degraded: Stellar RPC unreachable"});
  EXPECT_FALSE(other().indexer.status().rpc_healthy);
  EXPECT_TRUE(other().indexer.status().degraded);
  other_round();
  round();
  other_round();
  ASSERT_EQ(other().told.size(), 2U);
  EXPECT_EQ(other().told[1], "recovered: ");
}

TEST_F(AlarmsTest, AFollowerIsHaltedWithItsLeader) {
  reset_network();
  other_round();
  const ports::IndexerStatus seen = other().indexer.status();
  EXPECT_EQ(seen.state, State::halted);
  EXPECT_EQ(seen.alarms.size(), 1U);
  EXPECT_NE(seen.summary.find("The network was reset"), std::string::npos);
  EXPECT_EQ(other().told, std::vector<std::string>{"degraded: Indexing halted"});
}

TEST_F(AlarmsTest, AFollowersClientsAreToldOfItsOwnTrouble) {
  round();
  other_round();
  store_.is_away = true;
  other_round();
  other_round();
  EXPECT_EQ(other().told, std::vector<std::string>{"degraded: Database unreachable"});
}

TEST_F(AlarmsTest, WhoeverTakesOverKnowsWhenTheLastSyncWas) {
  round();
  const core::UnixMillis synced = clock_.now();
  clock_.advance(milliseconds(20'000));
  restart();
  one().chain.fail_after(1, Kind::unreachable);
  round();
  EXPECT_EQ(status().last_successful_sync, synced);
  EXPECT_EQ(status().lag_ms, 20'000);
  EXPECT_EQ(status().last_safe_ledger, 99U);
  EXPECT_EQ(status().last_ledger, 99U);
}

TEST_F(AlarmsTest, WhoeverTakesOverPublishesTheLastSyncUntilItsOwn) {
  round();
  const core::UnixMillis synced = clock_.now();
  clock_.advance(milliseconds(20'000));
  restart();
  one().chain.fail_next(Kind::unreachable);
  round();
  EXPECT_EQ(status().last_successful_sync, synced);
  EXPECT_EQ(store_.progress().leader->synced_at, synced);
  round();
  EXPECT_EQ(status().last_successful_sync, clock_.now());
}

TEST_F(AlarmsTest, WhatOthersKnowIsWrittenWhenItChangesAndOnceASecond) {
  round();
  ASSERT_TRUE(store_.leader);
  store_.leader.reset();
  round();
  EXPECT_FALSE(store_.leader) << "nothing is new";
  clock_.advance(poll);
  round();
  EXPECT_TRUE(store_.leader);
  store_.leader.reset();
  fail_round();
  EXPECT_TRUE(store_.leader);
}

TEST_F(AlarmsTest, AWitnessThatHasNotLookedYetIsWaitedFor) {
  witness_.now = {};
  options_.witness = &witness_;
  EXPECT_LT(round(), poll);
  EXPECT_EQ(one().chain.passphrase_calls, 0);
  EXPECT_EQ(status().state, State::starting);
  witness_.now.state = Sight::State::unreachable;
  round();
  EXPECT_EQ(status().state, State::healthy) << "out of reach it stops nothing";
  EXPECT_EQ(status().horizon, Horizon::unhealthy);
  EXPECT_NE(status().summary.find("Horizon can't be reached"), std::string::npos);
}

TEST_F(AlarmsTest, AWitnessOfAnotherNetworkHalts) {
  options_.witness = &witness_;
  round();
  EXPECT_EQ(status().horizon, Horizon::healthy);
  witness_.now.network_passphrase = "Other network";
  clock_.advance(poll);
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(store_.alarms.at(0).kind, AlarmKind::other_network);
  EXPECT_NE(status().summary.find("Horizon serves network \"Other network\""), std::string::npos);
  witness_.now.network_passphrase = "Test network";
  clock_.advance(poll);
  round();
  EXPECT_EQ(status().state, State::halted);
  acknowledge();
  round();
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(AlarmsTest, AWitnessFarAheadShowsThatTheRpcLags) {
  options_.witness = &witness_;
  witness_.now.latest_ledger = 164;
  round();
  EXPECT_FALSE(status().rpc_lagging) << "64 past the RPC's 100";
  witness_.now.latest_ledger = 165;
  EXPECT_TRUE(status().rpc_lagging);
  EXPECT_NE(status().summary.find("Horizon is at ledger 165, the RPC at 100"), std::string::npos);
  EXPECT_EQ(status().state, State::healthy);
  witness_.now.latest_ledger = 3;
  EXPECT_FALSE(status().rpc_lagging);
}

TEST_F(AlarmsTest, TheChainsOwnWordOnWhenToAskAgainCounts) {
  class BusyChain final : public ports::ChainSource {
   public:
    std::string network_passphrase() override {
      throw ports::ChainError(Kind::unreachable, "busy", milliseconds(7'000));
    }
    ports::LedgerWindow window() override { return {}; }
    ports::EventBatch events(std::uint32_t, std::uint32_t) override { return {}; }
    std::vector<ports::LedgerHeader> ledgers(std::uint32_t, std::uint32_t) override { return {}; }
    ports::StorageAnswer contract_data(const std::vector<core::Bytes>&) override { return {}; }
    void cancel() noexcept override {}
  } busy;
  Indexer indexer(options_, busy, store_, clock_, log_, [](bool, std::string_view) {});
  EXPECT_EQ(indexer.round(), milliseconds(7'000));
}

TEST_F(AlarmsTest, ABatchThatClosesBeforeTheCheckpointIsRefused) {
  one().chain.held = {1, 110};
  store_.checkpoint->closed_at = closed_at(100);
  round();
  EXPECT_EQ(store_.checkpoint->ledger, 99U);
  ASSERT_EQ(log_.lines("chain_error").size(), 1u);
  EXPECT_NE(log_.lines("chain_error")[0].message.find("closes no later than the ledger before it"), std::string::npos);
}

}  // namespace
}  // namespace fluxora::indexer::test
