#include "fluxora/core/chain_tip.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

using Verdict = ChainTip::Verdict;

constexpr UnixMillis start_time = 1'774'776'687'123;
constexpr std::uint32_t last_u32 = std::numeric_limits<std::uint32_t>::max();

Hash hash_of(std::uint32_t ledger, std::uint8_t fork = 0) {
  Hash hash{};
  hash[0] = fork;
  for (std::size_t i = 0; i < 4; ++i) hash[28 + i] = static_cast<std::uint8_t>(ledger >> (24 - 8 * i));
  return hash;
}

LedgerHeader header(std::uint32_t ledger, std::uint8_t fork = 0) {
  return {ledger, hash_of(ledger, fork), hash_of(ledger - 1, fork), 500 + UnixSeconds{ledger} * 5};
}

TEST(LedgerLinks, TheNextLedgerNamesTheOneBefore) {
  EXPECT_TRUE(links(header(7), header(8)));
  EXPECT_FALSE(links(header(7), header(8, 1)));
}

TEST(LedgerLinks, LedgersFurtherApartNameNothingOfEachOther) {
  EXPECT_TRUE(links(header(7), header(9, 1)));
}

TEST(LedgerLinks, CloseTimesStrictlyIncrease) {
  LedgerHeader next = header(8);
  next.closed_at = header(7).closed_at;
  EXPECT_FALSE(links(header(7), next));
  next.closed_at += 1;
  EXPECT_TRUE(links(header(7), next));
  next.closed_at = 0;
  EXPECT_FALSE(links(header(7), next));
  LedgerHeader later = header(20);
  later.closed_at = header(7).closed_at;
  EXPECT_FALSE(links(header(7), later)) << "also of ledgers that aren't adjacent";
}

TEST(FindReorg, TheLedgerItselfWithAnotherHash) {
  const LedgerId held{50, hash_of(50)};
  EXPECT_EQ(find_reorg(held, header(50)), std::nullopt);
  EXPECT_EQ(find_reorg(held, header(50, 1)), (Reorg{50, hash_of(50), hash_of(50, 1)}));
}

TEST(FindReorg, TheNextLedgerNamesAnother) {
  const LedgerId held{50, hash_of(50)};
  EXPECT_EQ(find_reorg(held, header(51)), std::nullopt);
  EXPECT_EQ(find_reorg(held, header(51, 1)), (Reorg{50, hash_of(50), hash_of(50, 1)}));
}

TEST(FindReorg, OtherLedgersSayNothing) {
  const LedgerId held{50, hash_of(50)};
  EXPECT_EQ(find_reorg(held, header(49, 1)), std::nullopt);
  EXPECT_EQ(find_reorg(held, header(52, 1)), std::nullopt);
  EXPECT_EQ(find_reorg({last_u32, hash_of(last_u32)}, header(1, 1)), std::nullopt);
}

TEST(OtherNetwork, IsToldByThePassphrase) {
  EXPECT_TRUE(is_other_network("Main network", "Test network"));
  EXPECT_FALSE(is_other_network("Test network", "Test network"));
  EXPECT_FALSE(is_other_network("", "Test network")) << "none is expected";
}

ChainTip::Plan plan(ChainTip& tip, std::uint32_t oldest, std::uint32_t latest,
                    std::optional<std::uint32_t> checkpoint = std::nullopt,
                    std::optional<std::uint32_t> start = std::nullopt, UnixMillis now = start_time) {
  return tip.plan(oldest, latest, checkpoint, start, now);
}

void expect_plan(const ChainTip::Plan& plan, Verdict verdict, std::uint32_t next, std::uint32_t safe) {
  EXPECT_EQ(plan.verdict, verdict);
  EXPECT_EQ(plan.next, next);
  EXPECT_EQ(plan.safe, safe);
}

TEST(ChainTip, LeavesTheMarginAlone) {
  ChainTip tip;  // SPEC section 9: tip - 1
  expect_plan(plan(tip, 1, 100, 50), Verdict::index, 51, 99);
  expect_plan(plan(tip, 1, 100, 98), Verdict::index, 99, 99);
  expect_plan(plan(tip, 1, 100, 99), Verdict::up_to_date, 0, 99);
  expect_plan(plan(tip, 1, 100, 100), Verdict::up_to_date, 0, 99);
}

