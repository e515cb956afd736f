#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/amount_sum.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// What an account can be of a stream. It may be both.
enum class Role : std::uint8_t { sender, recipient };
inline constexpr std::array<Role, 2> roles = {Role::sender, Role::recipient};

[[nodiscard]] std::string_view role_name(Role role) noexcept;
[[nodiscard]] const std::string& party(const Stream& stream, Role role) noexcept;
/// The other one.
[[nodiscard]] const std::string& counterparty(const Stream& stream, Role role) noexcept;

/// Sums over some streams, each computed at a moment of its own.
struct StreamTotals {
  std::uint64_t streams = 0;
  std::array<std::uint64_t, shown_statuses.size()> by_status{};  ///< in the order of shown_statuses
  AmountSum deposit;
  AmountSum streamed;
  AmountSum withdrawn;
  AmountSum settled;
  AmountSum withdrawable;
  AmountSum remaining;

  void add(const Stream& stream, UnixSeconds as_of);
};

/// By token; none: API streams, and those whose contract's token isn't known yet. There are as many tokens as contracts
/// are followed, at most.
using TotalsByToken = std::map<std::optional<std::string>, StreamTotals>;

/// An account's totals, stream by stream, in whatever order: what is held doesn't grow with their number.
struct AccountTotals {
  TotalsByToken as_sender;
  TotalsByToken as_recipient;
  UnixSeconds as_of = 0;  ///< the latest moment that a stream was computed for

  /// A stream of others changes nothing.
  void add(const Stream& stream, std::string_view account, UnixSeconds stream_as_of);
};

}  // namespace fluxora::core
