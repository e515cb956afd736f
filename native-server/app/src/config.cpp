#include "config.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <stdexcept>

#include <arpa/inet.h>

#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/net/ca_file.hpp"
#include "fluxora/net/http_client.hpp"
#include "fluxora/outbound/webhook_transport.hpp"

namespace fluxora::app {
namespace {

/// One row of the configuration: what it is called, what it does, how its text is read. `read` gives a sentence about
/// what the value must be, or nothing when it took it.
struct Row {
  Setting setting;
  std::function<std::string(Config&, const std::string&)> read;
};

/// False for what isn't all digits, or outside its bounds.
template <class Number>
bool read_number(std::string_view text, std::uint64_t min, std::uint64_t max, Number& number) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max) return false;
  number = static_cast<Number>(value);
  return true;
}

template <class Number>
std::function<std::string(Config&, const std::string&)> number(Number Config::* member, std::uint64_t min,
                                                               std::uint64_t max) {
  return [member, min, max](Config& config, const std::string& text) -> std::string {
    if (read_number(text, min, max, config.*member)) return {};
    return "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  };
}

std::function<std::string(Config&, const std::string&)> plain_text(std::string Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    config.*member = text;
    return {};
  };
}

std::function<std::string(Config&, const std::string&)> ca_file(std::string Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    if (!net::holds_certificates(text)) return "must name a readable PEM file with at least one certificate";
    config.*member = text;
    return {};
  };
}

std::function<std::string(Config&, const std::string&)> web_url(std::string Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    try {
      static_cast<void>(net::parse_url(text));
    } catch (const std::invalid_argument& error) {
      return std::string("must be an http:// or https:// URL: ") + error.what();
    }
    config.*member = text;
    return {};
  };
}

std::string read_host(Config& config, const std::string& text) {
  in6_addr address{};
  if (inet_pton(AF_INET, text.c_str(), &address) != 1 && inet_pton(AF_INET6, text.c_str(), &address) != 1) {
    return "must be an IP address";
  }
  config.host = text;
  return {};
}

std::function<std::string(Config&, const std::string&)> database_url(std::string Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    if (text.rfind("postgres://", 0) != 0 && text.rfind("postgresql://", 0) != 0) {
      return "must begin with postgres:// or postgresql://";
    }
    config.*member = text;
    return {};
  };
}

/// Calls `take` with each of what commas separate, without the spaces around it, until one isn't taken, which is given.
template <class Take>
std::optional<std::string> first_refused(const std::string& text, Take take) {
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    const std::string item(net::trim_white_space(std::string_view(text).substr(from, comma - from)));
    if (!take(item)) return item;
    from = comma + 1;
  }
  return std::nullopt;
}

std::string read_contract_ids(Config& config, const std::string& text) {
  std::vector<std::string> ids;
  const auto wrong = first_refused(text, [&](const std::string& id) {
    if (id != "*" && !core::is_contract_id(id)) return false;
    ids.push_back(id);
    return true;
  });
  if (wrong) return "must be contract addresses (C…), comma separated, or *; \"" + *wrong + "\" is neither";
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  if (ids.size() > 1 && ids[0] == "*") return "must be either * or addresses, not both";
  if (ids.size() > chain::max_contracts) {
    return "must name at most " + std::to_string(chain::max_contracts) + " contracts";
  }
  config.contract_ids = std::move(ids);
  return {};
}

std::string read_start_ledger(Config& config, const std::string& text) {
  std::uint32_t ledger = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ledger);
  if (error != std::errc{} || end != text.data() + text.size() || ledger == 0) {
    return "must be the number of a ledger";
  }
  config.indexer_start_ledger = ledger;
  return {};
}

/// The RPC tells the last seven days again: what comes late, or is undone, may be as old as that.
constexpr unsigned least_log_retention_days = 8;
constexpr unsigned most_log_retention_days = 36'500;

std::string read_log_retention(Config& config, const std::string& text) {
  if (text == "0" || read_number(text, least_log_retention_days, most_log_retention_days, config.log_retention_days)) {
    return {};
  }
  return "must be 0 or a whole number from " + std::to_string(least_log_retention_days) + " to " +
         std::to_string(most_log_retention_days);
}

