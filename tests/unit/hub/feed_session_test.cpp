#include "fluxora/hub/feed_session.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "session_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::hub::test {
namespace {

using Texts = std::vector<std::string>;

const std::string sender(core::sample_sender);
const std::string recipient(core::sample_recipient);

TEST(FeedSession, WithoutSubscriptionsNothingComes) {
  SessionBench bench(3);
  bench.happen(2);
  EXPECT_EQ(bench.outlet.sent, Texts{});
  EXPECT_TRUE(bench.log.reads.empty());
}

TEST(FeedSession, LiveBeginsNow) {
  SessionBench bench(5);
  bench.subscribe(everything);
  EXPECT_EQ(bench.outlet.sent, Texts{"* live after e1-5"});
  bench.happen(3);
  EXPECT_EQ(bench.outlet.sent, sequence({"* live after e1-5"}, 6, 8));
  EXPECT_TRUE(bench.log.reads.empty()) << "a live subscription needs no page";
}

TEST(FeedSession, EachEntryComesOnceWhenABatchComesAgain) {
  SessionBench bench(0);
  bench.subscribe(everything);
  bench.log.append_many(4);
  bench.publish_up_to(3);
  bench.published = 1;  // entries 2 and 3 once more, and 4
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, sequence({"* live after e1-0"}, 1, 4));
}

TEST(FeedSession, AFrameIsSharedNotMadeAgain) {
  SessionBench bench;
  RecordingOutlet other_outlet;
  const auto other = std::make_shared<FeedSession>(*bench.shard, other_outlet, FeedFormat::websocket);
  RecordingOutlet reader_outlet;
  const auto reader = std::make_shared<FeedSession>(*bench.shard, reader_outlet, FeedFormat::sse);
  bench.subscribe(everything);
  for (const auto& session : {other, reader}) session->subscribe(everything, std::nullopt, [](const Subscribed&) {});
  bench.happen(1);
  ASSERT_EQ(bench.outlet.frames.size(), 1u);
  ASSERT_EQ(other_outlet.frames.size(), 1u);
  ASSERT_EQ(reader_outlet.frames.size(), 1u);
  EXPECT_EQ(bench.outlet.frames[0], other_outlet.frames[0]);
  EXPECT_EQ(*bench.outlet.frames[0], *encode_update(bench.log.entry(1), "e1", FeedFormat::websocket));
  EXPECT_EQ(*reader_outlet.frames[0], *encode_update(bench.log.entry(1), "e1", FeedFormat::sse));
}

TEST(FeedSession, TopicsSelect) {
  SessionBench bench(0);
  bench.subscribe(of_stream(2));
  bench.subscribe(to_recipient("GR3"));
  bench.subscribe(from_sender("GS4"));
  bench.log.append(1, "GS1", "GR1");
  bench.log.append(2, "GS2", "GR2");
  bench.log.append(3, "GS3", "GR3");
  bench.log.append(4, "GS4", "GR4");
  bench.log.append(0, "", "");
  bench.outlet.sent.clear();
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, sequence({}, 2, 4));
}

TEST(FeedSession, ResumesFromACursor) {
  SessionBench bench(10);
  bench.subscribe(everything, at(6));
  EXPECT_EQ(bench.outlet.sent, Texts{}) << "the log's end isn't known yet";
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-6"});
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-6"}, 7, 10));
  bench.happen(2);
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-6"}, 7, 12));
}

TEST(FeedSession, ResumesFromTheBeginning) {
  SessionBench bench(3);
  bench.subscribe(everything, at(0));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, 3));
}

TEST(FeedSession, ResumingAtTheEndNeedsNoQuestion) {
  SessionBench bench(10);
  bench.subscribe(everything, at(10));
  EXPECT_TRUE(bench.log.reads.empty());
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-10"}, 11, 11));
}

TEST(FeedSession, APositionAheadOfThisThreadIsWaitedFor) {
  SessionBench bench(10, 4);
  bench.subscribe(everything, at(7));
  bench.settle();
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-7"}, 8, 10));
}

TEST(FeedSession, AGapIsNamedAndTheOldestKeptFollow) {
  SessionBench bench(10);
  bench.log.prune(6);
  bench.subscribe(everything, at(2));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* gap after e1-5 without 3 to 5"}, 6, 10));
}

TEST(FeedSession, AnotherEpochBeginsAtTheEnd) {
  SessionBench bench(10);
  bench.subscribe(everything, core::Cursor{"e0", 3});
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({"* epoch_changed after e1-10"}, 11, 11));
}

