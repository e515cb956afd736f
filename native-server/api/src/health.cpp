#include <string>

#include "fluxora/core/json_writer.hpp"
#include "problem.hpp"
#include "query.hpp"
#include "routes.hpp"

namespace fluxora::api {
namespace {

using State = ports::IndexerStatus::State;

net::Response json_response(std::string body, unsigned status = 200) {
  net::Response response;
  response.status = status;
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::move(body);
  return response;
}

std::string_view state_name(State state) {
  switch (state) {
    case State::starting: return "starting";
    case State::healthy: return "healthy";
    case State::stalled: return "stalled";
    case State::halted: return "halted";
    case State::not_configured: break;
  }
  return "not_configured";
}

/// What the state means for whoever reads streams, and for whoever runs the service.
struct Consequence {
  std::string_view client_impact;
  std::string_view operator_action;
};

Consequence consequence_of(State state) {
  switch (state) {
    case State::starting: return {"none", "observe"};
    case State::stalled:
    case State::halted: return {"stale_chain_state", "page"};
    case State::healthy:
    case State::not_configured: break;
  }
  return {"none", "none"};
}

void write_indexer(core::JsonWriter& json, const ports::IndexerStatus& status) {
  const Consequence consequence = consequence_of(status.state);
  json.key("indexer").begin_object();
  json.key("status").string(state_name(status.state));
  json.key("lagMs").integer(status.lag_ms);
  json.key("thresholdMs").integer(status.threshold_ms);
  json.key("lastSuccessfulSyncAt");
  status.last_successful_sync ? json.string(core::format_rfc3339_millis(*status.last_successful_sync)) : json.null();
  json.key("summary").string(status.summary);
  json.key("clientImpact").string(consequence.client_impact);
  json.key("operatorAction").string(consequence.operator_action);
  json.key("lastLedger").unsigned_integer(status.last_ledger);
  json.key("lastSafeLedger").unsigned_integer(status.last_safe_ledger);
  json.key("reorgDetected").boolean(status.reorg_detected);
  json.end_object();
}

ports::IndexerStatus indexer_status(const ApiContext& context) {
  if (context.indexer != nullptr) return context.indexer->status();
  ports::IndexerStatus status;
  status.summary = "No chain is followed: STELLAR_RPC_URL and CONTRACT_IDS are not set.";
  return status;
}

bool is_well(const ports::IndexerStatus& status) {
  if (status.state == State::not_configured) return true;
  if (status.degraded || status.reorg_detected) return false;
  return status.state == State::starting || (status.state == State::healthy && status.rpc_healthy);
}

std::string_view rpc_state(const ports::IndexerStatus& status) {
  if (status.state == State::not_configured) return "not_configured";
  return status.rpc_healthy ? "healthy" : "unhealthy";
}

std::string health_text(const ApiContext& context, bool database_well) {
  const ports::IndexerStatus status = indexer_status(context);
  const bool ending = context.shutting_down();
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("status").string(ending ? "shutting_down" : database_well && is_well(status) ? "ok" : "degraded");
  json.key("service").string("fluxora");
  json.key("version").string(context.version);
  json.key("timestamp").string(core::format_rfc3339_millis(context.clock.now()));
  json.key("network");
  status.network.empty() ? json.null() : json.string(status.network);
  json.key("wsConnections").unsigned_integer(context.websocket_connections());
  write_indexer(json, status);
  json.key("dependencies").begin_object();
  json.key("postgres").string(database_well ? "healthy" : "unhealthy");
  json.key("redis").string("not_configured");
  json.key("rpc").string(rpc_state(status));
  json.end_object();
  json.end_object();
  return body;
}

std::string status_text(std::string_view status) {
  std::string body;
  core::JsonWriter(body).begin_object().key("status").string(status).end_object();
  return body;
}

std::string root_text(const ApiContext& context) {
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  json.key("name").string("fluxora");
  json.key("version").string(context.version);
  json.key("links").begin_object();
  json.key("health").string("/health");
  json.key("streams").string("/api/streams");
  json.key("events").string("/api/events");
  json.key("websocket").string("/ws/streams");
  json.key("description").string("/openapi.json");
  json.key("docs").string("/docs");
  if (!context.demo_root.empty()) json.key("demo").string("/demo/");
  json.end_object();
  json.end_object();
  return body;
}

/// True when it has answered: a query on a resource that takes none.
bool refuse_query(const net::Request& request, const net::Respond& respond) {
  const auto problems = QueryParameters(request).problems();
  if (problems.empty()) return false;
  respond(validation_problem(request, problems));
  return true;
}

}  // namespace

void add_health_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/", [&context](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(root_text(context)));
  });

  // Always 200 while running: what is wrong stands in the body, and probes that want a verdict ask /health/ready.
  router.add("GET", "/health", [&context](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(health_text(context, context.readiness.is_well()), context.shutting_down() ? 503 : 200));
  });

  router.add("GET", "/health/live", [](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(status_text("live")));
  });

  router.add("GET", "/health/ready", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    if (refuse_query(*request, respond)) return;
    context.readiness.check([&context, request, respond = std::move(respond)](ports::StoreResult<bool> current) {
      if (context.shutting_down()) return respond(problem(503, "The service is shutting down.", *request));
      if (!current) return respond(store_problem(current.error(), *request));
      if (!*current) return respond(problem(503, "The database's migrations are not this version's.", *request));
      respond(json_response(status_text("ready")));
    });
  });
}

}  // namespace fluxora::api
