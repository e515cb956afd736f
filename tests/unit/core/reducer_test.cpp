#include "fluxora/core/reducer.hpp"

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "fluxora/core/accrual.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

constexpr Amount one_unit{1};

DecodedEvent event_of(EventPayload payload) {
  return {"", 7, std::move(payload)};
}

/// A place after sample_stream()'s creation: log position 90, ledger 600, closed at `closed_at`.
EventPlace place_at(UnixSeconds closed_at) {
  return {sample_contract, 600, hash_of(0xb2), closed_at, 90};
}

/// `stream` with the marks that every entry leaves at place_at(closed_at).
Stream stamped(Stream stream, UnixSeconds closed_at) {
  stream.updated_at = static_cast<UnixMillis>(closed_at) * 1000;
  stream.version = 90;
  stream.ledger = 600;
  stream.tx_hash = hash_of(0xb2);
  return stream;
}

std::string difference(const Stream& expected, const Stream& actual) {
  return describe_change(expected, actual) + " between what was expected and what came";
}

/// Folds an event of stream 7 and expects exactly `expected`, with the entry's marks, and no second stream.
void expect_fold(const Stream& before, EventPayload payload, UnixSeconds closed_at, const Stream& expected) {
  const Stream kept = before;
  const auto result = fold(&before, event_of(std::move(payload)), place_at(closed_at));
  ASSERT_TRUE(result) << error_name(result.error().code);
  EXPECT_EQ(result->stream, stamped(expected, closed_at)) << difference(expected, result->stream);
  EXPECT_FALSE(result->child);
  EXPECT_EQ(before, kept);
}

void expect_error(const Stream* before, EventPayload payload, ErrorCode code) {
  const Stream kept = before != nullptr ? *before : Stream{};
  const auto result = fold(before, event_of(std::move(payload)), place_at(1500));
  ASSERT_FALSE(result);
  EXPECT_EQ(error_name(result.error().code), error_name(code));
  if (before != nullptr) {
    EXPECT_EQ(*before, kept);
  }
}

Stream cancelled_stream() {
  Stream stream = sample_stream();
  stream.status = StreamStatus::cancelled;
  stream.cancelled_at = 1400;
  stream.withdrawn = tokens(100);
  return stream;
}

Stream completed_stream() {
  Stream stream = sample_stream();
  stream.status = StreamStatus::completed;
  stream.withdrawn = stream.deposit;
  return stream;
}

StreamCreated creation() {
  return {std::string(sample_sender), std::string(sample_recipient), tokens(1000), tokens(1), 1000, 1200, 2000};
}

TEST(Fold, Created) {
  const auto result = fold(nullptr, event_of(creation()), place_at(950));
  ASSERT_TRUE(result);
  Stream expected;
  expected.id = "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-7";
  expected.source = StreamSource::chain;
  expected.kind = StreamKind::linear;
  expected.status = StreamStatus::active;
  expected.sender = sample_sender;
  expected.recipient = sample_recipient;
  expected.deposit = tokens(1000);
  expected.rate_per_second = tokens(1);
  expected.start_time = 1000;
  expected.cliff_time = 1200;
  expected.end_time = 2000;
  expected.checkpoint_amount = Amount{0};
  expected.checkpoint_at = 1000;
  expected.created_at = 950'000;
  expected.updated_at = 950'000;
  expected.version = 90;
  expected.created_seq = 90;
  expected.ledger = 600;
  expected.tx_hash = hash_of(0xb2);
  EXPECT_EQ(result->stream, expected) << difference(expected, result->stream);
  EXPECT_FALSE(result->child);
}

TEST(Fold, CreatedTwiceIsAnError) {
  const Stream held = sample_stream();
  expect_error(&held, creation(), ErrorCode::fold_duplicate_stream);
}

TEST(Fold, Withdrew) {
  Stream before = sample_stream();
  before.withdrawn = tokens(100);
  Stream expected = before;
  expected.withdrawn = Amount{tokens(150).units + 1};
  expect_fold(before, StreamWithdrew{Amount{tokens(50).units + 1}}, 1500, expected);
}

TEST(Fold, WithdrewFromACancelledStream) {
  Stream expected = cancelled_stream();
  expected.withdrawn = tokens(400);
  expect_fold(cancelled_stream(), StreamWithdrew{tokens(300)}, 1500, expected);
}

