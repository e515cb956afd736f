#include "fluxora/hub/feed_session.hpp"

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

TEST(FeedSession, TheFrameOfABatchIsSharedNotMadeAgain) {
  SessionBench bench(0);
  bench.subscribe(everything);
  bench.log.append_many(1);
  const Frame frame = encode_update(bench.log.entry(1), "e1");
  bench.session->publish({"e1", {{bench.log.entry(1), frame}}});
  ASSERT_EQ(bench.outlet.frames.size(), 1u);
  EXPECT_EQ(bench.outlet.frames[0], frame);
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

TEST(FeedSession, ResumingAtTheEndNeedsNoPage) {
  SessionBench bench(10);
  bench.subscribe(everything, at(10));
  bench.answer();
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
  bench.publish_all();
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
  bench.publish_all();
  bench.subscribe(from_sender("GA"), at(0));
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, (Texts{"A resumed after e1-0", "1", "4"}));
}

TEST(FeedSession, AStepOfAReplayEndsAtItsBytesToo) {
  SessionBench bench;
  bench.log.value_bytes = 100'000;  // of events that change no stream, whose XDR is shown
  for (int i = 0; i < 12; ++i) bench.log.append(0, "", "");
  bench.publish_all();
  bench.subscribe(everything, at(0));
  bench.answer();
  bench.answer();
  const std::size_t in_one_step = bench.outlet.sent.size() - 1;
  EXPECT_GE(in_one_step, replay_bytes / 200'000);
  EXPECT_LE(in_one_step, replay_bytes / 100'000 + 1);
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
  bench.publish_all();
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

TEST(FeedSession, TheLimitHoldsForThoseThatWaitForTheLog) {
  SessionBench bench(5);
  for (std::size_t i = 1; i < max_subscriptions; ++i) bench.subscribe(of_stream(i));
  bench.subscribe(everything, at(3));
  bench.subscribe(of_stream(max_subscriptions));
  bench.outlet.sent.clear();
  bench.settle();
  EXPECT_EQ(bench.outlet.sent, Texts{"* too many"});
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
  for (const auto failure :
       {ports::StoreFailure::busy, ports::StoreFailure::unavailable, ports::StoreFailure::internal}) {
    SessionBench bench(5);
    bench.subscribe(everything, at(3));
    bench.answer();
    bench.log.failure = failure;
    bench.answer();
    EXPECT_EQ(bench.outlet.given_up, 1);
    EXPECT_EQ(bench.outlet.sent, Texts{"* resumed after e1-3"});
  }
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

}  // namespace
}  // namespace fluxora::hub::test
