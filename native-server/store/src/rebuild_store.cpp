#include "rebuild_store.hpp"

#include <array>
#include <string>
#include <utility>

#include "audit_log.hpp"
#include "log_appender.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr int rebuild_timeout_ms = 600'000;
constexpr std::string_view lock_wait = "1s";
constexpr std::size_t loaded_at_once = 5'000;

/// What is written beside the log has to be known to somebody. Of a job, whoever started it has a record besides.
ports::AuditRecord mending_record(const std::string& actor, std::size_t streams) {
  ports::AuditRecord record;
  record.actor = actor;
  record.action = "rebuild.mend";
  record.detail = "{\"streams\":" + std::to_string(streams) + "}";
  return record;
}

/// Nothing of an earlier rebuild is left.
void forget(pqxx::transaction_base& sql) {
  sql.exec("TRUNCATE rebuild_place, rebuild_states");
}

class PostgresRebuildEnd final : public ports::RebuildEnd {
 public:
  PostgresRebuildEnd(OwnConnection& own, std::unique_ptr<pqxx::work> sql, std::string actor)
      : own_(own), sql_(std::move(sql)), actor_(std::move(actor)), log_([this](const auto& work) { within(work); }) {}

  ports::LogScan& log() override { return log_; }

  void commit(const std::vector<ports::RebuiltStream>& streams) override {
    std::vector<core::Stream> kept;
    std::vector<std::string> gone;
    for (const auto& [id, stream] : streams) {
      if (stream) {
        kept.push_back(*stream);
      } else {
        gone.push_back(id);
      }
    }
    within([&](pqxx::transaction_base& sql) {
      if (!kept.empty()) write_streams(sql, kept);
      if (!gone.empty()) sql.exec("DELETE FROM streams WHERE id IN (" + quoted_list(sql, gone) + ")");
      if (!streams.empty()) append_audit(sql, {mending_record(actor_, streams.size())});
      forget(sql);
      sql_->commit();
    });
  }

 private:
  void within(const std::function<void(pqxx::transaction_base&)>& work) {
    own_.use([&](pqxx::connection&) { work(*sql_); });
  }

  OwnConnection& own_;
  std::unique_ptr<pqxx::work> sql_;
  const std::string actor_;
  PostgresLogScan log_;
};

}  // namespace

PostgresRebuildStore::PostgresRebuildStore(StoreOptions options, std::string actor)
    : actor_(std::move(actor)),
      connection_(std::move(options), "rebuild", rebuild_timeout_ms),
      log_([this](const auto& work) {
        connection_.use([&](pqxx::connection& connection) {
          pqxx::nontransaction sql(connection);
          work(sql);
        });
      }) {}

bool PostgresRebuildStore::claim() {
  return connection_.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return sql.exec("SELECT pg_try_advisory_lock(" + std::to_string(rebuild_lock) + ")")[0][0].as<bool>();
  });
}

std::optional<ports::RebuildPlace> PostgresRebuildStore::place() {
  return connection_.use([](pqxx::connection& connection) -> std::optional<ports::RebuildPlace> {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec("SELECT epoch, seq FROM rebuild_place");
    if (rows.empty()) return std::nullopt;
    return ports::RebuildPlace{rows[0][0].c_str(), rows[0][1].as<std::uint64_t>()};
  });
}

void PostgresRebuildStore::load(const std::function<void(core::Stream)>& take) {
  connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    sql.exec(
        "DECLARE kept NO SCROLL CURSOR FOR SELECT stream_state FROM (SELECT DISTINCT ON (id) id, stream_state"
        " FROM rebuild_states ORDER BY id, seq DESC) newest WHERE stream_state IS NOT NULL");
    for (;;) {
      const pqxx::result rows = sql.exec("FETCH FORWARD " + std::to_string(loaded_at_once) + " FROM kept");
      for (const auto& row : rows) take(*stream_from_state(row[0]));
      if (static_cast<std::size_t>(rows.size()) < loaded_at_once) return;
    }
  });
}

void PostgresRebuildStore::save(const ports::RebuildPlace& place, const std::vector<ports::RebuiltStream>& changed) {
  connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    const std::string seq = std::to_string(place.seq);
    copy_rows(
        sql, "rebuild_states", {"seq", "id", "stream_state"}, changed,
        [&](const ports::RebuiltStream& rebuilt) {
          const auto& [id, stream] = rebuilt;
          return CopyRow<3>{seq, id, stream ? std::optional(bytea(core::encode_stream(*stream))) : std::nullopt};
        },
        [] {});
    sql.exec("INSERT INTO rebuild_place (epoch, seq) VALUES (" + sql.quote(place.epoch) + ", " + seq +
             ") ON CONFLICT (one) DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq");
    sql.commit();
  });
}

void PostgresRebuildStore::forget_place() {
  connection_.use([](pqxx::connection& connection) {
    pqxx::work sql(connection);
    forget(sql);
    sql.commit();
  });
}

std::unique_ptr<ports::LogScan> PostgresRebuildStore::snapshot() {
  return open_log_snapshot(connection_);
}

std::unique_ptr<ports::RebuildEnd> PostgresRebuildStore::lock_end() {
  return connection_.use([&](pqxx::connection& connection) -> std::unique_ptr<ports::RebuildEnd> {
    auto sql = std::make_unique<pqxx::work>(connection);
    sql->exec("SET LOCAL lock_timeout = '" + std::string(lock_wait) + "'");
    try {
      // As the indexer does: who indexes has read streams before it locks the log's end.
      sql->exec("SELECT FROM indexer_checkpoint FOR UPDATE");
      sql->exec("SELECT seq FROM log_head FOR UPDATE");
    } catch (const pqxx::sql_error& error) {
      if (error.sqlstate() != "55P03") throw;  // lock_not_available
      return nullptr;
    }
    sql->exec("SET LOCAL lock_timeout = 0");
    return std::make_unique<PostgresRebuildEnd>(connection_, std::move(sql), actor_);
  });
}

std::unique_ptr<ports::RebuildStore> make_rebuild_store(StoreOptions options, std::string actor) {
  return std::make_unique<PostgresRebuildStore>(std::move(options), std::move(actor));
}

}  // namespace fluxora::store
