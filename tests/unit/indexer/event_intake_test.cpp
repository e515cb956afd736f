#include "fluxora/indexer/event_intake.hpp"

#include <future>
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

namespace fluxora::indexer::test {
namespace {

using State = ports::IndexerStatus::State;
using Answer = ports::StoreResult<ports::IntakeAnswer>;

std::vector<ports::SentEvent> batch_of(std::uint32_t ledger, ports::ChainEvent event, std::uint8_t fork = 0) {
  return {{placed(std::move(event), ledger, 0, closed_at(ledger)), ledger_hash(ledger, fork)}};
}

class EventIntakeTest : public ::testing::Test {
 protected:
  void send(std::vector<ports::SentEvent> batch) {
    intake_.take(std::move(batch), {"worker", "chain.ingest", "", "", "", ""},
                 [this](Answer answer) { answers_.push_back(std::move(answer)); });
  }

  Answer answer_to(std::vector<ports::SentEvent> batch) {
    answers_.clear();
    send(std::move(batch));
    intake_.step();
    EXPECT_EQ(answers_.size(), 1u);
    return answers_.empty() ? Answer(tl::unexpected(ports::StoreFailure::internal)) : std::move(answers_.front());
  }

  MemoryLedgerStore store_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  std::vector<Answer> answers_;
  EventIntake intake_{{"C1,C2", true, "Test network", 3}, store_, clock_, log_};
};

TEST_F(EventIntakeTest, TakesBatchesInTheOrderOfTheirComing) {
  send(batch_of(100, created(1)));
  send(batch_of(101, withdrew(1, 5)));
  EXPECT_TRUE(answers_.empty()) << "nothing blocks the caller";
  EXPECT_TRUE(intake_.step());
  EXPECT_TRUE(intake_.step());
  EXPECT_FALSE(intake_.step());
  ASSERT_EQ(answers_.size(), 2u);
  EXPECT_EQ((**answers_[1]).log_end.seq, 2u);
  EXPECT_EQ(store_.opened.back().contracts, "C1,C2");
  EXPECT_EQ(store_.opened.back().network_passphrase, "Test network");
  EXPECT_EQ(intake_.statistics().batches, 2u);
  EXPECT_EQ(intake_.statistics().inserted, 2u);
}

TEST_F(EventIntakeTest, MoreThanMayWaitIsTurnedAway) {
  for (std::uint32_t i = 0; i < 4; ++i) send(batch_of(100 + i, created(i)));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].error(), ports::StoreFailure::busy);
  EXPECT_EQ(intake_.statistics().turned_away, 1u);
  while (intake_.step()) {
  }
  EXPECT_EQ(answers_.size(), 4u);
}

TEST_F(EventIntakeTest, ItsStateIsHowFarTheLogHasCome) {
  EXPECT_EQ(intake_.status().state, State::starting);
  EXPECT_FALSE(intake_.status().follows_rpc);
  intake_.step();
  EXPECT_EQ(intake_.status().state, State::healthy);
  EXPECT_EQ(intake_.status().last_ledger, 0u);
  EXPECT_EQ(intake_.status().last_successful_sync, std::nullopt);
  EXPECT_EQ(intake_.status().lag_ms, 0);
  ASSERT_TRUE(answer_to(batch_of(100, created(1))));
  EXPECT_EQ(intake_.status().last_ledger, 100u);
  EXPECT_EQ(intake_.status().last_successful_sync, clock_.now());
  clock_.advance(std::chrono::hours(24));
  intake_.step();
  EXPECT_EQ(intake_.status().state, State::healthy) << "silence is no stall";
  EXPECT_EQ(intake_.status().lag_ms, 86'400'000);
}

TEST_F(EventIntakeTest, WhatOthersHaveTakenIsShown) {
  store_.checkpoint = ports::Checkpoint{77, ledger_hash(77), closed_at(77)};
  store_.updated_at = 1'234;
  intake_.step();
  EXPECT_EQ(intake_.status().last_ledger, 77u);
  EXPECT_EQ(intake_.status().last_successful_sync, 1'234);
}

TEST_F(EventIntakeTest, AReorgIsToldAndShownForFiveLedgers) {
  ASSERT_TRUE(answer_to(batch_of(100, created(1))));
  ASSERT_TRUE(answer_to(batch_of(100, created(2), 1)));
  ASSERT_EQ(log_.lines("reorg_detected").size(), 1u);
  const fakes::FakeLog::Line line = log_.lines("reorg_detected")[0];
  EXPECT_EQ(line.level, ports::LogLevel::warn);
  EXPECT_EQ(line.fields.at("existingHash"), core::hex_encode(ledger_hash(100)));
  EXPECT_EQ(line.fields.at("incomingHash"), core::hex_encode(ledger_hash(100, 1)));
  EXPECT_TRUE(intake_.status().reorg_detected);
  ASSERT_TRUE(answer_to(batch_of(104, created(3), 1)));
  EXPECT_TRUE(intake_.status().reorg_detected);
  ASSERT_TRUE(answer_to(batch_of(105, created(4), 1)));
  EXPECT_FALSE(intake_.status().reorg_detected);
  EXPECT_EQ(intake_.statistics().reorgs, 1u);
}

TEST_F(EventIntakeTest, ADatabaseThatIsAwayCanBeTriedAgain) {
  store_.is_away = true;
  const Answer away = answer_to(batch_of(100, created(1)));
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error(), ports::StoreFailure::unavailable);
  EXPECT_EQ(intake_.status().summary, "The database can't be reached, or takes no writes.");
  EXPECT_EQ(log_.lines("database_unavailable").size(), 1u) << "which says why";
  store_.is_away = false;
  EXPECT_TRUE(answer_to(batch_of(100, created(1))));
}

TEST_F(EventIntakeTest, AContradictionIsARefusal) {
  ASSERT_TRUE(answer_to(batch_of(100, created(1))));
  const Answer answer = answer_to(batch_of(100, created(2)));
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().reason, ports::IntakeRefusal::Reason::contradiction);
  EXPECT_EQ(intake_.statistics().refused, 1u);
}

TEST_F(EventIntakeTest, AForeignLogHaltsUntilItIsNone) {
  store_.wrong_network = "the database holds another network";
  const Answer answer = answer_to(batch_of(100, created(1)));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error().reason, ports::IntakeRefusal::Reason::foreign_log);
  intake_.step();
  EXPECT_EQ(intake_.status().state, State::halted);
  EXPECT_EQ(intake_.status().summary, "the database holds another network");
  store_.wrong_network.clear();
  ASSERT_TRUE(answer_to(batch_of(100, created(1))));
  EXPECT_EQ(intake_.status().state, State::healthy);
}

TEST_F(EventIntakeTest, ItsThreadAnswersAndItsEndAnswersWhatWaits) {
  std::promise<Answer> answered;
  intake_.start();
  intake_.take(batch_of(100, created(1)), {}, [&](Answer answer) { answered.set_value(std::move(answer)); });
  EXPECT_TRUE(answered.get_future().get());
  intake_.stop();
  send(batch_of(101, created(2)));
  ASSERT_EQ(answers_.size(), 1u);
  EXPECT_EQ(answers_[0].error(), ports::StoreFailure::unavailable);
}

}  // namespace
}  // namespace fluxora::indexer::test