TEST(ChainTip, AnyMarginWillDo) {
  ChainTip none(0);
  expect_plan(plan(none, 1, 100, 99), Verdict::index, 100, 100);
  ChainTip wide(5);
  expect_plan(plan(wide, 1, 6), Verdict::index, 1, 1);
  expect_plan(plan(wide, 1, 5), Verdict::up_to_date, 0, 0);
  expect_plan(plan(wide, 1, 3), Verdict::up_to_date, 0, 0);
}

TEST(ChainTip, BeginsAtTheOldestOrWhereItIsTold) {
  ChainTip tip;
  expect_plan(plan(tip, 40, 100), Verdict::index, 40, 99);
  expect_plan(plan(tip, 40, 100, std::nullopt, 60), Verdict::index, 60, 99);
  expect_plan(plan(tip, 40, 100, std::nullopt, 200), Verdict::up_to_date, 0, 99);
  expect_plan(plan(tip, 40, 100, 70, 60), Verdict::index, 71, 99);
}

TEST(ChainTip, ALedgerBelowTheWindowIsMissing) {
  ChainTip tip;
  expect_plan(plan(tip, 40, 100, 38), Verdict::missing, 39, 99);
  expect_plan(plan(tip, 40, 100, std::nullopt, 39), Verdict::missing, 39, 99);
  expect_plan(plan(tip, 40, 100, 39), Verdict::index, 40, 99);
}

TEST(ChainTip, TheLastLedgerHasNoNext) {
  ChainTip tip(0);
  expect_plan(plan(tip, 40, last_u32, last_u32), Verdict::up_to_date, 0, last_u32);
  expect_plan(plan(tip, 40, last_u32, last_u32 - 1), Verdict::index, last_u32, last_u32);
}

TEST(ChainTip, ATipBelowUsLags) {
  ChainTip tip;
  expect_plan(plan(tip, 1, 99, 100), Verdict::lagging, 0, 98);
  expect_plan(plan(tip, 1, 36, 100), Verdict::lagging, 0, 35);
  EXPECT_EQ(plan(tip, 1, 36, 100, {}, start_time + 100 * reset_after_ms).verdict, Verdict::lagging)
      << "64 below, however long";
}

