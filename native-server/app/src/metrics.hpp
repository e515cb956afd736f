#pragma once

#include <string>

#include "fluxora/api/access.hpp"
#include "fluxora/api/idempotency_counters.hpp"
#include "fluxora/api/sse_counters.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/hub/hub.hpp"
#include "fluxora/indexer/event_intake.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/ports/readiness.hpp"
#include "fluxora/redis/redis.hpp"
#include "fluxora/store/store.hpp"
#include "fluxora/telemetry/request_metrics.hpp"
#include "fluxora/telemetry/span_exporter.hpp"
#include "fluxora/webhooks/upkeep.hpp"
#include "jobs.hpp"
#include "log_pruner.hpp"
#include "parts.hpp"

namespace fluxora::app {

/// Everything that /metrics tells of.
struct MetricsSources {
  const ports::Clock& clock;
  const telemetry::RequestMetrics& requests;
  const net::Server& server;
  const store::Store& store;
  const ports::Readiness& database;
  const hub::Hub& hub;
  const api::AccessControl& access;
  const api::IdempotencyCounters& idempotency;
  const api::SseCounters& sse;
  const indexer::Indexer* indexer = nullptr;       ///< none: no chain is followed
  const chain::StellarRpc* rpc = nullptr;          ///< none as well
  const telemetry::SpanExporter* spans = nullptr;  ///< none: traces aren't exported
  const indexer::EventIntake* intake = nullptr;    ///< none: no events are taken
  const JobRunner* jobs = nullptr;                 ///< none: no jobs are run
  const redis::Redis* redis = nullptr;             ///< none: not configured
  const webhooks::Upkeep* upkeep = nullptr;        ///< of webhooks
  const WebhookSender* sender = nullptr;           ///< none: no webhooks are sent by this process
  const LogPruner* pruner = nullptr;               ///< of the event log
};

/// The body of GET /metrics, as it stands now. docs/observability.md lists the same. From any thread; doesn't block.
[[nodiscard]] std::string metrics_text(const MetricsSources& sources);

}  // namespace fluxora::app
