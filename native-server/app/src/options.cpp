#include "options.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "fluxora/api/api.hpp"
#include "fluxora/api/api_key_text.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/telemetry/otlp_http.hpp"

namespace fluxora::app {
namespace {

std::string joined_contracts(const Config& config) {
  std::string text;
  for (const std::string& id : config.contract_ids) text += (text.empty() ? "" : ",") + id;
  return text;
}

/// What is told of each request: a line of the log, counts, and a span where it is traced.
auto request_report(ports::Log& log, telemetry::RequestMetrics& metrics, telemetry::Tracer& tracer) {
  return [&log, &metrics, &tracer](const net::Request& request, std::string_view route, unsigned status,
                                   std::chrono::microseconds duration) {
    const std::string path = api::without_api_keys(request.path);
    const std::string request_id = api::without_api_keys(request.request_id);  // the client chooses it
    metrics.record(request.method, route, status, duration);
    const auto trace = tracer.record_request(request, path, request_id, route, status, duration);
    using Text = std::optional<std::string_view>;
    log.info("request", "",
             {{"requestId", request_id},
              {"method", request.method},
              {"path", path},
              {"route", route},
              {"status", status},
              {"durationUs", std::int64_t{duration.count()}},
              {"ip", request.remote_address},
              {"traceId", trace ? Text(trace->trace_id) : std::nullopt},
              {"spanId", trace && !trace->span_id.empty() ? Text(trace->span_id) : std::nullopt}});
  };
}

}  // namespace

store::StoreOptions store_options(const Config& config) {
  store::StoreOptions options;
  options.database_url = config.database_url;
  options.replica_url = config.database_replica_url;
  options.read_connections = config.db_pool_size;
  options.max_exports = config.export_max_concurrent;
  options.export_timeout_ms = config.export_timeout_ms;
  return options;
}

chain::StellarRpcOptions rpc_options(const Config& config, ports::Tracer& tracer) {
  chain::StellarRpcOptions options;
  options.url = config.stellar_rpc_url;
  if (!config.follows_every_contract()) options.contracts = config.contract_ids;
  options.http.request_timeout_ms = config.rpc_timeout_ms;
  options.http.ca_file = config.rpc_ca_file;
  options.tracer = &tracer;
  return options;
}

chain::StellarRpcOptions storage_options(const Config& config, ports::Tracer& tracer) {
  constexpr int longest_wait_ms = 2'000;
  chain::StellarRpcOptions options = rpc_options(config, tracer);
  options.http.connect_timeout_ms = longest_wait_ms;
  options.http.request_timeout_ms = std::min(config.rpc_timeout_ms, longest_wait_ms);
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

net::ServerOptions server_options(const Config& config, ports::Log& log, telemetry::RequestMetrics& metrics,
                                  telemetry::Tracer& tracer) {
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
  options.on_response = request_report(log, metrics, tracer);
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
  return {config.auth_required, config.jwt_secret, config.write_rate_limit};
}

}  // namespace fluxora::app
