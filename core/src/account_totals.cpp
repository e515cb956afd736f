#include "fluxora/core/account_totals.hpp"

#include <algorithm>

#include "fluxora/core/accrual.hpp"

namespace fluxora::core {

std::string_view role_name(Role role) noexcept {
  return role == Role::sender ? "sender" : "recipient";
}

const std::string& party(const Stream& stream, Role role) noexcept {
  return role == Role::sender ? stream.sender : stream.recipient;
}

const std::string& counterparty(const Stream& stream, Role role) noexcept {
  return role == Role::sender ? stream.recipient : stream.sender;
}

void StreamTotals::add(const Stream& stream, UnixSeconds as_of) {
  const Balances balances = balances_at(stream, as_of);
  const auto* const status = std::find(shown_statuses.begin(), shown_statuses.end(), shown_status(stream, as_of));
  ++streams;
  ++by_status[static_cast<std::size_t>(status - shown_statuses.begin())];
  deposit.add(stream.deposit);
  streamed.add(balances.streamed);
  withdrawn.add(stream.withdrawn);
  settled.add(stream.settled);
  withdrawable.add(balances.withdrawable);
  remaining.add(balances.remaining);
}

void AccountTotals::add(const Stream& stream, std::string_view account, UnixSeconds stream_as_of) {
  const bool sends = stream.sender == account;
  const bool receives = stream.recipient == account;
  if (sends) as_sender[stream.token].add(stream, stream_as_of);
  if (receives) as_recipient[stream.token].add(stream, stream_as_of);
  if (sends || receives) as_of = std::max(as_of, stream_as_of);
}

}  // namespace fluxora::core