TEST(ChainTip, FarBelowForFiveMinutesIsANetworkReset) {
  ChainTip tip;
  EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time).verdict, Verdict::lagging);
  EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time + 299'999).verdict, Verdict::lagging);
  EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time + 300'000).verdict, Verdict::network_reset);
  EXPECT_EQ(plan(tip, 1, 20, 100, {}, start_time + 300'001).verdict, Verdict::network_reset);
}

TEST(ChainTip, ANearerTipBeginsTheFiveMinutesAnew) {
  for (const std::uint32_t nearer : {36u, 99u, 100u, 200u}) {
    ChainTip tip;
    EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time).verdict, Verdict::lagging);
    EXPECT_NE(plan(tip, 1, nearer, 100, {}, start_time + 299'999).verdict, Verdict::network_reset);
    EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time + 300'000).verdict, Verdict::lagging) << nearer;
    EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time + 599'999).verdict, Verdict::lagging);
    EXPECT_EQ(plan(tip, 1, 35, 100, {}, start_time + 600'000).verdict, Verdict::network_reset);
  }
}

TEST(ChainTip, AClockThatStepsBackMakesNoReset) {
  ChainTip tip;
  EXPECT_EQ(plan(tip, 1, 1, last_u32, {}, start_time).verdict, Verdict::lagging);
  EXPECT_EQ(plan(tip, 1, 1, last_u32, {}, start_time - reset_after_ms).verdict, Verdict::lagging);
}

TEST(ChainTip, AReorgIsShownUntilTheTipIsFiveLedgersPastIt) {
  ChainTip tip;
  EXPECT_FALSE(tip.reorg_detected());
  tip.reorganised({50, hash_of(50), hash_of(50, 1)});
  for (std::uint32_t latest = 52; latest < 55; ++latest) {
    EXPECT_EQ(plan(tip, 1, latest, 49).verdict, Verdict::index);
    tip.indexed(latest - 1);
    EXPECT_TRUE(tip.reorg_detected()) << latest;
  }
  EXPECT_EQ(plan(tip, 1, 55, 53).verdict, Verdict::index);
  EXPECT_TRUE(tip.reorg_detected()) << "not indexed yet";
  tip.indexed(54);
  EXPECT_FALSE(tip.reorg_detected());
}

TEST(ChainTip, AReorgIsShownUntilItsLedgerIsIndexedAgain) {
  ChainTip tip;
  tip.reorganised({50, hash_of(50), hash_of(50, 1)});
  EXPECT_EQ(plan(tip, 1, 100, 40).verdict, Verdict::index);
  tip.indexed(45);
  EXPECT_TRUE(tip.reorg_detected());
  tip.indexed(50);
  EXPECT_TRUE(tip.reorg_detected()) << "the one after it shows that it stands";
  tip.indexed(51);
  EXPECT_FALSE(tip.reorg_detected());
}

TEST(ChainTip, ATipBelowAReorgShowsItStill) {
  ChainTip tip;
  tip.reorganised({50, hash_of(50), hash_of(50, 1)});
  EXPECT_EQ(plan(tip, 1, 49, 60).verdict, Verdict::lagging);
  tip.indexed(60);
  EXPECT_TRUE(tip.reorg_detected());
}

TEST(ChainTip, ALaterReorgCountsAnew) {
  ChainTip tip;
  tip.reorganised({50, hash_of(50), hash_of(50, 1)});
  tip.reorganised({53, hash_of(53, 1), hash_of(53, 2)});
  EXPECT_EQ(plan(tip, 1, 57, 55).verdict, Verdict::index);
  tip.indexed(56);
  EXPECT_TRUE(tip.reorg_detected());
  EXPECT_EQ(plan(tip, 1, 58, 56).verdict, Verdict::index);
  tip.indexed(57);
  EXPECT_FALSE(tip.reorg_detected());
}

/// Newest first; every `gap`th ledger from 1,000 down.
std::vector<LedgerId> stored(std::size_t count, std::uint32_t gap) {
  std::vector<LedgerId> ledgers;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t sequence = 100'000 - i * gap;
    ledgers.push_back({sequence, hash_of(sequence)});
  }
  return ledgers;
}

/// The search on a chain that has other ledgers from `forked_from` on; counts the ledgers that it reads.
std::optional<LedgerId> search(const std::vector<LedgerId>& ours, std::uint32_t forked_from, std::size_t& reads) {
  ForkSearch fork(ours);
  reads = 0;
  while (const std::optional<std::uint32_t> ledger = fork.next()) {
    EXPECT_EQ(fork.common(), std::nullopt) << "not before the end";
    fork.answer(hash_of(*ledger, *ledger >= forked_from ? 1 : 0));
    if (++reads > ours.size() + 1) break;
  }
  return fork.common();
}

TEST(ForkSearch, FindsTheHighestCommonLedgerWhereverItIs) {
  for (const std::size_t count : {1u, 2u, 3u, 7u, 8u, 64u, 100u}) {
    for (const std::uint32_t gap : {1u, 3u}) {
      const std::vector<LedgerId> ours = stored(count, gap);
      std::size_t most = 2;
      for (std::size_t n = count; n > 1; n /= 2) most += 2;
      for (std::size_t differing = 0; differing < count; ++differing) {
        std::size_t reads = 0;
        EXPECT_EQ(search(ours, ours[differing].sequence + 1, reads), ours[differing]) << count << ' ' << differing;
        EXPECT_LE(reads, most) << count << ' ' << differing;
      }
    }
  }
}

TEST(ForkSearch, AFewLedgersBackTakesAFewReads) {
  const std::vector<LedgerId> ours = stored(100'000, 1);
  std::size_t reads = 0;
  EXPECT_EQ(search(ours, 100'001, reads), ours[0]);
  EXPECT_EQ(reads, 1u);
  EXPECT_EQ(search(ours, 99'999, reads), ours[2]);
  EXPECT_LE(reads, 3u);
  EXPECT_EQ(search(ours, 2, reads), ours.back());
  EXPECT_LE(reads, 36u);
}

TEST(ForkSearch, NothingInCommon) {
  std::size_t reads = 0;
  EXPECT_EQ(search(stored(100, 1), 0, reads), std::nullopt);
  EXPECT_LE(reads, 8u);
  EXPECT_EQ(search({}, 0, reads), std::nullopt);
  EXPECT_EQ(reads, 0u);
}

TEST(ForkSearch, AfterItsEndNothingChanges) {
  ForkSearch fork({{10, hash_of(10)}});
  ASSERT_EQ(fork.next(), 10u);
  fork.answer(hash_of(10));
  EXPECT_EQ(fork.next(), std::nullopt);
  fork.answer(hash_of(10, 1));
  EXPECT_EQ(fork.common(), (LedgerId{10, hash_of(10)}));
}

}  // namespace
}  // namespace fluxora::core