TEST(Fold, PausedAndResumed) {
  Stream paused = sample_stream();
  paused.status = StreamStatus::paused;
  expect_fold(sample_stream(), StreamPaused{}, 1500, paused);
  expect_fold(paused, StreamResumed{}, 1600, sample_stream());
  expect_fold(paused, StreamPaused{}, 1600, paused);
  expect_fold(sample_stream(), StreamResumed{}, 1600, sample_stream());
}

TEST(Fold, Cancelled) {
  Stream expected = sample_stream();
  expected.status = StreamStatus::cancelled;
  expected.cancelled_at = 1500;
  expect_fold(sample_stream(), StreamCancelled{}, 1500, expected);
  Stream paused = sample_stream();
  paused.status = StreamStatus::paused;
  expect_fold(paused, StreamCancelled{}, 1500, expected);
}

TEST(Fold, CancelledByAKeeper) {
  Stream before = sample_stream();
  before.withdrawn = tokens(100);
  Stream expected = before;
  expected.status = StreamStatus::cancelled;
  expected.cancelled_at = 1500;
  expected.settled = tokens(399);
  expect_fold(before, KeeperCancelled{tokens(399)}, 1500, expected);
}

TEST(Fold, CompletedHasWithdrawnTheDeposit) {
  // A delegated withdrawal's event is net of the relayer's fee, so the sum of the events falls short.
  Stream before = sample_stream();
  before.withdrawn = tokens(990);
  Stream expected = before;
  expected.status = StreamStatus::completed;
  expected.withdrawn = tokens(1000);
  expect_fold(before, StreamCompleted{}, 2100, expected);
  before.status = StreamStatus::paused;
  expect_fold(before, StreamCompleted{}, 2100, expected);
}

TEST(Fold, Closed) {
  Stream expected = completed_stream();
  expected.archived = true;
  expect_fold(completed_stream(), StreamClosed{}, 2200, expected);
  expect_fold(expected, StreamClosed{}, 2300, expected);
}

TEST(Fold, RateUpdated) {
  Stream expected = sample_stream();
  expected.checkpoint_amount = tokens(300);
  expected.checkpoint_at = 1300;
  expected.rate_per_second = tokens(2);
  // The checkpoint stands at the payload's time, not at the ledger's.
  expect_fold(sample_stream(), RateUpdated{tokens(2), 1300}, 1500, expected);
}

TEST(Fold, RateUpdatedAgain) {
  Stream before = sample_stream();
  before.checkpoint_amount = tokens(300);
  before.checkpoint_at = 1300;
  before.rate_per_second = tokens(2);
  Stream expected = before;
  expected.checkpoint_amount = tokens(500);
  expected.checkpoint_at = 1400;
  expected.rate_per_second = Amount{116};
  expect_fold(before, RateUpdated{Amount{116}, 1400}, 1400, expected);
}

TEST(Fold, RateUpdatedBeforeTheCliffHasStreamedNothing) {
  Stream before = sample_stream();
  before.cliff_time = 1600;
  Stream expected = before;
  expected.checkpoint_at = 1500;
  expected.rate_per_second = tokens(2);
  expect_fold(before, RateUpdated{tokens(2), 1500}, 1500, expected);
}

TEST(Fold, RateUpdatedPastTheEndHasStreamedUpToTheEnd) {
  Stream before = sample_stream();
  before.rate_per_second = Amount{tokens(1).units / 2};
  Stream expected = before;
  expected.checkpoint_amount = tokens(500);
  expected.checkpoint_at = 2500;
  expected.rate_per_second = tokens(2);
  expect_fold(before, RateUpdated{tokens(2), 2500}, 2500, expected);
}

TEST(Fold, RateDecreased) {
  Stream expected = sample_stream();
  expected.checkpoint_amount = tokens(499);
  expected.checkpoint_at = 1490;
  expected.rate_per_second = Amount{tokens(1).units / 2};
  expected.deposit = tokens(749);
  // All from the payload: what the fold would compute for itself differs here.
  expect_fold(sample_stream(), RateDecreased{Amount{tokens(1).units / 2}, 1490, tokens(499), tokens(251)}, 1500,
              expected);
}

TEST(Fold, EndShortened) {
  Stream expected = sample_stream();
  expected.end_time = 1800;
  expected.deposit = tokens(800);
  expect_fold(sample_stream(), EndShortened{1800, tokens(200)}, 1500, expected);
}

TEST(Fold, EndExtended) {
  Stream expected = sample_stream();
  expected.end_time = 2600;
  expect_fold(sample_stream(), EndExtended{2600}, 1500, expected);
}

