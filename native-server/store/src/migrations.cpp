#include "migrations.hpp"

#include <stdexcept>

#include "connection.hpp"

namespace fluxora::store {
namespace {

struct Applied {
  std::string name;
  std::string checksum;
};

std::vector<Applied> applied_migrations(pqxx::transaction_base& sql) {
  std::vector<Applied> applied;
  for (const auto& row : sql.exec("SELECT name, checksum FROM schema_migrations ORDER BY name")) {
    applied.push_back({row[0].c_str(), row[1].c_str()});
  }
  return applied;
}

std::string checksum(pqxx::transaction_base& sql, const Migration& migration) {
  return sql.exec_params("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", migration.sql)[0][0].c_str();
}

void refuse_foreign_history(pqxx::transaction_base& sql, const std::vector<Applied>& applied) {
  const auto& ours = embedded_migrations();
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (i >= ours.size()) {
      throw std::runtime_error("the database is newer than this program: it has migration " + applied[i].name);
    }
    if (applied[i].name != ours[i].name) {
      throw std::runtime_error("the database has migration " + applied[i].name + " where this program has " +
                               ours[i].name);
    }
    if (applied[i].checksum != checksum(sql, ours[i])) {
      throw std::runtime_error("migration " + applied[i].name +
                               " was changed after it was applied: its checksum differs from the database's");
    }
  }
}

MigrationReport apply_missing(pqxx::connection& connection, ports::Log& log) {
  MigrationReport report;
  {
    pqxx::work sql(connection);
    sql.exec(
        "CREATE TABLE IF NOT EXISTS schema_migrations (name text PRIMARY KEY, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())");
    const auto applied = applied_migrations(sql);
    refuse_foreign_history(sql, applied);
    report.already_there = static_cast<unsigned>(applied.size());
    sql.commit();
  }
  const auto& ours = embedded_migrations();
  for (std::size_t i = report.already_there; i < ours.size(); ++i) {
    pqxx::work sql(connection);
    sql.exec(ours[i].sql);
    sql.exec_params("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)", ours[i].name,
                    checksum(sql, ours[i]));
    sql.commit();
    ++report.applied;
    log.info("migration_applied", "", {{"migration", ours[i].name}});
  }
  return report;
}

}  // namespace

bool migrations_are_current(pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  const pqxx::result rows = sql.exec("SELECT count(*), max(name) FROM schema_migrations");
  const auto& ours = embedded_migrations();
  return rows[0][0].as<std::size_t>() == ours.size() && ours.back().name == rows[0][1].c_str();
}

MigrationReport migrate(const StoreOptions& options, ports::Log& log) {
  OwnConnection own(options, "migrate", 0);
  return own.use([&](pqxx::connection& connection) {
    // A session lock, since each file has a transaction of its own; the session ends with this call.
    pqxx::nontransaction(connection).exec("SELECT pg_advisory_lock(" + std::to_string(migration_lock) + ")");
    return apply_missing(connection, log);
  });
}

}  // namespace fluxora::store
