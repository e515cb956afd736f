#include "next_log.hpp"

#include <utility>

#include "audit_log.hpp"
#include "carried_entries.hpp"
#include "log_tables.hpp"
#include "log_tail.hpp"
#include "migrations.hpp"
#include "replay_jobs.hpp"
#include "rows.hpp"
#include "webhook_replays.hpp"

namespace fluxora::store {
namespace {

constexpr std::string_view next_schema = "fluxora_next";
constexpr int statement_timeout_ms = 600'000;
/// How long writers are waited for, who then wait for us.
constexpr int writers_timeout_ms = 1'000;
/// How long readers are waited for while new ones wait behind us: below the second after which the database looks for
/// deadlocks, so that it is us who give way.
constexpr int readers_timeout_ms = 500;
/// Every so many tries it is more than that second: only then does the database end a vacuum that is in our way.
constexpr unsigned long_try = 10;
constexpr int long_readers_timeout_ms = 1'500;
/// Entries of the served log that are looked through at once; what one transaction carries of them.
constexpr std::uint64_t part_entries = 10'000;

StoreOptions with_schema(StoreOptions options) {
  options.schema = next_schema;
  return options;
}

std::string in_next(std::string_view table) {
  return std::string(next_schema) + "." + std::string(table);
}

/// The tables, comma separated.
std::string listed_tables() {
  std::string list;
  for (const std::string_view table : log_tables) list += (list.empty() ? "" : ", ") + std::string(table);
  return list;
}

bool is_lock_conflict(const pqxx::sql_error& error) {
  return error.sqlstate() == "55P03" || error.sqlstate() == "40P01";
}

std::string text_of(const ports::ReplayTarget& target) {
  return "CONTRACT_IDS=" + target.contracts + " from ledger " + std::to_string(target.from_ledger);
}

std::string scalar(pqxx::transaction_base& sql, const std::string& query) {
  return sql.exec(query)[0][0].c_str();
}

/// Whether the served log has come further than ours in the time of the same network: after a reset its ledgers are
/// numbered from the beginning again. Of other networks nothing can be said.
bool is_behind(pqxx::transaction_base& sql) {
  const pqxx::row row = sql.exec(
      "SELECT s.ledger IS NOT NULL AND s.network_passphrase = n.network_passphrase"
      " AND coalesce(n.closed_at, 0) < s.closed_at FROM indexer_checkpoint s CROSS JOIN " +
      in_next("indexer_checkpoint") + " n")[0];
  return !row[0].is_null() && row[0].as<bool>();
}

/// Whether both logs' tables were made by the same migrations.
bool are_made_alike(pqxx::transaction_base& sql) {
  const std::string served = "SELECT name, checksum FROM schema_migrations";
  const std::string next = "SELECT name, checksum FROM " + in_next("schema_migrations");
  return sql.exec("(" + served + " EXCEPT " + next + ") UNION ALL (" + next + " EXCEPT " + served + ")").empty();
}

/// The keys' creations are where their streams begin.
void move_idempotency_keys(pqxx::transaction_base& sql) {
  sql.exec("UPDATE idempotency_keys k SET seq = n.created_seq FROM events e JOIN " + in_next("streams") +
           " n ON n.id = e.stream_id WHERE e.seq = k.seq");
}

/// The served tables go, ours come in their place, and the view over them is made again as it was.
void exchange_tables(pqxx::transaction_base& sql, const std::string& served_schema) {
  const std::string audit_trail = scalar(sql, "SELECT pg_get_viewdef('audit_trail'::regclass)");
  sql.exec("DROP VIEW audit_trail");
  sql.exec("DROP TABLE " + listed_tables());
  const auto move = [&](const std::string& table) {
    sql.exec("ALTER TABLE " + in_next(table) + " SET SCHEMA " + sql.quote_name(served_schema));
  };
  // A partition's schema is its own.
  const pqxx::result partitions =
      sql.exec("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '" +
               in_next("events") + "'::regclass");
  for (const auto& partition : partitions) move(sql.quote_name(partition[0].c_str()));
  for (const std::string_view table : log_tables) move(std::string(table));
  sql.exec("CREATE VIEW audit_trail AS " + audit_trail);
  drop_next_log(sql);
}

void record_swap(pqxx::transaction_base& sql, std::uint64_t job, const std::string& before, const std::string& after) {
  ports::AuditRecord record;
  record.actor = "service";
  record.action = "log.replace";
  record.target = after;
  record.detail = R"({"job":)" + std::to_string(job) + R"(,"before":")" + before + "\"}";
  append_audit(sql, {record});
}

}  // namespace

