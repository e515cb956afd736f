#include <limits>
#include <utility>

#include "access.hpp"
#include "body_fields.hpp"
#include "fluxora/core/json_writer.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

using Action = ports::ReplayJobs::Action;

constexpr std::size_t default_limit = 20;
constexpr std::size_t max_limit = 100;
constexpr std::string_view no_such_job = "There is no such job.";

void write_job(core::JsonWriter& json, const ports::Job& job) {
  json.begin_object();
  json.key("id").string(std::to_string(job.id));
  json.key("kind").string(ports::name_in(ports::job_kinds, job.what.kind));
  json.key("state").string(ports::name_in(ports::job_states, job.state));
  write_text_or_null(json, "contracts", job.what.contracts);
  json.key("fromLedger");
  job.what.from_ledger ? json.unsigned_integer(*job.what.from_ledger) : json.null();
  json.key("done").unsigned_integer(job.place.done);
  json.key("total").unsigned_integer(job.place.total);
  json.key("rows").unsigned_integer(job.place.rows);
  json.key("rowsPerSecond").unsigned_integer(job.place.rows_per_second);
  json.key("remainingMs");
  job.place.remaining_ms ? json.integer(*job.place.remaining_ms) : json.null();
  write_time(json, "createdAt", job.created_at);
  write_time(json, "startedAt", job.started_at);
  write_time(json, "updatedAt", job.updated_at);
  write_time(json, "finishedAt", job.finished_at);
  write_text_or_null(json, "message", job.message);
  json.end_object();
}

net::Response job_response(const ports::Job& job, unsigned status = 200) {
  std::string body;
  core::JsonWriter json(body);
  write_job(json, job);
  return private_response(std::move(body), status);
}

void list_jobs(const ApiContext& context, const Caller&, const std::shared_ptr<const net::Request>& request,
               net::Respond respond) {
  QueryParameters parameters(*request);
  const std::size_t limit = parameters.number("limit", 1, max_limit).value_or(default_limit);
  if (const auto problems = std::move(parameters).problems(); !problems.empty()) {
    return respond(validation_problem(*request, problems));
  }
  context.replay_jobs->list(limit, [request, respond](ports::StoreResult<std::vector<ports::Job>> jobs) {
    if (!jobs) return respond(store_problem(jobs.error(), *request));
    std::string body;
    core::JsonWriter json(body);
    json.begin_object();
    json.key("jobs").begin_array();
    for (const ports::Job& job : *jobs) write_job(json, job);
    json.end_array();
    json.end_object();
    respond(private_response(std::move(body)));
  });
}

/// What is wrong is in `fields` afterwards.
ports::NewJob read_job(JsonFields& fields) {
  ports::NewJob job;
  if (const std::string* name = fields.text("kind")) {
    const auto kind = ports::value_in(ports::job_kinds, *name);
    if (!kind) fields.add_problem("kind", "must be replay or rebuild.");
    job.kind = kind.value_or(ports::JobKind::replay);
  }
  const bool is_rebuild = job.kind == ports::JobKind::rebuild;
  if (const auto ledger = fields.optional_number("fromLedger", 1, std::numeric_limits<std::uint32_t>::max())) {
    job.from_ledger = static_cast<std::uint32_t>(*ledger);
    if (is_rebuild) fields.add_problem("fromLedger", "is a replay's: a rebuild folds the whole log.");
  }
  if (const auto restart = fields.flag("restart")) {
    job.restart = *restart;
    if (is_rebuild) fields.add_problem("restart", "is a replay's.");
  }
  return job;
}

void start_job(const ApiContext& context, const Caller& caller, const std::shared_ptr<const net::Request>& request,
               net::Respond respond) {
  auto job = read_body(*request, respond, read_job);
  if (!job) return;
  if (job->kind == ports::JobKind::replay) {
    if (context.replay_contracts.empty()) {
      return respond(problem(409, "This instance follows no chain that could be read again.", *request));
    }
    job->contracts = context.replay_contracts;
  }
  context.replay_jobs->start(std::move(*job), audit_record(caller, *request),
                             [request, respond](ports::StoreResult<std::optional<ports::Job>> made) {
                               if (!made) return respond(store_problem(made.error(), *request));
                               if (!*made) {
                                 return respond(problem(409, "Another job waits, runs or is paused.", *request));
                               }
                               respond(job_response(**made, 202));
                             });
}

/// `job`: as it is, and stays.
std::string_view refusal(Action action, const ports::Job& job) {
  if (action == Action::pause) return "Only a job that waits or runs can be paused.";
  if (action == Action::resume)
    return "Only a job that is paused or has failed can be resumed, while no other is active.";
  if (job.state == ports::JobState::failed) return "Another job is active: this one can be cancelled behind it.";
  return "The job is at its end.";
}

void change_job(const ApiContext& context, Action action, const Caller& caller,
                const std::shared_ptr<const net::Request>& request, net::Respond respond) {
  if (refuse_query(*request, respond)) return;
  const auto id = row_id(request->path_parameters[0]);
  if (!id) return respond(problem(404, no_such_job, *request));
  context.replay_jobs->change(*id, action, audit_record(caller, *request),
                              [request, respond, action](ports::StoreResult<ports::ReplayJobs::Change> change) {
                                if (!change) return respond(store_problem(change.error(), *request));
                                if (!change->job) return respond(problem(404, no_such_job, *request));
                                if (!change->done)
                                  return respond(problem(409, refusal(action, *change->job), *request));
                                respond(job_response(*change->job));
                              });
}

}  // namespace

void add_replay_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, Access::admin, method, pattern, handle);
  };
  const auto change = [](Action action) {
    return [action](const ApiContext& of, const Caller& caller, const std::shared_ptr<const net::Request>& request,
                    net::Respond respond) { change_job(of, action, caller, request, std::move(respond)); };
  };
  add("GET", "/admin/replay", list_jobs);
  add("POST", "/admin/replay", start_job);
  add("POST", "/admin/replay/{id}/pause", change(Action::pause));
  add("POST", "/admin/replay/{id}/resume", change(Action::resume));
  add("DELETE", "/admin/replay/{id}", change(Action::cancel));
}

}  // namespace fluxora::api
