#include "fluxora/store/backup.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include <libpq-fe.h>

#include "audit_log.hpp"
#include "connection.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/sha256.hpp"
#include "log_tail.hpp"
#include "migrations.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// libpq reads lines of a service file up to 1,024 bytes.
constexpr std::size_t max_value = 900;

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

bool fits_a_line(std::string_view value) {
  if (value.size() > max_value) return false;
  if (std::any_of(value.begin(), value.end(), [](char c) { return c == '\n' || c == '\r' || c == '\0'; })) return false;
  return value.empty() || std::string_view(" \t\v\f").find(value.back()) == std::string_view::npos;
}

/// A text constant for psql, whose script has no variables in it.
std::string quoted(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("''") : std::string(1, c);
  return result + "'";
}

/// Sessions of this database besides our own: clients', not autovacuum's, which have no user, and not the workers that
/// clients' sessions take for themselves.
constexpr std::string_view others = R"(FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL AND leader_pid IS NULL)";

}  // namespace

std::string service_file(const StoreOptions& options, std::string_view purpose) {
  const std::unique_ptr<PQconninfoOption, FreeOptions> parsed(
      PQconninfoParse(options.database_url.c_str(), nullptr));  // its message may hold parts of the password
  if (parsed == nullptr) throw std::invalid_argument("DATABASE_URL isn't a URL that PostgreSQL reads.");
  // A host that vanishes without a word is noticed within seconds, as by our own connections. But not by a
  // tcp_user_timeout: a server that is slow to take rows would be given up.
  std::map<std::string, std::string> ours = {{"application_name", "fluxora-" + std::string(purpose)},
                                             {"connect_timeout", "10"},
                                             {"keepalives_idle", "5"},
                                             {"keepalives_interval", "2"},
                                             {"keepalives_count", "3"}};
  std::string text = "[" + std::string(backup_service) + "]\n";
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr || option->val[0] == '\0') continue;
    if (!fits_a_line(option->val)) {
      throw std::invalid_argument(std::string("DATABASE_URL's ") + option->keyword +
                                  " has a line break, white space at its end or more than 900 bytes: PostgreSQL's "
                                  "programs can't be told of it.");
    }
    ours.erase(option->keyword);  // the operator's own setting stands
    text += std::string(option->keyword) + "=" + option->val + "\n";
  }
  for (const auto& [keyword, value] : ours) text += keyword + "=" + value + "\n";
  return text;
}

DatabaseFacts look_at_database(const StoreOptions& options) {
  OwnConnection own(options, "backup", options.read_timeout_ms);
  return own.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::row row = sql.exec(R"(
      SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(),
        to_regclass('log_head') IS NOT NULL AND to_regclass('schema_migrations') IS NOT NULL,
        NOT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
            AND NOT EXISTS (SELECT FROM pg_depend d
              WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')))")[0];
    DatabaseFacts facts;
    facts.server_major = row[0].as<int>();
    facts.is_standby = row[1].as<bool>();
    facts.has_log = row[2].as<bool>();
    facts.is_empty = row[3].as<bool>();
    return facts;
  });
}

std::vector<std::string> other_sessions(const StoreOptions& options) {
  constexpr int looks = 20;
  constexpr std::chrono::milliseconds pause{100};
  OwnConnection own(options, "restore", options.read_timeout_ms);
  return own.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    std::vector<std::string> names;
    for (int look = 0; look < looks; ++look) {
      if (look > 0) std::this_thread::sleep_for(pause);
      names.clear();
      const std::string sessions = "SELECT application_name " + std::string(others) + " ORDER BY application_name";
      for (const auto& session : sql.exec(sessions)) names.emplace_back(session[0].c_str());
      if (names.empty()) break;
    }
    return names;
  });
}

std::optional<std::string> migrations_problem(const std::vector<std::pair<std::string, std::string>>& migrations) {
  const auto& ours = embedded_migrations();
  for (std::size_t i = 0; i < migrations.size(); ++i) {
    const auto& [name, checksum] = migrations[i];
    if (i >= ours.size()) return "The backup is of a newer version: it has migration " + name + ".";
    if (name != ours[i].name)
      return "The backup has migration " + name + " where this program has " + ours[i].name + ".";
    if (checksum != core::hex_encode(core::sha256(core::as_bytes(ours[i].sql)))) {
      return "The backup's migration " + name + " isn't the one that this program has.";
    }
  }
  return std::nullopt;
}