void drop_next_log(pqxx::transaction_base& sql) {
  sql.exec("DROP SCHEMA IF EXISTS " + std::string(next_schema) + " CASCADE");
}

PostgresNextLog::PostgresNextLog(const StoreOptions& options, std::uint64_t job, ports::Log& log)
    : next_options_(with_schema(options)),
      job_(job),
      log_(log),
      connection_(options, "replay", statement_timeout_ms),
      ledgers_(next_options_) {}

std::optional<ports::ReplayTarget> PostgresNextLog::begun() {
  return connection_.use([](pqxx::connection& connection) -> std::optional<ports::ReplayTarget> {
    pqxx::nontransaction sql(connection);
    if (sql.exec("SELECT to_regclass(" + sql.quote(in_next("replay_target")) + ")")[0][0].is_null()) return {};
    const pqxx::result rows = sql.exec("SELECT contracts, from_ledger FROM " + in_next("replay_target"));
    if (rows.empty()) return std::nullopt;
    return ports::ReplayTarget{rows[0][0].c_str(), rows[0][1].as<std::uint32_t>()};
  });
}

std::optional<ports::LedgerHeader> PostgresNextLog::served_first_ledger() {
  return connection_.use([](pqxx::connection& connection) -> std::optional<ports::LedgerHeader> {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec("SELECT " + ledger_column_list() + " FROM ledgers ORDER BY sequence LIMIT 1");
    if (rows.empty()) return std::nullopt;
    return ledger_from_row(rows[0]);
  });
}

void PostgresNextLog::begin(const ports::ReplayTarget& target, bool anew) {
  ledgers_.stop_leading();
  connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    if (anew) drop_next_log(sql);
    sql.exec("CREATE SCHEMA IF NOT EXISTS " + std::string(next_schema));
    served_schema_ = scalar(sql, "SELECT current_schema()");
    sql.commit();
  });
  migrate(next_options_, log_);
  make_tables(target);
  analyzed_ = false;
}

void PostgresNextLog::make_tables(const ports::ReplayTarget& target) {
  connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    // What is read for whom, and up to where the served log was looked through for what the chain doesn't tell.
    sql.exec("CREATE TABLE IF NOT EXISTS " + in_next("replay_target") +
             " (one boolean PRIMARY KEY DEFAULT true CHECK (one), contracts text NOT NULL, from_ledger bigint NOT NULL,"
             " served_epoch text NOT NULL, carried_seq bigint NOT NULL DEFAULT 0)");
    sql.exec("INSERT INTO " + in_next("replay_target") + " (contracts, from_ledger, served_epoch) SELECT " +
             sql.quote(target.contracts) + ", " + std::to_string(target.from_ledger) +
             ", epoch FROM log_head ON CONFLICT DO NOTHING");
    const pqxx::row row =
        sql.exec("SELECT t.contracts, t.from_ledger, t.served_epoch = h.epoch, n.epoch FROM " +
                 in_next("replay_target") + " t CROSS JOIN log_head h CROSS JOIN " + in_next("log_head") + " n")[0];
    const ports::ReplayTarget begun{row[0].c_str(), row[1].as<std::uint32_t>()};
    if (begun != target) {
      throw ports::OtherReplay("A replay of " + text_of(begun) + " was begun, not of " + text_of(target) +
                               ": go on with that, or begin anew (--restart)");
    }
    if (!row[2].as<bool>()) {
      throw ports::OtherReplay(
          "The log that the replay was begun beside isn't served any more: begin anew (--restart)");
    }
    epoch_ = row[3].c_str();
    sql.commit();
  });
}

