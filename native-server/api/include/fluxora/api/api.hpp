#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/api/access.hpp"
#include "fluxora/api/idempotency_counters.hpp"
#include "fluxora/api/sse_counters.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/hub/hub.hpp"
#include "fluxora/net/router.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/ports/account_reader.hpp"
#include "fluxora/ports/api_keys.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/connection_counts.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "fluxora/ports/event_intake.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/indexer_alarms.hpp"
#include "fluxora/ports/indexer_status.hpp"
#include "fluxora/ports/ledger_reader.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/random.hpp"
#include "fluxora/ports/readiness.hpp"
#include "fluxora/ports/reconciliation.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "fluxora/ports/schedule_reader.hpp"
#include "fluxora/ports/stream_export.hpp"
#include "fluxora/ports/stream_reader.hpp"
#include "fluxora/ports/stream_writer.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::api {

/// What the handlers work with; all of it outlives the server.
struct ApiContext {
  ports::Clock& clock;
  ports::Log& log;
  ports::Random& random;
  ports::StreamReader& streams;
  ports::StreamWriter& writer;
  ports::StreamExporter& exports;
  ports::AccountReader& accounts;
  ports::ScheduleReader& schedules;
  ports::LedgerReader& ledgers;
  ports::EventLog& events;
  ports::Readiness& readiness;
  hub::Hub& hub;
  ports::ApiKeys& api_keys;
  ports::AuditLog& audit_log;
  AccessControl& access;
  const ports::IndexerStatusSource* indexer = nullptr;  ///< none: not configured
  std::string version;
  std::string public_url;                     ///< where clients reach the service; empty: not said
  std::string demo_root;                      ///< a folder served under /demo/; empty: none
  std::size_t max_sockets_per_address = 100;  ///< open feeds, WebSocket and SSE together
  std::function<bool()> shutting_down;        ///< feeds end, and none is opened
  std::function<std::size_t()> websocket_connections;
  ports::ContractStorage* contract_storage = nullptr;  ///< none: no chain is followed
  std::function<std::string()> metrics = nullptr;      ///< the body of GET /metrics; must not block
  std::shared_ptr<IdempotencyCounters> idempotency = std::make_shared<IdempotencyCounters>();
  ports::IndexerAlarms* indexer_alarms = nullptr;   ///< has to be there when /admin/indexer is asked
  ports::EventIntake* intake = nullptr;             ///< none: the chain is read here, or no contract is followed
  std::vector<std::string> contracts{};             ///< those that are followed; "*" alone for all
  ports::Reconciliation* reconciliation = nullptr;  ///< has to be there when /admin/reconciliation is asked
  ports::ReplayJobs* replay_jobs = nullptr;         ///< has to be there when /admin/replay is asked
  std::string replay_contracts{};  ///< what a replay follows, as Following has it; empty: none can be run
  ports::ConnectionCounts* connection_counts = nullptr;  ///< none: each instance counts for itself
  std::shared_ptr<SseCounters> sse = std::make_shared<SseCounters>();
  std::function<bool()> redis_well = nullptr;        ///< none: not configured
  ports::Webhooks* webhooks = nullptr;               ///< has to be there when /api/webhooks or dead letters are asked
  const core::SecretBox* webhook_secrets = nullptr;  ///< none: WEBHOOK_SECRET_KEYS isn't set, so no secret is kept
  /// Why nothing may be sent to that URL, "must be https.", or none; it has to be there when endpoints are made or
  /// changed. Looks no name up: that is for each attempt.
  std::function<std::optional<std::string>(std::string_view)> webhook_target_problem = nullptr;
  std::function<void()> wake_webhooks = nullptr;  ///< something may be due at once; from any thread, never blocks
  /// Still serving, but about to shut down: whoever spreads clients over instances sends none here any more.
  std::function<bool()> draining = [] { return false; };
};

/// Every route of the service. SPEC sections 5, 6 and 10.
[[nodiscard]] std::shared_ptr<const net::Router> build_router(const ApiContext& context);

/// SPEC section 5, "Security headers on every response". `public_url` https adds upgrade-insecure-requests.
[[nodiscard]] net::HeaderFields security_headers(std::string_view public_url);

/// Our own request headers that mean one thing: twice, they are refused.
[[nodiscard]] std::vector<std::string> single_headers();

/// The body of errors that net finds itself. RFC 9457.
[[nodiscard]] net::Response error_response(unsigned status, std::string_view detail, const net::Request& request);

}  // namespace fluxora::api
