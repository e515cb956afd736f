#include "observation_list.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

std::string number_or_null(const std::optional<core::UnixMillis>& at) {
  return at ? std::to_string(*at) : "NULL";
}

/// SQL's condition that a stream is one of the contracts'.
std::string is_of(pqxx::transaction_base& sql, const std::string& contracts, const std::string& column) {
  return "split_part(" + column + ", '-', 1) = ANY (string_to_array(" + sql.quote(contracts) + ", ','))";
}

void write_list(pqxx::transaction_base& sql, const ports::IngestRecord& record) {
  if (!record.findings.observed.empty()) {
    sql.exec("DELETE FROM observation_list WHERE stream_id IN (" + quoted_list(sql, record.findings.observed) + ")");
  }
  if (record.to_observe.empty()) return;
  std::string values;
  for (const ports::ObservationRequest& request : record.to_observe) {
    values += values.empty() ? "(" : ",(";
    values += sql.quote(request.stream_id) + "," + std::to_string(request.not_before) + "," +
              (request.audited ? "true" : "false") + "," + std::to_string(request.absent_at) + ")";
  }
  sql.exec("INSERT INTO observation_list AS held (stream_id, not_before, audited, absent_at) VALUES " + values +
           " ON CONFLICT (stream_id) DO UPDATE SET not_before = least(held.not_before, excluded.not_before),"
           " audited = held.audited OR excluded.audited");
}

void write_differences(pqxx::transaction_base& sql, const std::vector<ports::Difference>& differences) {
  if (differences.empty()) return;
  std::string values;
  for (const ports::Difference& difference : differences) {
    values += values.empty() ? "(" : ",(";
    values += sql.quote(difference.stream_id) + "," + std::to_string(static_cast<int>(difference.kind)) + "," +
              std::to_string(difference.ledger) + "," + sql.quote(difference.fields) + ")";
  }
  sql.exec("INSERT INTO reconciliation_differences (stream_id, kind, ledger, fields) VALUES " + values);
  sql.exec(
      "DELETE FROM reconciliation_differences WHERE position <="
      " (SELECT position FROM reconciliation_differences ORDER BY position DESC OFFSET " +
      std::to_string(max_differences) + " LIMIT 1)");
}

void write_audit(pqxx::transaction_base& sql, const ports::AuditState& audit) {
  const ports::AuditPass pass = audit.pass.value_or(ports::AuditPass{});
  const ports::AuditPass last = audit.last_pass.value_or(ports::AuditPass{});
  const auto started = [](const std::optional<ports::AuditPass>& of) {
    return number_or_null(of ? std::optional(of->started_at) : std::nullopt);
  };
  sql.exec("UPDATE reconciliation SET started_at = " + started(audit.pass) +
           ", after_stream = " + sql.quote(audit.after) + ", streams = " + std::to_string(pass.streams) +
           ", differences = " + std::to_string(pass.differences) + ", last_started_at = " + started(audit.last_pass) +
           ", last_completed_at = " + std::to_string(audit.last_completed_at) + ", last_streams = " +
           std::to_string(last.streams) + ", last_differences = " + std::to_string(last.differences));
}

std::optional<ports::AuditPass> pass_from_row(const pqxx::row& row, int first) {
  const auto field = [&](int i) { return row[static_cast<pqxx::row::size_type>(first + i)]; };
  if (field(0).is_null()) return std::nullopt;
  return ports::AuditPass{field(0).as<core::UnixMillis>(), field(1).as<std::uint64_t>(), field(2).as<std::uint64_t>()};
}

}  // namespace

void write_findings(pqxx::transaction_base& sql, const ports::IngestRecord& record) {
  write_list(sql, record);
  write_differences(sql, record.findings.differences);
  if (record.findings.audit) write_audit(sql, *record.findings.audit);
}

