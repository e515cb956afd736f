#pragma once

#include <cstdint>
#include <limits>
#include <ostream>

#include <rapidcheck.h>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::core::properties {

/// All of i128, with the numbers around 0, around the ends and of every size as likely as the rest.
inline rc::Gen<Amount> any_amount() {
  const auto around = [](Int128 centre) {
    return rc::gen::map(rc::gen::inRange<std::int64_t>(-3, 4), [centre](std::int64_t by) {
      const auto moved = static_cast<UInt128>(centre) + static_cast<UInt128>(Int128{by});
      return Amount{static_cast<Int128>(moved)};  // past an end: at the other one
    });
  };
  const auto of_any_size = rc::gen::apply(
      [](std::uint64_t high, std::uint64_t low, int shift) {
        return Amount{static_cast<Int128>(UInt128{high} << 64 | low) >> shift};
      },
      rc::gen::arbitrary<std::uint64_t>(), rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange(0, 128));
  return rc::gen::oneOf(around(0), around(int128_max), around(int128_min), around(units_per_one), of_any_size,
                        of_any_size, of_any_size);
}

inline rc::Gen<Rounding> any_rounding() {
  return rc::gen::element(Rounding::floor, Rounding::ceiling, Rounding::down, Rounding::half_up, Rounding::half_even);
}

/// Times of today, of the first seconds and of the last ones: those that coincide and those that are far apart.
inline rc::Gen<UnixSeconds> any_time() {
  constexpr UnixSeconds last = std::numeric_limits<UnixSeconds>::max();
  return rc::gen::oneOf(rc::gen::inRange<UnixSeconds>(0, 20),
                        rc::gen::inRange<UnixSeconds>(1'700'000'000, 1'800'000'000),
                        rc::gen::inRange<UnixSeconds>(last - 20, last), rc::gen::arbitrary<UnixSeconds>());
}

inline rc::Gen<StreamKind> any_kind() {
  return rc::gen::element(StreamKind::linear, StreamKind::cliff_only, StreamKind::cliff_slope);
}

inline rc::Gen<AccrualTerms> any_terms() {
  return rc::gen::build<AccrualTerms>(
      rc::gen::set(&AccrualTerms::kind, any_kind()), rc::gen::set(&AccrualTerms::deposit, any_amount()),
      rc::gen::set(&AccrualTerms::rate_per_second, any_amount()),
      rc::gen::set(&AccrualTerms::checkpoint_amount, any_amount()),
      rc::gen::set(&AccrualTerms::checkpoint_at, any_time()), rc::gen::set(&AccrualTerms::cliff_time, any_time()),
      rc::gen::set(&AccrualTerms::end_time, any_time()));
}

inline rc::Gen<Bytes> any_bytes() {
  return rc::gen::arbitrary<Bytes>();
}

inline rc::Gen<Bytes> bytes_of_size(std::size_t size) {
  return rc::gen::container<Bytes>(size, rc::gen::arbitrary<std::uint8_t>());
}

}  // namespace fluxora::core::properties

namespace fluxora::core {

// How rapidcheck prints a counterexample.
inline void showValue(Amount amount, std::ostream& out) {
  out << format_units(amount.units) << " units";
}
inline void showValue(const AccrualTerms& terms, std::ostream& out) {
  out << kind_name(terms.kind) << ", deposit " << format_units(terms.deposit.units) << ", rate "
      << format_units(terms.rate_per_second.units) << ", checkpoint " << format_units(terms.checkpoint_amount.units)
      << " at " << terms.checkpoint_at << ", cliff " << terms.cliff_time << ", end " << terms.end_time;
}

}  // namespace fluxora::core
