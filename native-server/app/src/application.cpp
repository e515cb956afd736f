#include "application.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <system_error>

#include <sys/resource.h>

#include "fluxora/api/access.hpp"
#include "fluxora/api/api.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/hub/hub.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/store/store.hpp"
#include "json_log.hpp"
#include "system_clock.hpp"
#include "system_random.hpp"

namespace fluxora::app {
namespace {

store::StoreOptions store_options(const Config& config) {
  store::StoreOptions options;
  options.database_url = config.database_url;
  options.read_connections = config.db_pool_size;
  options.max_exports = config.export_max_concurrent;
  options.export_timeout_ms = config.export_timeout_ms;
  return options;
}

std::string joined_contracts(const Config& config) {
  std::string text;
  for (const std::string& id : config.contract_ids) text += (text.empty() ? "" : ",") + id;
  return text;
}

chain::StellarRpcOptions rpc_options(const Config& config) {
  chain::StellarRpcOptions options;
  options.url = config.stellar_rpc_url;
  if (!config.follows_every_contract()) options.contracts = config.contract_ids;
  options.http.request_timeout_ms = config.rpc_timeout_ms;
  options.http.ca_file = config.rpc_ca_file;
  return options;
}

indexer::IndexerOptions indexer_options(const Config& config) {
  indexer::IndexerOptions options;
  options.contracts = joined_contracts(config);
  options.fold = !config.follows_every_contract();
  options.expected_passphrase = config.network_passphrase;
  options.start_ledger = config.indexer_start_ledger;
  options.batch_ledgers = config.indexer_batch_ledgers;
  options.safety_margin = config.indexer_safety_margin;
  options.poll = std::chrono::milliseconds(config.indexer_poll_ms);
  options.stall_threshold = std::chrono::milliseconds(config.indexer_stall_threshold_ms);
  return options;
}

/// The `service` message of SPEC section 6.
hub::Frame service_notice(bool degraded, std::string_view reason, core::UnixMillis now) {
  auto text = std::make_shared<std::string>();
  core::JsonWriter json(*text);
  json.begin_object();
  json.key("type").string("service");
  json.key("event").string(degraded ? "service.degraded" : "service.recovered");
  json.key("reason").string(reason);
  json.key("timestamp").string(core::format_rfc3339_millis(now));
  json.end_object();
  return text;
}

net::ServerOptions server_options(const Config& config, ports::Log& log) {
  net::ServerOptions options;
  options.address = config.host;
  options.port = config.port;
  options.io_threads = config.io_threads;
  options.common_headers = api::security_headers(config.public_url);
  options.single_headers = api::single_headers();
  options.error_response = api::error_response;
  if (!config.trusted_proxies.empty()) {
    options.client_address = [proxies = config.trusted_proxies](const net::Request& request) {
      return proxies.client_address(request.remote_address, request);
    };
  }
  if (!config.cors.empty()) {
    options.before_response = [cors = config.cors](const net::Request& request, net::Response& response) {
      cors.apply(request, response);
    };
  }
  options.on_response = [&log](const net::Request& request, std::string_view route, unsigned status,
                               std::chrono::microseconds duration) {
    log.info("request", "",
             {{"requestId", request.request_id},
              {"method", request.method},
              {"path", api::without_api_keys(request.path)},
              {"route", route},
              {"status", status},
              {"durationUs", std::int64_t{duration.count()}},
              {"ip", request.remote_address}});
  };
  options.on_trouble = [&log](std::string_view message) { log.warn("network_trouble", message); };
  return options;
}

api::AccessOptions access_options(const Config& config) {
  return {config.auth_required, config.jwt_secret, config.write_rate_limit};
}

void warn_of_public_writes(const Config& config, ports::Log& log) {
  if (config.auth_required || config.on_loopback()) return;
  log.warn("public_writes", "Everyone who can reach this address may write streams: set AUTH_REQUIRED=true.",
           {{"address", config.host}});
}

/// Blocks SIGINT and SIGTERM in this thread and every one started after it, and waits for the first of them.
class EndSignals {
 public:
  EndSignals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  int wait() {
    int signal = 0;
    sigwait(&set_, &signal);
    return signal;
  }
  /// From now on a signal ends the process at once, as signals do.
  void unblock() { pthread_sigmask(SIG_UNBLOCK, &set_, nullptr); }

 private:
  sigset_t set_{};
};

/// A connection takes a descriptor, and the soft limit that a process gets is often 1,024: up to the hard one.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

/// The chain's side of the service; absent where no chain is followed.
struct ChainFollower {
  ChainFollower(const Config& config, store::Store& store, SystemClock& clock, JsonLog& log, hub::Hub& hub)
      : rpc(rpc_options(config)),
        ledgers(store.make_ledger_store()),
        indexer(indexer_options(config), rpc, *ledgers, clock, log,
                [&hub, &clock](bool degraded, std::string_view why) {
                  hub.broadcast(service_notice(degraded, why, clock.now()));
                }) {}

  chain::StellarRpc rpc;
  std::unique_ptr<ports::LedgerStore> ledgers;
  indexer::Indexer indexer;
};

int run(const Config& config, EndSignals& signals, SystemClock& clock, JsonLog& log) {
  store::migrate(store_options(config), log);

  // What there is, in the order in which it depends on each other.
  store::Store store(store_options(config), log);
  hub::Hub hub(store.make_tail(), clock, log);
  std::unique_ptr<ChainFollower> chain;
  if (config.follows_a_chain()) chain = std::make_unique<ChainFollower>(config, store, clock, log, hub);

  SystemRandom random;
  api::AccessControl access(access_options(config), store.api_keys(), store.audit_log(), clock, log);
  std::atomic<bool> shutting_down{false};
  net::Server* listening = nullptr;
  const api::ApiContext context{clock,
                                log,
                                random,
                                store.streams(),
                                store.stream_writer(),
                                store.exports(),
                                store.events(),
                                store.readiness(),
                                hub,
                                store.api_keys(),
                                store.audit_log(),
                                access,
                                chain ? &chain->indexer : nullptr,
                                FLUXORA_VERSION,
                                config.demo_root,
                                config.ws_max_connections_per_ip,
                                [&shutting_down] { return shutting_down.load(); },
                                [&listening] { return listening != nullptr ? listening->websocket_connections() : 0; }};
  net::Server server(server_options(config, log), api::build_router(context));
  listening = &server;

  // Start from the back to the front, so that nothing is served before what it needs.
  hub.start(config.io_threads,
            [&server](unsigned io_thread, std::function<void()> task) { server.post(io_thread, std::move(task)); });
  server.start();
  if (chain) chain->indexer.start();
  warn_of_public_writes(config, log);
  log.info("listening", "",
           {{"address", config.host}, {"port", std::uint64_t{server.port()}}, {"version", FLUXORA_VERSION}});

  const int signal = signals.wait();
  signals.unblock();  // a second one ends at once
  shutting_down = true;
  log.info("shutting_down", "", {{"signal", signal}});

  // Stop from the front of the flow to its end: no new entries, none on their way, then the connections.
  if (chain) chain->rpc.cancel();
  clock.end();
  if (chain) chain->indexer.stop();
  hub.stop();
  server.stop(std::chrono::milliseconds(config.shutdown_grace_ms));
  store.stop();  // reads that nobody waits for any more still refer to what stands above
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
