#include "fluxora/core/statement.hpp"

#include <algorithm>

#include "fluxora/core/accrual.hpp"

namespace fluxora::core {
namespace {

StatementBalance balance_of(const Stream& stream, UnixSeconds at) {
  const Balances balances = balances_at(stream, at);
  return {stream.deposit, balances.streamed, stream.withdrawn, stream.settled, balances.remaining};
}

std::size_t index_of(Role role) {
  return static_cast<std::size_t>(role);
}

}  // namespace

void StatementChange::add(const StatementChange& other) noexcept {
  deposit.add(other.deposit);
  streamed.add(other.streamed);
  withdrawn.add(other.withdrawn);
  settled.add(other.settled);
  remaining.add(other.remaining);
}

StatementChange change_of(const StatementLine& line) noexcept {
  const StatementBalance& opening = line.opening;
  const StatementBalance& closing = line.closing;
  return {difference(closing.deposit, opening.deposit), difference(closing.streamed, opening.streamed),
          difference(closing.withdrawn, opening.withdrawn), difference(closing.settled, opening.settled),
          difference(closing.remaining, opening.remaining)};
}

void add_line(StatementTotalsByToken& totals, const StatementLine& line) {
  StatementTotals& of_token = totals[{line.token, line.role}];
  ++of_token.lines;
  of_token.change.add(change_of(line));
}

void StatementFold::add(UnixSeconds since, Stream state, std::vector<StatementLine>& lines) {
  if (state_ && state_->id != state.id) finish(lines);
  if (state_) since = std::max(since, since_);
  if (since > to_) return;
  since_ = since;
  if (since <= from_) {
    for (const Role role : roles) {
      spans_[index_of(role)].reset();
      if (is_held_by_account(state, role)) open(role, from_, balance_of(state, from_));
    }
    state_ = std::move(state);
    return;
  }
  for (const Role role : roles) {
    const bool held = spans_[index_of(role)].has_value();
    const bool holds = is_held_by_account(state, role);
    if (held && holds && counterparty(*state_, role) == counterparty(state, role)) continue;
    if (held) close(role, since, lines);
    if (holds) open(role, since, state_ ? balance_of(*state_, since) : StatementBalance{});
  }
  state_ = std::move(state);
}

void StatementFold::finish(std::vector<StatementLine>& lines) {
  for (const Role role : roles) {
    if (spans_[index_of(role)]) close(role, to_, lines);
  }
  state_.reset();
}

bool StatementFold::is_held_by_account(const Stream& state, Role role) const {
  return party(state, role) == account_;
}

void StatementFold::open(Role role, UnixSeconds at, StatementBalance opening) {
  spans_[index_of(role)] = Span{at, opening};
}

void StatementFold::close(Role role, UnixSeconds at, std::vector<StatementLine>& lines) {
  const Span& span = *spans_[index_of(role)];
  lines.push_back({state_->id, role, counterparty(*state_, role), state_->token, span.from, at,
                   shown_status(*state_, at), span.opening, balance_of(*state_, at)});
  spans_[index_of(role)].reset();
}

}  // namespace fluxora::core