TEST(FeedSession, APositionThatTheLogNeverReachedIsAnotherEpoch) {
  SessionBench bench(10);
  bench.subscribe(everything, at(11));
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({"* epoch_changed after e1-10"}, 11, 11));
}

TEST(FeedSession, AStreamsReplayAsksForThatStreamAlone) {
  SessionBench bench;
  for (int i = 0; i < 4; ++i) {
    bench.log.append(1, sender, recipient);
    bench.log.append(2, sender, recipient);
  }
  bench.begin_at_the_end();
  bench.subscribe(of_stream(2), at(2));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"2 resumed after e1-2", "4", "6", "8"}));
  ASSERT_EQ(bench.log.reads.size(), 1u);
  EXPECT_EQ(bench.log.reads[0].filter.stream_id, stream_id(2));
}

TEST(FeedSession, APartysReplayLeavesOutWhatIsNotTheirs) {
  SessionBench bench;
  bench.log.append(1, "GA", "GB");
  bench.log.append(2, "GB", "GA");
  bench.log.append(0, "", "");
  bench.log.append(3, "GA", "GC");
  bench.begin_at_the_end();
  bench.subscribe(from_sender("GA"), at(0));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"A resumed after e1-0", "1", "4"}));
}

TEST(FeedSession, AStepOfAReplayEndsAtItsBytesToo) {
  SessionBench bench;
  bench.log.value_bytes = 100'000;  // of events that change no stream, whose XDR is shown
  for (int i = 0; i < 12; ++i) bench.log.append(0, "", "");
  bench.begin_at_the_end();
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  const std::size_t in_one_step = bench.outlet.sent.size() - 1;
  EXPECT_GE(in_one_step, FeedLimits().held_from_bytes / 200'000);
  EXPECT_LE(in_one_step, FeedLimits().held_from_bytes / 100'000 + 1);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, 12));
}

TEST(FeedSession, AReplayGoesInStepsThatWaitForTheConnection) {
  SessionBench bench(replay_page * 2 + 50);
  bench.subscribe(everything, at(0));
  bench.answer();
  ASSERT_EQ(bench.log.reads.size(), 1u);
  EXPECT_EQ(bench.log.reads[0].limit, replay_page);
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page));
  EXPECT_EQ(bench.log.waiting(), 0u) << "the next step waits until the first is sent";

  bench.drain();
  ASSERT_EQ(bench.log.waiting(), 1u);
  bench.drain();
  EXPECT_EQ(bench.log.waiting(), 1u) << "one page at a time";
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page * 2));

  bench.drain();
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page * 2 + 50));
  bench.drain();
  EXPECT_EQ(bench.log.waiting(), 0u);
  EXPECT_EQ(bench.log.reads.size(), 3u);
}

TEST(FeedSession, PagesWithNothingToSendGoOnWithoutWaiting) {
  SessionBench bench;
  for (std::size_t i = 0; i < replay_page * 2; ++i) bench.log.append(1, "GX", "GY");
  bench.log.append(2, "GA", "GB");
  bench.begin_at_the_end();
  bench.subscribe(from_sender("GA"), at(0));
  bench.answer();
  bench.answer();
  bench.answer();
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, (Texts{"A resumed after e1-0", std::to_string(replay_page * 2 + 1)}));
}

TEST(FeedSession, WhatHappensWhileAReplayRunsComesAfterIt) {
  SessionBench bench(replay_page + 10);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.happen(5);  // before the first page is answered
  bench.answer();
  bench.happen(5);  // between two pages
  bench.drain();
  bench.happen(5);  // while the second is on its way
  bench.answer();
  bench.happen(5);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page + 30));
}

TEST(FeedSession, APageThatReadAheadOfTheThreadIsNotRepeatedLive) {
  SessionBench bench(10, 5);
  bench.subscribe(everything, at(3));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 10));
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 10));
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 11));
}

TEST(FeedSession, OverlappingLiveSubscriptionsBringEachEntryOnce) {
  SessionBench bench;
  bench.subscribe(everything);
  bench.subscribe(of_stream(1));
  bench.subscribe(to_recipient(recipient));
  bench.subscribe(from_sender(sender));
  bench.outlet.sent.clear();
  bench.happen(3);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 3));
}

TEST(FeedSession, AReplayLeavesOutWhatALiveSubscriptionBrought) {
  SessionBench bench(5);
  bench.subscribe(of_stream(1));
  bench.happen(3);
  bench.subscribe(everything, at(2));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"1 live after e1-5", "6", "7", "8", "* resumed after e1-2", "3", "4", "5"}));
}

