#include <optional>
#include <utility>
#include <vector>

#include "access.hpp"
#include "indexer_json.hpp"
#include "private_answers.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

/// Alarms are rare: more than the newest is a matter for the database.
constexpr std::size_t shown_alarms = 100;

std::string_view circuit_name(core::CircuitBreaker::State state) {
  switch (state) {
    case core::CircuitBreaker::State::open: return "open";
    case core::CircuitBreaker::State::half_open: return "half_open";
    case core::CircuitBreaker::State::closed: break;
  }
  return "closed";
}

void write_alarm(core::JsonWriter& json, const ports::IndexerAlarm& alarm) {
  json.begin_object();
  json.key("id").string(std::to_string(alarm.id));
  json.key("alarm").string(ports::alarm_name(alarm.kind));
  json.key("reason").string(alarm.reason);
  json.key("epoch").string(alarm.epoch);
  write_time(json, "raisedAt", alarm.raised_at);
  write_time(json, "clearedAt", alarm.cleared_at);
  write_time(json, "acknowledgedAt", alarm.acknowledged_at);
  json.key("acknowledgedBy");
  alarm.acknowledged_at ? json.string(alarm.acknowledged_by) : json.null();
  json.end_object();
}

std::string indexer_text(const ports::IndexerStatus& status, const std::vector<ports::IndexerAlarm>& alarms) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  write_indexer_json(json.key("indexer"), status);
  json.key("leads").boolean(status.leads);
  json.key("rpcCircuit").string(circuit_name(status.rpc_circuit));
  json.key("retentionLedgers");
  status.retention_ledgers ? json.unsigned_integer(*status.retention_ledgers) : json.null();
  json.key("alarms").begin_array();
  for (const ports::IndexerAlarm& alarm : alarms) write_alarm(json, alarm);
  json.end_array();
  json.end_object();
  return body;
}

void show_indexer(const ApiContext& context, const Caller&, const std::shared_ptr<const net::Request>& request,
                  const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  context.indexer_alarms->list(
      shown_alarms, [&context, request, respond](ports::StoreResult<std::vector<ports::IndexerAlarm>> alarms) {
        if (!alarms) return respond(store_problem(alarms.error(), *request));
        respond(private_response(indexer_text(indexer_status(context), *alarms)));
      });
}

void acknowledge(const ApiContext& context, const Caller& caller, const std::shared_ptr<const net::Request>& request,
                 const net::Respond& respond) {
  if (refuse_query(*request, respond)) return;
  const auto id = row_id(request->path_parameters[0]);
  if (!id) return respond(problem(404, "There is no such alarm.", *request));
  context.indexer_alarms->acknowledge(*id, audit_record(caller, *request),
                                      [request, respond](ports::StoreResult<std::optional<ports::IndexerAlarm>> alarm) {
                                        if (!alarm) return respond(store_problem(alarm.error(), *request));
                                        if (!*alarm) return respond(problem(404, "There is no such alarm.", *request));
                                        std::string body;
                                        core::JsonWriter json(body);
                                        write_alarm(json, **alarm);
                                        respond(private_response(std::move(body)));
                                      });
}

}  // namespace

void add_admin_indexer_routes(net::Router& router, const ApiContext& context) {
  const auto add = [&](std::string_view method, std::string_view pattern, auto handle) {
    add_guarded_route(router, context, Access::admin, method, pattern, handle);
  };
  add("GET", "/admin/indexer", show_indexer);
  add("POST", "/admin/indexer/alarms/{id}/acknowledge", acknowledge);
}

}  // namespace fluxora::api
