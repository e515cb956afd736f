#include "intake_reads.hpp"

#include <string>

#include "rows.hpp"

namespace fluxora::store {

core::Cursor read_log_end(pqxx::transaction_base& sql) {
  const pqxx::row row = sql.exec("SELECT epoch, seq FROM log_head")[0];
  return {row[0].c_str(), row[1].as<std::uint64_t>()};
}

namespace {

std::vector<ports::LedgerHeader> ledgers_from_rows(const pqxx::result& rows) {
  std::vector<ports::LedgerHeader> headers;
  headers.reserve(rows.size());
  for (const auto& row : rows) headers.push_back(ledger_from_row(row));
  return headers;
}

}  // namespace

std::vector<ports::LedgerHeader> read_ledgers_around(pqxx::transaction_base& sql,
                                                     const std::vector<std::uint32_t>& numbers) {
  if (numbers.empty()) return {};
  std::string list;
  for (const std::uint32_t number : numbers) list += (list.empty() ? "" : ",") + std::to_string(number);
  const std::string held = "(SELECT " + ledger_column_list() + " FROM ledgers WHERE sequence ";
  const pqxx::result rows =
      sql.exec("SELECT DISTINCT " + ledger_column_list() + " FROM unnest(ARRAY[" + list +
               "]::bigint[]) AS wanted (number) CROSS JOIN LATERAL (" + held +
               "< number ORDER BY sequence DESC LIMIT 1) UNION ALL " + held + "= number) UNION ALL " + held +
               "> number ORDER BY sequence LIMIT 1)) AS near ORDER BY sequence");
  return ledgers_from_rows(rows);
}

std::vector<ports::LedgerHeader> read_held_ledgers(pqxx::transaction_base& sql, std::uint32_t first,
                                                   std::uint32_t last) {
  return ledgers_from_rows(sql.exec("SELECT " + ledger_column_list() + " FROM ledgers WHERE sequence BETWEEN " +
                                    std::to_string(first) + " AND " + std::to_string(last) + " ORDER BY sequence"));
}

std::vector<core::LogEntry> read_standing_events(pqxx::transaction_base& sql, std::uint32_t first, std::uint32_t last) {
  // Only what a transaction of the chain's said names one. A delegation has made two entries of its event.
  const pqxx::result rows =
      sql.exec("SELECT DISTINCT ON (e.event_id COLLATE \"C\") " + event_column_list("e.") +
               " FROM events e WHERE e.ledger BETWEEN " + std::to_string(first) + " AND " + std::to_string(last) +
               " AND e.tx_hash IS NOT NULL AND " + stands("e") + " ORDER BY e.event_id COLLATE \"C\", e.seq");
  std::vector<core::LogEntry> events;
  events.reserve(rows.size());
  for (const auto& row : rows) events.push_back(*event_from_row(row, 0));
  return events;
}

std::size_t count_above(pqxx::transaction_base& sql, std::uint32_t ledger, std::size_t limit) {
  const std::string counted = "(SELECT count(*) FROM (SELECT FROM ";
  const std::string bounded = " LIMIT " + std::to_string(limit) + ") counted)";
  const std::string after = " > " + std::to_string(ledger);
  return sql
      .exec("SELECT greatest(" + counted + "events e WHERE e.ledger" + after + " AND " + stands("e") + bounded + ", " +
            counted + "ledgers WHERE sequence" + after + bounded + ")")[0][0]
      .as<std::size_t>();
}

}  // namespace fluxora::store