std::string read_log_level(Config& config, const std::string& text) {
  if (text == "debug") {
    config.log_level = ports::LogLevel::debug;
  } else if (text == "info") {
    config.log_level = ports::LogLevel::info;
  } else if (text == "warn") {
    config.log_level = ports::LogLevel::warn;
  } else if (text == "error") {
    config.log_level = ports::LogLevel::error;
  } else {
    return "must be debug, info, warn or error";
  }
  return {};
}

std::function<std::string(Config&, const std::string&)> flag(bool Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    if (text != "true" && text != "false") return "must be true or false";
    config.*member = text == "true";
    return {};
  };
}

/// RFC 7518 section 3.2: as many bytes as the hash has.
constexpr std::size_t min_jwt_secret_bytes = 32;

std::string read_jwt_secret(Config& config, const std::string& text) {
  if (text.size() < min_jwt_secret_bytes) return "must have at least 32 bytes";
  config.jwt_secret = text;
  return {};
}

constexpr std::size_t min_worker_token_bytes = 32;

std::string read_worker_token(Config& config, const std::string& text) {
  if (text.size() < min_worker_token_bytes) return "must have at least 32 bytes";
  const auto travels = [](char c) { return c > ' ' && c <= '~'; };
  if (!std::all_of(text.begin(), text.end(), travels)) return "must be ASCII without spaces: it travels in a header";
  config.indexer_worker_token = text;
  return {};
}

std::string read_trusted_proxies(Config& config, const std::string& text) {
  std::string wrong;
  auto proxies = api::TrustedProxies::parse(text, wrong);
  if (!proxies) {
    return "must be IP addresses or CIDR blocks with no bits behind the prefix, comma separated; \"" + wrong +
           "\" is neither";
  }
  config.trusted_proxies = std::move(*proxies);
  return {};
}

std::string read_cors_origins(Config& config, const std::string& text) {
  std::string wrong;
  auto policy = api::CorsPolicy::parse(text, wrong);
  if (!policy) {
    return "must be origins as browsers send them (https://app.example), comma separated; \"" + wrong + "\" is none";
  }
  config.cors = std::move(*policy);
  return {};
}

/// `%41` → `A`; none for an escape that isn't one.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto byte = core::hex_decode(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1) return std::nullopt;
    decoded += static_cast<char>(byte->front());
    i += 2;
  }
  return decoded;
}

bool is_header_name(std::string_view name) {
  const auto is_token_character = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_token_character);
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// As OpenTelemetry's specification of the OTLP exporter has it: name=value, comma separated, values percent-encoded.
/// They may be secrets, so what is wrong is told without them.
std::string read_otlp_headers(Config& config, const std::string& text) {
  net::HeaderFields headers;
  const auto wrong = first_refused(text, [&](std::string_view pair) {
    const std::size_t equals = pair.find('=');
    const std::string_view name = net::trim_white_space(pair.substr(0, equals));
    const auto value = equals == std::string_view::npos
                           ? std::nullopt
                           : percent_decoded(net::trim_white_space(pair.substr(equals + 1)));
    if (!value || !is_header_name(name) || !is_header_value(*value)) return false;
    headers.emplace_back(name, *value);
    return true;
  });
  if (wrong) return "must be headers as name=value, comma separated, values percent-encoded; one of them isn't";
  config.otlp_headers = std::move(headers);
  return {};
}

