#include "metrics.hpp"

#include <algorithm>
#include <array>

#include "fluxora/telemetry/metrics_page.hpp"
#include "fluxora/telemetry/process_metrics.hpp"

namespace fluxora::app {
namespace {

using std::chrono::milliseconds;
using telemetry::MetricsPage;

void write_http(MetricsPage& page, const MetricsSources& sources) {
  const net::ServerStatistics now = sources.server.statistics();
  page.gauge("fluxora_http_requests_in_flight", "Requests being read or answered.", now.requests_in_flight);
  page.gauge("fluxora_connections", "Open connections, WebSockets among them.", now.connections);
  page.counter("fluxora_connections_accepted_total", "Connections accepted.", now.connections_accepted);
  sources.requests.write(page);

  const api::AccessStatistics denied = sources.access.statistics();
  const std::string_view denials = "fluxora_access_denied_total";
  const std::string_view denials_help = "Requests refused for their credentials.";
  page.counter(denials, denials_help, denied.denied_credentials, {{"reason", "credentials"}});
  page.counter(denials, denials_help, denied.denied_scope, {{"reason", "scope"}});
  const std::string_view limits = "fluxora_rate_limited_total";
  const std::string_view limits_help = "Requests refused with 429 for their number.";
  page.counter(limits, limits_help, denied.limited_writes, {{"reason", "writes"}});
  page.counter(limits, limits_help, denied.limited_failures, {{"reason", "bad_credentials"}});
  const std::string_view repeats = "fluxora_idempotency_repeats_total";
  const std::string_view repeats_help = "Creations whose Idempotency-Key was known.";
  page.counter(repeats, repeats_help, sources.idempotency.replayed, {{"outcome", "replayed"}});
  page.counter(repeats, repeats_help, sources.idempotency.reused, {{"outcome", "other_body"}});
  page.counter(repeats, repeats_help, sources.idempotency.in_use, {{"outcome", "in_use"}});
}

std::uint64_t of(hub::FeedFormat format, const hub::HubStatistics::OfEachFormat& counts) {
  return counts[static_cast<std::size_t>(format)];
}

void write_websockets(MetricsPage& page, const net::ServerStatistics& now, const hub::HubStatistics& feeds) {
  page.gauge("fluxora_websocket_connections", "Open WebSockets.", now.websockets);
  page.gauge("fluxora_websocket_queued_messages", "Messages waiting to be sent.", now.websocket_queued_messages);
  page.gauge("fluxora_websocket_queued_bytes", "Bytes waiting to be sent.", now.websocket_queued_bytes);
  page.counter("fluxora_websocket_messages_received_total", "Messages from clients.", now.websocket_messages_received);
  page.counter("fluxora_websocket_messages_sent_total", "Messages to clients.", now.websocket_messages_sent);
  page.counter("fluxora_websocket_received_bytes_total", "Payloads from clients.", now.websocket_bytes_received);
  page.counter("fluxora_websocket_sent_bytes_total", "Payloads to clients.", now.websocket_bytes_sent);
  page.counter("fluxora_websocket_slow_consumers_total", "Clients closed with 4008 because they didn't read.",
               now.websocket_slow_consumers + of(hub::FeedFormat::websocket, feeds.slow_consumers));
}

void write_sse(MetricsPage& page, const api::SseCounters& now) {
  page.gauge("fluxora_sse_connections", "Open feeds of server-sent events.", now.connections);
  page.gauge("fluxora_sse_queued_messages", "Messages waiting to be sent.", now.queued_messages);
  page.gauge("fluxora_sse_queued_bytes", "Bytes waiting to be sent.", now.queued_bytes);
  page.counter("fluxora_sse_messages_sent_total", "Events and comments to clients.", now.messages_sent);
  page.counter("fluxora_sse_sent_bytes_total", "Their bytes.", now.bytes_sent);
  page.counter("fluxora_sse_slow_consumers_total", "Feeds ended because their clients didn't read.",
               now.slow_consumers);
}

void write_feeds(MetricsPage& page, const hub::HubStatistics& now) {
  page.gauge("fluxora_log_tail_seq", "The newest log entry that this instance has read.", now.tail_seq);
  page.gauge("fluxora_log_tail_age_seconds", "Since the log was last read to its end.", now.tail_age);
  page.counter("fluxora_log_entries_published_total", "Log entries handed to subscribers.", now.entries_published);
  page.gauge("fluxora_feed_subscriptions", "Subscriptions of all connections.", now.subscriptions);
  page.counter("fluxora_feed_replays_total", "Subscriptions that began with a replay.", now.replays);
  page.gauge("fluxora_feed_replays_running", "Subscriptions that replay.", now.replays_running);
  page.gauge("fluxora_feed_reads_waiting", "Reads of replays that wait for their turn.", now.reads_waiting);
  page.counter("fluxora_feed_deliveries_total", "Log entries handed to connections.", now.deliveries);
  page.counter("fluxora_feed_holds_total", "Times that a connection was held because it didn't keep up.", now.holds);
  page.counter("fluxora_feed_duplicate_events_total", "Log entries kept back because their event stood already.",
               now.duplicates);
  const std::string_view sessions = "fluxora_feed_sessions";
  const std::string_view sessions_help = "Connections that follow the log, or may.";
  page.gauge(sessions, sessions_help, of(hub::FeedFormat::websocket, now.sessions), {{"transport", "websocket"}});
  page.gauge(sessions, sessions_help, of(hub::FeedFormat::sse, now.sessions), {{"transport", "sse"}});
}

void write_database(MetricsPage& page, const store::StoreStatistics& now, bool well) {
  page.gauge("fluxora_db_up", "1 while the primary database answers.", well ? 1U : 0U);
  page.gauge("fluxora_db_connections", "Open database connections of the readers.", now.connections);
  page.gauge("fluxora_db_connections_busy", "Readers at work.", now.busy);
  page.gauge("fluxora_db_reads_waiting", "Reads that wait for a reader.", now.waiting);
  page.counter("fluxora_db_reads_refused_total", "Reads refused because too many waited.", now.refused);
  page.counter("fluxora_db_queries_total", "Reads sent to the database.", now.queries);
  page.counter("fluxora_db_reads_gathered_total", "Reads that another one's query answered.", now.gathered);
  page.gauge("fluxora_db_replica_in_use", "1 while reads go to the replica.", now.replica_in_use ? 1U : 0U);
  page.counter("fluxora_db_replica_queries_total", "Reads sent to the replica.", now.replica_queries);
  page.counter("fluxora_db_replica_fallbacks_total", "Reads that the replica couldn't answer.", now.replica_fallbacks);
}

/// As last looked at: of all instances; what was pruned, by this one.
void write_log_size(MetricsPage& page, const LogPrunerStatistics& now) {
  const ports::LogSize size = now.size.value_or(ports::LogSize{});
  page.gauge("fluxora_log_oldest_seq", "The oldest log entry that wasn't pruned.", size.oldest_seq);
  page.gauge("fluxora_log_partitions", "Partitions of the log.", size.partitions);
  page.gauge("fluxora_log_bytes", "The log on disk, with its indexes.", size.bytes);
  page.counter("fluxora_log_prunings_total", "Times that this instance has pruned the log.", now.prunings);
  page.counter("fluxora_log_partitions_pruned_total", "Partitions that were taken out by it.", now.pruned_partitions);
  page.counter("fluxora_log_retention_failures_total", "Looks at the log's age and size that the database failed.",
               now.failures);
}

using State = ports::IndexerStatus::State;
constexpr std::array<std::pair<State, std::string_view>, 4> indexer_states = {{{State::starting, "starting"},
                                                                               {State::healthy, "healthy"},
                                                                               {State::stalled, "stalled"},
                                                                               {State::halted, "halted"}}};

void write_indexer_status(MetricsPage& page, const ports::IndexerStatus& status) {
  for (const auto& [state, name] : indexer_states) {
    page.gauge("fluxora_indexer_state", "1 for the state that the indexer is in.", status.state == state ? 1U : 0U,
               {{"state", name}});
  }
  page.gauge("fluxora_indexer_lag_seconds", "Since the last successful sync.", milliseconds(status.lag_ms));
  page.gauge("fluxora_indexer_last_ledger", "The last indexed ledger.", status.last_ledger);
  page.gauge("fluxora_indexer_last_safe_ledger", "The ledger up to which it may index.", status.last_safe_ledger);
}

void write_observer(MetricsPage& page, const indexer::ObserverStatistics& counts) {
  page.counter("fluxora_observations_total", "Observations of contract storage that entered the log.",
               counts.observations);
  page.counter("fluxora_observation_failures_total", "Looks at contract storage that failed.", counts.failures);
  page.counter("fluxora_audit_streams_total", "Streams that the audit has compared.", counts.audited);
  page.counter("fluxora_audit_passes_total", "Passes of the audit that were completed.", counts.audit_passes);
  for (const ports::DifferenceKind kind : ports::difference_kinds) {
    page.counter("fluxora_audit_differences_total", "Differences between table, log and contract.",
                 counts.differences[static_cast<std::size_t>(kind)], {{"difference", ports::difference_name(kind)}});
  }
}

using Circuit = core::CircuitBreaker::State;
constexpr std::array<std::pair<Circuit, std::string_view>, 3> circuit_states = {
    {{Circuit::closed, "closed"}, {Circuit::open, "open"}, {Circuit::half_open, "half_open"}}};

/// What an operator is called for, or would have to decide about.
void write_alarms(MetricsPage& page, const ports::IndexerStatus& status) {
  for (const auto& [kind, name] : ports::alarm_names) {
    const bool stands = std::any_of(status.alarms.begin(), status.alarms.end(),
                                    [kind = kind](const ports::IndexerAlarm& alarm) { return alarm.kind == kind; });
    page.gauge("fluxora_indexer_alarm", "1 for each alarm that stands.", stands ? 1U : 0U, {{"alarm", name}});
  }
  page.gauge("fluxora_indexer_leads", "1 on the instance that indexes.", status.leads ? 1U : 0U);
  if (status.retention_ledgers) {
    page.gauge("fluxora_indexer_retention_ledgers",
               "How many ledgers more the RPC's window may lose before it loses one that isn't indexed.",
               *status.retention_ledgers);
  }
  for (const auto& [state, name] : circuit_states) {
    page.gauge("fluxora_rpc_circuit_state", "1 for the state of this instance's circuit breaker for the RPC.",
               status.rpc_circuit == state ? 1U : 0U, {{"state", name}});
  }
  using Horizon = ports::IndexerStatus::Horizon;
  if (status.horizon == Horizon::not_configured) return;
  page.gauge("fluxora_horizon_reachable", "1 while Horizon answers.", status.horizon == Horizon::healthy ? 1U : 0U);
  page.gauge("fluxora_rpc_lagging", "1 while Horizon's latest ledger is well past the RPC's.",
             status.rpc_lagging ? 1U : 0U);
}

void write_indexer(MetricsPage& page, const indexer::Indexer& indexer) {
  const indexer::IndexerStatistics counts = indexer.statistics();
  const ports::IndexerStatus status = indexer.status();
  write_indexer_status(page, status);
  write_alarms(page, status);
  page.gauge("fluxora_indexer_chain_latest_ledger", "The RPC's latest ledger.", counts.chain_latest);
  page.counter("fluxora_indexer_batches_total", "Batches committed.", counts.batches);
  page.counter("fluxora_indexer_events_total", "Log entries that batches have added.", counts.events);
  page.counter("fluxora_indexer_duplicate_events_total", "Chain events that stood in the log already.",
               counts.duplicates);
  page.counter("fluxora_indexer_reorgs_total", "Reorganisations of the chain detected.", counts.reorgs);
  page.counter("fluxora_indexer_failures_total", "Rounds that ended in trouble with RPC or database.", counts.failures);
  write_observer(page, counts.storage);
}

void write_intake(MetricsPage& page, const indexer::EventIntake& intake) {
  const indexer::EventIntakeStatistics counts = intake.statistics();
  write_indexer_status(page, intake.status());
  page.counter("fluxora_intake_batches_total", "Batches of sent events that were taken.", counts.batches);
  const std::string_view events = "fluxora_intake_events_total";
  const std::string_view events_help = "Events of those batches.";
  page.counter(events, events_help, counts.inserted, {{"outcome", "inserted"}});
  page.counter(events, events_help, counts.duplicates, {{"outcome", "duplicate"}});
  const std::string_view refused = "fluxora_intake_refused_batches_total";
  const std::string_view refused_help = "Batches of which nothing was written.";
  page.counter(refused, refused_help, counts.refused, {{"reason", "contradicts_log"}});
  page.counter(refused, refused_help, counts.turned_away, {{"reason", "busy_or_unavailable"}});
  page.counter("fluxora_intake_reorgs_total", "Ledgers that came with another hash than the one held.", counts.reorgs);
}

void write_rpc(MetricsPage& page, const chain::StellarRpcStatistics& counts) {
  page.counter("fluxora_rpc_calls_total", "Calls of the indexer to the Stellar RPC.", counts.calls);
  page.counter("fluxora_rpc_errors_total", "Those of them without a good answer.", counts.errors);
}

void write_jobs(MetricsPage& page, const JobStatistics& now) {
  for (const auto& [kind, name] : ports::job_kinds) {
    page.gauge("fluxora_job_running", "1 while this instance runs a job of that kind.", now.running == kind ? 1U : 0U,
               {{"kind", name}});
  }
  page.gauge("fluxora_job_done", "How far the job has come, in ledgers of a replay, entries of a rebuild.",
             now.place.done);
  page.gauge("fluxora_job_goal", "How far it has to come; 0 while that isn't known.", now.place.total);
  page.gauge("fluxora_job_rows", "Log entries that it has made or folded.", now.place.rows);
  const std::string_view ended = "fluxora_jobs_ended_total";
  const std::string_view ended_help = "Jobs that this instance has brought to their end.";
  page.counter(ended, ended_help, now.done, {{"outcome", "done"}});
  page.counter(ended, ended_help, now.failed, {{"outcome", "failed"}});
}

void write_redis(MetricsPage& page, const redis::RedisStatistics& now) {
  page.gauge("fluxora_redis_up", "1 while Redis is in reach and does as it is asked.", now.well ? 1U : 0U);
  page.counter("fluxora_redis_commands_total", "Commands that Redis has answered.", now.commands);
  page.counter("fluxora_redis_command_failures_total", "Commands refused, or without an answer.", now.command_failures);
  page.gauge("fluxora_live_bus_publishes", "1 on the instance that tells the others of the log.",
             now.publishes ? 1U : 0U);
  const std::string_view pages = "fluxora_live_bus_pages_total";
  const std::string_view pages_help = "Pages of log entries on the bus.";
  page.counter(pages, pages_help, now.pages_published, {{"outcome", "published"}});
  page.counter(pages, pages_help, now.pages_received, {{"outcome", "received"}});
  page.counter(pages, pages_help, now.pages_dropped, {{"outcome", "dropped"}});
  page.counter("fluxora_live_bus_refused_messages_total",
               "Messages that are none of ours, or that the database denies.", now.messages_refused);
  const std::string_view reads = "fluxora_log_tail_reads_total";
  const std::string_view reads_help = "Reads of the log's end.";
  page.counter(reads, reads_help, now.reads_from_bus, {{"source", "bus"}});
  page.counter(reads, reads_help, now.reads_from_database, {{"source", "database"}});
  const std::string_view rates = "fluxora_shared_rate_counts_total";
  const std::string_view rates_help = "Requests counted for a limit.";
  page.counter(rates, rates_help, now.rates_shared, {{"scope", "fleet"}});
  page.counter(rates, rates_help, now.rates_alone, {{"scope", "instance"}});
  page.gauge("fluxora_shared_addresses", "Addresses with open feeds on other instances.", now.addresses_elsewhere);
}

void write_attempt_durations(MetricsPage& page, const webhooks::AttemptDurations& durations) {
  constexpr auto bounds_ms = webhooks::AttemptDurations::bounds_ms;
  std::array<MetricsPage::Bucket, bounds_ms.size()> buckets{};
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] = {milliseconds(bounds_ms[i]), durations.counts[i]};
  page.histograms("fluxora_webhook_attempt_duration_seconds", "From an attempt's begin to its answer or failure.");
  page.add_histogram(buckets, durations.counts.back(), milliseconds(durations.sum_ms), {});
}

void write_dispatcher(MetricsPage& page, const webhooks::DispatcherStatistics& now) {
  page.counters("fluxora_webhook_attempts_total", "Attempts to deliver that have ended, by what came of them.");
  for (std::size_t i = 0; i < now.attempts.size(); ++i) {
    page.add_counter(now.attempts[i], {{"outcome", webhooks::attempt_outcomes[i]}});
  }
  page.counters("fluxora_webhook_answers_total", "The same by their answer, or why there was none.");
  for (std::size_t i = 0; i < now.answers.size(); ++i) {
    page.add_counter(now.answers[i], {{"answer", webhooks::answer_kinds[i]}});
  }
  write_attempt_durations(page, now.durations);
  page.gauge("fluxora_webhook_requests_in_flight", "Requests to receivers on their way.", now.in_flight);
  page.gauge("fluxora_webhook_lanes_claimed", "Streams for an endpoint that this instance delivers.",
             now.claimed_lanes);
  page.gauge("fluxora_webhook_circuits_open", "Endpoints that this instance leaves alone for a while.",
             now.circuits_open);
  page.gauge("fluxora_webhook_results_waiting", "Attempts that have ended and aren't recorded yet.",
             now.results_waiting);
  page.counter("fluxora_webhook_claims_lost_total", "Times that all claims were another instance's for our silence.",
               now.claims_lost);
  page.counter("fluxora_webhook_secrets_unreadable_total", "Times that nothing was sent for want of a secret's key.",
               now.secrets_unreadable);
  page.counter("fluxora_webhook_queue_failures_total", "Calls of the queue that the database failed.",
               now.queue_failures);
}

void write_disablings(MetricsPage& page, const webhooks::DispatcherStatistics& dispatcher,
                      const webhooks::UpkeepStatistics& upkeep) {
  page.counters("fluxora_webhook_endpoints_disabled_total", "Endpoints that this instance has disabled.");
  const auto add = [&page](std::uint64_t count, ports::DisableReason reason) {
    page.add_counter(count, {{"reason", ports::disable_reason_name(reason)}});
  };
  for (std::size_t i = 0; i < webhooks::disable_reasons.size(); ++i) {
    add(dispatcher.endpoints_disabled[i], webhooks::disable_reasons[i]);
  }
  add(upkeep.overfull_disabled, ports::DisableReason::backlog);
}

/// What the database holds, as last looked at: of all instances.
void write_backlog(MetricsPage& page, const webhooks::UpkeepStatistics& now, core::UnixMillis at) {
  const ports::DeliveryBacklog backlog = now.backlog.value_or(ports::DeliveryBacklog{});
  const std::string_view deliveries = "fluxora_webhook_deliveries";
  const std::string_view deliveries_help = "Deliveries that wait, and dead letters, of all instances.";
  page.gauge(deliveries, deliveries_help, backlog.waiting, {{"state", "waiting"}});
  page.gauge(deliveries, deliveries_help, backlog.dead, {{"state", "dead"}});
  page.gauge("fluxora_webhook_oldest_waiting_seconds", "How long the oldest waits that is for an enabled endpoint.",
             milliseconds(backlog.oldest_waiting ? std::max<std::int64_t>(at - *backlog.oldest_waiting, 0) : 0));
  const std::string_view endpoints = "fluxora_webhook_endpoints";
  const std::string_view endpoints_help = "Endpoints that there are.";
  page.gauge(endpoints, endpoints_help, backlog.endpoints_enabled, {{"state", "enabled"}});
  page.gauge(endpoints, endpoints_help, backlog.endpoints_disabled, {{"state", "disabled"}});
  page.gauge("fluxora_webhook_replays_running", "Replays of all instances that run.", backlog.replays_running);
  page.counter("fluxora_webhook_replay_steps_total", "Steps of replays that this instance has made.", now.replay_steps);
  page.counter("fluxora_webhook_deliveries_pruned_total", "Deliveries that this instance has removed for their age.",
               now.pruned_deliveries);
  page.counter("fluxora_webhook_upkeep_failures_total", "Rounds of replays and pruning that the database failed.",
               now.failures);
}

void write_webhooks(MetricsPage& page, const webhooks::Upkeep& upkeep, const WebhookSender* sender,
                    core::UnixMillis at) {
  webhooks::DispatcherStatistics sent;
  if (sender != nullptr) {
    sent = sender->dispatcher.statistics();
    write_dispatcher(page, sent);
  }
  const webhooks::UpkeepStatistics kept = upkeep.statistics();
  write_disablings(page, sent, kept);
  write_backlog(page, kept, at);
}

void write_spans(MetricsPage& page, const telemetry::SpanExporterStatistics& counts) {
  page.gauge("fluxora_trace_spans_waiting", "Spans that wait to be exported.", counts.waiting);
  page.counter("fluxora_trace_spans_exported_total", "Spans that the collector took.", counts.exported);
  const std::string_view lost = "fluxora_trace_spans_lost_total";
  const std::string_view lost_help = "Spans that didn't reach the collector.";
  page.counter(lost, lost_help, counts.dropped, {{"reason", "queue_full"}});
  page.counter(lost, lost_help, counts.failed, {{"reason", "export_failed"}});
}

}  // namespace

