#include "replay_jobs.hpp"

#include <stdexcept>
#include <utility>

#include "audit_log.hpp"
#include "next_log.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr long long jobs_lock = 0x666c75786a6f6273;  // "fluxjobs"
constexpr int statement_timeout_ms = 30'000;
const std::string job_columns =
    "id, kind, state, contracts, from_ledger, restart, done, total, rows_done, rows_per_second, remaining_ms,"
    " created_at_ms, started_at_ms, updated_at_ms, finished_at_ms, message";
const std::string active = "state IN ('queued', 'running', 'paused')";

ports::Job job_from_row(const pqxx::row& row) {
  const auto kind = ports::value_in(ports::job_kinds, row[1].c_str());
  const auto state = ports::value_in(ports::job_states, row[2].c_str());
  if (!kind || !state) throw std::runtime_error("the database holds a job of a kind or state that nobody knows");
  ports::Job job;
  job.id = row[0].as<std::uint64_t>();
  job.what = {*kind, row[3].c_str(), number_or_none<std::uint32_t>(row[4]), row[5].as<bool>()};
  job.state = *state;
  job.place = {row[6].as<std::uint64_t>(), row[7].as<std::uint64_t>(), row[8].as<std::uint64_t>(),
               row[9].as<std::uint64_t>(), number_or_none<core::UnixMillis>(row[10])};
  job.created_at = row[11].as<core::UnixMillis>();
  job.started_at = number_or_none<core::UnixMillis>(row[12]);
  job.updated_at = row[13].as<core::UnixMillis>();
  job.finished_at = number_or_none<core::UnixMillis>(row[14]);
  job.message = row[15].c_str();
  return job;
}

std::optional<ports::Job> first_job(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return job_from_row(rows[0]);
}

std::optional<ports::Job> select_job(pqxx::transaction_base& sql, const std::string& condition) {
  return first_job(sql.exec("SELECT " + job_columns + " FROM replay_jobs WHERE " + condition));
}

/// None: another one is active.
std::optional<ports::Job> insert_job(pqxx::transaction_base& sql, const ports::NewJob& job, ports::JobState state,
                                     const std::string& actor) {
  return first_job(sql.exec(
      "INSERT INTO replay_jobs (kind, state, contracts, from_ledger, restart, started_by) VALUES ('" +
      std::string(ports::name_in(ports::job_kinds, job.kind)) + "', '" +
      std::string(ports::name_in(ports::job_states, state)) + "', " + sql.quote(job.contracts) + ", " +
      (job.from_ledger ? std::to_string(*job.from_ledger) : "NULL") + ", " + (job.restart ? "true" : "false") + ", " +
      sql.quote(actor) + ") ON CONFLICT ((true)) WHERE " + active + " DO NOTHING RETURNING " + job_columns));
}

std::string with_id(std::uint64_t id) {
  return "id = " + std::to_string(id);
}

void record(pqxx::transaction_base& sql, ports::AuditRecord by, std::string_view action, const ports::Job& job) {
  by.action = action;
  by.target = std::to_string(job.id);
  by.detail = R"({"kind":")" + std::string(ports::name_in(ports::job_kinds, job.what.kind)) + "\"}";
  append_audit(sql, {by});
}

struct Step {
  std::string_view audit_action;
  std::string_view update;
  std::string_view from_states;
};

Step step_of(ports::ReplayJobs::Action action) {
  using Action = ports::ReplayJobs::Action;
  if (action == Action::pause) return {"job.pause", "state = 'paused'", "'queued', 'running'"};
  if (action == Action::resume) return {"job.resume", "state = 'queued', finished_at_ms = NULL", "'paused', 'failed'"};
  return {"job.cancel", "state = 'cancelled'", "'queued', 'running', 'paused', 'failed'"};
}

std::optional<ports::Job> try_step(pqxx::transaction_base& sql, std::uint64_t id, ports::ReplayJobs::Action action) {
  const Step step = step_of(action);
  const std::string at_its_end = action == ports::ReplayJobs::Action::cancel ? ", finished_at_ms = " + now_ms : "";
  // Nothing else may be active where a failed one is to go on.
  return first_job(sql.exec("UPDATE replay_jobs SET " + std::string(step.update) + at_its_end +
                            ", message = '', updated_at_ms = " + now_ms + " WHERE " + with_id(id) + " AND state IN (" +
                            std::string(step.from_states) +
                            ") AND NOT EXISTS (SELECT FROM replay_jobs other WHERE other." + active +
                            " AND other.id <> replay_jobs.id) RETURNING " + job_columns));
}