std::string restore_opening(bool end_sessions) {
  // Locks are waited for a second and a half at most, since whoever holds one may wait for one of ours: then all begins
  // again. A vacuum gives way within that time.
  std::string sql = R"(SET client_min_messages = warning;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
BEGIN;
SET LOCAL lock_timeout = 1500;
DO $do$
DECLARE
  end_sessions CONSTANT boolean := @end@;
  tables text;
  sessions bigint;
BEGIN
  FOR attempt IN 1..20 LOOP
    PERFORM pg_stat_clear_snapshot();
    IF end_sessions THEN PERFORM pg_terminate_backend(pid) @others@; END IF;
    BEGIN
      PERFORM pg_advisory_xact_lock(@lock@);
      SELECT string_agg(oid::regclass::text, ', ' ORDER BY relname <> 'log_head', relname) INTO tables FROM pg_class
        WHERE relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('log_head'))
          AND relkind IN ('r', 'p') AND NOT relispartition;
      IF tables IS NOT NULL THEN EXECUTE 'LOCK TABLE ' || tables || ' IN ACCESS EXCLUSIVE MODE'; END IF;
      -- Whoever comes now waits; whoever was there before has to be gone, or about to go.
      FOR look IN 1..20 LOOP
        PERFORM pg_stat_clear_snapshot();
        IF end_sessions THEN PERFORM pg_terminate_backend(pid) @others@; RETURN; END IF;
        SELECT count(*) INTO sessions @others@;
        IF sessions = 0 THEN RETURN; END IF;
        PERFORM pg_sleep(0.1);
      END LOOP;
      RAISE EXCEPTION 'other sessions are connected: %', sessions;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
      NULL;
    END;
  END LOOP;
  RAISE EXCEPTION 'others hold the tables';
END
$do$;
DO $do$
DECLARE
  home CONSTANT oid := (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('log_head'));
  item record;
BEGIN
  DROP SCHEMA IF EXISTS fluxora_next CASCADE;
  FOR item IN
    SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE'
      WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind, oid::regclass::text AS name, relkind = 'S' AS comes_last
    FROM pg_class c WHERE relnamespace = home AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text, true FROM pg_proc p WHERE pronamespace = home
      AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
    ORDER BY comes_last
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', item.kind, item.name);
  END LOOP;
END
$do$;
)";
  const auto replace = [&sql](std::string_view mark, const std::string& by) {
    for (std::size_t at = sql.find(mark); at != std::string::npos; at = sql.find(mark, at + by.size())) {
      sql.replace(at, mark.size(), by);
    }
  };
  replace("@end@", end_sessions ? "true" : "false");
  replace("@others@", std::string(others));
  replace("@lock@", std::to_string(migration_lock));
  return sql;
}

std::string restore_closing(std::string_view schema, std::string_view target, std::string_view detail) {
  const std::string ended = "updated_at_ms = " + now_ms + ", finished_at_ms = " + now_ms;
  // Tables that a backup of an older version doesn't have yet are made by its migrations, empty.
  return "SET LOCAL search_path = " + std::string(schema) + R"(;
SET LOCAL client_min_messages = error;
DO $do$
BEGIN
  UPDATE log_head SET epoch = substr(replace(gen_random_uuid()::text, '-', ''), 1, 8);
  IF to_regclass('webhook_replays') IS NOT NULL THEN
    UPDATE log_head SET webhooks_version = webhooks_version + (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
    UPDATE webhook_replays SET state = 'failed', message = 'The database was restored', )" +
         ended + R"(
      WHERE state IN ('running', 'paused');
  END IF;
  IF to_regclass('replay_jobs') IS NOT NULL THEN
    UPDATE replay_jobs SET state = 'failed', message = 'The database was restored', )" +
         ended + R"(
      WHERE state IN ('queued', 'running', 'paused');
  END IF;
  IF to_regclass('audit_log') IS NOT NULL THEN
    INSERT INTO audit_log (actor, action, target, address, request_id, detail)
      VALUES ('command', 'backup.restore', )" +
         quoted(target) + ", '', '', " + quoted(detail) + R"();
  END IF;
END
$do$;
ANALYZE;
NOTIFY )" +
         std::string(log_channel) + ";\nCOMMIT;\n";
}

bool record_backup(const StoreOptions& options, const std::string& target, const std::string& detail) {
  OwnConnection own(options, "backup", options.read_timeout_ms);
  return own.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    if (sql.exec("SELECT pg_is_in_recovery()")[0][0].as<bool>()) return false;
    append_audit(sql, {{"command", "backup.create", target, "", "", detail}});
    sql.commit();
    return true;
  });
}

}  // namespace fluxora::store