TEST(Fold, ToppedUp) {
  Stream expected = sample_stream();
  expected.deposit = tokens(1500);
  expected.end_time = 2500;
  expect_fold(sample_stream(), ToppedUp{tokens(1500), 2500}, 1500, expected);
}

TEST(Fold, RecipientUpdated) {
  Stream expected = sample_stream();
  expected.recipient = sample_delegate;
  expect_fold(sample_stream(), RecipientUpdated{std::string(sample_delegate)}, 1500, expected);
}

TEST(Fold, SenderTransferred) {
  Stream expected = sample_stream();
  expected.sender = sample_contract;
  expect_fold(sample_stream(), SenderTransferred{std::string(sample_contract)}, 1500, expected);
}

TEST(Fold, HistoryLeavesNothingButItsMarks) {
  for (const Stream& before : {sample_stream(), cancelled_stream(), completed_stream()}) {
    expect_fold(before, StreamHistory{}, 1500, before);
  }
}

TEST(Fold, UpdatesKeepWhenTheStreamWasCreated) {
  const Stream before = sample_stream();
  const auto result = fold(&before, event_of(StreamPaused{}), place_at(1500));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->stream.created_at, before.created_at);
  EXPECT_EQ(result->stream.created_seq, before.created_seq);
}

TEST(Fold, TimesThatNoDateHoldsAreBounded) {
  const Stream before = sample_stream();
  EventPlace place = place_at(std::numeric_limits<UnixSeconds>::max());
  const auto result = fold(&before, event_of(StreamCancelled{}), place);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->stream.updated_at, 253'402'300'799'000);
  EXPECT_EQ(result->stream.cancelled_at, std::numeric_limits<UnixSeconds>::max());
}

TEST(FinalStates, StayFinal) {
  for (const Stream& before : {cancelled_stream(), completed_stream()}) {
    const EventPayload payloads[] = {StreamPaused{}, StreamResumed{}, StreamCancelled{}, StreamCompleted{}};
    for (const EventPayload& payload : payloads) expect_fold(before, payload, 1500, before);
  }
}

TEST(FinalStates, AKeeperComesTooLate) {
  for (const Stream& before : {cancelled_stream(), completed_stream()}) {
    const auto result = fold(&before, event_of(KeeperCancelled{Amount{0}}), place_at(1500));
    ASSERT_TRUE(result);
    EXPECT_EQ(result->stream, stamped(before, 1500)) << difference(before, result->stream);
  }
}

/// Stream 7 gives 40 % of itself to stream 8.
ShareDelegated delegation() {
  return {8, std::string(sample_delegate), Amount{6'000'000}, Amount{4'000'000}};
}

TEST(ShareDelegation, SplitsTheRestAtTheCloseTime) {
  Stream before = sample_stream();
  before.token = sample_token;
  before.withdrawn = tokens(200);
  before.kind = StreamKind::linear;
  const auto result = fold(&before, event_of(delegation()), place_at(1500));
  ASSERT_TRUE(result);

  Stream parent = before;
  parent.checkpoint_amount = tokens(500);
  parent.checkpoint_at = 1500;
  parent.rate_per_second = Amount{6'000'000};
  parent.deposit = tokens(800);  // 500 streamed, and 0.6 a second for 500 seconds
  EXPECT_EQ(result->stream, stamped(parent, 1500)) << difference(parent, result->stream);

  Stream child;
  child.id = "CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND-8";
  child.sender = sample_sender;
  child.recipient = sample_delegate;
  child.token = sample_token;
  child.deposit = tokens(200);
  child.rate_per_second = Amount{4'000'000};
  child.start_time = 1500;
  child.cliff_time = 1500;
  child.end_time = 2000;
  child.checkpoint_at = 1500;
  child.created_at = 1'500'000;
  child.updated_at = 1'500'000;
  child.version = 91;  // an entry of its own, the next one
  child.created_seq = 91;
  child.ledger = 600;
  child.tx_hash = hash_of(0xb2);
  ASSERT_TRUE(result->child);
  EXPECT_EQ(*result->child, child) << difference(child, *result->child);
}

TEST(ShareDelegation, LosesNothing) {
  const Stream before = sample_stream();
  for (const UnixSeconds now : {UnixSeconds{900}, UnixSeconds{1000}, UnixSeconds{1333}, UnixSeconds{1999},
                                UnixSeconds{2000}, UnixSeconds{3000}}) {
    const auto result = fold(&before, event_of(delegation()), place_at(now));
    ASSERT_TRUE(result) << now;
    ASSERT_TRUE(result->child) << now;
    EXPECT_EQ(result->stream.deposit.units + result->child->deposit.units, before.deposit.units) << now;
    EXPECT_EQ(streamed_at(result->stream, now), streamed_at(before, now)) << now;
    EXPECT_EQ(streamed_at(*result->child, now), Amount{0}) << now;
  }
}

