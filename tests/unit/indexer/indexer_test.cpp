#include "fluxora/indexer/indexer.hpp"

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
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

using std::chrono::milliseconds;
using Kind = ports::ChainError::Kind;
using State = ports::IndexerStatus::State;
using Range = std::pair<std::uint32_t, std::uint32_t>;
using Ranges = std::vector<Range>;

constexpr milliseconds now{0};
constexpr milliseconds poll{1'000};
constexpr milliseconds longest_backoff{15'000};

class IndexerTest : public ::testing::Test {
 protected:
  IndexerTest() {
    options_.contracts = "CONTRACTS";
    options_.batch_ledgers = 10;
    options_.poll = poll;
    options_.stall_threshold = milliseconds(60'000);
  }

  Indexer& indexer() {
    if (!indexer_) {
      indexer_.emplace(options_, chain_, store_, clock_, log_, [this](bool degraded, std::string_view reason) {
        told_.push_back((degraded ? "degraded: " : "recovered: ") + std::string(reason));
      });
    }
    return *indexer_;
  }
  milliseconds round() { return indexer().round(); }
  ports::IndexerStatus status() { return indexer().status(); }

  /// Everything up to `ledger` is indexed already, in this chain.
  void indexed_up_to(std::uint32_t ledger) {
    store_.checkpoint = ports::Checkpoint{ledger, ledger_hash(ledger), closed_at(ledger)};
  }
  /// Rounds until there is nothing to do at once.
  void catch_up() {
    for (int i = 0; i < 100; ++i) {
      if (round() != now) return;
    }
    FAIL() << "it never catches up: " << status().summary;
  }
  void expect_halted(const std::string& why) {
    const std::size_t commits = store_.commits.size();
    EXPECT_EQ(round(), longest_backoff);
    EXPECT_EQ(status().state, State::halted);
    EXPECT_NE(status().summary.find(why), std::string::npos) << status().summary;
    EXPECT_EQ(store_.commits.size(), commits);
    EXPECT_EQ(told_, std::vector<std::string>{"degraded: Indexing halted"});
  }

  IndexerOptions options_;
  MemoryChain chain_;
  MemoryLedgerStore store_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  std::vector<std::string> told_;

 private:
  std::optional<Indexer> indexer_;
};

TEST_F(IndexerTest, StartsAsStarting) {
  EXPECT_EQ(status().state, State::starting);
  EXPECT_EQ(status().threshold_ms, 60'000);
  EXPECT_EQ(status().last_successful_sync, std::nullopt);
  EXPECT_FALSE(status().rpc_healthy);
}

TEST_F(IndexerTest, CatchesUpInBatches) {
  chain_.held = {1, 36};
  chain_.put(5, created(1));
  chain_.put(20, withdrew(1, 5));
  chain_.put(35, withdrew(1, 5));
  EXPECT_EQ(round(), now);
  EXPECT_EQ(status().summary, "Catching up.");
  EXPECT_EQ(status().last_ledger, 10u);
  EXPECT_EQ(round(), now);
  EXPECT_EQ(round(), now);
  EXPECT_EQ(round(), poll) << "the last batch ends at the tip";
  EXPECT_EQ(status().summary, "Up to date.");
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(chain_.event_calls, (Ranges{{1, 10}, {11, 20}, {21, 30}, {31, 35}}));
  EXPECT_EQ(store_.checkpoint->ledger, 35u);
  EXPECT_EQ(store_.entries.size(), 3u);
  EXPECT_EQ(store_.commits.size(), 5u) << "four batches, and a look at the contract's storage";
}

TEST_F(IndexerTest, IsHealthyWhenUpToDate) {
  indexed_up_to(99);
  round();
  const ports::IndexerStatus seen = status();
  EXPECT_EQ(seen.state, State::healthy);
  EXPECT_EQ(seen.summary, "Up to date.");
  EXPECT_EQ(seen.last_ledger, 99u);
  EXPECT_EQ(seen.last_safe_ledger, 99u);
  EXPECT_EQ(seen.last_successful_sync, clock_.now());
  EXPECT_EQ(seen.lag_ms, 0);
  EXPECT_EQ(seen.network, "Test network");
  EXPECT_TRUE(seen.rpc_healthy);
  EXPECT_FALSE(seen.reorg_detected);
  EXPECT_TRUE(chain_.event_calls.empty());
  EXPECT_EQ(store_.begun, 0);
}

TEST_F(IndexerTest, SaysWhatItFollows) {
  round();
  const int asked = chain_.passphrase_calls;
  round();
  ASSERT_EQ(store_.opened.size(), 1u) << "once is enough";
  EXPECT_EQ(store_.opened[0].network_passphrase, "Test network");
  EXPECT_EQ(store_.opened[0].contracts, "CONTRACTS");
  EXPECT_EQ(chain_.passphrase_calls, asked) << "what links to the checkpoint is of the same network";
}

TEST_F(IndexerTest, LeavesTheTipAlone) {
  options_.safety_margin = 3;
  options_.batch_ledgers = 1'000;
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(store_.checkpoint->ledger, 97u);
  EXPECT_EQ(status().last_safe_ledger, 97u);
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(store_.checkpoint->ledger, 97u);
}

TEST_F(IndexerTest, WithoutAMarginTheTipIsIndexed) {
  options_.safety_margin = 0;
  indexed_up_to(99);
  round();
  EXPECT_EQ(store_.checkpoint->ledger, 100u);
}

TEST_F(IndexerTest, AChainShorterThanTheMarginIsWaitedFor) {
  options_.safety_margin = 5;
  chain_.held = {1, 3};
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(status().last_safe_ledger, 0u);
  EXPECT_EQ(store_.begun, 0);
}

TEST_F(IndexerTest, BeginsAtTheOldestHeldUnlessTold) {
  chain_.held = {40, 100};
  round();
  EXPECT_EQ(chain_.event_calls[0], (Range{40, 49}));
}

TEST_F(IndexerTest, BeginsWhereItIsTold) {
  chain_.held = {40, 100};
  options_.start_ledger = 60;
  round();
  EXPECT_EQ(chain_.event_calls[0], (Range{60, 69}));
}

TEST_F(IndexerTest, AStartAboveTheTipIsWaitedFor) {
  options_.start_ledger = 200;
  EXPECT_EQ(round(), poll);
  EXPECT_TRUE(chain_.event_calls.empty());
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(IndexerTest, AStartBelowTheWindowHalts) {
  chain_.held = {40, 100};
  options_.start_ledger = 39;
  expect_halted("INDEXER_START_LEDGER, 39, is below the RPC's window 40 to 100");
  EXPECT_TRUE(chain_.event_calls.empty());
}

TEST_F(IndexerTest, TheStartIsOnlyForAnEmptyDatabase) {
  chain_.held = {40, 100};
  options_.start_ledger = 10;
  indexed_up_to(50);
  round();
  EXPECT_EQ(chain_.event_calls[0], (Range{51, 60}));
}

TEST_F(IndexerTest, ACheckpointBelowTheWindowHalts) {
  chain_.held = {40, 100};
  indexed_up_to(38);
  expect_halted("The checkpoint, ledger 38, is below the RPC's window 40 to 100");
}

TEST_F(IndexerTest, ACheckpointJustBelowTheWindowLeavesNoHole) {
  chain_.held = {40, 100};
  indexed_up_to(39);
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.checkpoint->ledger, 49u);
}

TEST_F(IndexerTest, AnotherServersLowerTipIsWaitedOut) {
  chain_.fail_after(2, Kind::outside_window);  // the network and the window are answered, the events aren't
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.commits.empty());
  round();
  EXPECT_EQ(store_.commits.size(), 1u);
}

TEST_F(IndexerTest, AnotherNetworkThanExpectedHalts) {
  options_.expected_passphrase = "Main network";
  expect_halted(R"(The RPC serves network "Test network", NETWORK_PASSPHRASE says "Main network".)");
  EXPECT_TRUE(store_.opened.empty());
}

TEST_F(IndexerTest, TheExpectedNetworkIsFollowed) {
  options_.expected_passphrase = "Test network";
  round();
  EXPECT_EQ(store_.commits.size(), 1u);
}

TEST_F(IndexerTest, ADatabaseOfAnotherNetworkHalts) {
  store_.wrong_network = "The database holds another network.";
  expect_halted("The database holds another network.");
}

TEST_F(IndexerTest, AForkIsRolledBackToTheLastCommonLedgerAndFollowed) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 61};
  chain_.put(35, created(1));
  chain_.put(45, withdrew(1, 5));
  chain_.put(52, created(2));
  catch_up();
  ASSERT_EQ(store_.checkpoint->ledger, 60u);
  ASSERT_EQ(store_.entries.size(), 3u);

  chain_.forked_from = 40;
  chain_.held = {1, 62};
  EXPECT_EQ(round(), now);
  EXPECT_TRUE(status().reorg_detected);
  const auto lines = log_.lines("reorg_detected");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, ports::LogLevel::warn);
  EXPECT_EQ(lines[0].fields.at("ledger"), "60");
  EXPECT_EQ(lines[0].fields.at("existingHash"), core::hex_encode(ledger_hash(60)));
  EXPECT_EQ(lines[0].fields.at("incomingHash"), core::hex_encode(ledger_hash(60, 1)));

  // Ledger 35 is the last that both have and that is held; 40 itself was never stored.
  ASSERT_EQ(store_.entries.size(), 5u);
  EXPECT_EQ(store_.entries[3].retracts, 3u) << "newest first";
  EXPECT_EQ(store_.entries[3].stream, std::nullopt) << "stream 2 was never created";
  EXPECT_EQ(store_.entries[4].retracts, 2u);
  EXPECT_EQ(store_.entries[4].stream->withdrawn, core::Amount{});
  EXPECT_EQ(store_.entries[4].prev_seq, 2u);
  EXPECT_LT(store_.checkpoint->ledger, 40u);
  EXPECT_EQ(store_.streams.size(), 1u);
  EXPECT_EQ(store_.streams.at(stream_id(1)).version, 5u);

  catch_up();
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(61, 1));
  EXPECT_EQ(store_.entries.size(), 7u) << "the same events, in ledgers of other hashes";
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(5));
  EXPECT_EQ(store_.streams.at(stream_id(2)).created_seq, 7u);
}

