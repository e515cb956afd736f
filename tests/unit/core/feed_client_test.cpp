#include "fluxora/core/feed_client.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::core {

// What a failing test shows of a step.
void PrintTo(const FeedClient::Step& step, std::ostream* out) {
  static constexpr const char* names[] = {"apply", "drop", "ask", "refetch"};
  *out << names[static_cast<int>(step.action)] << " (" << step.after_seq << ", " << step.to_seq << "] "
       << step.stream_id;
}

namespace {

using Action = FeedClient::Action;
using Scope = FeedClient::Scope;
using Step = FeedClient::Step;

constexpr auto none = std::nullopt;
const Step apply{Action::apply, 0, 0, {}};
const Step drop{Action::drop, 0, 0, {}};
const Step refetch{Action::refetch, 0, 0, {}};

Step ask(std::uint64_t after, std::uint64_t to, std::string stream_id = {}) {
  return {Action::ask, after, to, std::move(stream_id)};
}

Cursor at(std::uint64_t seq) {
  return {"k3f9", seq};
}
Cursor elsewhere(std::uint64_t seq) {
  return {"zzzz", seq};
}

/// An entry of the whole log, where nothing but its seq counts.
Step comes(FeedClient& client, std::uint64_t seq) {
  return client.entry(at(seq), "s", none);
}
/// An entry of the one stream, or of a party's.
Step comes(FeedClient& client, std::uint64_t seq, std::optional<std::uint64_t> prev, std::string_view stream = "s") {
  return client.entry(at(seq), stream, prev);
}

// --- Where it begins and how it goes on

TEST(FeedClient, WithoutAPositionItBeginsWhereTheFeedDoes) {
  for (const Resume outcome : {Resume::live, Resume::resumed}) {
    FeedClient client(Scope::whole_log);
    EXPECT_EQ(client.cursor(), none);
    EXPECT_TRUE(client.opened(outcome, at(40)));
    EXPECT_EQ(client.cursor(), at(40));
    EXPECT_EQ(comes(client, 41), apply);
    EXPECT_EQ(client.cursor(), at(41));
  }
}

TEST(FeedClient, WhatComesBeforeTheFeedSaysWhereItBeginsIsDropped) {
  FeedClient client(Scope::whole_log);
  EXPECT_EQ(comes(client, 40), drop);
  EXPECT_EQ(client.cursor(), none);
  EXPECT_TRUE(client.opened(Resume::live, at(40)));
  EXPECT_EQ(comes(client, 41), apply);
}

TEST(FeedClient, ResumesFromItsPosition) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(client.cursor(), at(40));
  EXPECT_TRUE(client.opened(Resume::resumed, at(40)));
  EXPECT_EQ(comes(client, 41), apply);
  EXPECT_TRUE(client.opened(Resume::resumed, at(7))) << "only our own position counts";
  EXPECT_EQ(client.cursor(), at(41));
}

TEST(FeedClient, WhatTheFeedCannotBridgeIsToBeFetched) {
  for (const Resume outcome : {Resume::gap, Resume::epoch_changed}) {
    for (const Cursor& position : {at(90), elsewhere(3)}) {
      FeedClient client(Scope::stream, at(40));
      EXPECT_FALSE(client.opened(outcome, position));
      EXPECT_EQ(comes(client, 91, 90), refetch);
      EXPECT_EQ(client.replayed(Resume::resumed), refetch);
      EXPECT_FALSE(client.opened(Resume::resumed, at(40))) << "not before the state was fetched";
      client.refetched(at(95));
      EXPECT_TRUE(client.opened(Resume::resumed, at(95)));
      EXPECT_EQ(comes(client, 96, 94), apply);
    }
  }
}

TEST(FeedClient, AnotherEpochAtTheOpeningIsToBeFetched) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_FALSE(client.opened(Resume::resumed, elsewhere(40)));
  EXPECT_EQ(comes(client, 41), refetch);
}

