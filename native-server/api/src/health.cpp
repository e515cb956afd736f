#include <string>

#include "fluxora/core/json_writer.hpp"
#include "indexer_json.hpp"
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

bool is_well(const ports::IndexerStatus& status) {
  if (status.state == State::not_configured) return true;
  if (status.degraded || status.reorg_detected || status.rpc_lagging) return false;
  if (status.horizon == ports::IndexerStatus::Horizon::unhealthy) return false;
  return status.state == State::starting || (status.state == State::healthy && rpc_is_well(status));
}

std::string_view rpc_state(const ports::IndexerStatus& status) {
  if (status.state == State::not_configured || !status.follows_rpc) return "not_configured";
  return rpc_is_well(status) ? "healthy" : "unhealthy";
}

std::string_view redis_state(const ApiContext& context) {
  if (!context.redis_well) return "not_configured";
  return context.redis_well() ? "healthy" : "unhealthy";
}

std::string_view horizon_state(ports::IndexerStatus::Horizon horizon) {
  switch (horizon) {
    case ports::IndexerStatus::Horizon::healthy: return "healthy";
    case ports::IndexerStatus::Horizon::unhealthy: return "unhealthy";
    case ports::IndexerStatus::Horizon::not_configured: break;
  }
  return "not_configured";
}

/// Whoever asks where to send clients sends them elsewhere.
bool is_leaving(const ApiContext& context) {
  return context.draining() || context.shutting_down();
}

std::string health_text(const ApiContext& context, bool database_well) {
  const ports::IndexerStatus status = indexer_status(context);
  const bool ending = is_leaving(context);
  std::string body;
  core::JsonWriter json(body);
  json.begin_object();
  // Nothing stops without Redis, but limits hold for each instance alone then.
  const bool well = database_well && is_well(status) && redis_state(context) != "unhealthy";
  json.key("status").string(ending ? "shutting_down" : well ? "ok" : "degraded");
  json.key("service").string("fluxora");
  json.key("version").string(context.version);
  json.key("timestamp").string(core::format_rfc3339_millis(context.clock.now()));
  json.key("network");
  status.network.empty() ? json.null() : json.string(status.network);
  json.key("wsConnections").unsigned_integer(context.websocket_connections());
  write_indexer_json(json.key("indexer"), status);
  json.key("dependencies").begin_object();
  json.key("postgres").string(database_well ? "healthy" : "unhealthy");
  json.key("redis").string(redis_state(context));
  json.key("rpc").string(rpc_state(status));
  json.key("horizon").string(horizon_state(status.horizon));
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

}  // namespace

void add_health_routes(net::Router& router, const ApiContext& context) {
  router.add("GET", "/", [&context](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(root_text(context)));
  });

  // Always 200 while running: what is wrong stands in the body, and probes that want a verdict ask /health/ready.
  router.add("GET", "/health", [&context](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(health_text(context, context.readiness.is_well()), is_leaving(context) ? 503 : 200));
  });

  router.add("GET", "/health/live", [](std::shared_ptr<const net::Request> request, const net::Respond& respond) {
    if (refuse_query(*request, respond)) return;
    respond(json_response(status_text("live")));
  });

  router.add("GET", "/health/ready", [&context](std::shared_ptr<const net::Request> request, net::Respond respond) {
    if (refuse_query(*request, respond)) return;
    context.readiness.check([&context, request, respond = std::move(respond)](ports::StoreResult<bool> current) {
      if (is_leaving(context)) return respond(problem(503, "The service is shutting down.", *request));
      if (!current) return respond(store_problem(current.error(), *request));
      if (!*current) return respond(problem(503, "The database's migrations are not this version's.", *request));
      respond(json_response(status_text("ready")));
    });
  });
}

}  // namespace fluxora::api