TEST_F(IndexerTest, AChainThatForksAndComesBackGivesTheSameStreams) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 61};
  chain_.put(35, created(1));
  chain_.put(45, withdrew(1, 5));
  catch_up();
  const core::Amount withdrawn = store_.streams.at(stream_id(1)).withdrawn;
  const auto digest = store_.ledgers.at(45).digest;
  for (const std::optional<std::uint32_t> fork : {std::optional<std::uint32_t>(40), std::optional<std::uint32_t>()}) {
    chain_.forked_from = fork;
    ++chain_.held.latest;
    catch_up();
  }
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, withdrawn);
  EXPECT_EQ(store_.ledgers.at(45).digest, digest) << "the digest knows of no detour";
  EXPECT_EQ(store_.ledgers.at(45).header.hash, ledger_hash(45));
}

TEST_F(IndexerTest, ALogThatIsShortMayBeRolledBackWhole) {
  options_.start_ledger = 50;
  chain_.held = {1, 61};
  chain_.put(52, created(1));
  catch_up();
  chain_.forked_from = 10;
  chain_.held = {1, 62};
  round();
  EXPECT_EQ(store_.checkpoint, std::nullopt);
  EXPECT_TRUE(store_.streams.empty());
  EXPECT_TRUE(store_.ledgers.empty());
  catch_up();
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(61, 1));
  EXPECT_EQ(store_.streams.size(), 1u);
}