TEST(FeedSession, TwoReplaysBringEachEntryOnceWhicheverIsAhead) {
  for (const bool second_first : {false, true}) {
    SessionBench bench(20);
    const auto subscribe_to_everything = [&] { bench.subscribe(everything, at(5)); };
    const auto subscribe_to_stream = [&] { bench.subscribe(of_stream(1), at(12)); };
    if (second_first) subscribe_to_stream();
    subscribe_to_everything();
    if (!second_first) subscribe_to_stream();
    bench.answer();
    bench.answer();
    EXPECT_EQ(bench.log.waiting(), 1u) << "one replay reads at a time";
    bench.outlet.sent.clear();
    bench.settle();
    EXPECT_EQ(bench.outlet.sent, second_first ? sequence(sequence({}, 13, 20), 6, 12) : sequence({}, 6, 20));
    bench.outlet.sent.clear();
    bench.happen(2);
    EXPECT_EQ(bench.outlet.sent, sequence({}, 21, 22));
  }
}

TEST(FeedSession, ATopicThatIsSubscribedStaysAsItIs) {
  SessionBench bench(10);
  bench.subscribe(everything);
  bench.subscribe(everything, at(3));
  bench.settle();
  bench.subscribe(everything);
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, (Texts{"* live after e1-10", "* live after e1-10", "* live after e1-10", "11"}));
  EXPECT_TRUE(bench.log.reads.empty());
}

TEST(FeedSession, ARepeatedSubscriptionIsToldHowFarTheFirstHasCome) {
  SessionBench bench(replay_page + 10);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  bench.outlet.sent.clear();
  bench.subscribe(everything);
  EXPECT_EQ(bench.outlet.sent, Texts{"* live after e1-" + std::to_string(replay_page)});
}

TEST(FeedSession, TwoSubscriptionsToOneTopicAreOneWhileTheLogIsAsked) {
  SessionBench bench(10);
  bench.subscribe(everything, at(8));
  bench.subscribe(everything, at(2));
  bench.settle();
  // The second is told what it joins, not that everything since its own cursor follows.
  EXPECT_EQ(bench.outlet.sent, (Texts{"* resumed after e1-8", "* live after e1-8", "9", "10"}));
}

TEST(FeedSession, ALiveSubscriptionMayOvertakeOneThatWaitsForTheLog) {
  SessionBench bench(10);
  bench.subscribe(everything, at(2));
  bench.subscribe(everything);
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, (Texts{"* live after e1-10", "* live after e1-10", "11"}));
}

TEST(FeedSession, UnsubscribedNothingComes) {
  SessionBench bench(5);
  bench.subscribe(everything);
  bench.happen(1);
  bench.session->unsubscribe(everything);
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, (Texts{"* live after e1-5", "6"}));
}

TEST(FeedSession, UnsubscribingWhatIsNotSubscribedChangesNothing) {
  SessionBench bench(5);
  bench.subscribe(of_stream(1));
  bench.session->unsubscribe(everything);
  bench.session->unsubscribe(of_stream(2));
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, (Texts{"1 live after e1-5", "6"}));
}

TEST(FeedSession, UnsubscribedWhileAPageIsOnItsWayNothingComes) {
  SessionBench bench(10);
  bench.subscribe(everything, at(5));
  bench.answer();
  bench.session->unsubscribe(everything);
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-5"});
}

TEST(FeedSession, UnsubscribedWhileTheLogIsAskedNothingComes) {
  SessionBench bench(10);
  bench.subscribe(everything, at(5));
  bench.session->unsubscribe(everything);
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, Texts{});
}

TEST(FeedSession, SubscribedAgainAPageOfTheEarlierSubscriptionIsIgnored) {
  SessionBench bench(10);
  bench.subscribe(everything, at(5));
  bench.answer();
  bench.session->unsubscribe(everything);
  bench.subscribe(everything, at(8));
  // The old page, asked for first, comes first; then the new head and the new page.
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"* resumed after e1-5", "* resumed after e1-8", "9", "10"}));
}

TEST(FeedSession, SubscribedAgainFromACursorEverythingSinceFollowsAgain) {
  SessionBench bench(5);
  bench.subscribe(everything);
  bench.happen(3);
  bench.session->unsubscribe(everything);
  bench.subscribe(everything, at(6));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"* live after e1-5", "6", "7", "8", "* resumed after e1-6", "7", "8"}));
}

