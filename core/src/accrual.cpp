#include "fluxora/core/accrual.hpp"

#include <algorithm>

namespace fluxora::core {
namespace {

Amount clamp_to_deposit(Int128 units, Amount deposit) noexcept {
  return {std::clamp<Int128>(units, 0, deposit.units)};
}

Amount accrued_linear(const AccrualTerms& terms, UnixSeconds now) noexcept {
  if (terms.rate_per_second.units < 0) return {};
  const UnixSeconds until = std::min(now, terms.end_time);
  if (terms.checkpoint_at >= terms.end_time || until <= terms.checkpoint_at) {
    return clamp_to_deposit(terms.checkpoint_amount.units, terms.deposit);
  }
  const auto since_checkpoint = multiply(terms.rate_per_second, static_cast<Int128>(until - terms.checkpoint_at));
  // The contract counts a product that doesn't fit as the whole deposit, whatever the checkpoint was.
  if (!since_checkpoint) return terms.deposit;
  return clamp_to_deposit(saturating_add(terms.checkpoint_amount.units, since_checkpoint->units), terms.deposit);
}

Amount accrued_cliff_slope(const AccrualTerms& terms, UnixSeconds now) noexcept {
  const UnixSeconds until = std::min(now, terms.end_time);
  if (until <= terms.cliff_time) return {};
  const auto seconds = static_cast<Int128>(until - terms.cliff_time);
  return clamp_to_deposit(saturating_multiply(seconds, terms.rate_per_second.units), terms.deposit);
}

}  // namespace

Amount accrued(const AccrualTerms& terms, UnixSeconds now) noexcept {
  if (now < terms.cliff_time || terms.deposit.units <= 0) return {};
  switch (terms.kind) {
    case StreamKind::cliff_only: return terms.deposit;
    case StreamKind::cliff_slope: return accrued_cliff_slope(terms, now);
    case StreamKind::linear: break;
  }
  return accrued_linear(terms, now);
}

AccrualTerms accrual_terms(const Stream& stream) noexcept {
  return {stream.kind,          stream.deposit,    stream.rate_per_second, stream.checkpoint_amount,
          stream.checkpoint_at, stream.cliff_time, stream.end_time};
}

Amount streamed_at(const Stream& stream, UnixSeconds now) noexcept {
  if (stream.status == StreamStatus::completed) return stream.deposit;
  if (stream.status == StreamStatus::cancelled && stream.cancelled_at) now = std::min(now, *stream.cancelled_at);
  return accrued(accrual_terms(stream), now);
}

Balances balances_at(const Stream& stream, UnixSeconds now) noexcept {
  const Amount streamed = streamed_at(stream, now);
  const Int128 unpaid =
      saturating_subtract(saturating_subtract(streamed.units, stream.withdrawn.units), stream.settled.units);

  const bool paused_before_end = stream.status == StreamStatus::paused && now < stream.end_time;
  const bool nothing_to_withdraw = stream.status == StreamStatus::completed || paused_before_end;

  Balances balances;
  balances.streamed = streamed;
  balances.withdrawable.units = nothing_to_withdraw ? 0 : std::max<Int128>(0, unpaid);
  balances.remaining.units = stream.status == StreamStatus::cancelled
                                 ? unpaid
                                 : saturating_subtract(stream.deposit.units, stream.withdrawn.units);
  return balances;
}

}  // namespace fluxora::core
