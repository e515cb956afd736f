#include <chrono>
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
#include "stored_entries.hpp"
#include "stream_samples.hpp"

namespace fluxora::indexer::test {
namespace {

using core::EventName;
using ports::DifferenceKind;
using std::chrono::milliseconds;

constexpr milliseconds now{0};
constexpr milliseconds poll{1'000};

/// Rounds of the indexer over a chain whose contract stores something. All up to ledger 99 is safe; every tenth
/// ledger's header is held.
class ObserverTest : public ::testing::Test {
 protected:
  ObserverTest() {
    options_.contracts = core::sample_contract;
    options_.batch_ledgers = 10;
    options_.poll = poll;
  }

  Indexer& indexer() {
    if (!indexer_) indexer_.emplace(options_, chain_, store_, clock_, log_, [](bool, std::string_view) {});
    return *indexer_;
  }
  /// Rounds until there is nothing to do at once.
  void catch_up() {
    for (int i = 0; i < 100; ++i) {
      if (indexer().round() != now) return;
    }
    FAIL() << "it never catches up: " << indexer().status().summary;
  }
  void close_ledger() { ++chain_.held.latest; }
  /// Another process takes over.
  void restart() { indexer_.reset(); }

  std::vector<core::LogEntry> observed() const {
    std::vector<core::LogEntry> found;
    for (const core::LogEntry& entry : store_.entries) {
      if (entry.event == EventName::stream_observed && store_.stands(entry)) found.push_back(entry);
    }
    return found;
  }
  const core::Stream& stream(std::uint64_t number) const { return store_.streams.at(stream_id(number)); }
  std::uint64_t counted(DifferenceKind kind) {
    return indexer().statistics().storage.differences[static_cast<std::size_t>(kind)];
  }
  void expect_one_difference(DifferenceKind kind, const std::string& fields) {
    ASSERT_EQ(store_.differences.size(), 1u);
    EXPECT_EQ(store_.differences[0].stream_id, stream_id(1));
    EXPECT_EQ(store_.differences[0].kind, kind);
    EXPECT_EQ(store_.differences[0].ledger, store_.checkpoint->ledger);
    EXPECT_EQ(store_.differences[0].fields, fields);
    const auto lines = log_.lines("audit_difference");
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].level, ports::LogLevel::warn);
    EXPECT_EQ(lines[0].fields.at("streamId"), stream_id(1));
    EXPECT_EQ(lines[0].fields.at("difference"), ports::difference_name(kind));
    EXPECT_EQ(lines[0].fields.at("fields"), fields);
    EXPECT_EQ(counted(kind), 1u);
  }

  IndexerOptions options_;
  MemoryChain chain_;
  MemoryLedgerStore store_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;

