#include "options.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "fluxora/api/api.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/telemetry/otlp_http.hpp"
#include "process.hpp"

namespace fluxora::app {
namespace {

std::string joined_contracts(const Config& config) {
  std::string text;
  for (const std::string& id : config.contract_ids) text += (text.empty() ? "" : ",") + id;
  return text;
}

/// What a read was narrowed down to, as a JSON object; empty for nothing. Of a query no more is logged than this: the
/// filters that the API knows, where they look like what they filter by.
std::string filters_of(const net::Request& request) {
  constexpr std::array<std::string_view, 6> names = {"status", "sender", "recipient", "event", "streamId", "limit"};
  constexpr std::size_t longest = 128;
  const auto is_plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.,*").find(c) != std::string_view::npos;
  };
  if (request.method != "GET" && request.method != "HEAD") return {};
  std::string text;
  core::JsonWriter json(text);
  for (const std::string_view name : names) {
    const auto found = std::find_if(request.query.begin(), request.query.end(),
                                    [name](const auto& parameter) { return parameter.first == name; });
    if (found == request.query.end() || found->second.size() > longest) continue;
    if (!std::all_of(found->second.begin(), found->second.end(), is_plain)) continue;
    if (text.empty()) json.begin_object();
    json.key(name).string(api::without_credentials(found->second));
  }
  if (!text.empty()) json.end_object();
  return text;
}

/// What is told of each request: a line of the log, counts, and a span where it is traced.
class RequestReport {
 public:
  RequestReport(ports::Log& log, telemetry::RequestMetrics& metrics, telemetry::Tracer& tracer)
      : log_(log), metrics_(metrics), tracer_(tracer) {}

  void operator()(const net::Request& request, const net::RequestEnd& end) const {
    // Of a feed neither the time nor who ended it says anything about how it was answered.
    if (end.endless)
      metrics_.record_endless(request.method, end.route, end.status);
    else if (end.aborted)
      metrics_.record_aborted(request.method, end.route);
    else
      metrics_.record(request.method, end.route, end.status, end.duration);
    // All three are as the client chose them.
    const std::string method = api::without_credentials(request.method);
    const std::string path = api::without_credentials(request.path);
    const std::string request_id = api::without_credentials(request.request_id);
    const auto trace = tracer_.record_request(
        request.headers, {method, path, request_id, request.remote_address, end.route, request.traceparent, end.status,
                          end.duration, end.aborted && !end.endless});
    const std::string filters = filters_of(request);
    ports::LogField filters_field("filters", ports::LogField::Json{filters});
    filters_field.is_absent = filters.empty();
    ports::LogField status("status", end.status);
    status.is_absent = end.status == 0;
    ports::LogField aborted("aborted", true);
    aborted.is_absent = !end.aborted || end.endless;
    using Text = std::optional<std::string_view>;
    log_.info("request", "",
              {{"requestId", request_id},
               {"method", method},
               {"path", path},
               filters_field,
               {"route", end.route},
               status,
               aborted,
               {"durationUs", std::int64_t{end.duration.count()}},
               {"ip", request.remote_address},
               {"traceId", trace ? Text(trace->trace_id) : std::nullopt},
               {"spanId", trace && !trace->span_id.empty() ? Text(trace->span_id) : std::nullopt}});
  }

 private:
  ports::Log& log_;
  telemetry::RequestMetrics& metrics_;
  telemetry::Tracer& tracer_;
};

chain::StellarRpcOptions rpc_options(const Config& config) {
  chain::StellarRpcOptions options;
  options.url = config.stellar_rpc_url;
  if (!config.follows_every_contract()) options.contracts = config.contract_ids;
  options.http.request_timeout_ms = config.rpc_timeout_ms;
  options.http.ca_file = config.rpc_ca_file;
  return options;
}

}  // namespace

store::StoreOptions store_options(const Config& config) {
  store::StoreOptions options;
  options.database_url = config.database_url;
  options.replica_url = config.database_replica_url;
  options.read_connections = config.db_pool_size;
  options.log_partition_entries = config.log_partition_entries;
  options.max_exports = config.export_max_concurrent;
  options.export_timeout_ms = config.export_timeout_ms;
  return options;
}

chain::StellarRpcOptions chain_source_options(const Config& config, chain::RpcBreaker& breaker, ports::Tracer& tracer) {
  chain::StellarRpcOptions options = rpc_options(config);
  options.breaker = &breaker;
  options.tracer = &tracer;
  return options;
}

chain::StellarRpcOptions storage_options(const Config& config, chain::RpcBreaker& breaker) {
  constexpr int longest_wait_ms = 2'000;
  chain::StellarRpcOptions options = rpc_options(config);
  options.breaker = &breaker;
  options.http.connect_timeout_ms = longest_wait_ms;
  options.http.request_timeout_ms = std::min(config.rpc_timeout_ms, longest_wait_ms);
  return options;
}

chain::StellarRpcOptions replay_source_options(const Config& config, chain::RpcBreaker* breaker) {
  chain::StellarRpcOptions options = rpc_options(config);
  options.breaker = breaker;
  return options;
}