TEST(FeedSession, WhatAnEndedSubscriptionBroughtARunningReplayLeavesOut) {
  SessionBench bench(replay_page + 5);
  bench.subscribe(of_stream(1));
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  bench.happen(3);
  bench.session->unsubscribe(of_stream(1));
  bench.outlet.sent.clear();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({}, replay_page + 1, replay_page + 5));
  bench.outlet.sent.clear();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, replay_page + 9, replay_page + 9));
}

TEST(FeedSession, WhatAnEndedReplayReadAheadALiveSubscriptionLeavesOut) {
  SessionBench bench(10, 5);
  bench.subscribe(of_stream(1));
  bench.subscribe(everything, at(4));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"1 live after e1-5", "* resumed after e1-4"}, 5, 10));
  bench.session->unsubscribe(everything);
  bench.publish_all();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({"1 live after e1-5", "* resumed after e1-4"}, 5, 11));
}

TEST(FeedSession, AtMostAThousandSubscriptions) {
  SessionBench bench(5);
  for (std::size_t i = 1; i <= max_subscriptions; ++i) bench.subscribe(of_stream(i));
  bench.outlet.sent.clear();
  bench.subscribe(everything);
  EXPECT_EQ(bench.outlet.sent, Texts{"* too many"});
  bench.subscribe(everything, at(3));
  EXPECT_EQ(bench.outlet.sent, (Texts{"* too many", "* too many"}));
  EXPECT_EQ(bench.log.waiting(), 0u);

  bench.outlet.sent.clear();
  bench.subscribe(of_stream(1));
  EXPECT_EQ(bench.outlet.sent, Texts{"1 live after e1-5"}) << "that one is there";
  bench.session->unsubscribe(of_stream(1));
  bench.subscribe(everything);
  EXPECT_EQ(bench.outlet.sent.back(), "* live after e1-5") << "there is room again";
}

TEST(FeedSession, TheLimitCountsThoseThatWaitForTheLog) {
  SessionBench bench(5);
  for (std::size_t i = 1; i < max_subscriptions; ++i) bench.subscribe(of_stream(i));
  bench.subscribe(everything, at(3));
  bench.outlet.sent.clear();
  bench.subscribe(of_stream(max_subscriptions));
  EXPECT_EQ(bench.outlet.sent.size(), 1u);
  EXPECT_TRUE(bench.outlet.sent[0].ends_with(" too many"));
  bench.outlet.sent.clear();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 5));
}

TEST(FeedSession, ALogThatCannotBeAskedIsTold) {
  SessionBench bench(5);
  bench.log.failure = ports::StoreFailure::unavailable;
  bench.subscribe(everything, at(3));
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, Texts{"* unavailable"});
  bench.log.failure.reset();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, Texts{"* unavailable"}) << "it isn't subscribed";
}

TEST(FeedSession, AReplayThatCannotGoOnIsGivenUp) {
  for (const auto failure : {ports::StoreFailure::unavailable, ports::StoreFailure::internal}) {
    SessionBench bench(5);
    bench.subscribe(everything, at(3));
    bench.answer();
    bench.log.failure = failure;
    bench.answer();
    EXPECT_EQ(bench.outlet.given_up, 1);
    EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-3"});
  }
}

TEST(FeedSession, ABusyStoreIsAskedAgainByTheTickAndNotForEver) {
  SessionBench bench(5);
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.failure = ports::StoreFailure::busy;
  bench.answer();
  for (unsigned i = 2; i < busy_store_ticks; ++i) {
    EXPECT_EQ(bench.log.waiting(), 0u);
    bench.tick();
    ASSERT_EQ(bench.log.waiting(), 1u);
    bench.answer();
  }
  bench.log.failure.reset();
  bench.tick();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 5));

  bench.begin_at_the_end();
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.failure = ports::StoreFailure::busy;
  for (unsigned i = 0; i < busy_store_ticks; ++i) {
    EXPECT_EQ(bench.outlet.given_up, 0);
    bench.answer();
    bench.tick();
  }
  EXPECT_EQ(bench.outlet.given_up, 1);
  EXPECT_EQ(bench.log.waiting(), 0u);
}