 private:
  std::optional<Indexer> indexer_;
};

Stored of_kind(core::StreamKind kind) {
  Stored stored;
  stored.kind = kind;
  return stored;
}

TEST_F(ObserverTest, WhatEventsDoNotSayIsReadAfterACreation) {
  chain_.put(50, created(1));
  chain_.put(55, created(2));
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  store_stream(chain_.storage, 2, 55);
  catch_up();

  const auto entries = observed();
  ASSERT_EQ(entries.size(), 2u);
  const core::LogEntry& entry = entries[0];
  EXPECT_EQ(entry.seq, 3u);
  EXPECT_EQ(entry.prev_seq, 1u);
  EXPECT_EQ(entry.kind, "observed");
  EXPECT_EQ(entry.event_id.substr(0, 20), "observed-0000000050-");
  EXPECT_EQ(entry.contract_id, core::sample_contract);
  EXPECT_EQ(entry.ledger, 50u) << "the one that it was changed in, not the one that it was read in";
  EXPECT_EQ(entry.ledger_hash, ledger_hash(50));
  EXPECT_EQ(entry.closed_at, closed_at(50));
  EXPECT_EQ(entry.tx_hash, std::nullopt);
  EXPECT_EQ(entry.change,
            R"({"token":[null,")" + std::string(core::sample_token) + R"("],"kind":["linear","cliff_only"]})");
  EXPECT_EQ(stream(1), *entry.stream);
  EXPECT_EQ(stream(1).kind, core::StreamKind::cliff_only);
  EXPECT_EQ(stream(2).token, core::sample_token);
  EXPECT_EQ(stream(2).kind, core::StreamKind::linear);

  EXPECT_TRUE(store_.observations.empty());
  EXPECT_EQ(store_.checkpoint, (ports::Checkpoint{99, ledger_hash(99), closed_at(99)}));
  EXPECT_EQ(store_.ledgers.at(50).digest.has_value(), true);
  EXPECT_EQ(indexer().statistics().storage.observations, 2u);
  EXPECT_TRUE(store_.differences.empty()) << "it was to be expected";
  const std::size_t looks = chain_.storage_calls.size();
  catch_up();
  EXPECT_EQ(chain_.storage_calls.size(), looks) << "once is enough";
}

TEST_F(ObserverTest, WhatTheLogSaysAlreadyEntersItNoSecondTime) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  EXPECT_TRUE(observed().empty());
  EXPECT_EQ(store_.entries.size(), 1u);
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, ATokenThatBecomesKnownIsAnotherObservationOfTheSameEntry) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(stream(1).token, std::nullopt);

  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  options_.audit_interval = milliseconds(1);
  restart();
  catch_up();
  const auto entries = observed();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(stream(1).token, core::sample_token);
  EXPECT_EQ(entries[0].ledger_hash, entries[1].ledger_hash);
  EXPECT_NE(entries[0].event_id, entries[1].event_id);
}

TEST_F(ObserverTest, WhatWasWrittenAboveTheCheckpointIsWaitedFor) {
  chain_.put(50, created(1));
  chain_.put(100, withdrew(1, 5));
  Stored stored = of_kind(core::StreamKind::cliff_slope);
  stored.withdrawn = core::tokens(5);
  store_stream(chain_.storage, 1, 100, stored);
  catch_up();
  EXPECT_TRUE(observed().empty()) << "it would be from the future";
  ASSERT_EQ(store_.observations.count(stream_id(1)), 1u);
  EXPECT_EQ(store_.observations.at(stream_id(1)).not_before, 100u);
  const std::size_t looks = chain_.storage_calls.size();
  catch_up();
  EXPECT_EQ(chain_.storage_calls.size(), looks) << "until the ledger is indexed there is nothing to be seen";

  close_ledger();
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger, 100u);
  EXPECT_EQ(stream(1).withdrawn, core::tokens(5)) << "once";
  EXPECT_EQ(stream(1).kind, core::StreamKind::cliff_slope);
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, WhatChangedWithoutAnEventIsToldAndNotEntered) {
  chain_.put(50, created(1));
  Stored stored;
  stored.withdrawn = core::tokens(5);
  store_stream(chain_.storage, 1, 60, stored);
  catch_up();
  EXPECT_TRUE(observed().empty());
  EXPECT_TRUE(store_.observations.empty());
  expect_one_difference(DifferenceKind::changed_without_event, R"({"withdrawnAmount":["0.0000000","5.0000000"]})");
}

TEST_F(ObserverTest, AnEntryThatWasWrittenLaterAndSaysTheSameIsNoDifference) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 60);
  catch_up();
  EXPECT_TRUE(store_.differences.empty());
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, AnEntryThatIsOlderThanTheLastEventIsOfItsLedger) {
  chain_.put(50, created(1));
  chain_.put(70, event_of("health", 1, void_xdr()));  // writes nothing
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger, 70u);
  EXPECT_EQ(observed()[0].event_id.substr(0, 20), "observed-0000000050-");
}

