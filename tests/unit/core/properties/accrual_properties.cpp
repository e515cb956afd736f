#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "fluxora/core/accrual.hpp"
#include "generators.hpp"

namespace fluxora::core::properties {
namespace {

/// Terms as a running stream has them: nothing negative, and times in their order.
rc::Gen<AccrualTerms> usual_terms() {
  return rc::gen::map(any_terms(), [](AccrualTerms terms) {
    for (Amount* amount : {&terms.deposit, &terms.rate_per_second, &terms.checkpoint_amount}) {
      if (amount->units < 0) amount->units = -(amount->units + 1);
    }
    terms.checkpoint_amount = std::min(terms.checkpoint_amount, terms.deposit);
    if (terms.cliff_time > terms.end_time) std::swap(terms.cliff_time, terms.end_time);
    return terms;
  });
}

RC_GTEST_PROP(AccrualProperties, StaysWithinTheDeposit, ()) {
  const AccrualTerms terms = *any_terms();
  const Amount streamed = accrued(terms, *any_time());
  RC_ASSERT(streamed.units >= 0);
  RC_ASSERT(streamed <= std::max(terms.deposit, Amount{0}));
}

RC_GTEST_PROP(AccrualProperties, NeverGoesBackInTime, ()) {
  const AccrualTerms terms = *usual_terms();
  const UnixSeconds one = *any_time();
  const UnixSeconds other = *any_time();
  RC_ASSERT(accrued(terms, std::min(one, other)) <= accrued(terms, std::max(one, other)));
}

RC_GTEST_PROP(AccrualProperties, StaysAsItIsAfterTheEnd, ()) {
  const AccrualTerms terms = *usual_terms();
  const UnixSeconds later = std::max(terms.end_time, *any_time());
  RC_ASSERT(accrued(terms, later) == accrued(terms, terms.end_time));
}

RC_GTEST_PROP(AccrualProperties, IsNothingBeforeTheCliff, ()) {
  const AccrualTerms terms = *any_terms();
  RC_PRE(terms.cliff_time > 0);
  RC_ASSERT(accrued(terms, *rc::gen::inRange<UnixSeconds>(0, terms.cliff_time)) == Amount{0});
}

// A checkpoint on the way changes nothing. The product must fit: one that doesn't counts as the whole deposit, and then
// two halves of the way can be more than the whole of it.
RC_GTEST_PROP(AccrualProperties, LinearIsAdditiveOverCheckpoints, ()) {
  AccrualTerms terms = *usual_terms();
  terms.kind = StreamKind::linear;
  terms.rate_per_second.units %= Int128{1} << 62;
  const UnixSeconds first = std::max(terms.cliff_time, *any_time());
  const UnixSeconds second = std::max(first, *any_time());
  RC_PRE(first >= terms.checkpoint_at);

  AccrualTerms checkpointed = terms;
  checkpointed.checkpoint_amount = accrued(terms, first);
  checkpointed.checkpoint_at = first;
  RC_ASSERT(accrued(checkpointed, second) == accrued(terms, second));
}

RC_GTEST_PROP(AccrualProperties, LinearIsCheckpointRateAndSeconds, ()) {
  AccrualTerms terms = *usual_terms();
  terms.kind = StreamKind::linear;
  terms.rate_per_second.units %= Int128{1} << 62;
  const UnixSeconds now = *any_time();
  const UnixSeconds until = std::min(now, terms.end_time);
  RC_PRE(now >= terms.cliff_time && until >= terms.checkpoint_at);
  const Int128 seconds = until - terms.checkpoint_at;
  const Int128 all = saturating_add(terms.checkpoint_amount.units, terms.rate_per_second.units * seconds);
  RC_ASSERT(accrued(terms, now).units == std::min(all, terms.deposit.units));
}

RC_GTEST_PROP(AccrualProperties, BalancesShareOutTheDeposit, ()) {
  const AccrualTerms terms = *usual_terms();
  Stream stream;
  stream.kind = terms.kind;
  stream.deposit = terms.deposit;
  stream.rate_per_second = terms.rate_per_second;
  stream.checkpoint_amount = terms.checkpoint_amount;
  stream.checkpoint_at = terms.checkpoint_at;
  stream.cliff_time = terms.cliff_time;
  stream.end_time = terms.end_time;
  const UnixSeconds now = *any_time();
  // What was withdrawn had been streamed before.
  stream.withdrawn.units = streamed_at(stream, now).units / *rc::gen::inRange(1, 10);

  const Balances balances = balances_at(stream, now);
  RC_ASSERT(balances.withdrawable.units == balances.streamed.units - stream.withdrawn.units);
  RC_ASSERT(balances.remaining.units == stream.deposit.units - stream.withdrawn.units);
  RC_ASSERT(balances.withdrawable <= balances.remaining);

  stream.status = StreamStatus::cancelled;
  stream.cancelled_at = now;
  const Balances later = balances_at(stream, std::max(now, *any_time()));
  RC_ASSERT(later.streamed == balances.streamed);
  RC_ASSERT(later.remaining == balances.withdrawable);
}

/// An amount around the bounds that decide between 64 and 128 bits, and of any size.
rc::Gen<Int128> units_around_64_bits() {
  return rc::gen::apply(
      [](int bits, std::int64_t offset, bool negative) {
        const Int128 units = (Int128{1} << bits) + offset;
        return negative ? -units : units;
      },
      rc::gen::inRange(0, 126), rc::gen::inRange<std::int64_t>(-3, 4),
      rc::gen::map(rc::gen::inRange(0, 10), [](int one) { return one == 0; }));
}

// Balances are computed in 64 bits where everything fits; `accrued` never is.
RC_GTEST_PROP(AccrualProperties, BalancesAreThoseOf128Bits, ()) {
  BalanceTerms terms;
  AccrualTerms& accrual = terms.accrual;
  accrual.kind = static_cast<StreamKind>(*rc::gen::inRange(0, 3));
  terms.status = static_cast<StreamStatus>(*rc::gen::inRange(0, 4));
  for (Amount* amount :
       {&accrual.deposit, &accrual.rate_per_second, &accrual.checkpoint_amount, &terms.withdrawn, &terms.settled}) {
    amount->units = *units_around_64_bits();
  }
  const auto time = [] { return (UnixSeconds{1} << *rc::gen::inRange(0, 64)) - *rc::gen::inRange<UnixSeconds>(0, 3); };
  accrual.checkpoint_at = time();
  accrual.cliff_time = time();
  accrual.end_time = time();
  terms.cancelled_at = time();
  const UnixSeconds now = time();

  const bool completed = terms.status == StreamStatus::completed;
  const bool cancelled = terms.status == StreamStatus::cancelled;
  const Amount streamed =
      completed ? accrual.deposit : accrued(accrual, cancelled ? std::min(now, terms.cancelled_at) : now);
  const Int128 unpaid =
      saturating_subtract(saturating_subtract(streamed.units, terms.withdrawn.units), terms.settled.units);
  const bool held = completed || (terms.status == StreamStatus::paused && now < accrual.end_time);

  const Balances balances = balances_at(terms, now);
  RC_ASSERT(balances.streamed == streamed);
  RC_ASSERT(balances.withdrawable.units == (held ? 0 : std::max<Int128>(0, unpaid)));
  RC_ASSERT(balances.remaining.units ==
            (cancelled ? unpaid : saturating_subtract(accrual.deposit.units, terms.withdrawn.units)));
}

}  // namespace
}  // namespace fluxora::core::properties