TEST(FeedSession, ABusyStoreIsAskedAgainWhereToBeginAndNotForEver) {
  SessionBench bench(5);
  bench.log.failure = ports::StoreFailure::busy;
  bench.subscribe(everything, at(3));
  bench.answer();
  for (unsigned i = 2; i < busy_store_ticks; ++i) {
    EXPECT_EQ(bench.log.waiting(), 0u);
    bench.tick();
    ASSERT_EQ(bench.log.waiting(), 1u);
    bench.answer();
  }
  bench.log.failure.reset();
  bench.tick();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-3"}, 4, 5));
  bench.tick();
  EXPECT_EQ(bench.log.waiting(), 0u);

  bench.begin_at_the_end();
  bench.outlet.sent.clear();
  bench.log.failure = ports::StoreFailure::busy;
  bench.subscribe(everything, at(3));
  for (unsigned i = 0; i < busy_store_ticks; ++i) {
    EXPECT_TRUE(bench.outlet.sent.empty());
    bench.answer();
    bench.tick();
  }
  EXPECT_EQ(bench.outlet.sent, Texts{"* unavailable"});
  EXPECT_EQ(bench.log.waiting(), 0u);
}

TEST(FeedSession, WhatIsUnsubscribedWhileTheStoreIsBusyIsNotAskedAgain) {
  SessionBench bench(5);
  bench.log.failure = ports::StoreFailure::busy;
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.session->unsubscribe(everything);
  bench.log.failure.reset();
  bench.tick(slow_consumer_ticks + 1);
  EXPECT_EQ(bench.log.waiting(), 0u);
  EXPECT_TRUE(bench.outlet.sent.empty());
}

TEST(FeedSession, WhatASessionThatIsGoneAskedForIsNotRead) {
  SessionBench bench(5);
  bench.queue = ReadQueue(bench.log, 1, 10);
  bench.subscribe(everything, at(3));
  const auto another = std::make_shared<int>();
  bench.queue.read(another, 0, 1, {}, [](const auto&) {});
  bench.answer();  // the session's page waits behind that
  EXPECT_EQ(bench.queue.waiting(), 1u);
  bench.session.reset();
  bench.answer();
  EXPECT_EQ(bench.queue.waiting(), 0u);
  EXPECT_EQ(bench.log.waiting(), 0u);
}

TEST(FeedSession, AReplayUnderWhichTheLogIsPrunedIsGivenUp) {
  SessionBench bench(replay_page + 10);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  bench.log.prune(replay_page + 5);
  bench.drain();
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page)) << "no silent hole";
  EXPECT_EQ(bench.outlet.given_up, 1);
}

TEST(FeedSession, AReplayMayGoOnExactlyWhereTheLogWasPruned) {
  SessionBench bench(replay_page + 10);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  bench.log.prune(replay_page + 1);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-0"}, 1, replay_page + 10));
  EXPECT_EQ(bench.outlet.given_up, 0);
}

TEST(FeedSession, EntriesOfAnotherLogAreNotSentUnderThisEpoch) {
  SessionBench bench(10);
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.extent.epoch = "e2";  // restored, and the hub hasn't noticed yet
  bench.answer();
  EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-3"});
  EXPECT_EQ(bench.outlet.given_up, 1);
}

TEST(FeedSession, NothingIsSentAfterTheEnd) {
  SessionBench bench(10);
  bench.subscribe(of_stream(1));
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.subscribe(to_recipient(recipient), at(3));
  const Texts before = bench.outlet.sent;
  bench.session->close();
  bench.settle();
  bench.happen(2);
  bench.drain();
  EXPECT_EQ(bench.outlet.sent, before);
  EXPECT_EQ(bench.outlet.given_up, 0);
  EXPECT_EQ(bench.log.waiting(), 0u);
}

TEST(FeedSession, AFailureAfterTheEndIsNobodysTrouble) {
  SessionBench bench(10);
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.failure = ports::StoreFailure::unavailable;
  bench.session->close();
  bench.settle();
  EXPECT_EQ(bench.outlet.given_up, 0);
}

TEST(FeedSession, AnswersMayOutliveTheSession) {
  SessionBench bench(10);
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.subscribe(of_stream(1), at(3));
  bench.session.reset();
  while (bench.log.waiting() > 0) bench.answer();
  EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-3"});
}

// What is remembered.

TEST(FeedSession, AFreshCursorNeedsNoQuestion) {
  SessionBench bench(5);
  bench.happen(5);
  bench.subscribe(everything, at(7));
  bench.subscribe(of_stream(1), at(5));
  EXPECT_EQ(bench.outlet.sent, (Texts{"* resumed after e1-7", "8", "9", "10", "1 resumed after e1-5", "6", "7"}));
  EXPECT_EQ(bench.log.waiting(), 0u);
  bench.subscribe(of_stream(2), at(4));
  EXPECT_EQ(bench.log.waiting(), 1u) << "what was before isn't remembered";
}