TEST(FeedClient, AnEntryOfAnotherEpochIsToBeFetched) {
  for (const Scope scope : {Scope::whole_log, Scope::stream, Scope::party}) {
    FeedClient client(scope, at(40));
    EXPECT_EQ(client.entry(elsewhere(1), "s", none), refetch) << "old or new";
    EXPECT_EQ(comes(client, 41, 40), refetch) << "it stays so";
    client.refetched(elsewhere(8));
    EXPECT_EQ(client.entry(elsewhere(9), "s", 8), apply);
    EXPECT_EQ(client.cursor(), elsewhere(9));
  }
}

TEST(FeedClient, ALiveFeedThatBeginsAboveUsLeavesSomethingOut) {
  FeedClient client(Scope::party, at(40));
  EXPECT_FALSE(client.opened(Resume::live, at(41)));
  client.refetched(at(41));
  EXPECT_TRUE(client.opened(Resume::live, at(41)));
  EXPECT_TRUE(client.opened(Resume::live, at(12))) << "a server that is behind gives what we have once more";
  EXPECT_EQ(client.cursor(), at(41));
}

TEST(FeedClient, WhatTheFetchedStateHoldsIsDropped) {
  for (const Scope scope : {Scope::whole_log, Scope::stream, Scope::party}) {
    FeedClient client(scope, at(40));
    EXPECT_EQ(comes(client, 41, 40), apply);
    client.refetched(at(50));
    EXPECT_EQ(client.cursor(), at(50));
    EXPECT_EQ(comes(client, 42, 41), drop);
    EXPECT_EQ(comes(client, 50, 41), drop);
    EXPECT_EQ(comes(client, 51, 50), apply);
  }
}

TEST(FeedClient, AStateThatIsOlderThanWhatWasAppliedCountsAllTheSame) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 41), apply);
  client.refetched(at(30));
  EXPECT_EQ(client.cursor(), at(30));
  EXPECT_EQ(comes(client, 31), apply);
}

TEST(FeedClient, IsMovedWithWhatItKnows) {
  static_assert(!std::is_copy_constructible_v<FeedClient> && !std::is_copy_assignable_v<FeedClient>);
  FeedClient first(Scope::party, at(40));
  EXPECT_EQ(comes(first, 41, none, "a"), apply);
  EXPECT_EQ(comes(first, 45, 43, "a"), ask(41, 45, "a"));
  FeedClient second(std::move(first));
  EXPECT_EQ(comes(second, 43, 41, "a"), apply);
  FeedClient third(Scope::whole_log);
  third = std::move(second);
  EXPECT_EQ(comes(third, 45, 43, "a"), apply);
  EXPECT_EQ(third.replayed(Resume::resumed), drop);
  EXPECT_EQ(third.cursor(), at(45));
}

// --- The whole log

TEST(FeedClientWholeLog, AppliesOneAfterTheOther) {
  FeedClient client(Scope::whole_log, at(0));
  for (std::uint64_t seq = 1; seq <= 5; ++seq) EXPECT_EQ(comes(client, seq), apply);
  EXPECT_EQ(client.cursor(), at(5));
}

TEST(FeedClientWholeLog, PrevSeqSaysNothingHere) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(client.entry(at(41), "", none), apply);
  EXPECT_EQ(client.entry(at(42), "s", 3), apply);
  EXPECT_EQ(client.entry(at(43), "s", 99), apply);
}

TEST(FeedClientWholeLog, DropsWhatItHas) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 41), apply);
  for (const std::uint64_t seq : {41u, 40u, 1u, 0u}) EXPECT_EQ(comes(client, seq), drop);
  EXPECT_EQ(client.cursor(), at(41));
}

TEST(FeedClientWholeLog, AsksForAHoleAndAppliesNothingBehindIt) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 43), ask(40, 43));
  EXPECT_EQ(comes(client, 44), drop) << "it waits";
  EXPECT_EQ(client.cursor(), at(40));
  EXPECT_EQ(comes(client, 41), apply);
  EXPECT_EQ(client.cursor(), at(41));
  EXPECT_EQ(comes(client, 42), apply);
  EXPECT_EQ(comes(client, 43), apply);
  EXPECT_EQ(client.replayed(Resume::resumed), ask(43, 44)) << "what waited comes again";
  EXPECT_EQ(comes(client, 44), apply);
  EXPECT_EQ(client.replayed(Resume::resumed), drop);
  EXPECT_EQ(client.cursor(), at(44));
}