TEST_F(IndexerTest, AChainThatSharesNothingHaltsAndNothingIsWritten) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 100};
  chain_.put(35, created(1));
  catch_up();
  chain_.forked_from = 1;
  chain_.held = {1, 101};
  expect_halted("The chain shares none of the ledgers that we hold from 99 down: it is another network, or was reset.");
  EXPECT_TRUE(status().reorg_detected);
}

TEST_F(IndexerTest, AForkBelowTheSourcesWindowHalts) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 100};
  chain_.put(35, created(1));
  catch_up();
  chain_.forked_from = 40;
  chain_.held = {80, 101};
  expect_halted("The chain shares none of the ledgers that we hold from 99 down: it is another network, or was reset.");
}

TEST_F(IndexerTest, AForkOfWhatWasPrunedHaltsAndNothingIsWritten) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 61};
  chain_.put(35, created(1));
  chain_.put(45, withdrew(1, 5));
  catch_up();
  store_.pruned_ledger = 45;
  chain_.forked_from = 45;
  chain_.held = {1, 62};
  expect_halted("The chain has left ours at or below ledger 45, up to which entries were pruned");
  EXPECT_EQ(store_.entries.size(), 2u);

  chain_.forked_from.reset();
  catch_up();
  EXPECT_EQ(store_.checkpoint->ledger, 61u) << "a chain that comes back is followed again";
}