std::unique_ptr<chain::HorizonWitness> horizon_witness(const Config& config, ports::Clock& clock, ports::Log& log) {
  if (config.horizon_url.empty()) return nullptr;
  chain::HorizonOptions options;
  options.url = config.horizon_url;
  options.ca_file = config.rpc_ca_file;
  options.interval = std::chrono::milliseconds(config.horizon_poll_ms);
  options.retry = std::min(options.retry, options.interval);
  return std::make_unique<chain::HorizonWitness>(std::move(options), clock, log);
}

indexer::IndexerOptions round_options(const Config& config, const ports::RpcCircuit& circuit,
                                      const ports::ChainWitness* witness) {
  indexer::IndexerOptions options = indexer_options(config);
  options.circuit = &circuit;
  options.witness = witness;
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
  options.audit_interval = std::chrono::milliseconds(config.indexer_audit_interval_ms);
  return options;
}

indexer::EventIntakeOptions intake_options(const Config& config) {
  indexer::EventIntakeOptions options;
  options.contracts = joined_contracts(config);
  options.fold = !config.follows_every_contract();
  options.network_passphrase = config.network_passphrase;
  return options;
}

net::ServerOptions server_options(const Config& config, ports::Log& log, telemetry::RequestMetrics& metrics,
                                  telemetry::Tracer& tracer) {
  net::ServerOptions options;
  options.address = config.host;
  options.port = config.port;
  options.io_threads = config.io_threads;
  options.websocket.compress = config.ws_compression;
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
  options.traceparent = [&tracer, proxies = config.trusted_proxies](const net::Request& request,
                                                                    std::string_view peer) {
    return tracer.begin_request(request.headers, !proxies.empty() && proxies.trusts(peer));
  };
  options.on_response = RequestReport(log, metrics, tracer);
  options.on_trouble = [&log](std::string_view message) { log.warn("network_trouble", message); };
  return options;
}

std::unique_ptr<telemetry::SpanExporter> span_exporter(const Config& config, ports::Random& random, ports::Log& log) {
  if (config.otlp_endpoint.empty()) return nullptr;
  std::array<std::uint8_t, 16> instance{};
  random.fill(instance);
  telemetry::SpanExporterOptions options;
  options.resource = {config.service_name, FLUXORA_VERSION, core::hex_encode(instance)};
  auto collector = telemetry::make_otlp_http(
      {config.otlp_endpoint, config.otlp_headers, config.otlp_ca_file, config.otlp_timeout_ms});
  return std::make_unique<telemetry::SpanExporter>(std::move(options), std::move(collector), random, log);
}

api::AccessOptions access_options(const Config& config) {
  return {config.auth_required, config.jwt_secret, config.write_rate_limit, config.indexer_worker_token,
          config.ws_auth_required};
}

std::string demo_folder(const Config& config) {
  if (config.demo_root == "none") return {};
  return config.demo_root.empty() ? installed_demo_root() : config.demo_root;
}

outbound::TargetRules webhook_targets(const Config& config) {
  return {config.webhook_http_hosts, config.webhook_private_networks};
}

outbound::CurlTransportOptions webhook_transport_options(const Config& config) {
  outbound::CurlTransportOptions options;
  options.timeout_ms = config.webhook_timeout_ms;
  options.connect_timeout_ms = std::min(options.connect_timeout_ms, options.timeout_ms);
  // Besides those in use, as many that wait for their next request: a TLS handshake costs more than a request.
  options.kept_connections = std::max<std::size_t>(options.kept_connections, 2 * config.webhook_concurrency);
  options.targets = webhook_targets(config);
  options.ca_file = config.webhook_ca_file;
  options.user_agent = std::string("Fluxora/") + FLUXORA_VERSION;
  return options;
}

webhooks::DispatcherOptions dispatcher_options(const Config& config) {
  webhooks::DispatcherOptions options;
  options.schedule = config.webhook_schedule;
  options.concurrency = config.webhook_concurrency;
  options.endpoint_concurrency = config.webhook_endpoint_concurrency;
  options.configured_secret = config.webhook_secret;
  return options;
}

LogPrunerOptions log_pruner_options(const Config& config) {
  constexpr core::UnixSeconds day_s = 86'400;
  return {config.log_retention_days * day_s, std::chrono::seconds(config.log_retention_check_s)};
}

webhooks::UpkeepOptions upkeep_options(const Config& config) {
  constexpr core::UnixMillis day_ms = 86'400'000;
  webhooks::UpkeepOptions options;
  if (!config.webhook_url.empty()) options.configured = ports::ConfiguredEndpoint{config.webhook_url};
  options.retention_ms = config.webhook_retention_days * day_ms;
  options.most_waiting = config.webhook_max_waiting;
  return options;
}

ops::S3Options s3_options(const Config& config) {
  ops::S3Options options;
  options.aws.access_key_id = config.aws_access_key_id;
  options.aws.secret_access_key = config.aws_secret_access_key;
  options.aws.session_token = config.aws_session_token;
  options.aws.region = config.aws_region;
  options.aws.ca_file = config.aws_ca_bundle;
  options.aws.user_agent = "Fluxora/" FLUXORA_VERSION;
  options.endpoint = config.aws_endpoint_url;
  return options;
}

}  // namespace fluxora::app