TEST(FeedClientWholeLog, TheFeedItselfCanFillTheHole) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 42), ask(40, 42));
  EXPECT_TRUE(client.opened(Resume::resumed, at(40)));
  EXPECT_EQ(comes(client, 41), apply);
  EXPECT_EQ(comes(client, 42), apply);
  EXPECT_EQ(comes(client, 43), apply);
  EXPECT_EQ(client.cursor(), at(43));
}

TEST(FeedClientWholeLog, AReconnectKeepsTheHoleOpen) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 44), ask(40, 44));
  EXPECT_TRUE(client.opened(Resume::resumed, at(40)));
  EXPECT_EQ(client.cursor(), at(40));
  EXPECT_EQ(comes(client, 42), ask(40, 44)) << "left out once more";
}

TEST(FeedClientWholeLog, AHoleThatStaysIsAskedForThreeTimes) {
  FeedClient client(Scope::whole_log, at(40));
  EXPECT_EQ(comes(client, 42), ask(40, 42));
  EXPECT_EQ(client.replayed(Resume::resumed), ask(40, 42));
  EXPECT_EQ(client.replayed(Resume::live), ask(40, 42));
  EXPECT_EQ(client.replayed(Resume::resumed), refetch);
  EXPECT_EQ(comes(client, 41), refetch);
}

TEST(FeedClientWholeLog, ReconnectsCountAsAskingToo) {
  FeedClient client(Scope::whole_log, at(40));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(comes(client, 42), ask(40, 42));
    EXPECT_TRUE(client.opened(Resume::resumed, at(40)));
  }
  EXPECT_EQ(comes(client, 42), refetch);
}

TEST(FeedClientWholeLog, ProgressBeginsTheCountAnew) {
  FeedClient client(Scope::whole_log, at(0));
  EXPECT_EQ(comes(client, 10), ask(0, 10));
  for (std::uint64_t seq = 1; seq <= 9; ++seq) {
    EXPECT_EQ(client.replayed(Resume::resumed), ask(seq - 1, 10));
    EXPECT_EQ(client.replayed(Resume::resumed), ask(seq - 1, 10));
    EXPECT_EQ(comes(client, seq), apply);
  }
  EXPECT_EQ(comes(client, 10), apply);
}

TEST(FeedClientWholeLog, AReplayThatWasPrunedIsToBeFetched) {
  for (const Resume outcome : {Resume::gap, Resume::epoch_changed}) {
    FeedClient client(Scope::whole_log, at(40));
    EXPECT_EQ(comes(client, 42), ask(40, 42));
    EXPECT_EQ(client.replayed(outcome), refetch);
    EXPECT_EQ(comes(client, 41), refetch);
    client.refetched(at(60));
    EXPECT_EQ(client.replayed(Resume::resumed), drop) << "nothing is missing any more";
    EXPECT_EQ(comes(client, 61), apply);
  }
}

TEST(FeedClientWholeLog, TheLargestSeq) {
  constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
  FeedClient client(Scope::whole_log, at(most - 2));
  EXPECT_EQ(comes(client, most), ask(most - 2, most));
  EXPECT_EQ(comes(client, most - 1), apply);
  EXPECT_EQ(comes(client, most), apply);
  EXPECT_EQ(comes(client, most), drop);
  EXPECT_EQ(comes(client, 0), drop);
}

// --- One stream

TEST(FeedClientStream, FollowsThePrevSeqChain) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, 40), apply);
  EXPECT_EQ(comes(client, 60, 45), apply);
  EXPECT_EQ(comes(client, 61, 60), apply);
  EXPECT_EQ(client.cursor(), at(61));
}

TEST(FeedClientStream, TheEntryBeforeTheFirstOneIsInTheState) {
  for (const std::optional<std::uint64_t> prev :
       {std::optional<std::uint64_t>(3), std::optional<std::uint64_t>(40), std::optional<std::uint64_t>()}) {
    FeedClient client(Scope::stream, at(40));
    EXPECT_EQ(comes(client, 45, prev), apply);
    EXPECT_EQ(comes(client, 46, 45), apply);
  }
}