TEST_F(IndexerTest, AForkRightBehindWhatWasPrunedIsFollowed) {
  options_.batch_ledgers = 10;
  chain_.held = {1, 61};
  chain_.put(35, created(1));
  chain_.put(45, withdrew(1, 5));
  catch_up();
  store_.pruned_ledger = 35;
  chain_.forked_from = 40;
  chain_.held = {1, 62};
  catch_up();
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(61, 1));
  EXPECT_EQ(store_.streams.at(stream_id(1)).withdrawn, core::tokens(5));
}

TEST_F(IndexerTest, AForkOfACheckpointThatIsOutOfDateIsNotLookedFor) {
  chain_.held = {1, 61};
  catch_up();
  ASSERT_EQ(store_.checkpoint->ledger, 60u);
  // Another writer leaves ledger 60 and goes on to 61 of the new branch, while this one thinks it is at 60.
  store_.ledgers[60].header = header(60, 1);
  store_.ledgers[61].header = header(61, 1);
  store_.checkpoint = ports::Checkpoint{61, ledger_hash(61, 1), closed_at(61)};
  chain_.forked_from = 60;
  chain_.held = {1, 63};
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(log_.lines("checkpoint_moved").size(), 1u);
  catch_up();
  EXPECT_EQ(store_.checkpoint->ledger, 62u);
}

TEST_F(IndexerTest, AnRpcThatComesToServeAnotherNetworkIsNoFork) {
  chain_.held = {1, 21};
  chain_.put(15, created(1));
  catch_up();
  chain_.forked_from = 1;
  chain_.held = {1, 31};
  chain_.passphrase = "Another network";
  const std::size_t commits = store_.commits.size();
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_NE(status().summary.find("Another network"), std::string::npos) << status().summary;
  EXPECT_EQ(store_.commits.size(), commits);
}

TEST_F(IndexerTest, AnotherNetworkIsNotBegunEither) {
  chain_.held = {1, 1};
  round();  // opens, and finds nothing that is safe
  chain_.held = {1, 31};
  chain_.passphrase = "Another network";
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_TRUE(store_.commits.empty());
}

TEST_F(IndexerTest, AHaltIsLoggedOnceAndRecoveredFrom) {
  indexed_up_to(50);
  chain_.forked_from = 40;
  round();
  round();
  EXPECT_EQ(log_.lines("indexer_halted").size(), 1u);
  EXPECT_EQ(told_.size(), 1u);
  chain_.forked_from.reset();
  EXPECT_EQ(round(), now);
  EXPECT_EQ(status().state, State::healthy);
  EXPECT_FALSE(status().reorg_detected);
  EXPECT_EQ(told_.back(), "recovered: ");
}