TEST_F(ObserverTest, AStreamThatIsNotHeldIsFoldedFromItsObservationOn) {
  chain_.put(60, withdrew(1, 5));  // its creation lies before the first ledger
  Stored stored = of_kind(core::StreamKind::cliff_slope);
  stored.withdrawn = core::tokens(12);
  store_stream(chain_.storage, 1, 60, stored);
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger, 60u);
  EXPECT_EQ(stream(1).withdrawn, core::tokens(12)) << "the withdrawal before it is in it";
  EXPECT_EQ(stream(1).created_seq, 2u);

  chain_.put(100, withdrew(1, 3));
  close_ledger();
  catch_up();
  EXPECT_EQ(stream(1).withdrawn, core::tokens(15));
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, TimesThatArePastWhenAnObservationBringsThemHaveTheirEntries) {
  chain_.put(60, withdrew(1, 5));
  Stored stored;
  stored.start = 600;
  stored.cliff = 700;          // before ledger 60 closes
  stored.end = closed_at(78);  // after it: ledger 80 is the first held that has passed it
  store_stream(chain_.storage, 1, 60, stored);
  catch_up();
  ASSERT_EQ(store_.entries.size(), 4u);
  EXPECT_EQ(store_.entries[1].event, EventName::stream_observed);
  EXPECT_EQ(store_.entries[2].event_id, "cliff_reached-700");
  EXPECT_EQ(store_.entries[2].ledger, 60u) << "none before the observation's own";
  EXPECT_EQ(store_.entries[3].event_id, "ended-" + std::to_string(closed_at(78)));
  EXPECT_EQ(store_.entries[3].ledger, 80u);
  EXPECT_EQ(store_.entries[3].closed_at, closed_at(80));

  // What passed the end is undone, the observation isn't: time has to pass it again, once.
  chain_.forked_from = 75;
  close_ledger();
  catch_up();
  std::vector<core::LogEntry> ends;
  for (const core::LogEntry& entry : store_.entries) {
    if (entry.event == EventName::stream_ended && store_.stands(entry)) ends.push_back(entry);
  }
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].ledger_hash, ledger_hash(*ends[0].ledger, 1));
  EXPECT_EQ(observed().size(), 1u);
}

TEST_F(ObserverTest, AChangeOfRateIsLookedAfter) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  // One of the contract's two paths doesn't checkpoint: it goes on as if the new rate had always been.
  chain_.put(100, event_of("rate_upd", 1,
                           map_xdr({{"effective_time", u64_xdr(1'100)},
                                    {"new_rate_per_second", i128_xdr(core::tokens(2))},
                                    {"old_rate_per_second", i128_xdr(core::tokens(1))}})));
  Stored stored;
  stored.rate = core::tokens(2);
  store_stream(chain_.storage, 1, 100, stored);
  close_ledger();
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].change, R"({"checkpointedAmount":["100.0000000","0.0000000"],"checkpointedAt":[1100,1000]})");
}

TEST_F(ObserverTest, TheChildOfADelegationIsObserved) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  chain_.put(100, delegated(1, 2));
  close_ledger();
  catch_up();
  EXPECT_EQ(store_.observations.count(stream_id(1)), 0u);
  EXPECT_EQ(store_.observations.count(stream_id(2)), 1u) << "its entry is missing, which may be the future";
  Stored child;
  child.deposit = stream(2).deposit;
  child.rate = stream(2).rate_per_second;
  child.start = child.cliff = child.checkpoint_at = stream(2).start_time;
  child.kind = core::StreamKind::cliff_slope;
  store_stream(chain_.storage, 2, 100, child);
  close_ledger();
  catch_up();
  EXPECT_EQ(stream(2).kind, core::StreamKind::cliff_slope);
}

TEST_F(ObserverTest, FailedCallsAndDuplicatesAskForNothing) {
  chain_.put(50, failed(withdrew(9, 5)));
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  EXPECT_TRUE(store_.observations.empty());
  for (const ports::IngestRecord& commit : store_.commits) {
    for (const ports::ObservationRequest& request : commit.to_observe) EXPECT_EQ(request.stream_id, stream_id(1));
  }
  const std::size_t looks = chain_.storage_calls.size();
  store_.checkpoint.reset();  // more contracts are followed: all is read again
  restart();
  catch_up();
  EXPECT_EQ(store_.entries.size(), 2u);
  EXPECT_EQ(chain_.storage_calls.size(), looks + 1) << "the contract's instance, at the start";
}