/// `name`, `name:port`, `[::1]:port` into the address. False for what is none of these.
bool read_host_and_port(std::string_view text, redis::RedisAddress& address) {
  const bool bracketed = text.starts_with('[');
  const std::size_t host_end = bracketed ? text.find(']') : std::min(text.find(':'), text.size());
  if (host_end == std::string_view::npos) return false;
  address.host = text.substr(bracketed ? 1 : 0, host_end - (bracketed ? 1 : 0));
  const std::string_view port = text.substr(host_end + (bracketed ? 1 : 0));
  const auto is_of_a_name = [](char c) {
    return c > ' ' && c <= '~' && std::string_view("@?#[]").find(c) == std::string_view::npos;
  };
  if (address.host.empty() || !std::all_of(address.host.begin(), address.host.end(), is_of_a_name)) return false;
  return port.empty() || (port[0] == ':' && read_number(port.substr(1), 1, 65'535, address.port));
}

/// `user:password` into the address, either percent-encoded. False for what is none.
bool read_credentials(std::string_view text, redis::RedisAddress& address) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return false;
  const auto user = percent_decoded(text.substr(0, colon));
  const auto password = percent_decoded(text.substr(colon + 1));
  if (!user || !password || password->empty()) return false;
  address.user = *user;
  address.password = *password;
  return true;
}

/// What is wrong is told without repeating any of it: it may be the password.
std::string read_redis_url(Config& config, const std::string& text) {
  constexpr std::string_view scheme = "redis://";
  if (text.starts_with("rediss://")) return "can't be rediss://: there is no TLS to Redis in this version";
  if (!text.starts_with(scheme)) return "must begin with redis://";
  std::string_view rest = std::string_view(text).substr(scheme.size());
  redis::RedisAddress address;
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view number = rest.substr(slash + 1);
    if (!number.empty() && !read_number(number, 0, 999, address.database)) {
      return "must end with the number of a database, 0 to 999, or without one";
    }
    rest = rest.substr(0, slash);
  }
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (!read_credentials(rest.substr(0, at), address)) {
      return "must have user:password@ or :password@ before the host, percent-encoded, or neither";
    }
    rest = rest.substr(at + 1);
  }
  if (!read_host_and_port(rest, address)) return "must name a host, and a port from 1 to 65535 or none";
  config.redis_address = std::move(address);
  return {};
}

std::string read_traces_share(Config& config, const std::string& text) {
  const auto share = core::parse_decimal(text);
  if (!share || share->units < 0 || share->units > telemetry::whole_share) {
    return "must be a number from 0 to 1, with at most 7 decimals";
  }
  config.traces_share = static_cast<std::uint32_t>(share->units);
  return {};
}

/// What is wrong is told without the text: it is a secret, or was meant to be one.
std::string read_webhook_secret(Config& config, const std::string& text) {
  constexpr std::string_view prefix = "whsec_";
  constexpr std::size_t min_bytes = 24;  // Standard Webhooks'
  if (!text.starts_with(prefix) || !core::WebhookSecret::parse(text) ||
      core::base64_decoded_size(std::string_view(text).substr(prefix.size())) < min_bytes) {
    return "must be whsec_ and base64 of at least 24 bytes";
  }
  config.webhook_secret = text;
  return {};
}

std::string read_webhook_secret_keys(Config& config, const std::string& text) {
  if (!core::SecretBox::parse(text)) return "must be base64 of 32 bytes, or several of that, comma separated";
  config.webhook_secret_keys = text;
  return {};
}

std::string read_webhook_schedule(Config& config, const std::string& text) {
  auto schedule = core::RetrySchedule::parse(text);
  if (!schedule) return "must be 1 to 32 pauses from 1s to 7d, comma separated: 5s,5m,2h,1d";
  config.webhook_schedule = std::move(*schedule);
  return {};
}

std::string read_webhook_http_hosts(Config& config, const std::string& text) {
  const auto is_of_a_name = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_';
  };
  std::vector<std::string> hosts;
  const auto wrong = first_refused(text, [&](const std::string& host) {
    const bool is_name = !host.empty() && std::all_of(host.begin(), host.end(), is_of_a_name);
    if (!is_name && !core::parse_ip_address(host)) return false;
    hosts.push_back(host);
    return true;
  });
  if (wrong) {
    return "must be names or addresses of hosts without port, comma separated; \"" + *wrong + "\" is neither";
  }
  config.webhook_http_hosts = std::move(hosts);
  return {};
}

