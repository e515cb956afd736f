#include "indexer_board.hpp"

#include <algorithm>

#include "audit_log.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

const std::string alarm_columns =
    "id, kind, epoch, reason, raised_at_ms, cleared_at_ms, acknowledged_at_ms, acknowledged_by";

/// 'stalled','network_reset': those of the alarms that `chosen` takes.
template <class Choice>
std::string quoted_names(Choice chosen) {
  std::string names;
  for (const auto& [kind, name] : ports::alarm_names) {
    if (chosen(kind)) names += (names.empty() ? "'" : ",'") + std::string(name) + "'";
  }
  return names;
}

/// Whether an alarm still matters: its cause goes on, or nobody has seen it, and, where it is about one log, that is
/// the one held.
const std::string& stands_condition() {
  static const std::string condition =
      "(cleared_at_ms IS NULL OR (acknowledged_at_ms IS NULL AND kind NOT IN (" +
      quoted_names([](ports::AlarmKind kind) { return kind == ports::AlarmKind::retention; }) +
      "))) AND (epoch = (SELECT epoch FROM log_head) OR kind NOT IN (" + quoted_names(ports::halts_indexing) + "))";
  return condition;
}

/// None for a kind that a later version has brought.
std::optional<ports::IndexerAlarm> alarm_from_row(const pqxx::row& row) {
  const auto name = std::find_if(ports::alarm_names.begin(), ports::alarm_names.end(),
                                 [&](const auto& known) { return known.second == row[1].c_str(); });
  if (name == ports::alarm_names.end()) return std::nullopt;
  ports::IndexerAlarm alarm;
  alarm.id = row[0].as<std::uint64_t>();
  alarm.kind = name->first;
  alarm.epoch = row[2].c_str();
  alarm.reason = row[3].c_str();
  alarm.raised_at = row[4].as<core::UnixMillis>();
  alarm.cleared_at = number_or_none<core::UnixMillis>(row[5]);
  alarm.acknowledged_at = number_or_none<core::UnixMillis>(row[6]);
  alarm.acknowledged_by = row[7].c_str();
  return alarm;
}

std::vector<ports::IndexerAlarm> alarms_from(const pqxx::result& rows) {
  std::vector<ports::IndexerAlarm> alarms;
  for (const auto& row : rows) {
    if (auto alarm = alarm_from_row(row)) alarms.push_back(std::move(*alarm));
  }
  return alarms;
}

std::optional<ports::LeaderReport> leader_from(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  ports::LeaderReport report;
  report.network = row[0].c_str();
  report.last_safe_ledger = row[1].as<std::uint32_t>();
  report.synced_at = number_or_none<core::UnixMillis>(row[2]);
  report.reorg_detected = row[3].as<bool>();
  report.rpc_healthy = row[4].as<bool>();
  report.halted = row[5].as<bool>();
  report.trouble = row[6].c_str();
  report.summary = row[7].c_str();
  report.retention_ledgers = number_or_none<std::uint32_t>(row[8]);
  return report;
}

std::string boolean(bool value) {
  return value ? "true" : "false";
}

template <class Number>
std::string number_or_null(const std::optional<Number>& number) {
  return number ? std::to_string(*number) : "NULL";
}

std::optional<ports::IndexerAlarm> acknowledge_alarm(pqxx::connection& connection, std::uint64_t id,
                                                     const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const std::string with_id = " WHERE id = " + std::to_string(id);
  const pqxx::result changed =
      sql.exec("UPDATE indexer_alarms SET acknowledged_at_ms = " + now_ms +
               ", acknowledged_by = " + sql.quote(by.actor) + ", cleared_at_ms = CASE WHEN kind IN (" +
               quoted_names(ports::halts_indexing) + ") THEN coalesce(cleared_at_ms, " + now_ms +
               ") ELSE cleared_at_ms END" + with_id + " AND acknowledged_at_ms IS NULL RETURNING " + alarm_columns);
  if (changed.empty()) {
    const pqxx::result found = sql.exec("SELECT " + alarm_columns + " FROM indexer_alarms" + with_id);
    return found.empty() ? std::nullopt : alarm_from_row(found[0]);
  }
  ports::AuditRecord record = by;
  record.action = "alarm.acknowledge";
  record.target = std::to_string(id);
  append_audit(sql, {record});
  sql.commit();
  return alarm_from_row(changed[0]);
}

}  // namespace