TEST_F(ObserverTest, AForkBetweenTheLooksLeavesItForTheNextRound) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  for (int i = 0; i < 9; ++i) indexer().round();  // all but the last batch
  chain_.at_contract_data = [this] { chain_.forked_from = 95; };
  catch_up();
  EXPECT_TRUE(observed().empty());
  EXPECT_EQ(store_.observations.count(stream_id(1)), 1u);
  close_ledger();
  catch_up();
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(store_.checkpoint->hash, ledger_hash(100, 1));
}

TEST_F(ObserverTest, AnotherServersOlderStateIsNotBelieved) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  for (int i = 0; i < 9; ++i) indexer().round();
  chain_.at_contract_data = [this] { chain_.held.latest = 98; };
  catch_up();
  EXPECT_TRUE(observed().empty());
  chain_.at_contract_data = nullptr;
  chain_.held.latest = 100;
  catch_up();
  EXPECT_EQ(observed().size(), 1u);
}

TEST_F(ObserverTest, AnObservationThatIsUndoneIsMadeAgain) {
  chain_.put(50, created(1));
  chain_.put(70, event_of("health", 1, void_xdr()));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  catch_up();
  ASSERT_EQ(observed()[0].ledger, 70u);

  chain_.forked_from = 65;
  close_ledger();
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger_hash, ledger_hash(70, 1));
  EXPECT_EQ(stream(1).kind, core::StreamKind::cliff_only);
  EXPECT_EQ(observed()[0].stream, stream(1));
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, AnObservationBelowAForkStands) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  catch_up();
  const std::size_t entries = store_.entries.size();
  chain_.forked_from = 65;
  close_ledger();
  catch_up();
  EXPECT_EQ(store_.entries.size(), entries);
}

TEST_F(ObserverTest, AStreamThatNeverWasComesOffTheList) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 100);
  catch_up();
  ASSERT_EQ(store_.observations.count(stream_id(1)), 1u);
  // The new branch has no such event: the list's stream is nobody's.
  MemoryChain other;
  other.forked_from = 40;
  other.held = {1, 102};
  chain_ = std::move(other);
  catch_up();
  EXPECT_TRUE(store_.observations.empty());
  EXPECT_TRUE(store_.streams.empty());
}

TEST_F(ObserverTest, AMissingEntryOfAnOpenStreamIsToldWhenItCannotBeTheFuture) {
  chain_.put(50, created(1));
  catch_up();
  EXPECT_TRUE(store_.differences.empty()) << "it may have been closed in the newest ledger";
  ASSERT_EQ(store_.observations.count(stream_id(1)), 1u);
  EXPECT_EQ(store_.observations.at(stream_id(1)).absent_at, 100u);
  close_ledger();
  catch_up();
  expect_one_difference(DifferenceKind::entry_missing, "{}");
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, AMissingEntryOfAClosedStreamIsNone) {
  chain_.put(50, created(1));
  chain_.put(60, event_of("completed", 1, void_xdr()));
  chain_.put(70, event_of("closed", 1, void_xdr()));
  catch_up();
  EXPECT_TRUE(stream(1).archived);
  EXPECT_TRUE(store_.differences.empty());
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, AStreamThatWasClosedBeforeItWasReadStillGetsItsToken) {
  chain_.put(50, created(1));
  chain_.put(60, event_of("completed", 1, void_xdr()));
  chain_.put(70, event_of("closed", 1, void_xdr()));
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  catch_up();
  auto entries = observed();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].event_id.substr(0, 20), "observed-0000000070-");
  EXPECT_EQ(entries[0].ledger, 70u);
  EXPECT_EQ(entries[0].ledger_hash, ledger_hash(70));
  EXPECT_EQ(entries[0].value_xdr, void_xdr());
  EXPECT_EQ(entries[0].change, R"({"token":[null,")" + std::string(core::sample_token) + R"("]})");
  EXPECT_EQ(stream(1), *entries[0].stream);
  EXPECT_EQ(stream(1).token, core::sample_token);
  EXPECT_TRUE(stream(1).archived);
  EXPECT_TRUE(store_.differences.empty());
  EXPECT_TRUE(store_.observations.empty());

  const std::size_t looks = chain_.storage_calls.size();
  catch_up();
  EXPECT_EQ(chain_.storage_calls.size(), looks) << "once is enough";

  chain_.forked_from = 65;
  close_ledger();
  catch_up();
  entries = observed();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].ledger_hash, ledger_hash(70, 1));
  EXPECT_EQ(stream(1).token, core::sample_token);
}

