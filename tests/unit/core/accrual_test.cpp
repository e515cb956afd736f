#include "fluxora/core/accrual.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/decimal.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

constexpr UnixSeconds last_second = std::numeric_limits<UnixSeconds>::max();

/// 1,000 units at one a second, from second 100 to 1,100, with its cliff at 100.
AccrualTerms thousand_units() {
  return {StreamKind::linear, Amount{1000}, Amount{1}, Amount{0}, 100, 100, 1100};
}

AccrualTerms thousand_units(StreamKind kind) {
  AccrualTerms terms = thousand_units();
  terms.kind = kind;
  return terms;
}

/// Units as text, because GoogleTest can't print 128 bits.
std::string at(const AccrualTerms& terms, UnixSeconds now) {
  return format_units(accrued(terms, now).units);
}

TEST(Accrual, LinearCountsSecondsFromTheCheckpointToTheEnd) {
  const AccrualTerms terms = thousand_units();
  EXPECT_EQ(at(terms, 0), "0");
  EXPECT_EQ(at(terms, 99), "0");
  EXPECT_EQ(at(terms, 100), "0");
  EXPECT_EQ(at(terms, 101), "1");
  EXPECT_EQ(at(terms, 1099), "999");
  EXPECT_EQ(at(terms, 1100), "1000");
  EXPECT_EQ(at(terms, 1101), "1000");
  EXPECT_EQ(at(terms, last_second), "1000");
}

TEST(Accrual, LinearGivesAllSinceTheStartAtOnceAtTheCliff) {
  AccrualTerms terms = thousand_units();
  terms.cliff_time = 600;
  EXPECT_EQ(at(terms, 599), "0");
  EXPECT_EQ(at(terms, 600), "500");
  EXPECT_EQ(at(terms, 601), "501");
}

TEST(Accrual, LinearNeverPassesTheDeposit) {
  AccrualTerms terms = thousand_units();
  terms.rate_per_second = Amount{3};
  EXPECT_EQ(at(terms, 433), "999");
  EXPECT_EQ(at(terms, 434), "1000");
  EXPECT_EQ(at(terms, 1100), "1000");
  terms.checkpoint_amount = Amount{1001};
  EXPECT_EQ(at(terms, 100), "1000");
}

TEST(Accrual, LinearGoesOnFromItsCheckpoint) {
  AccrualTerms terms = thousand_units();
  terms.checkpoint_amount = Amount{200};
  terms.checkpoint_at = 300;
  terms.rate_per_second = Amount{2};
  EXPECT_EQ(at(terms, 300), "200");
  EXPECT_EQ(at(terms, 350), "300");
  // What was streamed up to the checkpoint is all that is known of the time before it.
  EXPECT_EQ(at(terms, 150), "200");
}

TEST(Accrual, LinearCheckpointAtOrPastTheEndIsAllThereIs) {
  AccrualTerms terms = thousand_units();
  terms.checkpoint_amount = Amount{640};
  for (const UnixSeconds checkpoint_at : {UnixSeconds{1100}, UnixSeconds{1101}, last_second}) {
    terms.checkpoint_at = checkpoint_at;
    EXPECT_EQ(at(terms, 1100), "640") << checkpoint_at;
    EXPECT_EQ(at(terms, last_second), "640") << checkpoint_at;
  }
  terms.checkpoint_amount = Amount{-5};
  EXPECT_EQ(at(terms, last_second), "0");
  terms.checkpoint_amount = Amount{5000};
  EXPECT_EQ(at(terms, last_second), "1000");
}

TEST(Accrual, LinearWithoutAPositiveRate) {
  AccrualTerms terms = thousand_units();
  terms.checkpoint_amount = Amount{250};
  terms.rate_per_second = Amount{0};
  EXPECT_EQ(at(terms, 900), "250");
  terms.rate_per_second = Amount{-1};
  EXPECT_EQ(at(terms, 900), "0");
  terms.checkpoint_at = 1100;
  EXPECT_EQ(at(terms, 1100), "0");
}

TEST(Accrual, LinearProductThatDoesNotFitIsTheDeposit) {
  AccrualTerms terms{StreamKind::linear, Amount{1000}, Amount{int128_max}, Amount{0}, 0, 0, last_second};
  EXPECT_EQ(at(terms, 1), "1000");
  EXPECT_EQ(at(terms, 2), "1000");
  // The checkpoint has no say in it: by the end of the first second it still does.
  terms.checkpoint_amount = Amount{int128_min};
  EXPECT_EQ(at(terms, 1), "0");
  EXPECT_EQ(at(terms, 2), "1000");
  // The product fits, the sum doesn't.
  terms.checkpoint_amount = Amount{int128_max};
  EXPECT_EQ(at(terms, 1), "1000");
}

TEST(Accrual, LargestStreamOfAll) {
  const AccrualTerms terms{
      StreamKind::linear, Amount{int128_max}, Amount{int128_max / Int128{last_second}}, Amount{0}, 0, 0, last_second};
  // (2^127 - 1) / (2^64 - 1) is 2^63 a second; the remainder, 2^63 - 1, is never streamed.
  EXPECT_EQ(at(terms, last_second), "170141183460469231722463931679029329920");
  EXPECT_EQ(at(terms, 1), "9223372036854775808");
}