TEST(FeedClientStream, AnEntryBeforeTheFirstOneThatIsInNeitherIsAHole) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, 41), ask(40, 45));
  EXPECT_EQ(client.cursor(), at(40));
  EXPECT_EQ(comes(client, 41, 7), apply);
  EXPECT_EQ(comes(client, 45, 41), apply);
  EXPECT_EQ(client.cursor(), at(45));
}

TEST(FeedClientStream, DropsWhatItHas) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, none), apply);
  EXPECT_EQ(comes(client, 45, none), drop);
  EXPECT_EQ(comes(client, 44, 43), drop);
  EXPECT_EQ(comes(client, 45, 99), drop) << "whatever its prevSeq";
}

TEST(FeedClientStream, AsksForAHole) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, 40), apply);
  EXPECT_EQ(comes(client, 60, 52), ask(45, 60));
  EXPECT_EQ(comes(client, 66, 60), drop);
  EXPECT_EQ(client.cursor(), at(45));
  EXPECT_EQ(comes(client, 50, 45), apply);
  EXPECT_EQ(client.cursor(), at(50));
  EXPECT_EQ(comes(client, 52, 50), apply);
  EXPECT_EQ(comes(client, 60, 52), apply);
  EXPECT_EQ(client.replayed(Resume::resumed), ask(60, 66));
  EXPECT_EQ(comes(client, 66, 60), apply);
  EXPECT_EQ(client.cursor(), at(66));
}

TEST(FeedClientStream, AnEntryThatFollowsAnOlderOneThanOursContradictsUs) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, 40), apply);
  EXPECT_EQ(comes(client, 60, 44), refetch);
}

TEST(FeedClientStream, AStreamIsNotCreatedTwice) {
  FeedClient client(Scope::stream, at(40));
  EXPECT_EQ(comes(client, 45, none), apply);
  EXPECT_EQ(comes(client, 60, none), refetch);
}

TEST(FeedClientStream, AnEntryCannotFollowItselfOrALaterOne) {
  for (const std::uint64_t prev : {45u, 46u}) {
    FeedClient client(Scope::stream, at(40));
    EXPECT_EQ(comes(client, 45, prev), refetch);
  }
}

// --- A party's streams

TEST(FeedClientParty, EachStreamHasItsOwnChain) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 41, 39, "a"), apply);
  EXPECT_EQ(comes(client, 43, 40, "b"), apply);
  EXPECT_EQ(comes(client, 44, 41, "a"), apply);
  EXPECT_EQ(comes(client, 47, 43, "b"), apply);
  EXPECT_EQ(comes(client, 44, 41, "a"), drop);
  EXPECT_EQ(client.cursor(), at(47));
}

TEST(FeedClientParty, AStreamComesIntoViewAtAnyEntry) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 45, none, "created"), apply);
  EXPECT_EQ(comes(client, 50, 49, "transferred"), apply);
  EXPECT_EQ(comes(client, 51, 12, "old"), apply);
}

TEST(FeedClientParty, AStreamsEntryThatTheStateHoldsIsDropped) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 40, 12, "a"), drop);
  EXPECT_EQ(comes(client, 39, none, "b"), drop);
  EXPECT_EQ(comes(client, 0, none, "b"), drop);
}

TEST(FeedClientParty, AHoleInOneStreamDoesNotStopTheOthers) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 41, none, "a"), apply);
  EXPECT_EQ(comes(client, 43, none, "b"), apply);
  EXPECT_EQ(comes(client, 45, 42, "a"), ask(41, 45, "a"));
  EXPECT_EQ(comes(client, 46, 43, "b"), apply);
  EXPECT_EQ(comes(client, 47, none, "c"), apply);
  EXPECT_EQ(comes(client, 48, 45, "a"), drop);
  EXPECT_EQ(client.cursor(), at(41)) << "before the hole";
  EXPECT_EQ(comes(client, 42, 41, "a"), apply);
  EXPECT_EQ(client.cursor(), at(42));
  EXPECT_EQ(comes(client, 45, 42, "a"), apply);
  EXPECT_EQ(client.replayed(Resume::resumed), ask(45, 48, "a"));
  EXPECT_EQ(comes(client, 48, 45, "a"), apply);
  EXPECT_EQ(client.replayed(Resume::resumed), drop);
  EXPECT_EQ(client.cursor(), at(48));
}