ports::ReplayJobs::Change change_job(pqxx::connection& connection, std::uint64_t id, ports::ReplayJobs::Action action,
                                     const ports::AuditRecord& by) try {
  pqxx::work sql(connection);
  std::optional<ports::Job> changed = try_step(sql, id, action);
  if (!changed) return {select_job(sql, with_id(id)), false};
  record(sql, by, step_of(action).audit_action, *changed);
  // Where nobody runs it, nobody else will clear away what it has read.
  const bool cancelled = action == ports::ReplayJobs::Action::cancel && changed->what.kind == ports::JobKind::replay;
  if (cancelled && sql.exec("SELECT pg_try_advisory_xact_lock(" + std::to_string(jobs_lock) + ")")[0][0].as<bool>()) {
    drop_next_log(sql);
  }
  sql.commit();
  return {std::move(changed), true};
} catch (const pqxx::unique_violation&) {
  // Another was started in the same moment, and is the active one.
  pqxx::nontransaction sql(connection);
  return {select_job(sql, with_id(id)), false};
}

}  // namespace

bool has_active_job(pqxx::transaction_base& sql) {
  return !sql.exec("SELECT FROM replay_jobs WHERE " + active).empty();
}

bool finish_job(pqxx::transaction_base& sql, std::uint64_t id) {
  return sql.exec("UPDATE replay_jobs SET state = 'done', message = '', updated_at_ms = " + now_ms +
                  ", finished_at_ms = " + now_ms + ", remaining_ms = 0 WHERE " + with_id(id) +
                  " AND state IN ('queued', 'running')")
             .affected_rows() == 1;
}

void PostgresReplayJobs::list(std::size_t limit, ports::Reply<std::vector<ports::Job>> reply) {
  pool_.run<std::vector<ports::Job>>(std::move(reply), [limit](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    std::vector<ports::Job> jobs;
    for (const auto& row :
         sql.exec("SELECT " + job_columns + " FROM replay_jobs ORDER BY id DESC LIMIT " + std::to_string(limit))) {
      jobs.push_back(job_from_row(row));
    }
    return jobs;
  });
}

void PostgresReplayJobs::start(ports::NewJob job, ports::AuditRecord by,
                               ports::Reply<std::optional<ports::Job>> reply) {
  pool_.run<std::optional<ports::Job>>(
      std::move(reply), [job = std::move(job), by = std::move(by)](pqxx::connection& connection) {
        pqxx::work sql(connection);
        std::optional<ports::Job> made = insert_job(sql, job, ports::JobState::queued, by.actor);
        if (made) record(sql, by, "job.start", *made);
        sql.commit();
        return made;
      });
}

void PostgresReplayJobs::change(std::uint64_t id, Action action, ports::AuditRecord by, ports::Reply<Change> reply) {
  pool_.run<Change>(std::move(reply), [id, action, by = std::move(by)](pqxx::connection& connection) {
    return change_job(connection, id, action, by);
  });
}

PostgresJobQueue::PostgresJobQueue(StoreOptions options)
    : connection_(std::move(options), "jobs", statement_timeout_ms) {}

bool PostgresJobQueue::is_claimed() const noexcept {
  return connection_.is_open() && claimed_in_ == connection_.openings();
}

bool PostgresJobQueue::claim(pqxx::connection& connection) {
  if (is_claimed()) return true;  // a session's locks add up: what is taken twice would have to be given up twice
  pqxx::nontransaction sql(connection);
  if (!sql.exec("SELECT pg_try_advisory_lock(" + std::to_string(jobs_lock) + ")")[0][0].as<bool>()) return false;
  claimed_in_ = connection_.openings();
  return true;
}

void PostgresJobQueue::give_up(pqxx::connection& connection) {
  if (!is_claimed()) return;
  claimed_in_.reset();
  pqxx::nontransaction sql(connection);
  sql.exec("SELECT pg_advisory_unlock(" + std::to_string(jobs_lock) + ")");
}