TEST(Accrual, CliffOnlyGivesEverythingAtTheCliff) {
  AccrualTerms terms = thousand_units(StreamKind::cliff_only);
  terms.cliff_time = 700;
  for (const Int128 rate : {Int128{1}, Int128{0}, Int128{-1}}) {
    terms.rate_per_second = Amount{rate};
    EXPECT_EQ(at(terms, 699), "0");
    EXPECT_EQ(at(terms, 700), "1000");
    EXPECT_EQ(at(terms, last_second), "1000");
  }
}

TEST(Accrual, CliffSlopeCountsFromTheCliff) {
  AccrualTerms terms = thousand_units(StreamKind::cliff_slope);
  terms.cliff_time = 600;
  EXPECT_EQ(at(terms, 599), "0");
  EXPECT_EQ(at(terms, 600), "0");
  EXPECT_EQ(at(terms, 601), "1");
  EXPECT_EQ(at(terms, 1100), "500");
  EXPECT_EQ(at(terms, last_second), "500");
  terms.rate_per_second = Amount{3};
  EXPECT_EQ(at(terms, last_second), "1000");
  terms.rate_per_second = Amount{-3};
  EXPECT_EQ(at(terms, last_second), "0");
}

TEST(Accrual, CliffSlopeTakesNoCheckpoint) {
  AccrualTerms terms = thousand_units(StreamKind::cliff_slope);
  terms.checkpoint_amount = Amount{400};
  terms.checkpoint_at = 500;
  EXPECT_EQ(at(terms, 600), "500");
}

TEST(Accrual, CliffSlopeSaturates) {
  AccrualTerms terms = thousand_units(StreamKind::cliff_slope);
  terms.rate_per_second = Amount{int128_max};
  EXPECT_EQ(at(terms, 102), "1000");
  terms.rate_per_second = Amount{int128_min};
  EXPECT_EQ(at(terms, 102), "0");
}

TEST(Accrual, CliffSlopeWhoseCliffIsPastItsEnd) {
  AccrualTerms terms = thousand_units(StreamKind::cliff_slope);
  terms.cliff_time = 1200;
  EXPECT_EQ(at(terms, 1200), "0");
  EXPECT_EQ(at(terms, last_second), "0");
}

TEST(Accrual, NothingComesOfADepositThatIsNotPositive) {
  for (const StreamKind kind : {StreamKind::linear, StreamKind::cliff_only, StreamKind::cliff_slope}) {
    AccrualTerms terms = thousand_units(kind);
    for (const Int128 deposit : {Int128{0}, Int128{-1}, int128_min}) {
      terms.deposit = Amount{deposit};
      terms.checkpoint_amount = Amount{1};
      EXPECT_EQ(at(terms, 600), "0") << kind_name(kind);
    }
  }
}