TEST(FeedClientParty, AfterAReconnectBeforeTheHoleTheOthersEntriesAreDropped) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 41, none, "a"), apply);
  EXPECT_EQ(comes(client, 43, none, "b"), apply);
  EXPECT_EQ(comes(client, 45, 42, "a"), ask(41, 45, "a"));
  EXPECT_TRUE(client.opened(Resume::resumed, *client.cursor()));
  EXPECT_EQ(comes(client, 42, 41, "a"), apply);
  EXPECT_EQ(comes(client, 43, none, "b"), drop);
  EXPECT_EQ(comes(client, 44, 43, "b"), apply);
  EXPECT_EQ(comes(client, 45, 42, "a"), apply);
  EXPECT_EQ(client.cursor(), at(45));
}

TEST(FeedClientParty, OneHoleIsAskedForAtATime) {
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 41, none, "a"), apply);
  EXPECT_EQ(comes(client, 42, none, "b"), apply);
  EXPECT_EQ(comes(client, 46, 43, "a"), ask(41, 46, "a"));
  EXPECT_EQ(comes(client, 47, 44, "b"), drop);
  EXPECT_EQ(comes(client, 43, 41, "a"), apply);
  EXPECT_EQ(comes(client, 46, 43, "a"), apply);
  EXPECT_EQ(client.cursor(), at(42));
  EXPECT_EQ(client.replayed(Resume::resumed), ask(42, 47, "b"));
  EXPECT_EQ(client.replayed(Resume::resumed), ask(42, 47, "b"));
  EXPECT_EQ(client.replayed(Resume::resumed), ask(42, 47, "b"));
  EXPECT_EQ(client.replayed(Resume::resumed), refetch);
}

TEST(FeedClientParty, ContradictionsAreToBeFetched) {
  for (const auto& [seq, prev] :
       {std::pair<std::uint64_t, std::optional<std::uint64_t>>(50, 44), {50, none}, {50, 50}}) {
    FeedClient client(Scope::party, at(40));
    EXPECT_EQ(comes(client, 45, none, "a"), apply);
    EXPECT_EQ(comes(client, seq, prev, "a"), refetch);
  }
  FeedClient client(Scope::party, at(40));
  EXPECT_EQ(comes(client, 45, 45, "new"), refetch);
}

TEST(FeedClientParty, SoManyStreamsMayHaveAHole) {
  FeedClient client(Scope::party, at(0));
  constexpr std::uint64_t holes = FeedClient::max_open_holes;
  for (std::uint64_t i = 0; i <= holes; ++i) {
    ASSERT_EQ(comes(client, 1 + i, none, std::to_string(i)), apply);
  }
  for (std::uint64_t i = 0; i < holes; ++i) {
    ASSERT_EQ(comes(client, 2'000 + i, 1'000 + i, std::to_string(i)).action, i == 0 ? Action::ask : Action::drop);
  }
  EXPECT_EQ(client.cursor(), at(1));
  EXPECT_EQ(comes(client, 2'000 + holes, 1'000 + holes, std::to_string(holes)), refetch);
}

TEST(FeedClientParty, HolesThatWereFilledDoNotCount) {
  FeedClient client(Scope::party, at(0));
  for (std::uint64_t i = 0; i < 3 * FeedClient::max_open_holes; ++i) {
    const std::string stream = std::to_string(i);
    const std::uint64_t first = 1 + 3 * i;
    ASSERT_EQ(comes(client, first, none, stream), apply);
    ASSERT_EQ(comes(client, first + 2, first + 1, stream), ask(first, first + 2, stream));
    ASSERT_EQ(comes(client, first + 1, first, stream), apply);
    ASSERT_EQ(comes(client, first + 2, first + 1, stream), apply);
    ASSERT_EQ(client.replayed(Resume::resumed), drop);
  }
}

