#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/account_totals.hpp"
#include "fluxora/core/amount_sum.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// A stream's amounts at one end of a span.
struct StatementBalance {
  Amount deposit;
  Amount streamed;
  Amount withdrawn;
  Amount settled;
  Amount remaining;

  friend bool operator==(const StatementBalance&, const StatementBalance&) = default;
};

/// One span of one stream: the account is its sender (or recipient), with one counterparty, all the time.
struct StatementLine {
  std::string stream_id;
  Role role = Role::sender;
  std::string counterparty;
  std::optional<std::string> token;
  UnixSeconds span_from = 0;
  UnixSeconds span_to = 0;
  std::string_view status;  ///< at the span's end, one of shown_statuses
  StatementBalance opening;
  StatementBalance closing;
};

/// What happened within a span, or within many.
struct StatementChange {
  AmountSum deposit;
  AmountSum streamed;
  AmountSum withdrawn;
  AmountSum settled;
  AmountSum remaining;

  void add(const StatementChange& other) noexcept;
};

/// Closing less opening.
[[nodiscard]] StatementChange change_of(const StatementLine& line) noexcept;

struct StatementTotals {
  std::uint64_t lines = 0;
  StatementChange change;
};
/// By token and role.
using StatementTotalsByToken = std::map<std::pair<std::optional<std::string>, Role>, StatementTotals>;
void add_line(StatementTotalsByToken& totals, const StatementLine& line);

/// Makes an account's lines for a period of the states that streams had in the log. The period's entries are those
/// after `from`, up to `to`, both close times: so statements of periods that follow each other fit together, and no
/// entry is in two of them.
///
/// A span begins at `from` or with the entry that made the account a party, and ends at `to` or with the entry that
/// changed a party. Amounts at a change of parties are those that the entries before it give at its close time, for
/// the side that ends and for the side that begins: nothing is in both, and nothing in neither. A stream that is
/// created within the period opens with zeros. A span may be of no length, where parties change twice in one ledger.
class StatementFold {
 public:
  /// from < to.
  StatementFold(std::string account, UnixSeconds from, UnixSeconds to)
      : account_(std::move(account)), from_(from), to_(to) {}

  /// The next state of the stream, in the log's order, and the close time of its entry; or the first state of the next
  /// stream. Of the entries up to `from` only a stream's last counts, those after `to` are ignored. Lines that end with
  /// it are appended. A close time before the one that came last counts as that one.
  void add(UnixSeconds since, Stream state, std::vector<StatementLine>& lines);
  /// There are no more states of this stream.
  void finish(std::vector<StatementLine>& lines);

 private:
  struct Span {
    UnixSeconds from;
    StatementBalance opening;
  };

  [[nodiscard]] bool is_held_by_account(const Stream& state, Role role) const;
  void open(Role role, UnixSeconds at, StatementBalance opening);
  void close(Role role, UnixSeconds at, std::vector<StatementLine>& lines);

  std::string account_;
  UnixSeconds from_;
  UnixSeconds to_;
  std::optional<Stream> state_;
  UnixSeconds since_ = 0;  ///< of state_
  std::array<std::optional<Span>, roles.size()> spans_;
};

}  // namespace fluxora::core
