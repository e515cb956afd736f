#include "ledger_queries.hpp"

#include <string>
#include <utility>

#include "rows.hpp"

namespace fluxora::store {
namespace {

ports::LedgerAnswer read_held_ledger(ReadConnection& connection, std::uint32_t ledger) {
  const Statement statement = {
      "held_ledger",
      "SELECT " + std::string(read_point_columns) +
          ", c.first_ledger, c.ledger, c.contracts, l.hash, l.closed_at, d.sequence, d.digest"
          " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN ledgers l ON l.sequence = $1::bigint"
          " LEFT JOIN LATERAL (SELECT sequence, digest FROM ledgers WHERE digest IS NOT NULL AND sequence <= $1::bigint"
          " ORDER BY sequence DESC LIMIT 1) d ON true"};
  const pqxx::result rows = connection.execute(statement, {std::to_string(ledger)});
  const pqxx::row row = rows[0];
  ports::LedgerAnswer answer{std::nullopt, read_point_from_row(row, 0)};
  constexpr auto first = static_cast<pqxx::row::size_type>(read_point_width);
  if (row[first + 1].is_null()) return answer;  // nothing is indexed

  ports::HeldLedger held;
  held.first = row[first].as<std::uint32_t>();
  held.last = row[first + 1].as<std::uint32_t>();
  if (ledger < held.first || ledger > held.last) return answer;
  held.contracts = row[first + 2].c_str();
  if (!row[first + 3].is_null()) {
    held.hash = hash_from_field(row[first + 3]);
    held.closed_at = row[first + 4].as<core::UnixSeconds>();
  }
  if (!row[first + 5].is_null()) {
    held.digest_ledger = row[first + 5].as<std::uint32_t>();
    held.digest = hash_from_field(row[first + 6]);
  }
  answer.held = std::move(held);
  return answer;
}

}  // namespace

void LedgerQueries::up_to(std::uint32_t ledger, std::uint64_t min_seq, ports::Reply<ports::LedgerAnswer> reply) {
  pool_.run_replicated<ports::LedgerAnswer>(
      min_seq, std::move(reply), [ledger](ReadConnection& connection) { return read_held_ledger(connection, ledger); });
}

}  // namespace fluxora::store