TEST(FeedSession, AFreshCursorOfAnotherEpochIsAskedAbout) {
  SessionBench bench(5);
  bench.happen(5);
  bench.subscribe(everything, core::Cursor{"e0", 7});
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, Texts{"* epoch_changed after e1-10"});
}

TEST(FeedSession, AReplayGoesOverToWhatIsRemembered) {
  SessionBench bench(10);
  bench.happen(300);
  bench.subscribe(everything, at(8));
  bench.answer();
  bench.answer();
  ASSERT_EQ(bench.log.reads.size(), 1u);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* resumed after e1-8"}, 9, 310));
  EXPECT_EQ(bench.log.reads.size(), 1u) << "behind the first page everything is remembered";
}

// Holding.

/// Few messages may wait, and little is remembered.
constexpr FeedLimits tight{1'000'000, 4, {10, 1'000'000}};

TEST(FeedSession, WhoDoesNotKeepUpIsHeldAndLosesNothing) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  bench.outlet.sent.clear();
  bench.happen(6);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 4)) << "so much may wait";
  bench.happen(2);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 4));
  bench.drain();
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 8)) << "from memory";
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 8)) << "four wait again";
  bench.drain();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 10));
  EXPECT_TRUE(bench.log.reads.empty());
  EXPECT_EQ(bench.shard->counters().holds, 2u);
  EXPECT_EQ(bench.outlet.given_up + bench.outlet.ended_as_slow, 0);
}

TEST(FeedSession, WhoIsHeldForLongReadsOnFromTheLog) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(of_stream(1));
  bench.outlet.sent.clear();
  for (int i = 0; i < 40; ++i) bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 4));
  bench.drain();
  ASSERT_EQ(bench.log.reads.size(), 1u);
  EXPECT_EQ(bench.log.reads[0].after_seq, 4u);
  EXPECT_EQ(bench.log.reads[0].filter.stream_id, stream_id(1));
  EXPECT_EQ(bench.log.reads[0].filter.min_seq, 40u);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 40));
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 41));
}

TEST(FeedSession, WhatComesWhileItIsHeldIsOfTheTopicsOfThen) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(of_stream(1));
  for (int i = 0; i < 20; ++i) bench.happen(1);
  for (int i = 0; i < 20; ++i) bench.log.append(2, sender, recipient);
  bench.drain();  // a page of stream 1 is asked for
  bench.subscribe(of_stream(2));
  bench.publish_all();
  bench.outlet.sent.clear();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({}, 5, 40));
}

TEST(FeedSession, AnswersMayWaitBesideWhatHoldsAFeed) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  bench.happen(6);
  bench.session->unsubscribe(everything);
  bench.subscribe(of_stream(1));
  EXPECT_EQ(bench.outlet.sent.back(), "1 live after e1-6");
  bench.settle();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent.back(), "7");
}

TEST(FeedSession, AnEntryLargerThanTheBoundIsSentAlone) {
  SessionBench bench;
  bench.begin_at(0, {1'000, 100, {10, 1'000'000}});
  bench.subscribe(everything);
  bench.outlet.sent.clear();
  bench.happen(3);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 1));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({}, 1, 3));
}

TEST(FeedSession, WhoNeverReadsIsEndedAsSlow) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  bench.happen(6);
  bench.tick(slow_consumer_ticks - 1);
  EXPECT_EQ(bench.outlet.ended_as_slow, 0);
  bench.happen(1);
  bench.tick();
  EXPECT_EQ(bench.outlet.ended_as_slow, 1);
  EXPECT_EQ(bench.shard->counters().slow_consumers[0], 1u);
  bench.tick(slow_consumer_ticks);
  bench.drain();
  bench.happen(1);
  EXPECT_EQ(bench.outlet.ended_as_slow, 1);
  EXPECT_EQ(bench.outlet.frames.size(), 4u) << "nothing is sent after the end";
}

TEST(FeedSession, WhoReadsSlowlyButReadsIsNotEnded) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  for (int i = 0; i < 10; ++i) {
    bench.happen(6);
    bench.tick(slow_consumer_ticks - 1);
    bench.drain();
  }
  EXPECT_EQ(bench.outlet.ended_as_slow, 0);
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, sequence({"* live after e1-0"}, 1, 60));
}