/// Numbers for the tests below, from a seed that names the run (Marsaglia's xorshift).
class Numbers {
 public:
  explicit Numbers(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t below(std::uint64_t bound) noexcept {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % bound;
  }

 private:
  std::uint64_t state_;
};

AccrualTerms any_terms(Numbers& numbers) {
  AccrualTerms terms;
  terms.kind = static_cast<StreamKind>(numbers.below(3));
  terms.deposit = Amount{static_cast<Int128>(numbers.below(500))};
  terms.rate_per_second = Amount{static_cast<Int128>(numbers.below(9))};
  terms.checkpoint_amount = Amount{static_cast<Int128>(numbers.below(60))};
  terms.checkpoint_at = numbers.below(60);
  terms.cliff_time = numbers.below(80);
  terms.end_time = numbers.below(100);
  return terms;
}

/// The rules of SPEC section 2 with a clock that ticks once a second, instead of a product.
Int128 ticked(const AccrualTerms& terms, UnixSeconds now) {
  if (now < terms.cliff_time) return 0;
  if (terms.kind == StreamKind::cliff_only) return terms.deposit.units;
  const bool linear = terms.kind == StreamKind::linear;
  Int128 streamed = linear ? terms.checkpoint_amount.units : 0;
  for (UnixSeconds second = linear ? terms.checkpoint_at : terms.cliff_time; second < std::min(now, terms.end_time);
       ++second) {
    streamed += terms.rate_per_second.units;
  }
  return std::min(streamed, terms.deposit.units);
}

TEST(Accrual, IsWhatAClockCountsSecondBySecond) {
  constexpr std::uint64_t seed = 20260329;
  Numbers numbers(seed);
  for (int round = 0; round < 500; ++round) {
    const AccrualTerms terms = any_terms(numbers);
    Int128 last = 0;
    for (UnixSeconds now = 0; now < 110; ++now) {
      const Int128 streamed = accrued(terms, now).units;
      ASSERT_EQ(format_units(streamed), format_units(ticked(terms, now)))
          << "seed " << seed << ", round " << round << ", " << kind_name(terms.kind) << " at " << now;
      ASSERT_GE(streamed, last) << "seed " << seed << ", round " << round << ", at " << now;
      last = streamed;
    }
  }
}

std::string streamed_text(const Stream& stream, UnixSeconds now) {
  const Balances balances = balances_at(stream, now);
  EXPECT_EQ(balances.streamed, streamed_at(stream, now));
  return format_decimal(balances.streamed);
}

std::string withdrawable_text(const Stream& stream, UnixSeconds now) {
  return format_decimal(balances_at(stream, now).withdrawable);
}

std::string remaining_text(const Stream& stream, UnixSeconds now) {
  return format_decimal(balances_at(stream, now).remaining);
}

TEST(Balances, OfAnActiveStream) {
  Stream stream = sample_stream();
  stream.withdrawn = tokens(100);
  EXPECT_EQ(streamed_text(stream, 1250), "250.0000000");
  EXPECT_EQ(withdrawable_text(stream, 1250), "150.0000000");
  EXPECT_EQ(remaining_text(stream, 1250), "900.0000000");
  EXPECT_EQ(streamed_text(stream, 999), "0.0000000");
  // Never negative, though more was withdrawn than had been streamed by then.
  EXPECT_EQ(withdrawable_text(stream, 999), "0.0000000");
}

TEST(Balances, APauseStopsWithdrawalsButNoAccrual) {
  Stream stream = sample_stream();
  stream.status = StreamStatus::paused;
  EXPECT_EQ(streamed_text(stream, 1999), "999.0000000");
  EXPECT_EQ(withdrawable_text(stream, 1999), "0.0000000");
  EXPECT_EQ(remaining_text(stream, 1999), "1000.0000000");
  EXPECT_EQ(withdrawable_text(stream, 2000), "1000.0000000");
}

TEST(Balances, ACancellationStopsTheClock) {
  Stream stream = sample_stream();
  stream.status = StreamStatus::cancelled;
  stream.cancelled_at = 1400;
  stream.withdrawn = tokens(150);
  EXPECT_EQ(streamed_text(stream, 1300), "300.0000000");
  EXPECT_EQ(streamed_text(stream, 1400), "400.0000000");
  EXPECT_EQ(streamed_text(stream, 5000), "400.0000000");
  EXPECT_EQ(withdrawable_text(stream, 5000), "250.0000000");
  EXPECT_EQ(remaining_text(stream, 5000), "250.0000000");
}

TEST(Balances, WhatAKeeperPaidOutIsNotThereAnyMore) {
  Stream stream = sample_stream();
  stream.status = StreamStatus::cancelled;
  stream.cancelled_at = 1400;
  stream.withdrawn = tokens(150);
  stream.settled = tokens(250);
  EXPECT_EQ(withdrawable_text(stream, 5000), "0.0000000");
  EXPECT_EQ(remaining_text(stream, 5000), "0.0000000");
}

TEST(Balances, ACompletedStreamHasStreamedItsDeposit) {
  Stream stream = sample_stream();
  stream.status = StreamStatus::completed;
  stream.withdrawn = stream.deposit;
  for (const UnixSeconds now : {UnixSeconds{0}, UnixSeconds{1500}, last_second}) {
    EXPECT_EQ(streamed_text(stream, now), "1000.0000000");
    EXPECT_EQ(withdrawable_text(stream, now), "0.0000000");
    EXPECT_EQ(remaining_text(stream, now), "0.0000000");
  }
  // Nothing is withdrawable from it, whatever was withdrawn.
  stream.withdrawn = tokens(1);
  EXPECT_EQ(withdrawable_text(stream, 2000), "0.0000000");
}

TEST(Balances, StayInRangeWhereDifferencesWouldNot) {
  Stream stream = sample_stream();
  stream.deposit = Amount{int128_max};
  stream.withdrawn = Amount{int128_min};
  stream.settled = Amount{int128_min};
  EXPECT_EQ(balances_at(stream, 1500).withdrawable, Amount{int128_max});
  EXPECT_EQ(balances_at(stream, 1500).remaining, Amount{int128_max});
  stream.deposit = Amount{int128_min};
  stream.withdrawn = Amount{int128_max};
  stream.settled = Amount{int128_max};
  EXPECT_EQ(balances_at(stream, 1500).remaining, Amount{int128_min});
  EXPECT_EQ(balances_at(stream, 1500).withdrawable, Amount{0});
}

TEST(Balances, TermsAreTheStreams) {
  Stream stream = sample_stream();
  stream.kind = StreamKind::cliff_slope;
  stream.checkpoint_amount = tokens(3);
  stream.checkpoint_at = 1003;
  stream.cliff_time = 1200;
  const AccrualTerms terms = accrual_terms(stream);
  EXPECT_EQ(terms.kind, StreamKind::cliff_slope);
  EXPECT_EQ(terms.deposit, tokens(1000));
  EXPECT_EQ(terms.rate_per_second, tokens(1));
  EXPECT_EQ(terms.checkpoint_amount, tokens(3));
  EXPECT_EQ(terms.checkpoint_at, 1003u);
  EXPECT_EQ(terms.cliff_time, 1200u);
  EXPECT_EQ(terms.end_time, 2000u);
}

}  // namespace
}  // namespace fluxora::core
