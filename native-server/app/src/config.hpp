#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/api/client_address.hpp"
#include "fluxora/api/cors.hpp"
#include "fluxora/core/ip_address.hpp"
#include "fluxora/core/retry_schedule.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/redis/redis.hpp"
#include "fluxora/telemetry/tracer.hpp"

namespace fluxora::app {

/// Everything that can be set, from the environment. `settings()` is the table that --help prints and the docs show.
struct Config {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3000;
  std::string public_url;
  std::string database_url;
  std::string database_replica_url;
  std::optional<redis::RedisAddress> redis_address;  ///< none: nothing is shared but the database
  std::string stellar_rpc_url;
  std::string network_passphrase;
  std::vector<std::string> contract_ids;  ///< sorted; {"*"} for all
  std::optional<std::uint32_t> indexer_start_ledger;
  std::uint32_t indexer_batch_ledgers = 10'000;
  std::uint32_t indexer_safety_margin = 1;
  int indexer_poll_ms = 1'000;
  int indexer_stall_threshold_ms = 300'000;
  int indexer_audit_interval_ms = 3'600'000;
  std::string horizon_url;
  int horizon_poll_ms = 60'000;
  int rpc_timeout_ms = 30'000;
  std::string rpc_ca_file;
  unsigned io_threads = 2;
  unsigned db_pool_size = 4;
  unsigned ws_max_connections_per_ip = 100;
  bool ws_compression = true;
  unsigned log_retention_days = 0;  // 0: the whole log is kept
  unsigned log_retention_check_s = 3'600;
  std::uint64_t log_partition_entries = 10'000'000;
  unsigned export_max_concurrent = 2;
  int export_timeout_ms = 300'000;
  std::string demo_root;
  int shutdown_delay_ms = 0;
  int shutdown_grace_ms = 10'000;
  ports::LogLevel log_level = ports::LogLevel::info;
  bool auth_required = false;
  bool ws_auth_required = false;
  std::string jwt_secret;
  std::string indexer_worker_token;
  unsigned write_rate_limit = 100;
  api::TrustedProxies trusted_proxies;
  api::CorsPolicy cors;
  std::string otlp_endpoint;  ///< empty: traces aren't exported
  net::HeaderFields otlp_headers;
  std::string otlp_ca_file;
  int otlp_timeout_ms = 10'000;
  std::string service_name = "fluxora";
  std::string webhook_url;     ///< empty: no endpoint is defined here
  std::string webhook_secret;  ///< of that endpoint
  core::RetrySchedule webhook_schedule;
  int webhook_timeout_ms = 15'000;
  unsigned webhook_concurrency = 256;
  unsigned webhook_endpoint_concurrency = 10;
  std::vector<std::string> webhook_http_hosts;
  std::vector<core::IpNetwork> webhook_private_networks;
  std::string webhook_ca_file;
  std::string webhook_secret_keys;  ///< core::SecretBox's; empty: endpoints can't be made through the API
  unsigned webhook_retention_days = 30;
  std::size_t webhook_max_waiting = 1'000'000;
  bool webhook_delivery = true;
  std::uint32_t traces_share = telemetry::whole_share;  ///< of whole_share
  std::string aws_access_key_id;                        ///< of backups in S3, like the others
  std::string aws_secret_access_key;
  std::string aws_session_token;
  std::string aws_region = "us-east-1";
  std::string aws_endpoint_url;  ///< empty: Amazon's
  std::string aws_ca_bundle;
  bool aws_allow_http = false;

  [[nodiscard]] bool follows_a_chain() const { return !stellar_rpc_url.empty(); }
  /// Others read the chain, and send what it says.
  [[nodiscard]] bool takes_contract_events() const { return stellar_rpc_url.empty() && !contract_ids.empty(); }
  /// Only this machine can connect.
  [[nodiscard]] bool on_loopback() const { return host.rfind("127.", 0) == 0 || host == "::1"; }
  [[nodiscard]] bool follows_every_contract() const { return contract_ids.size() == 1 && contract_ids[0] == "*"; }
};

struct Setting {
  std::string_view name;
  std::string_view default_text;
  std::string_view description;
};

/// All settings, in the order of --help.
[[nodiscard]] const std::vector<Setting>& settings();

/// The value of an environment variable, or none. Passed in, so that tests need no environment.
using Environment = std::function<std::optional<std::string>(std::string_view name)>;
[[nodiscard]] Environment process_environment();

/// Reads and checks everything; every problem found is one sentence that names its variable.
struct ConfigResult {
  Config config;
  std::vector<std::string> problems;
  std::vector<std::string> notes;  ///< variables of Fluxora's that are set and that this version doesn't use
};
[[nodiscard]] ConfigResult read_config(const Environment& environment);

}  // namespace fluxora::app
