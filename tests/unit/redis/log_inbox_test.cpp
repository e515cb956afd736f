#include "log_inbox.hpp"

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "sample_entries.hpp"

namespace fluxora::redis {
namespace {

using std::chrono::milliseconds;
using test::entries;
using test::seqs;
using Seqs = std::vector<std::uint64_t>;

constexpr std::size_t limit = 100;

class LogInboxTest : public testing::Test {
 protected:
  LogInboxTest() { inbox_.begin("k3f9"); }

  bool put(std::uint64_t first, std::uint64_t last) { return inbox_.put({{}, "k3f9", last, entries(first, last)}); }
  bool sign_of_life(std::uint64_t last) { return inbox_.put({{}, "k3f9", last, {}}); }
  /// None: not known.
  std::optional<Seqs> after(std::uint64_t seq, std::size_t most = limit) {
    const auto taken = inbox_.take_after(seq, most);
    if (!taken) return std::nullopt;
    return seqs(*taken);
  }

  fakes::FakeClock clock_;
  LogInbox inbox_{clock_};
};

TEST_F(LogInboxTest, KnowsNothingBeforeTheFirstWord) {
  EXPECT_FALSE(inbox_.is_trusted());
  EXPECT_EQ(after(7), std::nullopt);
}

TEST_F(LogInboxTest, ASignOfLifeTellsWhereTheLogEnds) {
  EXPECT_TRUE(sign_of_life(7));
  EXPECT_TRUE(inbox_.is_trusted());
  EXPECT_EQ(after(7), Seqs{});
  EXPECT_EQ(after(8), Seqs{}) << "the reader is ahead of who told it";
  EXPECT_EQ(after(6), std::nullopt) << "what came before isn't here";
}

TEST_F(LogInboxTest, GivesWhatContinues) {
  put(8, 9);
  put(10, 10);
  EXPECT_EQ(after(7), (Seqs{8, 9}));
  EXPECT_EQ(after(9), Seqs{10});
  EXPECT_EQ(after(10), Seqs{});
}

TEST_F(LogInboxTest, WhatIsKnownAlreadyIsLeftOut) {
  put(5, 9);
  put(5, 9);
  put(8, 11);
  EXPECT_EQ(after(7), (Seqs{8, 9}));
  EXPECT_EQ(after(9), (Seqs{10, 11}));
  EXPECT_EQ(after(11), Seqs{});
}

TEST_F(LogInboxTest, AHoleIsNotJumpedOver) {
  put(9, 10);
  EXPECT_EQ(after(7), std::nullopt);
  EXPECT_EQ(after(8), (Seqs{9, 10})) << "the database has closed it";
}

TEST_F(LogInboxTest, PagesAreGivenInParts) {
  put(1, 5);
  EXPECT_EQ(after(0, 2), (Seqs{1, 2}));
  EXPECT_EQ(after(2, 2), (Seqs{3, 4}));
  EXPECT_EQ(after(4, 2), Seqs{5});
}

TEST_F(LogInboxTest, SilenceEndsTrust) {
  put(1, 5);
  clock_.advance(LogInbox::longest_silence);
  EXPECT_EQ(after(0, 2), (Seqs{1, 2}));
  clock_.advance(milliseconds(1));
  EXPECT_FALSE(inbox_.is_trusted());
  EXPECT_EQ(after(2), std::nullopt);
  sign_of_life(5);
  EXPECT_EQ(after(2), (Seqs{3, 4, 5}));
}

TEST_F(LogInboxTest, AClockThatWasSetBackEndsTrust) {
  sign_of_life(5);
  clock_.advance(milliseconds(-1));
  EXPECT_EQ(after(5), std::nullopt);
}

TEST_F(LogInboxTest, AfterADoubtOnlyWhatIsNewCounts) {
  put(1, 5);
  inbox_.doubt();
  EXPECT_EQ(after(0), std::nullopt);
  EXPECT_EQ(inbox_.promised(), 0u);
  put(7, 8);
  EXPECT_EQ(after(5), std::nullopt) << "6 was missed meanwhile";
  EXPECT_EQ(after(6), (Seqs{7, 8}));
}

TEST_F(LogInboxTest, NewsOfAnotherLogIsNotTaken) {
  EXPECT_FALSE(inbox_.put({{}, "a1b2", 5, entries(1, 5)}));
  EXPECT_FALSE(inbox_.is_trusted());
  put(1, 5);
  inbox_.begin("a1b2");
  EXPECT_EQ(after(0), std::nullopt);
  EXPECT_FALSE(put(6, 6));
  EXPECT_TRUE(inbox_.put({{}, "a1b2", 1, entries(1, 1)}));
  EXPECT_EQ(after(0), Seqs{1});
}

TEST_F(LogInboxTest, PagesThatNobodyTakesAreLetGoAndMissed) {
  for (std::uint64_t seq = 1; seq <= LogInbox::max_pages + 1; ++seq) put(seq, seq);
  EXPECT_EQ(after(0), std::nullopt);
  EXPECT_EQ(after(LogInbox::max_pages), Seqs{LogInbox::max_pages + 1});
}

TEST_F(LogInboxTest, WaitingEndsForNewsAndForDoubt) {
  put(1, 1);
  inbox_.wait(std::chrono::hours(1));
  EXPECT_EQ(after(0), Seqs{1});
  inbox_.doubt();
  inbox_.wait(std::chrono::hours(1));
  EXPECT_EQ(after(1), std::nullopt);
}

}  // namespace
}  // namespace fluxora::redis