TEST(FeedSession, WhoReadsALittleAllTheTimeIsNotEnded) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  bench.happen(6);
  for (unsigned i = 0; i < slow_consumer_ticks * 2; ++i) {
    bench.tick(slow_consumer_ticks - 1);
    bench.outlet.set_sent(1);
  }
  EXPECT_EQ(bench.outlet.ended_as_slow, 0);
  EXPECT_EQ(bench.outlet.frames.size(), 4u) << "it gets more when all of it is sent";
  bench.tick(slow_consumer_ticks);
  EXPECT_EQ(bench.outlet.ended_as_slow, 0) << "the first of them has seen it read";
  bench.tick();
  EXPECT_EQ(bench.outlet.ended_as_slow, 1);
}

TEST(FeedSession, WhoNeverReadsItsReplayIsEndedAsSlow) {
  SessionBench bench(500);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  bench.tick(slow_consumer_ticks);
  EXPECT_EQ(bench.outlet.ended_as_slow, 1);
}

TEST(FeedSession, ASlowLogIsNotASlowConsumer) {
  SessionBench bench(500);
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.tick(slow_consumer_ticks * 2);
  EXPECT_EQ(bench.outlet.ended_as_slow, 0);
}

TEST(FeedSession, WhoWaitsForNothingMayTakeItsTime) {
  SessionBench bench;
  bench.begin_at_the_end(tight);
  bench.subscribe(everything);
  bench.happen(4);
  bench.tick(slow_consumer_ticks * 2);
  EXPECT_EQ(bench.outlet.ended_as_slow, 0);
}

// Filters.

TEST(FeedSession, AnEventsNameSelectsLiveAndReplayed) {
  SessionBench bench;
  const Topic protocol{Topic::Kind::all, {}, core::EventName::protocol_event};
  const auto three = [&] {
    bench.log.append(1, sender, recipient);
    bench.log.append(0, "", "");
    bench.log.append(2, sender, recipient);
  };
  three();
  bench.begin_at_the_end();
  bench.subscribe(protocol, at(0));
  bench.settle();
  ASSERT_EQ(bench.log.reads.size(), 1u);
  EXPECT_EQ(bench.log.reads[0].filter.event, core::EventName::protocol_event);
  three();
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, (Texts{"* resumed after e1-0", "2", "5"}));
}

core::LogEntry transfer(const std::string& from, const std::string& to) {
  core::LogEntry entry;
  entry.event = core::EventName::stream_updated;
  entry.event_id = "transfer";
  entry.stream_id = stream_id(1);
  entry.stream = core::sample_stream();
  entry.stream->recipient = to;
  entry.change = R"({"recipient":[")" + from + R"(",")" + to + R"("]})";
  return entry;
}

TEST(FeedSession, WhoAStreamIsTakenFromIsToldLiveAndReplayed) {
  SessionBench bench;
  const auto given_away = [&] {
    bench.log.append(1, "GS", "GA");
    bench.log.append(transfer("GA", "GB"));
    bench.log.append(1, "GS", "GB");
  };
  given_away();
  bench.begin_at_the_end();
  bench.subscribe(to_recipient("GA"), at(0));
  bench.settle();
  given_away();
  bench.publish_all();
  EXPECT_EQ(bench.outlet.sent, (Texts{"A resumed after e1-0", "1", "2", "4", "5"}));
}

// The thread's other sessions, and its end.

TEST(FeedSession, AnotherMayLeaveWhileOneIsTold) {
  SessionBench bench;
  RecordingOutlet outlets[3];
  std::vector<std::shared_ptr<FeedSession>> sessions;
  for (RecordingOutlet& outlet : outlets) {
    sessions.push_back(std::make_shared<FeedSession>(*bench.shard, outlet, FeedFormat::websocket));
    sessions.back()->subscribe(everything, std::nullopt, [](const Subscribed&) {});
    sessions.back()->subscribe(of_stream(1), std::nullopt, [](const Subscribed&) {});
  }
  // Whoever is told first ends another and itself.
  for (std::size_t i = 0; i < 3; ++i) {
    outlets[i].on_send = [&, i](std::uint64_t) {
      sessions[(i + 1) % 3]->close();
      sessions[i]->close();
    };
  }
  bench.happen(2);
  std::size_t told = 0;
  for (const RecordingOutlet& outlet : outlets) told += outlet.frames.size();
  EXPECT_EQ(told, 2u) << "the first of each two, once";
  EXPECT_EQ(bench.shard->counters().subscriptions, 0u);
}