TEST(ShareDelegation, TheChildWaitsForTheParentsCliff) {
  Stream before = sample_stream();
  before.cliff_time = 1700;
  before.kind = StreamKind::cliff_slope;
  const auto result = fold(&before, event_of(delegation()), place_at(1500));
  ASSERT_TRUE(result);
  ASSERT_TRUE(result->child);
  EXPECT_EQ(result->child->start_time, 1500u);
  EXPECT_EQ(result->child->cliff_time, 1700u);
  EXPECT_EQ(result->child->end_time, 2000u);
  EXPECT_EQ(result->child->kind, StreamKind::cliff_slope);
  EXPECT_EQ(result->stream.checkpoint_amount, Amount{0});
  EXPECT_EQ(result->stream.checkpoint_at, 1500u);
}

TEST(ShareDelegation, PastTheEndNothingIsLeftToStream) {
  Stream before = sample_stream();
  before.rate_per_second = Amount{tokens(1).units / 2};
  const auto result = fold(&before, event_of(delegation()), place_at(2500));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->stream.deposit, tokens(500));
  ASSERT_TRUE(result->child);
  EXPECT_EQ(result->child->deposit, tokens(500));
}

TEST(ShareDelegation, OfAStreamThatIsNotHeld) {
  expect_error(nullptr, delegation(), ErrorCode::fold_unknown_stream);
}

TEST(ShareDelegation, Overflows) {
  ShareDelegated huge = delegation();
  huge.new_parent_rate = Amount{int128_max};
  const Stream before = sample_stream();
  expect_error(&before, huge, ErrorCode::fold_overflow);  // the product
  Stream streamed = before;
  streamed.deposit = Amount{int128_max};
  streamed.rate_per_second = Amount{int128_max / 1000};
  huge.new_parent_rate = Amount{int128_max / 500};
  expect_error(&streamed, huge, ErrorCode::fold_overflow);  // the sum with what was streamed
  Stream owing = before;
  owing.deposit = Amount{int128_min};
  huge.new_parent_rate = one_unit;
  expect_error(&owing, huge, ErrorCode::fold_overflow);  // the child's rest
}

TEST(FoldErrors, AnEventOfAStreamThatIsNotHeld) {
  const EventPayload payloads[] = {StreamWithdrew{one_unit},
                                   StreamPaused{},
                                   StreamResumed{},
                                   StreamCancelled{},
                                   KeeperCancelled{one_unit},
                                   StreamCompleted{},
                                   StreamClosed{},
                                   RateUpdated{one_unit, 1500},
                                   RateDecreased{one_unit, 1500, one_unit, one_unit},
                                   EndShortened{1800, one_unit},
                                   EndExtended{2600},
                                   ToppedUp{one_unit, 2500},
                                   RecipientUpdated{std::string(sample_delegate)},
                                   SenderTransferred{std::string(sample_delegate)},
                                   StreamHistory{}};
  for (const EventPayload& payload : payloads) expect_error(nullptr, payload, ErrorCode::fold_unknown_stream);
}

TEST(FoldErrors, WhatIsNoStreamsEventIsUnreadable) {
  const Stream held = sample_stream();
  const EventPayload payloads[] = {UnknownTopic{}, ProtocolHistory{}, Unfoldable{}};
  for (const EventPayload& payload : payloads) {
    expect_error(&held, payload, ErrorCode::event_payload_unreadable);
    expect_error(nullptr, payload, ErrorCode::event_payload_unreadable);
  }
}

TEST(FoldErrors, AStreamsEventThatNamesNoStreamIsUnreadable) {
  const Stream held = sample_stream();
  const DecodedEvent paused{"paused", std::nullopt, StreamPaused{}};
  const DecodedEvent created{"created", std::nullopt, creation()};
  for (const auto& result : {fold(&held, paused, place_at(1500)), fold(nullptr, created, place_at(1500))}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::event_payload_unreadable);
  }
}