TEST_F(IndexerTest, AReorgIsShownUntilTheTipIsFiveLedgersPastIt) {
  chain_.held = {1, 99};
  chain_.put(35, created(1));
  catch_up();
  chain_.forked_from = 40;
  chain_.held = {1, 100};
  round();
  EXPECT_TRUE(status().reorg_detected);
  catch_up();
  EXPECT_EQ(store_.checkpoint->ledger, 99u);
  EXPECT_TRUE(status().reorg_detected);
  chain_.held = {1, 102};
  round();
  EXPECT_TRUE(status().reorg_detected);
  chain_.held = {1, 103};
  round();
  EXPECT_EQ(status().state, State::healthy);
  EXPECT_FALSE(status().reorg_detected);
}

TEST_F(IndexerTest, AnotherReasonToHaltIsLoggedAgain) {
  indexed_up_to(50);
  chain_.forked_from = 40;
  round();
  chain_.held = {70, 100};
  round();
  EXPECT_EQ(log_.lines("indexer_halted").size(), 2u);
  EXPECT_EQ(told_.size(), 1u);
}

TEST_F(IndexerTest, OneFailureIsAHiccup) {
  indexer();
  chain_.fail_next(Kind::unreachable, "no connection");
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_EQ(status().summary, "Stellar RPC trouble: it doesn't answer, or with an error.");
  ASSERT_EQ(log_.lines("chain_error").size(), 1u);
  EXPECT_EQ(log_.lines("chain_error")[0].message, "no connection") << "what a server says is for the log alone";
  EXPECT_FALSE(status().rpc_healthy);
  EXPECT_TRUE(told_.empty());
  round();
  EXPECT_TRUE(told_.empty());
  EXPECT_TRUE(status().rpc_healthy);
}

TEST_F(IndexerTest, DegradationIsToldAtTheSecondFailureAndRecoveryOnce) {
  for (int i = 0; i < 4; ++i) chain_.fail_next(Kind::unreachable);
  round();
  EXPECT_TRUE(told_.empty());
  round();
  EXPECT_EQ(told_, std::vector<std::string>{"degraded: Stellar RPC unreachable"});
  EXPECT_TRUE(status().degraded);
  round();
  round();
  EXPECT_EQ(told_.size(), 1u);
  round();
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(told_.back(), "recovered: ");
  round();
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(log_.lines("chain_error").size(), 4u);
}

TEST_F(IndexerTest, AHiccupOnceInAWhileIsNeverTold) {
  for (int i = 0; i < 5; ++i) {
    chain_.fail_next(Kind::unreachable);
    EXPECT_EQ(round(), milliseconds(500)) << "the backoff begins anew after a success";
    round();
  }
  EXPECT_TRUE(told_.empty());
}

