#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/account_totals.hpp"
#include "fluxora/core/statement.hpp"
#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/paged_read.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::ports {

struct AccountAnswer {
  core::AccountTotals totals;
  ReadPoint at;
};

struct StatementQuery {
  std::string account;
  std::optional<core::UnixSeconds> from;  ///< none: StatementStart::known_from
  std::optional<core::UnixSeconds> to;    ///< none: StatementStart::settled
  core::UnixSeconds now = 0;              ///< the server's clock, where nothing is indexed
};

/// What of a statement is known before its lines.
struct StatementStart {
  ReadPoint at;
  /// Up to when the account's past is known: the later of the last indexed ledger's close time and the last change of a
  /// stream that is the account's.
  core::UnixSeconds as_of = 0;
  /// The last second of which nothing more is to come: the last indexed ledger's close time, or where nothing is
  /// indexed the second before now. Later ones may still get entries of ledgers that aren't indexed yet, or changes.
  core::UnixSeconds settled = 0;
  /// The first second that a statement can begin with: what was before it was pruned. 0: nothing was.
  core::UnixSeconds known_from = 0;
};

struct StatementPage {
  std::vector<core::StatementLine> lines;  ///< by stream, newest first as in lists, then by time; may be empty
  bool last = false;                       ///< nothing follows
};

using Statement = PagedRead<StatementStart, StatementPage>;

/// What the streams amount to for one account, without blocking the caller.
class AccountReader {
 public:
  virtual ~AccountReader() = default;
  /// Each stream at its asOf (ports::as_of). `busy` also where that takes, or waits, longer than other reads may.
  /// `min_seq` as StreamReader has it.
  virtual void totals(std::string account, core::UnixSeconds now, std::uint64_t min_seq,
                      Reply<AccountAnswer> reply) = 0;
  /// A long read: `busy` when as many as may run at once are running, or the database was too slow. Has no lines where
  /// `from` isn't before `to`, or before known_from.
  virtual void statement(StatementQuery query, Reply<std::shared_ptr<Statement>> reply) = 0;
};

}  // namespace fluxora::ports