std::optional<ports::Job> PostgresJobQueue::take(const std::string& contracts) {
  return connection_.use([&](pqxx::connection& connection) -> std::optional<ports::Job> {
    const std::string ours =
        "state IN ('queued', 'running') AND (kind <> 'replay' OR contracts = " + connection.quote(contracts) + ")";
    {
      pqxx::nontransaction sql(connection);
      if (sql.exec("SELECT FROM replay_jobs WHERE " + ours).empty()) return std::nullopt;
    }
    if (!claim(connection)) return std::nullopt;
    std::optional<ports::Job> job;
    {
      pqxx::work sql(connection);
      job =
          first_job(sql.exec("UPDATE replay_jobs SET state = 'running', started_at_ms = coalesce(started_at_ms, " +
                             now_ms + "), updated_at_ms = " + now_ms + " WHERE " + ours + " RETURNING " + job_columns));
      sql.commit();
    }
    if (!job) give_up(connection);
    return job;
  });
}

std::optional<ports::Job> PostgresJobQueue::take_or_start(const ports::NewJob& wanted) {
  return connection_.use([&](pqxx::connection& connection) -> std::optional<ports::Job> {
    if (!claim(connection)) return std::nullopt;
    std::optional<ports::Job> job;
    {
      pqxx::work sql(connection);
      const std::string kind(ports::name_in(ports::job_kinds, wanted.kind));
      // One that was left goes on as what is wanted now, but its row says so only when its log has taken that.
      job =
          first_job(sql.exec("UPDATE replay_jobs SET state = 'running', message = '', finished_at_ms = NULL,"
                             " updated_at_ms = " +
                             now_ms + ", started_at_ms = coalesce(started_at_ms, " + now_ms +
                             ") WHERE id = (SELECT max(id) FROM replay_jobs) AND kind = '" + kind + "' AND (" + active +
                             " OR state = 'failed') RETURNING " + job_columns));
      if (job) {
        job->what = wanted;
      } else {
        job = insert_job(sql, wanted, ports::JobState::running, "command");
      }
      if (job) {
        ports::AuditRecord by;
        by.actor = "command";
        record(sql, by, "job.start", *job);
      }
      sql.commit();
    }
    if (!job) give_up(connection);
    return job;
  });
}

bool PostgresJobQueue::report(std::uint64_t id, const ports::JobPlace& place) {
  if (!is_claimed()) return false;
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    const pqxx::result changed =
        sql.exec("UPDATE replay_jobs SET state = 'running', done = " + std::to_string(place.done) +
                 ", total = " + std::to_string(place.total) + ", rows_done = " + std::to_string(place.rows) +
                 ", rows_per_second = " + std::to_string(place.rows_per_second) +
                 ", remaining_ms = " + (place.remaining_ms ? std::to_string(*place.remaining_ms) : "NULL") +
                 ", updated_at_ms = " + now_ms + " WHERE " + with_id(id) + " AND state IN ('queued', 'running')");
    sql.commit();
    return changed.affected_rows() == 1;
  });
}

void PostgresJobQueue::begun(std::uint64_t id, const ports::NewJob& what) {
  if (!is_claimed()) throw ports::StoreUnavailable("the jobs' connection was lost, and their lock with it");
  connection_.use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    sql.exec("UPDATE replay_jobs SET restart = false, contracts = " + sql.quote(what.contracts) + ", from_ledger = " +
             (what.from_ledger ? std::to_string(*what.from_ledger) : "NULL") + " WHERE " + with_id(id));
    sql.commit();
  });
}

void PostgresJobQueue::leave(std::uint64_t id, ports::JobState state, const std::string& message) {
  // With the connection the lock was lost, and the job perhaps taken up by another.
  if (!is_claimed()) return;
  connection_.use([&](pqxx::connection& connection) {
    {
      pqxx::work sql(connection);
      const bool pauses = state == ports::JobState::paused;
      const std::string finished = pauses ? "NULL" : now_ms;
      // Whoever has resumed it meanwhile wants it to go on.
      const std::string from_states = pauses ? "'running'" : "'queued', 'running'";
      sql.exec("UPDATE replay_jobs SET state = '" + std::string(ports::name_in(ports::job_states, state)) +
               "', message = " + sql.quote(message) + ", updated_at_ms = " + now_ms + ", finished_at_ms = " + finished +
               " WHERE " + with_id(id) + " AND state IN (" + from_states + ")");
      const auto job = select_job(sql, with_id(id));
      if (job && job->state == ports::JobState::cancelled && job->what.kind == ports::JobKind::replay) {
        drop_next_log(sql);
      }
      sql.commit();
    }
    give_up(connection);
  });
}

std::optional<ports::Job> PostgresJobQueue::find(std::uint64_t id) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return select_job(sql, with_id(id));
  });
}

}  // namespace fluxora::store