TEST(FeedClientParty, OfMoreStreamsThanItFollowsTheQuietestBeginsAnew) {
  FeedClient client(Scope::party, at(0));
  constexpr std::uint64_t streams = FeedClient::max_streams;
  for (std::uint64_t i = 1; i <= streams; ++i) ASSERT_EQ(comes(client, i, none, std::to_string(i)), apply);
  EXPECT_EQ(comes(client, streams + 2, 1, "1"), apply) << "the oldest, but not the quietest any more";
  EXPECT_EQ(comes(client, streams + 3, none, "one more"), apply);
  EXPECT_EQ(comes(client, 2, none, "2"), drop) << "forgotten, yet not applied twice";
  EXPECT_EQ(comes(client, streams + 5, streams + 4, "2"), apply) << "and begun anew";
  EXPECT_EQ(comes(client, streams + 7, streams + 6, "1"), ask(streams + 2, streams + 7, "1"));
}

TEST(FeedClientParty, AStreamWithAHoleIsNotForgotten) {
  FeedClient client(Scope::party, at(0));
  ASSERT_EQ(comes(client, 1, none, "a"), apply);
  ASSERT_EQ(comes(client, 3, 2, "a"), ask(1, 3, "a"));
  constexpr std::uint64_t streams = FeedClient::max_streams;
  for (std::uint64_t i = 4; i <= streams + 4; ++i) ASSERT_EQ(comes(client, i, none, std::to_string(i)), apply);
  EXPECT_EQ(client.cursor(), at(1));
  EXPECT_EQ(comes(client, 2, 1, "a"), apply);
  EXPECT_EQ(comes(client, 3, 2, "a"), apply);
  EXPECT_EQ(client.cursor(), at(streams + 4));
}