TEST(FoldErrors, AmountsThatWouldLeaveTheirRange) {
  Stream full = sample_stream();
  full.withdrawn = Amount{int128_max};
  full.settled = Amount{int128_max};
  expect_error(&full, StreamWithdrew{one_unit}, ErrorCode::fold_overflow);
  expect_error(&full, KeeperCancelled{one_unit}, ErrorCode::fold_overflow);
  Stream owing = sample_stream();
  owing.deposit = Amount{int128_min};
  expect_error(&owing, RateDecreased{one_unit, 1500, one_unit, one_unit}, ErrorCode::fold_overflow);
  expect_error(&owing, EndShortened{1800, one_unit}, ErrorCode::fold_overflow);
}

TEST(FoldErrors, AmountsUpToTheirRangeAreKept) {
  Stream nearly = sample_stream();
  nearly.withdrawn = Amount{int128_max - 1};
  Stream expected = nearly;
  expected.withdrawn = Amount{int128_max};
  expect_fold(nearly, StreamWithdrew{one_unit}, 1500, expected);
}

TEST(Fold, IsPure) {
  const Stream before = cancelled_stream();
  const DecodedEvent event = event_of(StreamWithdrew{tokens(1)});
  const auto first = fold(&before, event, place_at(1500));
  const auto second = fold(&before, event, place_at(1500));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->stream, second->stream);
  EXPECT_EQ(before, cancelled_stream());
}

TEST(DescribeChange, OfNothing) {
  EXPECT_EQ(describe_change(sample_stream(), sample_stream()), "{}");
}

TEST(DescribeChange, LeavesOutWhatEveryEntryMoves) {
  EXPECT_EQ(describe_change(sample_stream(), stamped(sample_stream(), 1500)), "{}");
  Stream created = sample_stream();
  created.created_at += 1;
  created.created_seq += 1;
  EXPECT_EQ(describe_change(sample_stream(), created), "{}");
}

TEST(DescribeChange, OfTheSpecsExample) {
  Stream before = sample_stream();
  before.rate_per_second = Amount{116};
  Stream after = before;
  after.rate_per_second = Amount{232};
  EXPECT_EQ(describe_change(before, after), R"({"ratePerSecond":["0.0000116","0.0000232"]})");
  EXPECT_EQ(describe_change(after, before), R"({"ratePerSecond":["0.0000232","0.0000116"]})");
}

TEST(DescribeChange, OfEveryField) {
  Stream after = sample_stream();
  after.kind = StreamKind::cliff_only;
  after.status = StreamStatus::cancelled;
  after.archived = true;
  after.sender = sample_delegate;
  after.recipient = sample_contract;
  after.token = sample_token;
  after.deposit = tokens(2);
  after.rate_per_second = tokens(3);
  after.withdrawn = tokens(4);
  after.settled = tokens(5);
  after.start_time = 6;
  after.cliff_time = 7;
  after.end_time = UnixSeconds{1} << 53;
  after.cancelled_at = 9;
  after.checkpoint_amount = tokens(-10);
  after.checkpoint_at = 11;
  EXPECT_EQ(describe_change(sample_stream(), after),
            R"({"sender":["GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J",)"
            R"("GDO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO524RT"],)"
            R"("recipient":["GDXO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO53XO5I2I",)"
            R"("CDGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTGMZLND"],)"
            R"("token":[null,"CBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHAGEP"],)"
            R"("depositAmount":["1000.0000000","2.0000000"],"ratePerSecond":["1.0000000","3.0000000"],)"
            R"("withdrawnAmount":["0.0000000","4.0000000"],"settledAmount":["0.0000000","5.0000000"],)"
            R"("startTime":[1000,6],"cliffTime":[1000,7],"endTime":[2000,"9007199254740992"],)"
            R"("cancelledAt":[null,9],"checkpointedAmount":["0.0000000","-10.0000000"],"checkpointedAt":[1000,11],)"
            R"("kind":["linear","cliff_only"],"status":["active","cancelled"],"archived":[false,true]})");
}

TEST(DescribeChange, OfOptionalFieldsThatGo) {
  Stream before = sample_stream();
  before.token = sample_token;
  before.cancelled_at = 9;
  EXPECT_EQ(describe_change(before, sample_stream()),
            R"({"token":["CBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHA4DQOBYHAGEP",null],"cancelledAt":[9,null]})");
}

TEST(DescribeChange, StatusIsTheFoldsAndNotTheClocks) {
  // An active stream before its start is shown as scheduled; its start is no change.
  Stream paused = sample_stream();
  paused.status = StreamStatus::paused;
  EXPECT_EQ(describe_change(sample_stream(), paused), R"({"status":["active","paused"]})");
}

}  // namespace
}  // namespace fluxora::core