TEST_F(IndexerTest, TheBackoffGrowsAndIsBounded) {
  for (int i = 0; i < 8; ++i) chain_.fail_next(i % 2 == 0 ? Kind::unreachable : Kind::nonsense);
  for (const int expected : {500, 1'000, 2'000, 4'000, 8'000, 15'000, 15'000, 15'000}) {
    EXPECT_EQ(round(), milliseconds(expected));
  }
}

TEST_F(IndexerTest, AFailureAtAnyCallLeavesTheCheckpoint) {
  indexed_up_to(50);
  const auto checkpoint = store_.checkpoint;
  // Network, window, events, headers of the first ledger, of the one with an event, of the last.
  options_.batch_ledgers = 20;
  chain_.put(60, created(1));
  for (int succeeding = 0; succeeding < 6; ++succeeding) {
    chain_.fail_after(succeeding, Kind::unreachable);
    Indexer other(options_, chain_, store_, clock_, log_, [](bool, std::string_view) {});
    EXPECT_EQ(other.round(), milliseconds(500)) << succeeding << " calls succeed";
    EXPECT_EQ(store_.checkpoint, checkpoint);
    EXPECT_TRUE(store_.commits.empty());
  }
}

TEST_F(IndexerTest, AnOutageOfTheStoreIsWaitedOut) {
  indexed_up_to(50);
  store_.is_away = true;
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_EQ(round(), milliseconds(1'000));
  EXPECT_EQ(told_, std::vector<std::string>{"degraded: Database unreachable"});
  EXPECT_EQ(status().summary, "The database can't be reached, or takes no writes.");
  store_.is_away = false;
  EXPECT_EQ(round(), now);
  EXPECT_EQ(told_.size(), 2u);
  EXPECT_EQ(store_.checkpoint->ledger, 60u);
}

TEST_F(IndexerTest, AStoreThatGoesAwayAtACommitIsOpenedAgain) {
  chain_.put(5, created(1));
  store_.is_away_at_commit = true;
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.entries.empty());
  store_.is_away_at_commit = false;
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.opened.size(), 2u) << "where to go on is asked again";
  EXPECT_EQ(store_.entries.size(), 1u);
  EXPECT_EQ(store_.checkpoint->ledger, 10u);
}

TEST_F(IndexerTest, ACheckpointMovedByAnotherEndsOurLead) {
  indexed_up_to(50);
  round();
  indexed_up_to(75);  // by another instance, while we believe to lead
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(store_.stopped_leading, 1);
  EXPECT_EQ(store_.commits.size(), 1u);
  EXPECT_EQ(log_.lines("checkpoint_moved").size(), 1u);
  // Leading again, it goes on from there.
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.checkpoint->ledger, 85u);
  EXPECT_TRUE(told_.empty());
}

TEST_F(IndexerTest, ALogThatCameInTheOpenedOnesPlaceIsOpenedBeforeItIsWritten) {
  indexed_up_to(50);
  round();
  store_.epoch = "next";  // at the very same checkpoint
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(store_.commits.size(), 1u);
  store_.wrong_network = "it follows other contracts";
  round();
  EXPECT_EQ(status().state, State::halted);
  EXPECT_EQ(store_.commits.size(), 1u);
  store_.wrong_network.clear();
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.commits.size(), 2u);
}

