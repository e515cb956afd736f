#include "account_queries.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "rows.hpp"

namespace fluxora::store {
namespace {

/// Streams that are read at once for an account's totals.
constexpr std::size_t totals_page_streams = 1'000;
/// Streams that a statement looks at at once, and states of them that make a page: each state ends at most two lines,
/// so that a page is at most 130 of them.
constexpr std::size_t statement_streams = 64;
constexpr std::size_t statement_page_states = 64;

/// The account is a party now.
std::string is_party(const std::string& quoted_account) {
  return "(s.sender = " + quoted_account + " OR s.recipient = " + quoted_account + ")";
}

/// What is left until the deadline becomes the timeout of the statements that follow; false: nothing.
bool limit_to(pqxx::transaction_base& sql, Deadline deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  if (left <= 0) return false;  // 0 would mean no timeout
  sql.exec("SET LOCAL statement_timeout = " + std::to_string(left));
  return true;
}

TotalsRead read_totals(pqxx::connection& connection, const std::string& account, core::UnixSeconds now,
                       Deadline deadline, int timeout_ms) {
  pqxx::work sql(connection);
  open_snapshot(sql, timeout_ms);
  if (!limit_to(sql, deadline)) return {};
  const ports::ReadPoint at = read_point_from_row(
      sql.exec("SELECT " + std::string(read_point_columns) + " FROM log_head h CROSS JOIN indexer_checkpoint c")[0], 0);
  core::AccountTotals totals;
  totals.as_of = at.indexed_at.value_or(now);
  sql.exec("DECLARE party NO SCROLL CURSOR FOR SELECT " + stream_column_list("s.") + " FROM streams s WHERE " +
           is_party(sql.quote(account)));
  while (true) {
    const pqxx::result rows = sql.exec("FETCH FORWARD " + std::to_string(totals_page_streams) + " FROM party");
    for (const auto& row : rows) {
      const auto stream = stream_from_row(row, 0);
      totals.add(*stream, account, ports::as_of(*stream, at, now));
    }
    if (static_cast<std::size_t>(rows.size()) < totals_page_streams) return {std::move(totals), at};
    if (!limit_to(sql, deadline)) return {std::nullopt, at};
  }
}

/// Streams of which the account is a party, or was one before someone else became it.
std::string ever_party(const std::string& quoted_account) {
  const auto was = [&](const std::string& role) {
    return " UNION SELECT stream_id FROM events WHERE change LIKE '%\"" + role + "\":[%' AND change::json #>> '{" +
           role + ",0}' = " + quoted_account;
  };
  return "SELECT id FROM streams WHERE sender = " + quoted_account +
         " UNION SELECT id FROM streams WHERE recipient = " + quoted_account + was("sender") + was("recipient");
}

/// Statements' times as the log's: close times are far below i64's end.
std::string log_time(core::UnixSeconds time) {
  return std::to_string(std::min(time, core::last_rfc3339_second));
}

/// One snapshot of an account's streams and of their states within a period: a cursor over the streams, and one over
/// the states of some of them at a time.
class StatementSource {
 public:
  using Query = ports::StatementQuery;
  using Start = ports::StatementStart;
  using Page = ports::StatementPage;
  static constexpr std::string_view name = "statement";

  StatementSource(pqxx::connection& connection, const Query& query, int timeout_ms) : sql_(connection) {
    open_snapshot(sql_, timeout_ms);
    const std::string account = sql_.quote(query.account);
    const pqxx::result rows =
        sql_.exec("SELECT " + std::string(read_point_columns) +
                  ", (SELECT max(s.updated_at_ms) / 1000 FROM streams s WHERE " + is_party(account) +
                  "), coalesce(h.pruned_closed_at, 0) FROM log_head h"
                  " CROSS JOIN indexer_checkpoint c");
    at_.at = read_point_from_row(rows[0], 0);
    const pqxx::field changed_at = rows[0][read_point_width];
    at_.as_of =
        std::max(at_.at.indexed_at.value_or(query.now), changed_at.is_null() ? 0 : changed_at.as<std::uint64_t>());
    at_.settled = at_.at.indexed_at.value_or(query.now - 1);
    // Whose party the account was before someone else became it can't be told of what was pruned, so for all accounts.
    at_.known_from = rows[0][read_point_width + 1].as<core::UnixSeconds>();
    from_ = query.from.value_or(at_.known_from);
    to_ = query.to.value_or(at_.settled);
    fold_.emplace(query.account, from_, to_);
    sql_.exec("DECLARE parties NO SCROLL CURSOR FOR SELECT s.id FROM (" + ever_party(account) +
              ") p JOIN streams s USING (id) ORDER BY s.created_seq DESC, s.id DESC");
  }