std::optional<ports::Checkpoint> checkpoint_from_row(const pqxx::row& row) {
  if (row[0].is_null()) return std::nullopt;
  return ports::Checkpoint{row[0].as<std::uint32_t>(), hash_from_field(row[1]), row[2].as<std::uint64_t>()};
}

ports::IndexProgress read_progress(pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  ports::IndexProgress progress;
  const pqxx::result rows = sql.exec(
      "SELECT ledger, ledger_hash, closed_at, (extract(epoch FROM updated_at) * 1000)::bigint,"
      " coalesce(network_passphrase, '') FROM indexer_checkpoint");
  progress.checkpoint = checkpoint_from_row(rows[0]);
  progress.updated_at = rows[0][3].as<core::UnixMillis>();
  progress.network = rows[0][4].c_str();
  progress.leader = leader_from(
      sql.exec("SELECT network, last_safe_ledger, synced_at_ms, reorg_detected, rpc_healthy, halted, trouble, summary,"
               " retention_ledgers FROM indexer_leader"));
  progress.alarms =
      alarms_from(sql.exec("SELECT " + alarm_columns + " FROM indexer_alarms WHERE " + stands_condition() +
                           " ORDER BY id DESC LIMIT " + std::to_string(ports::max_standing_alarms)));
  std::reverse(progress.alarms.begin(), progress.alarms.end());
  return progress;
}

void publish_report(pqxx::connection& connection, const ports::LeaderReport& report) {
  pqxx::nontransaction sql(connection);
  sql.exec(
      "INSERT INTO indexer_leader (network, last_safe_ledger, synced_at_ms, reorg_detected, rpc_healthy, halted,"
      " trouble, summary, retention_ledgers) VALUES (" +
      sql.quote(report.network) + "," + std::to_string(report.last_safe_ledger) + "," +
      number_or_null(report.synced_at) + "," + boolean(report.reorg_detected) + "," + boolean(report.rpc_healthy) +
      "," + boolean(report.halted) + "," + sql.quote(report.trouble) + "," + sql.quote(report.summary) + "," +
      number_or_null(report.retention_ledgers) +
      ") ON CONFLICT (one) DO UPDATE SET network = excluded.network, last_safe_ledger = excluded.last_safe_ledger,"
      " synced_at_ms = excluded.synced_at_ms, reorg_detected = excluded.reorg_detected,"
      " rpc_healthy = excluded.rpc_healthy, halted = excluded.halted, trouble = excluded.trouble,"
      " summary = excluded.summary, retention_ledgers = excluded.retention_ledgers");
}

bool raise_alarm(pqxx::connection& connection, ports::AlarmKind kind, const std::string& reason) {
  pqxx::nontransaction sql(connection);
  return !sql.exec("INSERT INTO indexer_alarms (kind, epoch, reason) SELECT '" + std::string(ports::alarm_name(kind)) +
                   "', epoch, " + sql.quote(reason) +
                   " FROM log_head ON CONFLICT (kind, epoch) WHERE cleared_at_ms IS NULL OR acknowledged_at_ms IS NULL"
                   " DO UPDATE SET cleared_at_ms = NULL, reason = excluded.reason, raised_at_ms ="
                   " excluded.raised_at_ms WHERE indexer_alarms.cleared_at_ms IS NOT NULL RETURNING id")
              .empty();
}

bool clear_alarm(pqxx::connection& connection, ports::AlarmKind kind) {
  pqxx::nontransaction sql(connection);
  return sql.exec("UPDATE indexer_alarms SET cleared_at_ms = " + now_ms + " WHERE kind = '" +
                  std::string(ports::alarm_name(kind)) + "' AND cleared_at_ms IS NULL")
             .affected_rows() > 0;
}

void PostgresIndexerAlarms::list(std::size_t limit, ports::Reply<std::vector<ports::IndexerAlarm>> reply) {
  pool_.run<std::vector<ports::IndexerAlarm>>(std::move(reply), [limit](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return alarms_from(
        sql.exec("SELECT " + alarm_columns + " FROM indexer_alarms ORDER BY id DESC LIMIT " + std::to_string(limit)));
  });
}

void PostgresIndexerAlarms::acknowledge(std::uint64_t id, ports::AuditRecord by,
                                        ports::Reply<std::optional<ports::IndexerAlarm>> reply) {
  pool_.run<std::optional<ports::IndexerAlarm>>(
      std::move(reply),
      [id, by = std::move(by)](pqxx::connection& connection) { return acknowledge_alarm(connection, id, by); });
}

}  // namespace fluxora::store