std::string metrics_text(const MetricsSources& sources) {
  MetricsPage page;
  page.gauge("fluxora_build_info", "Always 1; says which version runs.", std::uint64_t{1},
             {{"version", FLUXORA_VERSION}});
  write_http(page, sources);
  const hub::HubStatistics feeds = sources.hub.statistics();
  write_websockets(page, sources.server.statistics(), feeds);
  write_sse(page, sources.sse);
  write_feeds(page, feeds);
  write_database(page, sources.store.statistics(), sources.database.is_well());
  if (sources.pruner != nullptr) write_log_size(page, sources.pruner->statistics());
  if (sources.indexer != nullptr) write_indexer(page, *sources.indexer);
  if (sources.intake != nullptr) write_intake(page, *sources.intake);
  if (sources.jobs != nullptr) write_jobs(page, sources.jobs->statistics());
  if (sources.rpc != nullptr) write_rpc(page, sources.rpc->statistics());
  if (sources.redis != nullptr) write_redis(page, sources.redis->statistics());
  if (sources.upkeep != nullptr) write_webhooks(page, *sources.upkeep, sources.sender, sources.clock.now());
  if (sources.spans != nullptr) write_spans(page, sources.spans->statistics());
  telemetry::write_process_metrics(page);
  return page.text();
}

}  // namespace fluxora::app