std::string read_webhook_private_networks(Config& config, const std::string& text) {
  std::vector<core::IpNetwork> networks;
  const auto wrong = first_refused(text, [&](const std::string& item) {
    const auto network = core::parse_ip_network(item);
    if (network) networks.push_back(*network);
    return network.has_value();
  });
  if (wrong) {
    return "must be IP addresses or CIDR blocks with no bits behind the prefix, comma separated; \"" + *wrong +
           "\" is neither";
  }
  config.webhook_private_networks = std::move(networks);
  return {};
}

std::function<std::string(Config&, const std::string&)> credential(std::string Config::* member) {
  return [member](Config& config, const std::string& text) -> std::string {
    const auto is_visible = [](char c) { return c > ' ' && c < 0x7f; };
    if (!std::all_of(text.begin(), text.end(), is_visible)) return "must be of ASCII without white space";
    config.*member = text;
    return {};
  };
}

std::string read_aws_region(Config& config, const std::string& text) {
  const auto is_of_a_name = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'; };
  constexpr std::size_t longest = 63;
  if (text.size() > longest || !std::all_of(text.begin(), text.end(), is_of_a_name)) {
    return "must be the name of a region, like eu-central-1";
  }
  config.aws_region = text;
  return {};
}

/// Whether nobody but this machine sees what is sent there.
bool is_on_loopback(const net::Url& url) {
  const bool is_v4 = url.host.find_first_not_of("0123456789.") == std::string::npos;
  return url.host == "localhost" || url.host == "::1" || (is_v4 && url.host.rfind("127.", 0) == 0);
}

std::string aws_problem(const Config& config) {
  if (config.aws_endpoint_url.empty()) return {};
  const net::Url url = net::parse_url(config.aws_endpoint_url);
  if (url.target != "/") return "AWS_ENDPOINT_URL must have no path.";
  if (!url.secure && !is_on_loopback(url) && !config.aws_allow_http) {
    return "AWS_ENDPOINT_URL must be https, or AWS_ALLOW_HTTP true: backups would travel unencrypted.";
  }
  return {};
}

