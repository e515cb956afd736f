#include "application.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "fluxora/api/access.hpp"
#include "fluxora/api/api.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/hub/hub.hpp"
#include "fluxora/hub/service_notice.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/outbound/webhook_transport.hpp"
#include "fluxora/redis/redis.hpp"
#include "fluxora/store/store.hpp"
#include "fluxora/webhooks/upkeep.hpp"
#include "jobs.hpp"
#include "json_log.hpp"
#include "log_pruner.hpp"
#include "metrics.hpp"
#include "options.hpp"
#include "parts.hpp"
#include "process.hpp"
#include "service_watch.hpp"
#include "system_clock.hpp"
#include "system_random.hpp"

namespace fluxora::app {
namespace {

void warn_of_public_writes(const Config& config, ports::Log& log) {
  if (config.auth_required || config.on_loopback()) return;
  log.warn("public_writes", "Everyone who can reach this address may write streams: set AUTH_REQUIRED=true.",
           {{"address", config.host}});
}

/// None where it is over.
std::chrono::milliseconds until(std::chrono::steady_clock::time_point end) {
  using std::chrono::milliseconds;
  const auto left = std::chrono::duration_cast<milliseconds>(end - std::chrono::steady_clock::now());
  return std::max(left, milliseconds(0));
}

int run(const Config& config, EndSignals& signals, SystemClock& clock, JsonLog& log) {
  store::migrate(store_options(config), log);

  // What there is, in the order in which it depends on each other.
  SystemRandom random;
  const auto spans = span_exporter(config, random, log);
  telemetry::Tracer tracer(spans.get(), config.traces_share, clock, random);
  store::Store store(store_options(config), log);
  std::unique_ptr<redis::Redis> shared;  // with other instances
  if (config.redis_address) shared = std::make_unique<redis::Redis>(*config.redis_address, clock, random, log);
  const auto make_tail = [&store] { return store.make_tail(); };
  hub::Hub hub(shared ? shared->make_tail(make_tail) : make_tail(), store.events(), clock, log);
  std::unique_ptr<ChainFollower> chain;
  ServiceWatch watch(store.readiness(), clock, log, [&hub, &clock](bool degraded, std::string_view why) {
    hub.broadcast(hub::service_notice(degraded, why, clock.now()));
  });
  if (config.follows_a_chain()) {
    chain = std::make_unique<ChainFollower>(config, store, clock, random, log, watch, tracer);
  }
  std::unique_ptr<ContractEvents> sent;
  if (config.takes_contract_events()) sent = std::make_unique<ContractEvents>(config, store, clock, log);

  const auto secrets = core::SecretBox::parse(config.webhook_secret_keys);  // none: not configured
  webhooks::Upkeep upkeep(upkeep_options(config), store::make_webhook_upkeep(store_options(config)),
                          secrets ? &*secrets : nullptr, clock, random, log);
  std::unique_ptr<WebhookSender> sender;
  if (config.webhook_delivery) {
    sender = std::make_unique<WebhookSender>(config, secrets ? &*secrets : nullptr, clock, random, log, tracer);
  }

  LogPruner pruner(log_pruner_options(config), store::make_log_retention(store_options(config)), clock, log);

  api::AccessControl access(access_options(config), store.api_keys(), store.audit_log(), clock, log,
                            shared ? &shared->rate_counts() : nullptr);
  std::atomic<bool> draining{false};
  std::atomic<bool> shutting_down{false};
  net::Server* listening = nullptr;
  std::function<std::string()> metrics;  // like listening, there as soon as what it tells of is
  api::ApiContext context{clock,
                          log,
                          random,
                          store.streams(),
                          store.stream_writer(),
                          store.exports(),
                          store.accounts(),
                          store.schedules(),
                          store.ledgers(),
                          store.events(),
                          store.readiness(),
                          hub,
                          store.api_keys(),
                          store.audit_log(),
                          access,
                          chain ? &chain->indexer : nullptr,
                          FLUXORA_VERSION,
                          config.public_url,
                          demo_folder(config),
                          config.ws_max_connections_per_ip,
                          [&shutting_down] { return shutting_down.load(); },
                          [&listening] { return listening != nullptr ? listening->websocket_connections() : 0; },
                          chain ? &chain->storage : nullptr,
                          [&metrics] { return metrics(); }};
  context.indexer_alarms = &store.indexer_alarms();
  context.reconciliation = &store.reconciliation();
  context.replay_jobs = &store.replay_jobs();
  if (chain) context.replay_contracts = indexer_options(config).contracts;
  if (sent) {
    context.indexer = &sent->intake;
    context.intake = &sent->intake;
    context.contracts = config.contract_ids;
  }
  if (shared) {
    context.connection_counts = &shared->connection_counts();
    context.redis_well = [&shared] { return shared->is_well(); };
  }
  context.webhooks = &store.webhooks();
  context.webhook_secrets = secrets ? &*secrets : nullptr;
  context.webhook_target_problem = [rules = webhook_targets(config)](std::string_view url) {
    return outbound::target_problem(url, rules);
  };
  context.draining = [&draining] { return draining.load(); };
  context.wake_webhooks = [&sender, &upkeep] {
    if (sender) sender->dispatcher.wake();
    upkeep.wake();
  };
  JobRunner jobs(config, clock, log, chain ? &chain->breaker : nullptr);
  const auto router = api::build_router(context);
  telemetry::RequestMetrics requests(*router);
  net::ServerOptions options = server_options(config, log, requests, tracer);
  options.on_tick = [&hub](unsigned io_thread) { hub.tick(io_thread); };
  net::Server server(std::move(options), router);
  listening = &server;
  metrics = [sources = MetricsSources{clock, requests, server, store, store.readiness(), hub, access,
                                      *context.idempotency, *context.sse, chain ? &chain->indexer : nullptr,
                                      chain ? &chain->rpc : nullptr, spans.get(), sent ? &sent->intake : nullptr, &jobs,
                                      shared.get(), &upkeep, sender.get(), &pruner}] { return metrics_text(sources); };

  // From the back to the front, so that nothing is served before what it needs.
  const auto start = [&] {
    if (shared) shared->start();
    hub.start(
        config.io_threads,
        [&server](unsigned io_thread, std::function<void()> task) { server.post(io_thread, std::move(task)); },
        [&sender] {
          if (sender) sender->dispatcher.wake();
        });
    upkeep.start();
    if (sender) sender->start();
    server.start();
    watch.start();
    if (chain) chain->start();
    jobs.start();
    pruner.start();
    if (sent) sent->intake.start();
  };
  // All are asked to end before any is waited for, and the connections come first: whoever asks a database or a chain
  // that doesn't answer may take long, and clients are told at once.
  const auto stop = [&](std::chrono::milliseconds grace) {
    const auto grace_end = std::chrono::steady_clock::now() + grace;
    if (chain) chain->rpc.cancel();
    clock.end();
    hub.begin_stop();
    jobs.begin_stop();
    upkeep.begin_stop();
    if (sender) sender->begin_stop();
    server.stop(grace);
    if (chain) chain->indexer.stop();
    jobs.stop();
    if (chain && chain->witness) chain->witness->stop();
    watch.stop();
    hub.stop();
    if (sender) sender->stop(until(grace_end));
    upkeep.stop();
    pruner.stop();
    if (shared) shared->stop();
    if (chain) chain->storage.stop();
    if (sent) sent->intake.stop();
    if (spans) spans->stop(until(grace_end));
    store.stop();  // reads that nobody waits for any more still refer to what stands above
  };

  try {
    start();
  } catch (...) {
    stop(std::chrono::milliseconds(0));  // what runs already refers to what its scope's end would take away
    throw;
  }
  warn_of_public_writes(config, log);
  log.info("listening", "",
           {{"address", config.host}, {"port", std::uint64_t{server.port()}}, {"version", FLUXORA_VERSION}});
  const std::string service_manager = process_environment()("NOTIFY_SOCKET").value_or("");
  notify_service_manager(service_manager, "READY=1");

  const int signal = signals.wait();
  signals.unblock();  // a second one ends at once
  draining = true;
  server.begin_drain();
  notify_service_manager(service_manager, "STOPPING=1");
  log.info("shutting_down", "", {{"signal", signal}});
  // Whoever spreads clients over instances notices meanwhile, and everything is served that still comes.
  std::this_thread::sleep_for(std::chrono::milliseconds(config.shutdown_delay_ms));
  shutting_down = true;
  stop(std::chrono::milliseconds(config.shutdown_grace_ms));
  log.info("stopped", "");
  return 0;
}

}  // namespace

int serve(const Config& config) {
  EndSignals signals;
  raise_descriptor_limit();
  SystemClock clock;
  JsonLog log(config.log_level, clock);
  try {
    return run(config, signals, clock, log);
  } catch (const std::exception& error) {
    log.error("start_failed", error.what());
    return 1;
  }
}

int migrate(const Config& config) {
  SystemClock clock;
  JsonLog log(config.log_level, clock);
  try {
    const store::MigrationReport report = store::migrate(store_options(config), log);
    log.info("migrated", "", {{"applied", report.applied}, {"alreadyThere", report.already_there}});
    return 0;
  } catch (const std::exception& error) {
    log.error("migration_failed", error.what());
    return 1;
  }
}

}  // namespace fluxora::app