TEST_F(ObserverTest, AClosedStreamWhoseTokenIsKnownIsNotReadAgain) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  const std::size_t looks = chain_.storage_calls.size();
  remove_stream(chain_.storage, 1);
  chain_.put(100, event_of("completed", 1, void_xdr()));
  chain_.put(100, event_of("closed", 1, void_xdr()));
  close_ledger();
  catch_up();
  EXPECT_TRUE(stream(1).archived);
  EXPECT_EQ(chain_.storage_calls.size(), looks);
}

TEST_F(ObserverTest, AStreamThatWasGivenUpGetsItsTokenWhenItIsClosed) {
  chain_.put(50, created(1));
  Stored stored;
  stored.withdrawn = core::tokens(5);
  store_stream(chain_.storage, 1, 60, stored);  // without an event
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  catch_up();
  ASSERT_TRUE(observed().empty());
  ASSERT_TRUE(store_.observations.empty());
  remove_stream(chain_.storage, 1);
  chain_.put(100, event_of("completed", 1, void_xdr()));
  chain_.put(100, event_of("closed", 1, void_xdr()));
  close_ledger();
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger, 100u);
  EXPECT_EQ(stream(1).token, core::sample_token);
}

TEST_F(ObserverTest, AStreamWhoseClosingIsUndoneIsReadAfterAll) {
  chain_.put(50, created(1));
  chain_.put(70, event_of("completed", 1, void_xdr()));
  chain_.put(70, event_of("closed", 1, void_xdr()));
  catch_up();
  ASSERT_TRUE(stream(1).archived);
  ASSERT_TRUE(store_.observations.empty());
  MemoryChain other;
  other.put(50, created(1));
  store_stream(other.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  other.forked_from = 65;
  other.held = {1, 101};
  chain_ = std::move(other);
  catch_up();
  EXPECT_FALSE(stream(1).archived);
  EXPECT_EQ(stream(1).kind, core::StreamKind::cliff_only);
}

TEST_F(ObserverTest, AMissingEntryOfAnOpenStreamIsToldAndBringsTheToken) {
  chain_.put(50, created(1));
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  catch_up();
  EXPECT_TRUE(observed().empty()) << "it may have been closed in the newest ledger";
  close_ledger();
  catch_up();
  expect_one_difference(DifferenceKind::entry_missing, "{}");
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(observed()[0].ledger, 50u);
  EXPECT_EQ(stream(1).token, core::sample_token);
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, ATokenThatCannotBeReadIsWaitedFor) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  store_contract(chain_.storage);
  store_token(chain_.storage, 7);
  int failing = 2;  // the instance, when indexing begins and when the stream is to be read
  chain_.at_contract_data = [&failing] {
    if (failing-- > 0) throw ports::ChainError(ports::ChainError::Kind::unreachable, "no answer");
  };
  catch_up();
  EXPECT_EQ(log_.lines("tokens_unread").size(), 1u);
  EXPECT_EQ(log_.lines("storage_unread").size(), 1u);
  EXPECT_TRUE(observed().empty()) << "it would be without the token";
  clock_.advance(milliseconds(1'000));
  catch_up();
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(stream(1).token, core::sample_token);
}

TEST_F(ObserverTest, AnEntryThatIsNoStreamIsTold) {
  chain_.put(50, created(1));
  store_nonsense(chain_.storage, 1, 50);
  catch_up();
  expect_one_difference(DifferenceKind::entry_unreadable, "{}");
  EXPECT_TRUE(store_.observations.empty());
}

TEST_F(ObserverTest, MoreThanOneAnswerHoldsIsReadAtOnceInPieces) {
  for (std::uint64_t number = 1; number <= 250; ++number) {
    chain_.put(50, created(number));
    store_stream(chain_.storage, number, 50, of_kind(core::StreamKind::cliff_only));
  }
  catch_up();
  EXPECT_EQ(observed().size(), 250u);
  EXPECT_EQ(chain_.storage_calls, (std::vector<std::size_t>{1, 1, 200, 1, 50})) << "instances, which aren't there";
}

TEST_F(ObserverTest, TroubleWithTheStorageIsNoTroubleOfIndexing) {
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50, of_kind(core::StreamKind::cliff_only));
  chain_.at_contract_data = [] { throw ports::ChainError(ports::ChainError::Kind::unreachable, "no such method"); };
  catch_up();
  EXPECT_EQ(indexer().status().state, ports::IndexerStatus::State::healthy);
  EXPECT_EQ(store_.checkpoint->ledger, 99u);
  EXPECT_EQ(log_.lines("storage_unread").size(), 1u);
  EXPECT_EQ(indexer().statistics().storage.failures, 1u);
  catch_up();
  EXPECT_EQ(log_.lines("storage_unread").size(), 1u) << "it is left alone for a while";

  chain_.at_contract_data = nullptr;
  clock_.advance(milliseconds(1'000));
  catch_up();
  EXPECT_EQ(observed().size(), 1u);
}

TEST_F(ObserverTest, ATokenOfOtherDecimalsHalts) {
  store_contract(chain_.storage);
  store_token(chain_.storage, 8);
  indexer().round();
  EXPECT_EQ(indexer().status().state, ports::IndexerStatus::State::halted);
  EXPECT_NE(indexer().status().summary.find("Fluxora refuses to follow contract " + std::string(core::sample_contract) +
                                            ": its token " + std::string(core::sample_token) +
                                            " has 8 decimals, and amounts here have 7."),
            std::string::npos)
      << indexer().status().summary;
  EXPECT_TRUE(store_.commits.empty());
}

TEST_F(ObserverTest, ATokenOfUnknownDecimalsIsFollowed) {
  store_contract(chain_.storage);
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  EXPECT_EQ(stream(1).token, core::sample_token);
}

TEST_F(ObserverTest, WhereAllIsLoggedNothingIsObserved) {
  options_.contracts = "*";
  options_.fold = false;
  chain_.put(50, created(1));
  store_stream(chain_.storage, 1, 50);
  catch_up();
  EXPECT_TRUE(chain_.storage_calls.empty());
  EXPECT_TRUE(store_.observations.empty());
}

class AuditTest : public ObserverTest {
 protected:
  AuditTest() { options_.audit_interval = milliseconds(60'000); }

  /// Streams 1 to `count`, in ledger 50, as they are stored; all observed, and audited once.
  void follow(std::uint64_t count) {
    for (std::uint64_t number = 1; number <= count; ++number) {
      chain_.put(50, created(number));
      store_stream(chain_.storage, number, 50);
    }
    catch_up();
    finish_pass();
    ASSERT_EQ(store_.audit.last_pass->streams, count);
  }
  void finish_pass() {
    for (int i = 0; i < 20; ++i) {
      indexer().round();
      if (!store_.audit.pass && store_.audit.last_completed_at == clock_.now()) return;
    }
    FAIL() << "the pass doesn't end";
  }
  void next_pass() {
    clock_.advance(milliseconds(60'000));
    finish_pass();
  }
};

TEST_F(AuditTest, APassWithoutDifferencesSaysSo) {
  follow(3);
  EXPECT_EQ(store_.audit.last_pass->differences, 0u);
  EXPECT_TRUE(store_.differences.empty());
  EXPECT_EQ(indexer().statistics().storage.audited, 3u);
  EXPECT_EQ(indexer().statistics().storage.audit_passes, 1u);
  const std::size_t looks = chain_.storage_calls.size();
  indexer().round();
  EXPECT_EQ(chain_.storage_calls.size(), looks) << "the next pass isn't due";
  next_pass();
  EXPECT_EQ(indexer().statistics().storage.audit_passes, 2u);
}

TEST_F(AuditTest, AWrongRowIsNamedAndLeftToARebuild) {
  follow(2);
  core::Stream& row = store_.streams.at(stream_id(1));
  row.deposit = core::tokens(999);
  row.version = 77;
  const std::size_t entries = store_.entries.size();
  next_pass();
  expect_one_difference(DifferenceKind::table_differs_from_log,
                        R"({"depositAmount":["999.0000000","1000.0000000"],"version":[77,1]})");
  EXPECT_EQ(store_.entries.size(), entries);
  EXPECT_EQ(stream(1).deposit, core::tokens(999));
  EXPECT_EQ(store_.audit.last_pass->differences, 1u);
}

TEST_F(AuditTest, ARolledBackStreamsRowIsNoDifference) {
  follow(1);
  chain_.put(100, withdrew(1, 5));
  chain_.held.latest = 102;
  catch_up();
  MemoryChain other;
  other.put(50, created(1));
  other.storage = chain_.storage;
  other.forked_from = 95;
  other.held = {1, 103};
  chain_ = std::move(other);
  catch_up();
  ASSERT_EQ(stream(1).withdrawn, core::Amount{});
  next_pass();
  EXPECT_TRUE(store_.differences.empty());
}

TEST_F(AuditTest, WhatTheContractSaysOtherwiseIsToldAndEntersTheLog) {
  follow(2);
  Stored stored;
  stored.deposit = core::tokens(900);
  store_stream(chain_.storage, 1, 50, stored);
  next_pass();
  expect_one_difference(DifferenceKind::log_differs_from_contract,
                        R"({"depositAmount":["1000.0000000","900.0000000"]})");
  ASSERT_EQ(observed().size(), 1u);
  EXPECT_EQ(stream(1).deposit, core::tokens(900));
  next_pass();
  EXPECT_EQ(store_.differences.size(), 1u) << "now they agree";
}

TEST_F(AuditTest, WhatHasToBeWaitedForIsStillTheAudits) {
  follow(1);
  Stored stored;
  stored.withdrawn = core::tokens(5);
  stored.deposit = core::tokens(900);
  store_stream(chain_.storage, 1, 100, stored);
  chain_.put(100, withdrew(1, 5));
  next_pass();
  EXPECT_TRUE(store_.differences.empty());
  EXPECT_TRUE(store_.observations.at(stream_id(1)).audited);
  close_ledger();
  catch_up();
  expect_one_difference(DifferenceKind::log_differs_from_contract,
                        R"({"depositAmount":["1000.0000000","900.0000000"]})");
}

TEST_F(AuditTest, APassGoesOnWhereItWasAfterARestart) {
  follow(450);
  clock_.advance(milliseconds(60'000));
  indexer().round();
  ASSERT_TRUE(store_.audit.pass);
  EXPECT_EQ(store_.audit.pass->streams, 200u);
  restart();
  chain_.storage_calls.clear();
  finish_pass();
  EXPECT_EQ(chain_.storage_calls, (std::vector<std::size_t>{1, 1, 200, 1, 50}));
  EXPECT_EQ(store_.audit.last_pass->streams, 450u);
  EXPECT_EQ(indexer().statistics().storage.audited, 250u) << "by this process";
}

TEST_F(AuditTest, ArchivedStreamsAreLeftOut) {
  chain_.put(50, created(1));
  chain_.put(60, event_of("completed", 1, void_xdr()));
  chain_.put(70, event_of("closed", 1, void_xdr()));
  catch_up();
  finish_pass();
  EXPECT_EQ(store_.audit.last_pass->streams, 0u);
}

}  // namespace
}  // namespace fluxora::indexer::test