  [[nodiscard]] const Start& at() const noexcept { return at_; }

  Page next_page() {
    Page page;
    page.last = from_ >= to_ || from_ < at_.known_from || (!reading_states_ && !begin_next_streams());
    if (page.last) return page;
    const pqxx::result rows = sql_.exec("FETCH FORWARD " + std::to_string(statement_page_states) + " FROM states");
    for (const auto& row : rows) {
      fold_->add(row[0].as<std::uint64_t>(), *stream_from_state(row[1]), page.lines);
    }
    if (static_cast<std::size_t>(rows.size()) < statement_page_states) {
      fold_->finish(page.lines);
      sql_.exec("CLOSE states");
      reading_states_ = false;
    }
    return page;
  }

 private:
  /// False: there are no more streams.
  bool begin_next_streams() {
    const pqxx::result rows = sql_.exec("FETCH FORWARD " + std::to_string(statement_streams) + " FROM parties");
    if (rows.empty()) return false;
    std::vector<std::string> ids;
    for (const auto& row : rows) ids.emplace_back(row[0].c_str());
    // Of the entries up to `from` a stream's last one counts; OFFSET 0 keeps the planner from reading other streams'.
    sql_.exec(
        "DECLARE states NO SCROLL CURSOR FOR SELECT e.closed_at, e.stream_state FROM unnest(ARRAY[" +
        quoted_list(sql_, ids) +
        "]::text[]) WITH ORDINALITY AS p (id, n) CROSS JOIN LATERAL ("
        "SELECT s.seq, s.closed_at, s.stream_state FROM events s"
        " WHERE s.stream_id = p.id AND s.stream_state IS NOT NULL AND " +
        stands("s") + " AND s.closed_at <= " + log_time(to_) +
        " AND s.seq >= coalesce((SELECT o.seq FROM events o WHERE o.stream_id = p.id AND o.stream_state IS NOT NULL"
        " AND " +
        stands("o") + " AND o.closed_at <= " + log_time(from_) +
        " ORDER BY o.seq DESC LIMIT 1), 0) OFFSET 0) e ORDER BY p.n, e.seq");
    reading_states_ = true;
    return true;
  }

  pqxx::work sql_;
  Start at_;
  core::UnixSeconds from_ = 0;
  core::UnixSeconds to_ = 0;
  std::optional<core::StatementFold> fold_;
  bool reading_states_ = false;
};

}  // namespace

AccountQueries::AccountQueries(ReadPool& pool, PagedReadThreads& long_reads, int timeout_ms)
    : long_reads_(long_reads),
      timeout_ms_(timeout_ms),
      turns_(pool, std::chrono::milliseconds(timeout_ms)),
      totals_(most_waiting_totals, [this](std::unique_ptr<ReadTask> task) { turns_.start(std::move(task)); }) {}

void AccountQueries::totals(std::string account, core::UnixSeconds now, std::uint64_t min_seq,
                            ports::Reply<ports::AccountAnswer> reply) {
  auto answer = [reply = std::move(reply)](const ports::StoreResult<SharedReads<TotalsRead>::Shared>& read) {
    if (!read) return reply(tl::unexpected(read.error()));
    if (!(*read)->totals) return reply(tl::unexpected(ports::StoreFailure::busy));
    reply(ports::AccountAnswer{*(*read)->totals, (*read)->at});
  };
  std::string key = account;
  // The deadline is set when it is first read: a second try, on the primary, has what is left.
  totals_.ask(std::move(key), min_seq, std::move(answer),
              [account = std::move(account), now, timeout_ms = timeout_ms_,
               deadline = std::optional<Deadline>()](ReadConnection& connection) mutable {
                if (!deadline) deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
                return read_totals(connection.plain(), account, now, *deadline, timeout_ms);
              });
}

void AccountQueries::statement(ports::StatementQuery query, ports::Reply<std::shared_ptr<ports::Statement>> reply) {
  long_reads_.start(std::make_shared<SourceJob<StatementSource>>(std::move(query), std::move(reply)));
}

}  // namespace fluxora::store