TEST(FeedSession, WhereAnEntryFailsLiveSessionsAreGivenUpAndNobodyHasAHole) {
  SessionBench bench(3);
  RecordingOutlet outlets[3];
  std::vector<std::shared_ptr<FeedSession>> sessions;
  for (RecordingOutlet& outlet : outlets) {
    sessions.push_back(std::make_shared<FeedSession>(*bench.shard, outlet, FeedFormat::websocket));
  }
  bench.subscribe(everything);
  sessions[0]->subscribe(of_stream(1), std::nullopt, [](const Subscribed&) {});
  sessions[1]->subscribe(of_stream(1), at(1), [](const Subscribed&) {});
  bench.answer();  // where it begins: its page waits
  bench.outlet.sent.clear();
  bench.happen(1);
  bench.outlet.on_send = [](std::uint64_t seq) {
    if (seq == 6) throw std::runtime_error("no memory");
  };
  bench.log.append_many(3);
  EXPECT_THROW(bench.publish_all(), std::runtime_error);
  EXPECT_EQ(bench.outlet.given_up, 1);
  EXPECT_EQ(outlets[0].given_up, 1);
  EXPECT_EQ(bench.shard->topics().find(everything), nullptr) << "what nobody asks for any more is gone";
  bench.happen(1);
  EXPECT_EQ(bench.outlet.sent, sequence({}, 4, 6));

  sessions[2]->subscribe(everything, at(4), [](const Subscribed&) {});
  while (bench.log.waiting() > 0) bench.answer();
  EXPECT_EQ(outlets[1].sent, sequence({}, 2, 8)) << "who replayed goes on";
  EXPECT_EQ(outlets[2].sent, sequence({}, 5, 8));
}

TEST(FeedSession, WhereAThreadMissedEntriesLiveSessionsAreGivenUpAndNobodyHasAHole) {
  SessionBench bench(3);
  RecordingOutlet outlet;
  const auto replaying = std::make_shared<FeedSession>(*bench.shard, outlet, FeedFormat::websocket);
  replaying->subscribe(of_stream(1), at(1), [](const Subscribed&) {});
  bench.answer();
  bench.subscribe(everything);
  bench.subscribe(of_stream(1));
  bench.log.append_many(2);
  bench.published = 5;
  bench.outlet.sent.clear();
  bench.happen(2);
  EXPECT_EQ(bench.outlet.given_up, 1);
  EXPECT_TRUE(bench.outlet.sent.empty());
  EXPECT_EQ(bench.shard->position().seq, 7u);
  while (bench.log.waiting() > 0) bench.answer();
  EXPECT_EQ(outlet.sent, sequence({}, 2, 7));
}

TEST(FeedSession, NothingOfAnotherLogComesToASessionOfThisOne) {
  SessionBench bench(10);
  bench.subscribe(of_stream(1));
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.extent.epoch = "e2";
  bench.shard->change_log({"e2", 10});
  bench.answer();
  bench.happen(2);
  bench.subscribe(of_stream(2));
  EXPECT_EQ(bench.outlet.sent, (Texts{"1 live after e1-10", "* resumed after e1-3"}));
}

TEST(FeedSession, AReplayingSessionGivesUpWhenTheLogChanges) {
  SessionBench bench(10);
  bench.subscribe(everything, at(3));
  bench.answer();
  bench.log.extent.epoch = "e2";
  bench.shard->change_log({"e2", 10});
  bench.answer();
  EXPECT_EQ(bench.outlet.given_up, 1);
  EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-3"});
}

TEST(FeedSession, WhatThereIsIsCounted) {
  SessionBench bench(10);
  const FeedCounters& counters = bench.shard->counters();
  EXPECT_EQ(counters.sessions[static_cast<std::size_t>(FeedFormat::websocket)], 1u);
  bench.subscribe(of_stream(1));
  bench.subscribe(everything, at(3));
  EXPECT_EQ(counters.subscriptions, 1u) << "one waits for the log";
  bench.answer();
  EXPECT_EQ(counters.subscriptions, 2u);
  EXPECT_EQ(counters.replays, 1u);
  EXPECT_EQ(counters.replays_running, 1u);
  bench.settle();
  EXPECT_EQ(counters.replays_running, 0u);
  bench.happen(2);
  EXPECT_EQ(counters.deliveries, 9u);
  bench.session->close();
  EXPECT_EQ(counters.subscriptions, 0u);
  EXPECT_EQ(counters.sessions[static_cast<std::size_t>(FeedFormat::websocket)], 0u);
}

}  // namespace
}  // namespace fluxora::hub::test