TEST_F(IndexerTest, AFollowerWatches) {
  store_.may_lead = false;
  indexed_up_to(77);
  clock_.advance(milliseconds(10'000));
  store_.updated_at = clock_.now() - 4'000;
  EXPECT_EQ(round(), poll);
  const ports::IndexerStatus seen = status();
  EXPECT_EQ(seen.state, State::healthy);
  EXPECT_EQ(seen.summary, "Another instance indexes.");
  EXPECT_EQ(seen.last_ledger, 77u);
  EXPECT_EQ(seen.lag_ms, 4'000);
  EXPECT_TRUE(store_.opened.empty());
  EXPECT_TRUE(chain_.event_calls.empty());
}

TEST_F(IndexerTest, AFollowerOfALeaderThatStandsStillIsStalled) {
  store_.may_lead = false;
  indexed_up_to(77);
  store_.updated_at = clock_.now();
  round();
  clock_.advance(milliseconds(60'001));
  round();
  EXPECT_EQ(status().state, State::stalled);
}

TEST_F(IndexerTest, AFollowerTakesOver) {
  store_.may_lead = false;
  indexed_up_to(70);
  store_.updated_at = clock_.now();
  round();
  indexed_up_to(80);
  store_.may_lead = true;
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.checkpoint->ledger, 90u);
}

TEST_F(IndexerTest, ALeaderThatLosesItsLockOpensAgainWhenItLeadsAgain) {
  indexed_up_to(50);
  round();
  store_.may_lead = false;
  round();
  indexed_up_to(70);
  store_.may_lead = true;
  round();
  EXPECT_EQ(store_.opened.size(), 2u);
  EXPECT_EQ(store_.checkpoint->ledger, 80u);
}

TEST_F(IndexerTest, AServerThatLagsBehindUsChangesNothing) {
  indexed_up_to(99);
  chain_.held = {1, 80};
  EXPECT_EQ(round(), poll);
  EXPECT_EQ(store_.begun, 0);
  EXPECT_EQ(store_.checkpoint->ledger, 99u);
  EXPECT_NE(status().state, State::halted);
  EXPECT_EQ(status().last_ledger, 99u);
  EXPECT_NE(status().summary.find("below our checkpoint, 99"), std::string::npos) << status().summary;
  clock_.advance(milliseconds(300'001));
  round();
  EXPECT_EQ(status().state, State::stalled) << "waiting for a lagging server is no successful sync";
}

TEST_F(IndexerTest, AServerFarBelowUsForFiveMinutesIsANetworkReset) {
  indexed_up_to(99);
  chain_.held = {1, 30};
  EXPECT_EQ(round(), poll);
  clock_.advance(milliseconds(299'999));
  EXPECT_EQ(round(), poll);
  EXPECT_NE(status().state, State::halted);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(round(), poll) << "whether it was acknowledged is looked at often";
  EXPECT_EQ(status().state, State::halted);
  EXPECT_NE(status().summary.find("network was reset"), std::string::npos) << status().summary;
  EXPECT_EQ(store_.begun, 0);
  EXPECT_EQ(store_.checkpoint->ledger, 99u);
}

TEST_F(IndexerTest, IsStalledAfterTheThreshold) {
  indexed_up_to(99);
  round();
  clock_.advance(milliseconds(60'000));
  EXPECT_EQ(status().state, State::healthy);
  EXPECT_EQ(status().lag_ms, 60'000);
  clock_.advance(milliseconds(1));
  EXPECT_EQ(status().state, State::stalled);
  EXPECT_EQ(status().lag_ms, 60'001);
  EXPECT_NE(status().summary.find("longer than the threshold"), std::string::npos);
  round();
  EXPECT_EQ(status().state, State::healthy);
}

TEST_F(IndexerTest, IsStalledAlsoWhenItNeverSynced) {
  status();
  clock_.advance(milliseconds(60'001));
  EXPECT_EQ(status().state, State::stalled);
}

TEST_F(IndexerTest, HaltedStaysHaltedHoweverLong) {
  chain_.held = {40, 100};
  indexed_up_to(10);
  round();
  clock_.advance(milliseconds(600'000));
  EXPECT_EQ(status().state, State::halted);
}

TEST_F(IndexerTest, AClockThatGoesBackMakesNoNegativeLag) {
  indexed_up_to(99);
  round();
  clock_.advance(milliseconds(-5'000));
  EXPECT_EQ(status().lag_ms, 0);
}

TEST_F(IndexerTest, HeadersThatDoNotLinkAmongThemselvesAreRefused) {
  indexed_up_to(50);
  chain_.put(55, created(1));
  chain_.put(56, withdrew(1, 5));
  chain_.broken_link_at = 56;
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.commits.empty());
  ASSERT_EQ(log_.lines("chain_error").size(), 1u);
  EXPECT_NE(log_.lines("chain_error")[0].message.find("the RPC's ledgers don't link at 56"), std::string::npos);
  chain_.broken_link_at.reset();
  EXPECT_EQ(round(), now);
}

TEST_F(IndexerTest, EventsAndHeadersThatDisagreeAreRefused) {
  indexed_up_to(50);
  chain_.put(55, created(1));
  chain_.header_time_shift = 1;
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.commits.empty());
  ASSERT_EQ(log_.lines("chain_error").size(), 1u);
  EXPECT_NE(log_.lines("chain_error")[0].message.find("events and ledgers disagree at 55"), std::string::npos);
}

TEST_F(IndexerTest, AChainThatChangesWhileItIsReadIsReadAgain) {
  options_.batch_ledgers = 100;
  indexed_up_to(50);
  chain_.forks_while_read = 60;  // the events are the old branch's, the headers the new one's
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.commits.empty());
  ASSERT_EQ(log_.lines("chain_error").size(), 1u);
  EXPECT_NE(log_.lines("chain_error")[0].message.find("changed below ledger 99"), std::string::npos);
  round();
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(99, 1));
}

TEST_F(IndexerTest, AChainThatChangesWhileAPartOfItIsReadIsReadAgain) {
  options_.batch_ledgers = 100;
  indexed_up_to(50);
  chain_.complete_through = 70;
  chain_.forks_while_read = 60;
  EXPECT_EQ(round(), milliseconds(500));
  EXPECT_TRUE(store_.commits.empty());
  round();
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(70, 1));
}

TEST_F(IndexerTest, HeadersAreReadWhereTheyAreNeeded) {
  options_.batch_ledgers = 100;
  indexed_up_to(10);
  chain_.put(40, created(1));
  chain_.put(40, withdrew(1, 5));
  chain_.put(44, withdrew(1, 5));  // near enough for one call
  chain_.put(60, withdrew(1, 5));
  round();
  // The last two are the look at the contract's storage behind it.
  EXPECT_EQ(chain_.ledger_calls, (Ranges{{99, 99}, {11, 11}, {40, 44}, {60, 60}, {99, 99}, {99, 99}, {99, 99}}));
  EXPECT_EQ(store_.checkpoint->ledger, 99u);
  EXPECT_EQ(store_.entries.size(), 4u);
}

TEST_F(IndexerTest, ABatchEndsWhereTheAnswerDoes) {
  indexed_up_to(50);
  chain_.put(53, created(1));
  chain_.put(57, withdrew(1, 5));
  chain_.complete_through = 55;
  EXPECT_EQ(round(), now);
  EXPECT_EQ(store_.checkpoint->ledger, 55u);
  EXPECT_EQ(store_.entries.size(), 1u);
  chain_.complete_through.reset();
  EXPECT_EQ(round(), now);
  EXPECT_EQ(chain_.event_calls.back(), (Range{56, 65}));
  EXPECT_EQ(store_.entries.size(), 2u);
}

TEST_F(IndexerTest, BatchesWithEventsAreLoggedAndEmptyOnesAreNot) {
  indexed_up_to(50);
  round();
  EXPECT_TRUE(log_.lines("ledgers_indexed").empty());
  chain_.put(65, created(1));
  round();
  const auto lines = log_.lines("ledgers_indexed");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].fields.at("first"), "61");
  EXPECT_EQ(lines[0].fields.at("last"), "70");
  EXPECT_EQ(lines[0].fields.at("inserted"), "1");
  EXPECT_EQ(lines[0].fields.at("duplicates"), "0");
}

TEST_F(IndexerTest, WithoutFoldingNoStreamIsWritten) {
  options_.fold = false;
  chain_.put(5, created(1));
  round();
  EXPECT_EQ(store_.entries.size(), 1u);
  EXPECT_TRUE(store_.streams.empty());
}

TEST_F(IndexerTest, IndexingTwiceFromTheSameCheckpointGivesTheSameLog) {
  chain_.put(5, created(1));
  chain_.put(7, withdrew(1, 5));
  round();
  const auto once = store_.streams;
  store_.checkpoint.reset();  // other contracts are followed: from the first ledger again
  Indexer again(options_, chain_, store_, clock_, log_, [](bool, std::string_view) {});
  again.round();
  EXPECT_EQ(store_.entries.size(), 2u);
  EXPECT_EQ(store_.streams, once);
}

TEST_F(IndexerTest, AThreadOfItsOwnFollowsUntilTheClockEnds) {
  indexed_up_to(50);
  clock_.end();  // the loop ends at its first sleep, after one round
  indexer().start();
  indexer().stop();
  EXPECT_EQ(store_.commits.size(), 1u);
  indexer().stop();  // a second time: nothing to end
}

TEST_F(IndexerTest, CancelledItEndsWithoutTrouble) {
  indexed_up_to(50);
  chain_.cancel();
  EXPECT_EQ(round(), now);
  EXPECT_TRUE(told_.empty());
  EXPECT_TRUE(log_.lines().empty());
  EXPECT_EQ(status().state, State::starting);
}

}  // namespace
}  // namespace fluxora::indexer::test
