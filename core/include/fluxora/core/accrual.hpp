#pragma once

#include <limits>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// What accrual is computed from. SPEC section 2, "Accrual".
struct AccrualTerms {
  StreamKind kind = StreamKind::linear;
  Amount deposit;
  Amount rate_per_second;
  Amount checkpoint_amount;
  UnixSeconds checkpoint_at = 0;
  UnixSeconds cliff_time = 0;
  UnixSeconds end_time = 0;
};

/// Base units streamed at `now` by the terms alone, always within 0..deposit (0 where the deposit is negative).
/// Total: products that don't fit count as the deposit.
[[nodiscard]] Amount accrued(const AccrualTerms& terms, UnixSeconds now) noexcept;

/// The three amounts of a stream at `now`. `now` is capped at cancelledAt; a completed stream has streamed its deposit.
struct Balances {
  Amount streamed;
  Amount withdrawable;  ///< never negative
  Amount remaining;
};

inline constexpr UnixSeconds never_cancelled = std::numeric_limits<UnixSeconds>::max();

/// What of a stream its balances are computed from.
struct BalanceTerms {
  AccrualTerms accrual;
  StreamStatus status = StreamStatus::active;
  Amount withdrawn;
  Amount settled;
  UnixSeconds cancelled_at = never_cancelled;  ///< counts only while the status is cancelled
};

[[nodiscard]] AccrualTerms accrual_terms(const Stream& stream) noexcept;
[[nodiscard]] BalanceTerms balance_terms(const Stream& stream) noexcept;
[[nodiscard]] Balances balances_at(const BalanceTerms& terms, UnixSeconds now) noexcept;
[[nodiscard]] Balances balances_at(const Stream& stream, UnixSeconds now) noexcept;
[[nodiscard]] Amount streamed_at(const Stream& stream, UnixSeconds now) noexcept;

}  // namespace fluxora::core