std::vector<ports::StreamLedger> last_ledgers(pqxx::transaction_base& sql, const std::vector<std::string>& ids) {
  std::vector<ports::StreamLedger> last;
  if (ids.empty()) return last;
  const pqxx::result rows = sql.exec(
      "SELECT " + ledger_column_list() + ", wanted.id FROM unnest(" + text_array(sql, ids) +
      ") AS wanted (id) LEFT JOIN streams s ON s.id = wanted.id LEFT JOIN LATERAL"
      " (SELECT e.ledger FROM events e WHERE s.id IS NULL AND e.stream_id = wanted.id AND e.ledger IS NOT NULL"
      " AND e.in_successful_call AND " +
      stands("e") +
      " ORDER BY e.seq DESC LIMIT 1) said ON true JOIN ledgers l ON l.sequence = coalesce(s.ledger, said.ledger)");
  last.reserve(rows.size());
  for (const auto& row : rows) last.push_back({row[4].c_str(), ledger_from_row(row)});
  return last;
}

std::vector<core::Stream> logged_states(pqxx::transaction_base& sql, const std::vector<std::string>& ids) {
  std::vector<core::Stream> states;
  if (ids.empty()) return states;
  const pqxx::result rows =
      sql.exec("SELECT last.stream_state FROM unnest(" + text_array(sql, ids) +
               ") AS wanted (id) CROSS JOIN LATERAL (SELECT e.stream_state FROM events e WHERE e.stream_id = wanted.id"
               " AND e.stream_state IS NOT NULL ORDER BY e.seq DESC LIMIT 1) last");
  for (const auto& row : rows) {
    if (auto stream = stream_from_state(row[0])) states.push_back(std::move(*stream));
  }
  return states;
}

std::optional<ports::LedgerHeader> first_ledger_closing(pqxx::transaction_base& sql, core::UnixSeconds at) {
  const pqxx::result rows =
      sql.exec("SELECT " + ledger_column_list() + " FROM ledgers WHERE closed_at >= " + std::to_string(at) +
               " ORDER BY closed_at LIMIT 1");
  if (rows.empty()) return std::nullopt;
  return ledger_from_row(rows[0]);
}

std::vector<ports::ObservationRequest> due_observations(pqxx::transaction_base& sql, const std::string& contracts,
                                                        std::uint32_t checkpoint, std::size_t limit) {
  const pqxx::result rows =
      sql.exec("SELECT stream_id, not_before, audited, absent_at FROM observation_list WHERE not_before <= " +
               std::to_string(checkpoint) + " AND " + is_of(sql, contracts, "stream_id") +
               " ORDER BY not_before, stream_id LIMIT " + std::to_string(limit));
  std::vector<ports::ObservationRequest> due;
  due.reserve(rows.size());
  for (const auto& row : rows)
    due.push_back({row[0].c_str(), row[1].as<std::uint32_t>(), row[2].as<bool>(), row[3].as<std::uint32_t>()});
  return due;
}

std::vector<std::string> streams_to_audit(pqxx::transaction_base& sql, const std::string& contracts,
                                          const std::string& after, std::size_t limit) {
  const pqxx::result rows =
      sql.exec("SELECT s.id FROM streams s WHERE s.source = 0 AND NOT s.archived AND s.id > " + sql.quote(after) +
               " AND " + is_of(sql, contracts, "s.id") +
               " AND NOT EXISTS (SELECT FROM observation_list o WHERE o.stream_id = s.id) ORDER BY s.id LIMIT " +
               std::to_string(limit));
  std::vector<std::string> ids;
  ids.reserve(rows.size());
  for (const auto& row : rows) ids.emplace_back(row[0].c_str());
  return ids;
}

ports::AuditState audit_state(pqxx::transaction_base& sql) {
  const pqxx::result rows = sql.exec(
      "SELECT started_at, streams, differences, after_stream, last_started_at, last_streams, last_differences,"
      " last_completed_at FROM reconciliation");
  const pqxx::row row = rows[0];
  return {pass_from_row(row, 0), row[3].c_str(), pass_from_row(row, 4), row[7].as<core::UnixMillis>()};
}

}  // namespace fluxora::store