const std::vector<Row>& rows() {
  static const std::vector<Row> table = {
      {{"DATABASE_URL", "", "PostgreSQL, postgres://user:password@host:port/database. Required."},
       database_url(&Config::database_url)},
      {{"DATABASE_REPLICA_URL", "", "A standby of it that may answer reads. Unset: the primary answers all."},
       database_url(&Config::database_replica_url)},
      {{"REDIS_URL", "",
        "Redis that instances share news and counts through, redis://user:password@host:port/number. Unset: none."},
       read_redis_url},
      {{"HOST", "127.0.0.1", "IP address to listen on."}, read_host},
      {{"PORT", "3000", "Port to listen on; 0 takes any free one."}, number(&Config::port, 0, 65'535)},
      {{"PUBLIC_URL", "", "Where clients reach the service; https adds upgrade-insecure-requests."},
       web_url(&Config::public_url)},
      {{"STELLAR_RPC_URL", "", "Stellar RPC to follow. Unset: others send what the chain says, if anyone does."},
       web_url(&Config::stellar_rpc_url)},
      {{"CONTRACT_IDS", "",
        "Stream contracts to follow, comma separated, at most 25; * logs every contract's events "
        "and folds none."},
       read_contract_ids},
      {{"NETWORK_PASSPHRASE", "", "The network that the RPC must serve. Unset: whichever it serves."},
       plain_text(&Config::network_passphrase)},
      {{"INDEXER_START_LEDGER", "", "First ledger of an empty database. Unset: the oldest that the RPC holds."},
       read_start_ledger},
      {{"INDEXER_BATCH_LEDGERS", "10000", "Most ledgers that one transaction takes."},
       number(&Config::indexer_batch_ledgers, 1, chain::max_event_span)},
      {{"INDEXER_SAFETY_MARGIN", "1", "Ledgers below the chain's tip that are left alone."},
       number(&Config::indexer_safety_margin, 0, 1'000)},
      {{"INDEXER_POLL_MS", "1000", "How often the chain's tip is looked at."},
       number(&Config::indexer_poll_ms, 10, 60'000)},
      {{"INDEXER_STALL_THRESHOLD_MS", "300000", "Without a successful sync for so long the indexer counts as stalled."},
       number(&Config::indexer_stall_threshold_ms, 1'000, 86'400'000)},
      {{"INDEXER_AUDIT_INTERVAL_MS", "3600000",
        "From one comparison of all streams with the contracts' storage to the next; 0: none."},
       number(&Config::indexer_audit_interval_ms, 0, 86'400'000)},
      {{"HORIZON_URL", "", "Horizon of the same network, which bears witness to what the RPC says. Unset: none does."},
       web_url(&Config::horizon_url)},
      {{"HORIZON_POLL_MS", "60000", "How often Horizon is looked at."},
       number(&Config::horizon_poll_ms, 10, 3'600'000)},
      {{"RPC_TIMEOUT_MS", "30000", "Longest that one RPC call may take."},
       number(&Config::rpc_timeout_ms, 100, 300'000)},
      {{"RPC_CA_FILE", "", "PEM file of certificate authorities for the RPC and Horizon. Unset: the system's."},
       ca_file(&Config::rpc_ca_file)},
      {{"IO_THREADS", "2", "Threads that serve connections."}, number(&Config::io_threads, 1, 64)},
      {{"DB_POOL_SIZE", "4", "Database connections for reads."}, number(&Config::db_pool_size, 1, 64)},
      {{"LOG_RETENTION_DAYS", "0",
        "How long log entries are kept, at least 8 days; older ones are pruned a partition at a time. 0: for ever."},
       read_log_retention},
      {{"LOG_RETENTION_CHECK_SECONDS", "3600", "How often it is looked whether there is something to prune."},
       number(&Config::log_retention_check_s, 1, 86'400)},
      {{"LOG_PARTITION_ENTRIES", "10000000", "Entries that a partition of the log is made for."},
       number(&Config::log_partition_entries, 1'000, 1'000'000'000)},
      {{"WS_MAX_CONNECTIONS_PER_IP", "100", "Live feeds, WebSocket and SSE together, an address may have open."},
       number(&Config::ws_max_connections_per_ip, 1, 100'000)},
      {{"WS_COMPRESSION", "true", "false: WebSocket messages are never compressed, whatever clients offer."},
       flag(&Config::ws_compression)},
      {{"EXPORT_MAX_CONCURRENT", "2", "Exports at once, and as many statements; each holds a database connection."},
       number(&Config::export_max_concurrent, 1, 16)},
      {{"EXPORT_TIMEOUT_MS", "300000", "Longest that one of them may take: meanwhile the database can't clean up."},
       number(&Config::export_timeout_ms, 100, 86'400'000)},
      {{"DEMO_ROOT", "",
        "Folder with the built demo page, served under /demo/; none: no page. Unset: the installed page, if there is "
        "one."},
       plain_text(&Config::demo_root)},
      {{"SHUTDOWN_DELAY_MS", "0",
        "How long a shutdown goes on serving, with /health/ready at 503, before it begins: what a load balancer needs "
        "to notice."},
       number(&Config::shutdown_delay_ms, 0, 300'000)},
      {{"SHUTDOWN_GRACE_MS", "10000", "Longest that a shutdown waits for requests and connections."},
       number(&Config::shutdown_grace_ms, 0, 300'000)},
      {{"LOG_LEVEL", "info", "debug, info, warn or error."}, read_log_level},
      {{"AUTH_REQUIRED", "false", "true: writing streams needs a token or key with the scope streams:write."},
       flag(&Config::auth_required)},
      {{"WS_AUTH_REQUIRED", "false",
        "true: live feeds, WebSocket and SSE, are opened with a token of JWT_SECRET's, of whatever scope."},
       flag(&Config::ws_auth_required)},
      {{"JWT_SECRET", "", "HS256 key of bearer tokens, at least 32 bytes. Unset: no token is accepted."},
       read_jwt_secret},
      {{"INDEXER_WORKER_TOKEN", "",
        "Token of who sends the chain's events, at least 32 bytes. Unset: only indexer:write lets anyone."},
       read_worker_token},
      {{"WRITE_RATE_LIMIT", "100", "Writes that a client may make in 10 s; 0 for any number."},
       number(&Config::write_rate_limit, 0, 1'000'000)},
      {{"TRUSTED_PROXIES", "",
        "Proxies whose X-Forwarded-For is believed: addresses and CIDR blocks, comma separated."},
       read_trusted_proxies},
      {{"CORS_ORIGINS", "", "Origins whose pages may read answers, comma separated: https://app.example."},
       read_cors_origins},
      {{"OTEL_EXPORTER_OTLP_ENDPOINT", "",
        "Collector of traces, OTLP over HTTP with JSON; /v1/traces is appended. Unset: traces aren't exported."},
       web_url(&Config::otlp_endpoint)},
      {{"OTEL_EXPORTER_OTLP_HEADERS", "",
        "Headers for the collector, name=value, comma separated, values percent-encoded; may hold its secret."},
       read_otlp_headers},
      {{"OTEL_EXPORTER_OTLP_CERTIFICATE", "",
        "PEM file of certificate authorities for the collector. Unset: the system's."},
       ca_file(&Config::otlp_ca_file)},
      {{"OTEL_EXPORTER_OTLP_TIMEOUT", "10000", "Milliseconds that one export may take."},
       number(&Config::otlp_timeout_ms, 100, 60'000)},
      {{"OTEL_SERVICE_NAME", "fluxora", "What traces call this service."}, plain_text(&Config::service_name)},
      {{"OTEL_TRACES_SAMPLER_ARG", "1",
        "Share of the traces that are recorded, 0 to 1; where a trusted proxy sends one, its flag decides."},
       read_traces_share},
      {{"FLUXORA_WEBHOOK_URL", "",
        "A webhook endpoint that hears of everything, without the API; the same on all instances. Unset: none."},
       plain_text(&Config::webhook_url)},
      {{"FLUXORA_WEBHOOK_SECRET", "", "What signs what is sent to it: whsec_ and base64 of 32 random bytes."},
       read_webhook_secret},
      {{"WEBHOOK_SECRET_KEYS", "",
        "Base64 of 32 random bytes, which endpoints' secrets are encrypted with; older ones behind it, comma "
        "separated, "
        "decrypt still. Unset: no endpoint can be made through the API."},
       read_webhook_secret_keys},
      {{"WEBHOOK_DELIVERY", "true",
        "false: this process sends no webhooks; they wait for one that does. All else about them goes on."},
       flag(&Config::webhook_delivery)},
      {{"WEBHOOK_RETRY_SCHEDULE", "5s,5m,30m,2h,5h,10h,14h,20h,24h",
        "Pauses behind failed deliveries, each ± 20 %; behind the last one a delivery is a dead letter."},
       read_webhook_schedule},
      {{"WEBHOOK_TIMEOUT_MS", "15000", "Longest that a delivery's attempt may take."},
       number(&Config::webhook_timeout_ms, 100, 60'000)},
      {{"WEBHOOK_CONCURRENCY", "256", "Most deliveries on their way at once."},
       number(&Config::webhook_concurrency, 1, 4'096)},
      {{"WEBHOOK_ENDPOINT_CONCURRENCY", "10", "Most of them to one endpoint."},
       number(&Config::webhook_endpoint_concurrency, 1, 1'024)},
      {{"WEBHOOK_HTTP_HOSTS", "",
        "Hosts, without port, to which webhooks may go by plain http, comma separated. Unset: https alone."},
       read_webhook_http_hosts},
      {{"WEBHOOK_PRIVATE_NETWORKS", "",
        "Networks that webhooks may go to although they aren't public (10.1.0.0/16), comma separated. Unset: none."},
       read_webhook_private_networks},
      {{"WEBHOOK_CA_FILE", "", "PEM file of certificate authorities for receivers. Unset: the system's."},
       ca_file(&Config::webhook_ca_file)},
      {{"WEBHOOK_RETENTION_DAYS", "30", "How long deliveries and their attempts are kept when they are over."},
       number(&Config::webhook_retention_days, 1, 3'650)},
      {{"WEBHOOK_MAX_WAITING", "1000000",
        "Most deliveries that may wait for an endpoint: where more do and it doesn't get fewer, it is disabled. "
        "Replays let half of it wait at most."},
       number(&Config::webhook_max_waiting, 1, 100'000'000)},
      {{"AWS_ACCESS_KEY_ID", "",
        "Of backups in S3, like the settings behind it: whose access. backup and restore alone use it."},
       credential(&Config::aws_access_key_id)},
      {{"AWS_SECRET_ACCESS_KEY", "", "The key's secret, which signs requests."},
       credential(&Config::aws_secret_access_key)},
      {{"AWS_SESSION_TOKEN", "", "What belongs to temporary credentials. Unset: they aren't."},
       credential(&Config::aws_session_token)},
      {{"AWS_REGION", "us-east-1", "The bucket's region."}, read_aws_region},
      {{"AWS_ENDPOINT_URL", "", "S3-compatible service, https://host:port. Unset: Amazon's in the region."},
       web_url(&Config::aws_endpoint_url)},
      {{"AWS_CA_BUNDLE", "", "PEM file of certificate authorities for it. Unset: the system's."},
       ca_file(&Config::aws_ca_bundle)},
      {{"AWS_ALLOW_HTTP", "false", "true: AWS_ENDPOINT_URL may be plain http to other machines."},
       flag(&Config::aws_allow_http)},
  };
  return table;
}

}  // namespace

const std::vector<Setting>& settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> list;
    for (const Row& row : rows()) list.push_back(row.setting);
    return list;
  }();
  return all;
}

Environment process_environment() {
  return [](std::string_view name) -> std::optional<std::string> {
    const char* value = std::getenv(std::string(name).c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;  // set to nothing counts as not set
    return value;
  };
}

ConfigResult read_config(const Environment& environment) {
  ConfigResult result;
  for (const Row& row : rows()) {
    const auto text = environment(row.setting.name);
    if (!text) continue;
    const std::string problem = row.read(result.config, *text);
    if (!problem.empty()) result.problems.push_back(std::string(row.setting.name) + " " + problem + ".");
  }
  if (!result.config.horizon_url.empty() && !result.config.follows_a_chain()) {
    result.notes.emplace_back(
        "HORIZON_URL is set, but not used: there is no STELLAR_RPC_URL that it could bear witness to.");
  }
  const bool named = environment("DATABASE_URL").has_value();
  if (!named) result.problems.emplace_back("DATABASE_URL must be set.");
  const Config& config = result.config;
  const bool secret_named = environment("FLUXORA_WEBHOOK_SECRET").has_value();
  if (!config.webhook_url.empty() && !secret_named) {
    result.problems.emplace_back("FLUXORA_WEBHOOK_SECRET must be set where FLUXORA_WEBHOOK_URL is.");
  }
  if (!config.webhook_url.empty()) {
    const outbound::TargetRules rules{config.webhook_http_hosts, config.webhook_private_networks};
    const auto problem = outbound::target_problem(config.webhook_url, rules);
    if (problem) result.problems.push_back("FLUXORA_WEBHOOK_URL " + *problem);
  }
  if (secret_named && !environment("FLUXORA_WEBHOOK_URL")) {
    result.notes.emplace_back("FLUXORA_WEBHOOK_SECRET is set, but not used: there is no FLUXORA_WEBHOOK_URL.");
  }
  if (config.ws_auth_required && config.jwt_secret.empty() && !environment("JWT_SECRET")) {
    result.problems.emplace_back("JWT_SECRET must be set where WS_AUTH_REQUIRED is true: no feed could be opened.");
  }
  if (const std::string problem = aws_problem(config); !problem.empty()) result.problems.push_back(problem);
  if (config.follows_a_chain() && config.contract_ids.empty() && result.problems.empty()) {
    result.problems.emplace_back("CONTRACT_IDS must be set where STELLAR_RPC_URL is.");
  }
  return result;
}

}  // namespace fluxora::app