TEST(FeedClientParty, AForgottenStreamLeavesTheOthersTheirReplays) {
  FeedClient client(Scope::party, at(0));
  ASSERT_EQ(comes(client, 1, none, "slow"), apply);
  ASSERT_EQ(comes(client, 900'003, 3, "slow"), ask(1, 900'003, "slow"));
  constexpr std::uint64_t streams = FeedClient::max_streams;
  for (std::uint64_t i = 10; i < 10 + streams; ++i) ASSERT_EQ(comes(client, i, none, std::to_string(i)), apply);
  // What was forgotten was newer than what the open hole is filled with.
  EXPECT_EQ(comes(client, 3, 1, "slow"), apply);
  EXPECT_EQ(comes(client, 900'003, 3, "slow"), apply);
}

// --- A seeded simulation against a model

struct Entry {
  std::uint64_t seq = 0;
  std::size_t stream = 0;
  std::optional<std::uint64_t> prev;
};

/// The server's side: a log that grows, is pruned, and is replaced by another one.
class ModelLog {
 public:
  static constexpr std::size_t streams = 6;
  static constexpr std::size_t party_streams = 4;  // of the party, the others are someone else's

  void append(std::size_t stream) {
    const std::optional<std::uint64_t> prev = tails_[stream];
    entries_.push_back({entries_.size() + 1, stream, prev});
    tails_[stream] = entries_.back().seq;
  }
  void prune(std::uint64_t kept) { oldest_ = std::max(oldest_, head() > kept ? head() - kept + 1 : 1); }
  void replace() {
    *this = ModelLog(epoch_ + 1);
    for (std::size_t i = 0; i < 10; ++i) append(i % streams);
  }
  /// A stream comes into the party's view with a later entry of its own.
  void hand_over(std::size_t stream) { joined_[stream] = head() + 1; }

  [[nodiscard]] std::uint64_t head() const { return entries_.size(); }
  [[nodiscard]] const Entry& at(std::uint64_t seq) const { return entries_[static_cast<std::size_t>(seq - 1)]; }
  [[nodiscard]] std::string epoch() const { return "e" + std::to_string(epoch_); }
  [[nodiscard]] LogExtent extent(const std::string& epoch) const { return {epoch, oldest_, head()}; }

  [[nodiscard]] bool shows(Scope scope, const Entry& entry) const {
    switch (scope) {
      case Scope::whole_log: return true;
      case Scope::stream: return entry.stream == 0;
      case Scope::party: break;
    }
    return entry.stream < party_streams && entry.seq >= joined_[entry.stream];
  }

  explicit ModelLog(int epoch = 0) : epoch_(epoch), tails_(streams), joined_(streams, 0) {}

 private:
  int epoch_;
  std::uint64_t oldest_ = 1;
  std::vector<Entry> entries_;
  std::vector<std::optional<std::uint64_t>> tails_;
  std::vector<std::uint64_t> joined_;
};

/// A client on a feed that loses and repeats entries and breaks off, with REST replays that may leave entries out too.
class Simulation {
 public:
  Simulation(Scope scope, std::uint64_t seed)
      : random_(seed), scope_(scope), client_(scope, chance(50) ? std::optional<Cursor>(fetch()) : std::nullopt) {
    grow();
  }

  [[nodiscard]] int asks() const { return asks_; }
  [[nodiscard]] int refetches() const { return refetches_; }
  [[nodiscard]] int applications() const { return applications_; }

  void run() {
    for (int i = 0; i < 300 && !::testing::Test::HasFailure(); ++i) step();
    settle();
  }

 private:
  bool chance(std::uint64_t percent) { return random_() % 100 < percent; }

  void grow() {
    for (std::uint64_t n = random_() % 8; n > 0; --n) log_.append(random_() % ModelLog::streams);
  }

  void step() {
    const std::uint64_t what = random_() % 1'000;
    if (what < 300) {
      grow();
    } else if (what < 310) {
      log_.prune(random_() % 60);
    } else if (what < 313) {
      log_.replace();
      connected_ = false;  // a restored server has new connections
    } else if (what < 320) {
      log_.hand_over(random_() % ModelLog::party_streams);
    } else if (what < 350) {
      connected_ = false;
    } else if (!connected_) {
      connect();
    } else if (replay_ && chance(60)) {
      replay_next();
    } else {
      deliver_next();
    }
  }

  /// The state as a REST list gives it: everything up to the log's head is in it.
  Cursor fetch() {
    applied_.clear();
    base_ = log_.head();
    return {log_.epoch(), base_};
  }
  void refetch() {
    ++refetches_;
    replay_.reset();
    connected_ = false;
    client_.refetched(fetch());
  }

  void connect() {
    const std::optional<Cursor>& cursor = client_.cursor();
    const std::string epoch = log_.epoch();
    const ResumeDecision decision = decide_resume(cursor ? &*cursor : nullptr, log_.extent(epoch));
    if (!cursor) base_ = log_.head();
    feed_epoch_ = epoch;
    sent_ = decision.after_seq;
    connected_ = client_.opened(decision.outcome, {epoch, decision.after_seq});
    EXPECT_EQ(connected_, decision.outcome == Resume::live || decision.outcome == Resume::resumed);
    if (!connected_) refetch();
    if (chance(50)) replay_.reset();
  }

  void deliver_next() {
    if (sent_ > 0 && chance(faults_)) sent_ -= std::min<std::uint64_t>(sent_, random_() % 5);
    if (sent_ >= log_.head()) return;
    const Entry& entry = log_.at(++sent_);
    if (!log_.shows(scope_, entry) || chance(faults_)) return;
    hand_in(entry);
  }

  struct Replay {
    std::uint64_t next = 0;
    std::uint64_t to = 0;
    std::string stream_id;
    Resume outcome = Resume::resumed;
  };

  void replay_next() {
    const Replay replay = *replay_;
    const bool ended = replay.outcome != Resume::resumed || replay.next > std::min(replay.to, log_.head());
    if (ended) {
      replay_.reset();
      follow(client_.replayed(replay.outcome));
      return;
    }
    ++replay_->next;
    const Entry& entry = log_.at(replay.next);
    const bool wanted = replay.stream_id.empty() ? log_.shows(scope_, entry) : replay.stream_id == name(entry);
    if (wanted && !chance(faults_)) hand_in(entry);
  }

  static std::string name(const Entry& entry) { return "stream-" + std::to_string(entry.stream); }

  void hand_in(const Entry& entry) {
    const Step step = client_.entry({log_.epoch(), entry.seq}, name(entry), entry.prev);
    if (step.action == Action::apply) check_applied(entry);
    follow(step);
  }

  void follow(const Step& step) {
    if (step.action == Action::refetch) return refetch();
    if (step.action != Action::ask) return;
    ++asks_;
    ASSERT_EQ(scope_ == Scope::party, !step.stream_id.empty());
    ASSERT_LT(step.after_seq, step.to_seq);
    if (chance(40)) {
      connected_ = false;  // the other way of asking
      return;
    }
    const Cursor after{log_.epoch(), step.after_seq};
    const std::string epoch = log_.epoch();
    replay_ =
        Replay{step.after_seq + 1, step.to_seq, step.stream_id, decide_resume(&after, log_.extent(epoch)).outcome};
  }

  /// Once, in order and without a hole, since the state was fetched.
  void check_applied(const Entry& entry) {
    EXPECT_EQ(feed_epoch_, log_.epoch());
    EXPECT_GT(entry.seq, base_);
    std::vector<std::uint64_t>& applied = applied_[scope_ == Scope::whole_log ? 0 : entry.stream];
    if (scope_ == Scope::whole_log) {
      EXPECT_EQ(entry.seq, (applied.empty() ? base_ : applied.back()) + 1);
    } else if (!applied.empty()) {
      EXPECT_EQ(entry.prev, applied.back());
    } else if (scope_ == Scope::stream) {
      EXPECT_LE(entry.prev.value_or(0), base_);
    }
    applied.push_back(entry.seq);
    ++applications_;
  }

  /// Without faults everything arrives, in bounded steps.
  void settle() {
    faults_ = 0;
    const int asked_before = asks_;
    for (std::size_t stream = 0; stream < ModelLog::streams; ++stream) log_.append(stream);
    const std::uint64_t bound = 20 * (log_.head() + 10);
    for (std::uint64_t steps = 0; !connected_ || replay_ || sent_ < log_.head(); ++steps) {
      ASSERT_LT(steps, bound);
      if (!connected_) {
        connect();
      } else if (replay_) {
        replay_next();
      } else {
        deliver_next();
      }
    }
    EXPECT_LE(asks_ - asked_before, 40);
    check_complete();
  }

  void check_complete() {
    for (const auto& [key, applied] : applied_) {
      const std::uint64_t from = scope_ == Scope::party ? applied.front() : base_ + 1;
      std::vector<std::uint64_t> expected;
      for (std::uint64_t seq = from; seq <= log_.head(); ++seq) {
        if (scope_ == Scope::whole_log || log_.at(seq).stream == key) expected.push_back(seq);
      }
      EXPECT_EQ(applied, expected) << "stream " << key;
    }
    // The last entry that was in view is the client's position.
    std::uint64_t last = base_;
    for (std::uint64_t seq = base_ + 1; seq <= log_.head(); ++seq) {
      if (log_.shows(scope_, log_.at(seq))) last = seq;
    }
    EXPECT_EQ(client_.cursor(), (Cursor{log_.epoch(), last}));
  }

  std::mt19937_64 random_;
  Scope scope_;
  ModelLog log_;
  std::uint64_t base_ = 0;
  std::map<std::size_t, std::vector<std::uint64_t>> applied_;
  FeedClient client_;
  std::string feed_epoch_;
  bool connected_ = false;
  std::uint64_t sent_ = 0;
  std::optional<Replay> replay_;
  std::uint64_t faults_ = 10;  // percent
  int asks_ = 0;
  int refetches_ = 0;
  int applications_ = 0;
};

void simulate(Scope scope) {
  int asks = 0;
  int refetches = 0;
  int applications = 0;
  for (std::uint64_t seed = 1; seed <= 1'500 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Simulation simulation(scope, seed);
    simulation.run();
    asks += simulation.asks();
    refetches += simulation.refetches();
    applications += simulation.applications();
  }
  // The seeds are the same in each run: it did happen what this is about.
  EXPECT_GT(asks, 1'000);
  EXPECT_GT(refetches, 1'000);
  EXPECT_GT(applications, 30'000);
}

TEST(FeedClientSimulation, TheWholeLogIsAppliedOnceAndInOrder) {
  simulate(Scope::whole_log);
}
TEST(FeedClientSimulation, AStreamIsAppliedOnceAndInOrder) {
  simulate(Scope::stream);
}
TEST(FeedClientSimulation, APartysStreamsAreAppliedOnceAndInOrder) {
  simulate(Scope::party);
}

}  // namespace
}  // namespace fluxora::core
