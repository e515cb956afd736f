#include "indexer_json.hpp"

#include <algorithm>

namespace fluxora::api {
namespace {

using State = ports::IndexerStatus::State;

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

/// Alarms whose cause goes on and that nobody has acknowledged want somebody now.
bool has_urgent_alarm(const ports::IndexerStatus& status) {
  return std::any_of(status.alarms.begin(), status.alarms.end(),
                     [](const ports::IndexerAlarm& alarm) { return !alarm.cleared_at && !alarm.acknowledged_at; });
}

bool is_acknowledged(const ports::IndexerStatus& status, ports::AlarmKind kind) {
  return std::any_of(status.alarms.begin(), status.alarms.end(), [kind](const ports::IndexerAlarm& alarm) {
    return alarm.kind == kind && !alarm.cleared_at && alarm.acknowledged_at;
  });
}

Consequence consequence_of(const ports::IndexerStatus& status) {
  switch (status.state) {
    case State::starting: return {"none", "observe"};
    case State::halted: return {"stale_chain_state", "page"};
    case State::stalled:
      return {"stale_chain_state", is_acknowledged(status, ports::AlarmKind::stalled) ? "observe" : "page"};
    case State::healthy:
    case State::not_configured: break;
  }
  if (has_urgent_alarm(status)) return {"none", "page"};
  const bool witness_away = status.horizon == ports::IndexerStatus::Horizon::unhealthy;
  return {"none", !status.alarms.empty() || status.rpc_lagging || witness_away ? "observe" : "none"};
}

}  // namespace

ports::IndexerStatus indexer_status(const ApiContext& context) {
  if (context.indexer != nullptr) return context.indexer->status();
  ports::IndexerStatus status;
  status.summary = "No chain is followed: CONTRACT_IDS is not set.";
  return status;
}

bool rpc_is_well(const ports::IndexerStatus& status) {
  return status.rpc_healthy && status.rpc_circuit == core::CircuitBreaker::State::closed;
}

void write_indexer_json(core::JsonWriter& json, const ports::IndexerStatus& status) {
  const Consequence consequence = consequence_of(status);
  json.begin_object();
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

}  // namespace fluxora::api
