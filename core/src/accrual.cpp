#include "fluxora/core/accrual.hpp"

#include <algorithm>
#include <bit>

namespace fluxora::core {
namespace {

// The formula is written once, for any integer that holds its amounts: for i128, where it saturates, and for i64 with
// amounts so small that nothing overflows, which in WebAssembly takes a fifth of the time.

Int128 grown(Int128 from, Int128 rate, UnixSeconds seconds) noexcept {
  const auto growth = multiply(Amount{rate}, static_cast<Int128>(seconds));
  // The contract counts a product that doesn't fit as all there is, whatever it began with.
  if (!growth) return rate < 0 ? int128_min : int128_max;
  return saturating_add(from, growth->units);
}
std::int64_t grown(std::int64_t from, std::int64_t rate, UnixSeconds seconds) noexcept {
  return from + rate * static_cast<std::int64_t>(seconds);
}

Int128 less(Int128 a, Int128 b) noexcept {
  return saturating_subtract(a, b);
}
std::int64_t less(std::int64_t a, std::int64_t b) noexcept {
  return a - b;
}

/// How long the rate has counted at `now`: from the cliff on, or since the checkpoint, until the end.
UnixSeconds counted_seconds(const AccrualTerms& terms, UnixSeconds now) noexcept {
  const UnixSeconds since = terms.kind == StreamKind::cliff_slope ? terms.cliff_time : terms.checkpoint_at;
  const UnixSeconds until = std::min(now, terms.end_time);
  return until > since ? until - since : 0;
}

template <class Units>
Units accrued_as(const AccrualTerms& terms, UnixSeconds now, UnixSeconds seconds) noexcept {
  const auto deposit = static_cast<Units>(terms.deposit.units);
  const auto rate = static_cast<Units>(terms.rate_per_second.units);
  const bool linear = terms.kind == StreamKind::linear;
  const Units from = linear ? static_cast<Units>(terms.checkpoint_amount.units) : 0;
  const Units sum = grown(from, rate, seconds);
  const Units within = sum < 0 ? 0 : sum > deposit ? deposit : sum;
  const bool nothing = now < terms.cliff_time || deposit <= 0 || (linear && rate < 0);
  const Units begun = terms.kind == StreamKind::cliff_only ? deposit : within;
  return nothing ? 0 : begun;
}

/// `accruing_until`: `now`, or when the stream was cancelled.
template <class Units>
Balances balances_as(const BalanceTerms& terms, UnixSeconds now, UnixSeconds accruing_until,
                     UnixSeconds seconds) noexcept {
  const auto deposit = static_cast<Units>(terms.accrual.deposit.units);
  const auto withdrawn = static_cast<Units>(terms.withdrawn.units);
  const bool completed = terms.status == StreamStatus::completed;
  const bool paused_before_end = terms.status == StreamStatus::paused && now < terms.accrual.end_time;

  const Units accrued = accrued_as<Units>(terms.accrual, accruing_until, seconds);
  const Units streamed = completed ? deposit : accrued;
  const Units unpaid = less(less(streamed, withdrawn), static_cast<Units>(terms.settled.units));
  const Units remaining = less(deposit, withdrawn);
  return {{streamed},
          {unpaid < 0 || completed || paused_before_end ? 0 : unpaid},
          {terms.status == StreamStatus::cancelled ? unpaid : remaining}};
}

/// Whether i64 holds every amount, the growth over `seconds`, and any sum or difference of three of them.
bool fits_64_bits(const BalanceTerms& terms, UnixSeconds seconds) noexcept {
  constexpr int bits = 61;
  const auto all = static_cast<UInt128>(terms.accrual.deposit.units | terms.accrual.checkpoint_amount.units |
                                        terms.withdrawn.units | terms.settled.units);
  const auto rate = static_cast<UInt128>(terms.accrual.rate_per_second.units);
  // A negative amount has its highest bit set. A product has at most as many bits as its factors together.
  const auto beyond = static_cast<std::uint64_t>((all | rate) >> 64) | static_cast<std::uint64_t>(all) >> bits;
  return beyond == 0 && std::countl_zero(static_cast<std::uint64_t>(rate)) + std::countl_zero(seconds) >= 128 - bits;
}

}  // namespace

Amount accrued(const AccrualTerms& terms, UnixSeconds now) noexcept {
  return {accrued_as<Int128>(terms, now, counted_seconds(terms, now))};
}

AccrualTerms accrual_terms(const Stream& stream) noexcept {
  return {stream.kind,          stream.deposit,    stream.rate_per_second, stream.checkpoint_amount,
          stream.checkpoint_at, stream.cliff_time, stream.end_time};
}

BalanceTerms balance_terms(const Stream& stream) noexcept {
  return {accrual_terms(stream), stream.status, stream.withdrawn, stream.settled,
          stream.cancelled_at.value_or(never_cancelled)};
}

Balances balances_at(const BalanceTerms& terms, UnixSeconds now) noexcept {
  const bool cancelled = terms.status == StreamStatus::cancelled;
  const UnixSeconds accruing_until = std::min(now, cancelled ? terms.cancelled_at : never_cancelled);
  const UnixSeconds seconds = counted_seconds(terms.accrual, accruing_until);
  return fits_64_bits(terms, seconds) ? balances_as<std::int64_t>(terms, now, accruing_until, seconds)
                                      : balances_as<Int128>(terms, now, accruing_until, seconds);
}

Balances balances_at(const Stream& stream, UnixSeconds now) noexcept {
  return balances_at(balance_terms(stream), now);
}

Amount streamed_at(const Stream& stream, UnixSeconds now) noexcept {
  return balances_at(stream, now).streamed;
}

}  // namespace fluxora::core