std::uint64_t PostgresNextLog::rows() {
  return connection_.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return sql.exec("SELECT seq FROM " + in_next("log_head"))[0][0].as<std::uint64_t>();
  });
}

ports::NextLog::Swap PostgresNextLog::swap() {
  return connection_.use([&](pqxx::connection& connection) {
    // The answer to an earlier commit may have been lost.
    if (is_served(connection)) return Swap::done;
    try {
      if (carry_part(connection)) return Swap::more;
      return take_place(connection);
    } catch (const pqxx::in_doubt_error& error) {
      throw ports::StoreUnavailable(error.what());
    } catch (const pqxx::sql_error& error) {
      if (is_lock_conflict(error)) return Swap::busy;
      throw;
    }
  });
}

CarriedEntries PostgresNextLog::carried_entries(pqxx::transaction_base& sql) const {
  return {sql, served_schema_, std::string(next_schema), next_options_.log_partition_entries};
}

bool PostgresNextLog::is_served(pqxx::connection& connection) const {
  pqxx::nontransaction sql(connection);
  return scalar(sql, "SELECT epoch FROM log_head") == epoch_;
}

bool PostgresNextLog::carry_part(pqxx::connection& connection) {
  pqxx::work sql(connection);
  const pqxx::row row =
      sql.exec("SELECT t.carried_seq, h.seq FROM " + in_next("replay_target") + " t CROSS JOIN log_head h")[0];
  const auto carried = row[0].as<std::uint64_t>();
  if (row[1].as<std::uint64_t>() - carried <= part_entries) {
    if (!std::exchange(analyzed_, true)) sql.exec("ANALYZE " + in_next("events") + ", " + in_next("streams"));
    sql.commit();
    return false;
  }
  carried_entries(sql).carry(carried + part_entries);
  sql.commit();
  return true;
}

ports::NextLog::Swap PostgresNextLog::take_place(pqxx::connection& connection) {
  pqxx::work sql(connection);
  sql.exec("SET LOCAL lock_timeout = " + std::to_string(writers_timeout_ms));
  // A newer program that starts meanwhile changes the served tables.
  sql.exec("SELECT pg_advisory_xact_lock(" + std::to_string(migration_lock) + ")");
  // In the order in which the indexer takes them. Writers ask for one of them first of all, so none is left that holds
  // anything; readers go on.
  sql.exec("LOCK TABLE indexer_checkpoint, log_head IN EXCLUSIVE MODE");
  if (!are_made_alike(sql)) return Swap::outdated;
  if (is_behind(sql)) return Swap::behind;
  const pqxx::row served = sql.exec(
      "SELECT h.epoch, h.seq, c.closed_at, coalesce(c.network_passphrase = n.network_passphrase, false)"
      " FROM log_head h CROSS JOIN indexer_checkpoint c CROSS JOIN " +
      in_next("indexer_checkpoint") + " n")[0];
  const auto end = number_or_none<core::UnixSeconds>(served[2]);
  CarriedEntries carried = carried_entries(sql);
  carried.carry(served[1].as<std::uint64_t>());
  carried.pass_times(end);
  move_idempotency_keys(sql);

  const bool patient = ++tries_ % long_try == 0;
  sql.exec("SET LOCAL lock_timeout = " + std::to_string(patient ? long_readers_timeout_ms : readers_timeout_ms));
  sql.exec("LOCK TABLE " + listed_tables() + " IN ACCESS EXCLUSIVE MODE");
  record_swap(sql, job_, served[0].c_str(), epoch_);
  if (!finish_job(sql, job_)) return Swap::stopped;
  exchange_tables(sql, served_schema_);
  end_replays_of_other_logs(sql);
  if (end && served[3].as<bool>()) replay_what_nobody_told(sql, *end);
  sql.exec("NOTIFY " + std::string(log_channel));
  sql.commit();
  ledgers_.stop_leading();
  log_.info("epoch_swapped", "", {{"before", served[0].c_str()}, {"epoch", epoch_}});
  return Swap::done;
}

}  // namespace fluxora::store
