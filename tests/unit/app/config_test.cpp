#include "config.hpp"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/strkey.hpp"
#include "stream_samples.hpp"
#include "test_certificates.hpp"

namespace fluxora::app {
namespace {

using Variables = std::map<std::string, std::string, std::less<>>;
using Texts = std::vector<std::string>;

const std::string contract(core::sample_contract);
const std::string other_contract(core::sample_token);

ConfigResult read(Variables variables, bool with_database = true) {
  if (with_database) variables.emplace("DATABASE_URL", "postgres://localhost/fluxora");
  return read_config([variables](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  });
}

/// The configuration that a variable with a good value gives.
Config accepted(const std::string& name, const std::string& value, Variables others = {}) {
  others[name] = value;
  const ConfigResult result = read(std::move(others));
  EXPECT_EQ(result.problems, Texts{}) << name << "=" << value;
  return result.config;
}

void expect_refused(const std::string& name, const Texts& values, const std::string& why) {
  for (const std::string& value : values) {
    const ConfigResult result = read({{name, value}});
    ASSERT_EQ(result.problems.size(), 1u) << name << "=" << value;
    EXPECT_EQ(result.problems[0].rfind(name + " " + why, 0), 0u) << result.problems[0];
    EXPECT_EQ(result.problems[0].back(), '.');
  }
}

/// A number setting's bounds, both included, and what is none.
template <class Number>
void expect_number(const std::string& name, Number Config::* member, std::uint64_t min, std::uint64_t max) {
  for (const std::uint64_t value : {min, (min + max) / 2, max}) {
    EXPECT_EQ(accepted(name, std::to_string(value)).*member, static_cast<Number>(value)) << name;
  }
  Texts refused = {std::to_string(max + 1), "-1", "+1", "1.5", "1e3", " 1", "1 ", "0x10", "one", "",
                   "18446744073709551616"};
  if (min > 0) refused.push_back(std::to_string(min - 1));
  expect_refused(name, refused,
                 "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) + ".");
}

TEST(Config, NumbersHaveBounds) {
  expect_number("PORT", &Config::port, 0, 65'535);
  expect_number("INDEXER_BATCH_LEDGERS", &Config::indexer_batch_ledgers, 1, 10'000);
  expect_number("INDEXER_SAFETY_MARGIN", &Config::indexer_safety_margin, 0, 1'000);
  expect_number("INDEXER_POLL_MS", &Config::indexer_poll_ms, 10, 60'000);
  expect_number("INDEXER_STALL_THRESHOLD_MS", &Config::indexer_stall_threshold_ms, 1'000, 86'400'000);
  expect_number("RPC_TIMEOUT_MS", &Config::rpc_timeout_ms, 100, 300'000);
  expect_number("IO_THREADS", &Config::io_threads, 1, 64);
  expect_number("DB_POOL_SIZE", &Config::db_pool_size, 1, 64);
  expect_number("LOG_RETENTION_CHECK_SECONDS", &Config::log_retention_check_s, 1, 86'400);
  expect_number("LOG_PARTITION_ENTRIES", &Config::log_partition_entries, 1'000, 1'000'000'000);
  expect_number("WS_MAX_CONNECTIONS_PER_IP", &Config::ws_max_connections_per_ip, 1, 100'000);
  expect_number("WRITE_RATE_LIMIT", &Config::write_rate_limit, 0, 1'000'000);
  expect_number("SHUTDOWN_DELAY_MS", &Config::shutdown_delay_ms, 0, 300'000);
  expect_number("SHUTDOWN_GRACE_MS", &Config::shutdown_grace_ms, 0, 300'000);
}

TEST(Config, TheLogIsKeptForEverOrLongerThanTheChainsNodesTellIt) {
  EXPECT_EQ(read({}).config.log_retention_days, 0u);
  EXPECT_EQ(accepted("LOG_RETENTION_DAYS", "0").log_retention_days, 0u);
  EXPECT_EQ(accepted("LOG_RETENTION_DAYS", "8").log_retention_days, 8u);
  expect_refused("LOG_RETENTION_DAYS", {"7", "1", "-1", "36501", "ten", "8.5"},
                 "must be 0 or a whole number from 8 to 36500.");
}

TEST(Config, TheDatabaseIsRequired) {
  const ConfigResult result = read({}, /*with_database=*/false);
  EXPECT_EQ(result.problems, Texts{"DATABASE_URL must be set."});
}

TEST(Config, TheDatabaseIsPostgres) {
  for (const std::string url : {"postgres://user:secret@db:5432/fluxora", "postgresql:///fluxora"}) {
    EXPECT_EQ(accepted("DATABASE_URL", url).database_url, url);
  }
  expect_refused("DATABASE_URL", {"mysql://db", "fluxora", "host=db", "POSTGRES", ""},
                 "must begin with postgres:// or postgresql://.");
}

TEST(Config, ABadDatabaseUrlIsNotRepeated) {
  const ConfigResult result = read({{"DATABASE_URL", "mysql://user:secret@db"}});
  ASSERT_EQ(result.problems.size(), 1u);
  EXPECT_EQ(result.problems[0].find("secret"), std::string::npos);
}

TEST(Config, RedisIsNamedByItsUrl) {
  EXPECT_EQ(read({}).config.redis_address, std::nullopt);
  const auto address = [](const std::string& url) { return *accepted("REDIS_URL", url).redis_address; };
  using Redis = redis::RedisAddress;
  EXPECT_EQ(address("redis://cache"), (Redis{"cache", 6379, "", "", 0}));
  EXPECT_EQ(address("redis://cache/"), (Redis{"cache", 6379, "", "", 0}));
  EXPECT_EQ(address("redis://127.0.0.1:7000/3"), (Redis{"127.0.0.1", 7000, "", "", 3}));
  EXPECT_EQ(address("redis://[::1]:7000"), (Redis{"::1", 7000, "", "", 0}));
  EXPECT_EQ(address("redis://:p%40ss:word@cache"), (Redis{"cache", 6379, "", "p@ss:word", 0}));
  EXPECT_EQ(address("redis://fluxora:secret@cache:1/15"), (Redis{"cache", 1, "fluxora", "secret", 15}));
}

TEST(Config, ABadRedisUrlIsRefusedAndNotRepeated) {
  const Texts wrong = {"cache",
                       "http://cache",
                       "rediss://u:very-secret@cache",
                       "redis://",
                       "redis://:very-secret@",
                       "redis://very-secret@cache",
                       "redis://u:@cache",
                       "redis://u:very%-secret@cache",
                       "redis://u:very-secret@cache:0",
                       "redis://u:very-secret@cache:65536",
                       "redis://u:very-secret@cache:x",
                       "redis://u:very-secret@cache/x",
                       "redis://u:very-secret@cache/1000",
                       "redis://u:very-secret@ca che",
                       "redis://u:very-secret@[::1",
                       "redis://u:very-secret@cache?tls=1"};
  for (const std::string& url : wrong) {
    const ConfigResult result = read({{"REDIS_URL", url}});
    ASSERT_EQ(result.problems.size(), 1u) << url;
    EXPECT_EQ(result.problems[0].rfind("REDIS_URL ", 0), 0u) << result.problems[0];
    EXPECT_EQ(result.problems[0].find("secret"), std::string::npos) << result.problems[0];
  }
}

TEST(Config, UrlsAreHttpOrHttps) {
  EXPECT_EQ(accepted("PUBLIC_URL", "https://fluxora.example").public_url, "https://fluxora.example");
  EXPECT_EQ(accepted("STELLAR_RPC_URL", "http://127.0.0.1:8000/rpc?key=1", {{"CONTRACT_IDS", "*"}}).stellar_rpc_url,
            "http://127.0.0.1:8000/rpc?key=1");
  const Texts wrong = {"fluxora.example", "ftp://fluxora.example", "http://", "http://user@host", "http://a b", ""};
  expect_refused("PUBLIC_URL", wrong, "must be an http:// or https:// URL");
  expect_refused("STELLAR_RPC_URL", wrong, "must be an http:// or https:// URL");
}

TEST(Config, TextsAreTakenAsTheyAre) {
  EXPECT_EQ(accepted("HOST", "0.0.0.0").host, "0.0.0.0");
  EXPECT_EQ(accepted("NETWORK_PASSPHRASE", "Test SDF Network ; September 2015").network_passphrase,
            "Test SDF Network ; September 2015");
  EXPECT_EQ(accepted("DEMO_ROOT", "web-demo/dist").demo_root, "web-demo/dist");
}

TEST(Config, FilesOfAuthoritiesHaveCertificates) {
  const net::test::Authority authority;
  const std::string good = authority.file();
  EXPECT_EQ(accepted("RPC_CA_FILE", good).rpc_ca_file, good);
  EXPECT_EQ(accepted("OTEL_EXPORTER_OTLP_CERTIFICATE", good).otlp_ca_file, good);
  EXPECT_EQ(accepted("WEBHOOK_CA_FILE", good).webhook_ca_file, good);
  const auto write = [](const std::string& name, const std::string& text) {
    const std::string path = ::testing::TempDir() + name;
    std::ofstream(path) << text;
    return path;
  };
  std::string pem;
  {
    std::ifstream file(good);
    pem.assign(std::istreambuf_iterator<char>(file), {});
  }
  const Texts wrong = {good + ".absent",
                       ::testing::TempDir(),
                       write("empty.pem", ""),
                       write("text.pem", "none\n"),
                       write("half.pem", pem.substr(0, pem.size() / 2)),
                       write("spoilt.pem", pem + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")};
  for (const char* name : {"RPC_CA_FILE", "OTEL_EXPORTER_OTLP_CERTIFICATE", "WEBHOOK_CA_FILE"}) {
    expect_refused(name, wrong, "must name a readable PEM file with at least one certificate.");
  }
}

TEST(Config, ContractsAreSortedAndEachOnce) {
  const Variables rpc = {{"STELLAR_RPC_URL", "http://rpc"}};
  const auto contracts = [&](const std::string& text) { return accepted("CONTRACT_IDS", text, rpc).contract_ids; };
  EXPECT_EQ(contracts(contract), Texts{contract});
  EXPECT_EQ(contracts("*"), Texts{"*"});
  const Texts both = {std::min(contract, other_contract), std::max(contract, other_contract)};
  EXPECT_EQ(contracts(contract + "," + other_contract), both);
  EXPECT_EQ(contracts("  " + other_contract + " , " + contract + ",  " + contract + " "), both);
  EXPECT_TRUE(accepted("CONTRACT_IDS", "*", rpc).follows_every_contract());
  EXPECT_FALSE(accepted("CONTRACT_IDS", contract, rpc).follows_every_contract());
  EXPECT_TRUE(accepted("CONTRACT_IDS", "*", rpc).follows_a_chain());
}

TEST(Config, WhatIsNoContractIsRefused) {
  std::string misspelt = contract;
  misspelt[5] = misspelt[5] == 'A' ? 'B' : 'A';
  expect_refused("CONTRACT_IDS",
                 {"", " ", ",", contract + ",", "," + contract, "C", misspelt, std::string(core::sample_sender),
                  contract + ";" + other_contract, "**"},
                 "must be contract addresses (C…), comma separated, or *");
  expect_refused("CONTRACT_IDS", {"*," + contract, contract + ",*"}, "must be either * or addresses, not both.");
}

TEST(Config, AtMostTwentyFiveContracts) {
  const auto contracts = [](std::uint8_t count) {
    std::string text;
    for (std::uint8_t i = 0; i < count; ++i) {
      const core::Hash hash = core::hash_of(i);
      text += (i > 0 ? "," : "") + *core::encode_strkey(core::StrKeyVersion::contract, hash);
    }
    return text;
  };
  EXPECT_EQ(accepted("CONTRACT_IDS", contracts(25), {{"STELLAR_RPC_URL", "http://rpc"}}).contract_ids.size(), 25u);
  expect_refused("CONTRACT_IDS", {contracts(26)}, "must name at most 25 contracts.");
}

TEST(Config, AnRpcNeedsContractsAndContractsAloneAreSent) {
  EXPECT_EQ(read({{"STELLAR_RPC_URL", "http://rpc"}}).problems,
            Texts{"CONTRACT_IDS must be set where STELLAR_RPC_URL is."});
  const Config both = accepted("CONTRACT_IDS", "*", {{"STELLAR_RPC_URL", "http://rpc"}});
  EXPECT_TRUE(both.follows_a_chain());
  EXPECT_FALSE(both.takes_contract_events());
  EXPECT_TRUE(accepted("CONTRACT_IDS", "*").takes_contract_events());
  EXPECT_FALSE(read({}).config.follows_a_chain());
  EXPECT_FALSE(read({}).config.takes_contract_events());
}

TEST(Config, TheWorkerTokenIsLongAndFitsAHeader) {
  const std::string token(32, 'w');
  EXPECT_EQ(accepted("INDEXER_WORKER_TOKEN", token).indexer_worker_token, token);
  expect_refused("INDEXER_WORKER_TOKEN", {token.substr(1), "short"}, "must have at least 32 bytes.");
  expect_refused("INDEXER_WORKER_TOKEN", {token + " ", " " + token, token + "\n", token + "ü"},
                 "must be ASCII without spaces: it travels in a header.");
}

TEST(Config, TheStartLedgerIsALedger) {
  EXPECT_EQ(accepted("INDEXER_START_LEDGER", "1").indexer_start_ledger, 1u);
  EXPECT_EQ(accepted("INDEXER_START_LEDGER", "4294967295").indexer_start_ledger, 4'294'967'295u);
  EXPECT_EQ(read({}).config.indexer_start_ledger, std::nullopt);
  expect_refused("INDEXER_START_LEDGER", {"0", "-1", "4294967296", "latest", "1.0", ""},
                 "must be the number of a ledger.");
}

TEST(Config, LogLevels) {
  EXPECT_EQ(accepted("LOG_LEVEL", "debug").log_level, ports::LogLevel::debug);
  EXPECT_EQ(accepted("LOG_LEVEL", "info").log_level, ports::LogLevel::info);
  EXPECT_EQ(accepted("LOG_LEVEL", "warn").log_level, ports::LogLevel::warn);
  EXPECT_EQ(accepted("LOG_LEVEL", "error").log_level, ports::LogLevel::error);
  expect_refused("LOG_LEVEL", {"INFO", "warning", "trace", ""}, "must be debug, info, warn or error.");
}

TEST(Config, FeedsAreOpenUnlessToldOtherwiseAndThenNeedASecret) {
  const Variables secret = {{"JWT_SECRET", std::string(32, 's')}};
  EXPECT_FALSE(read({}).config.ws_auth_required);
  EXPECT_FALSE(accepted("WS_AUTH_REQUIRED", "false").ws_auth_required);
  EXPECT_TRUE(accepted("WS_AUTH_REQUIRED", "true", secret).ws_auth_required);
  EXPECT_EQ(read({{"WS_AUTH_REQUIRED", "true"}}).problems,
            Texts{"JWT_SECRET must be set where WS_AUTH_REQUIRED is true: no feed could be opened."});
  EXPECT_EQ(read({{"WS_AUTH_REQUIRED", "true"}, {"JWT_SECRET", "short"}}).problems,
            Texts{"JWT_SECRET must have at least 32 bytes."});
  expect_refused("WS_AUTH_REQUIRED", {"1", "yes", "FALSE", ""}, "must be true or false");
}

TEST(Config, WritesArePublicUnlessToldOtherwise) {
  EXPECT_FALSE(read({}).config.auth_required);
  EXPECT_TRUE(accepted("AUTH_REQUIRED", "true").auth_required);
  EXPECT_FALSE(accepted("AUTH_REQUIRED", "false").auth_required);
  expect_refused("AUTH_REQUIRED", {"1", "yes", "TRUE", " true", ""}, "must be true or false.");
}

TEST(Config, AShortTokenSecretIsRefusedAndNotRepeated) {
  EXPECT_EQ(accepted("JWT_SECRET", std::string(32, 's')).jwt_secret, std::string(32, 's'));
  const ConfigResult result = read({{"JWT_SECRET", "thirty-one-bytes-are-not-enough"}});
  EXPECT_EQ(result.problems, Texts{"JWT_SECRET must have at least 32 bytes."});
}

TEST(Config, ProxiesAndOriginsAreLists) {
  EXPECT_FALSE(accepted("TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8").trusted_proxies.empty());
  EXPECT_TRUE(read({}).config.trusted_proxies.empty());
  expect_refused("TRUSTED_PROXIES", {"10.0.0.1/8", "proxy", "*", "10.0.0.1,", ""},
                 "must be IP addresses or CIDR blocks");
  EXPECT_FALSE(accepted("CORS_ORIGINS", "https://a.example,http://localhost:5173").cors.empty());
  EXPECT_TRUE(read({}).config.cors.empty());
  expect_refused("CORS_ORIGINS", {"*", "null", "https://a.example/", "a.example", ""}, "must be origins");
}

TEST(Config, BackupsGoToAnS3OverTlsUnlessItIsOnThisMachineOrAllowed) {
  for (const char* url : {"https://s3.example", "https://s3.example:9000/", "http://localhost:9000",
                          "http://127.0.0.1:1", "http://[::1]:9000"}) {
    EXPECT_EQ(accepted("AWS_ENDPOINT_URL", url).aws_endpoint_url, url);
  }
  EXPECT_EQ(accepted("AWS_ENDPOINT_URL", "http://minio:9000", {{"AWS_ALLOW_HTTP", "true"}}).aws_endpoint_url,
            "http://minio:9000");
  expect_refused("AWS_ENDPOINT_URL", {"http://minio:9000", "http://127.evil.example", "http://localhost.example"},
                 "must be https");
  expect_refused("AWS_ENDPOINT_URL", {"https://s3.example/path", "https://s3.example/?x=1"}, "must have no path");
  expect_refused("AWS_ENDPOINT_URL", {"s3.example", "ftp://s3.example"}, "must be an http:// or https:// URL");
  expect_refused("AWS_REGION", {"eu central", "EU", "eu/central", std::string(64, 'a')},
                 "must be the name of a region");
  for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}) {
    expect_refused(name, {"a b", "a\nb", "gr\xc3\xbcn"}, "must be of ASCII without white space");
  }
}

TEST(Config, LoopbackIsWhatOnlyThisMachineReaches) {
  for (const char* host : {"127.0.0.1", "127.5.6.7", "::1"}) EXPECT_TRUE(accepted("HOST", host).on_loopback()) << host;
  for (const char* host : {"0.0.0.0", "::", "192.0.2.1"}) EXPECT_FALSE(accepted("HOST", host).on_loopback()) << host;
}

TEST(Config, EveryProblemIsTold) {
  const ConfigResult result = read({{"PORT", "x"}, {"LOG_LEVEL", "x"}, {"STELLAR_RPC_URL", "x"}}, false);
  ASSERT_EQ(result.problems.size(), 4u);
  std::set<std::string> names;
  for (const std::string& problem : result.problems) names.insert(problem.substr(0, problem.find(' ')));
  EXPECT_EQ(names, (std::set<std::string>{"PORT", "LOG_LEVEL", "STELLAR_RPC_URL", "DATABASE_URL"}));
}

TEST(Config, TheTablesDefaultsAreTheRealOnes) {
  const Config unset = read({}).config;
  Variables defaults;
  for (const Setting& setting : settings()) {
    if (!setting.default_text.empty()) defaults.emplace(setting.name, setting.default_text);
  }
  const ConfigResult result = read(defaults);
  EXPECT_EQ(result.problems, Texts{});
  const Config& set = result.config;
  EXPECT_EQ(set.host, unset.host);
  EXPECT_EQ(set.port, unset.port);
  EXPECT_EQ(set.indexer_batch_ledgers, unset.indexer_batch_ledgers);
  EXPECT_EQ(set.indexer_safety_margin, unset.indexer_safety_margin);
  EXPECT_EQ(set.indexer_poll_ms, unset.indexer_poll_ms);
  EXPECT_EQ(set.indexer_stall_threshold_ms, unset.indexer_stall_threshold_ms);
  EXPECT_EQ(set.rpc_timeout_ms, unset.rpc_timeout_ms);
  EXPECT_EQ(set.io_threads, unset.io_threads);
  EXPECT_EQ(set.db_pool_size, unset.db_pool_size);
  EXPECT_EQ(set.ws_max_connections_per_ip, unset.ws_max_connections_per_ip);
  EXPECT_EQ(set.ws_compression, unset.ws_compression);
  EXPECT_EQ(set.log_retention_days, unset.log_retention_days);
  EXPECT_EQ(set.log_retention_check_s, unset.log_retention_check_s);
  EXPECT_EQ(set.log_partition_entries, unset.log_partition_entries);
  EXPECT_EQ(set.export_max_concurrent, unset.export_max_concurrent);
  EXPECT_EQ(set.export_timeout_ms, unset.export_timeout_ms);
  EXPECT_EQ(set.shutdown_delay_ms, unset.shutdown_delay_ms);
  EXPECT_EQ(set.shutdown_grace_ms, unset.shutdown_grace_ms);
  EXPECT_EQ(set.log_level, unset.log_level);
  EXPECT_EQ(set.auth_required, unset.auth_required);
  EXPECT_EQ(set.write_rate_limit, unset.write_rate_limit);
  EXPECT_EQ(set.otlp_timeout_ms, unset.otlp_timeout_ms);
  EXPECT_EQ(set.service_name, unset.service_name);
  EXPECT_EQ(set.traces_share, unset.traces_share);
  EXPECT_EQ(set.indexer_audit_interval_ms, unset.indexer_audit_interval_ms);
  EXPECT_EQ(set.horizon_poll_ms, unset.horizon_poll_ms);
  EXPECT_EQ(set.webhook_delivery, unset.webhook_delivery);
  EXPECT_EQ(set.webhook_schedule.attempts_max(), unset.webhook_schedule.attempts_max());
  for (std::size_t failed = 1; failed <= set.webhook_schedule.attempts_max(); ++failed) {
    EXPECT_EQ(set.webhook_schedule.pause_ms(failed, 1), unset.webhook_schedule.pause_ms(failed, 1));
  }
  EXPECT_EQ(set.webhook_timeout_ms, unset.webhook_timeout_ms);
  EXPECT_EQ(set.webhook_concurrency, unset.webhook_concurrency);
  EXPECT_EQ(set.webhook_endpoint_concurrency, unset.webhook_endpoint_concurrency);
  EXPECT_EQ(set.webhook_retention_days, unset.webhook_retention_days);
  EXPECT_EQ(set.webhook_max_waiting, unset.webhook_max_waiting);
  EXPECT_EQ(set.aws_region, unset.aws_region);
  EXPECT_EQ(set.aws_allow_http, unset.aws_allow_http);
  EXPECT_EQ(defaults.size(), 36u) << "a new default needs its line above";
}

TEST(Config, TheTableIsComplete) {
  std::set<std::string> asked;
  static_cast<void>(read_config([&](std::string_view name) -> std::optional<std::string> {
    asked.insert(std::string(name));
    return std::nullopt;
  }));
  std::set<std::string> listed;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(listed.insert(std::string(setting.name)).second) << setting.name << " twice";
    EXPECT_FALSE(setting.description.empty()) << setting.name;
    EXPECT_EQ(setting.description.back(), '.') << setting.name;
  }
  EXPECT_EQ(asked, listed);
}

TEST(Config, TheDocsHaveTheSameTable) {
  std::ifstream file(std::string(FLUXORA_PROJECT_ROOT) + "/docs/configuration.md");
  ASSERT_TRUE(file);
  Texts rows;
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("| `", 0) == 0) rows.push_back(line);
  }
  Texts expected;
  for (const Setting& setting : settings()) {
    const std::string value = setting.default_text.empty() ? "" : "`" + std::string(setting.default_text) + "`";
    expected.push_back("| `" + std::string(setting.name) + "` | " + value + " | " + std::string(setting.description) +
                       " |");
  }
  EXPECT_EQ(rows, expected);
}

TEST(Config, AVariableSetToNothingCountsAsNotSet) {
  ASSERT_EQ(setenv("FLUXORA_CONFIG_TEST", "", 1), 0);
  EXPECT_EQ(process_environment()("FLUXORA_CONFIG_TEST"), std::nullopt);
  ASSERT_EQ(setenv("FLUXORA_CONFIG_TEST", "x", 1), 0);
  EXPECT_EQ(process_environment()("FLUXORA_CONFIG_TEST"), "x");
  ASSERT_EQ(unsetenv("FLUXORA_CONFIG_TEST"), 0);
  EXPECT_EQ(process_environment()("FLUXORA_CONFIG_TEST"), std::nullopt);
}

TEST(Config, AnEndpointWithoutTheApiHasASecret) {
  const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  EXPECT_EQ(accepted("FLUXORA_WEBHOOK_SECRET", secret, {{"FLUXORA_WEBHOOK_URL", "https://hook.example/f"}}).webhook_url,
            "https://hook.example/f");
  EXPECT_EQ(read({{"FLUXORA_WEBHOOK_URL", "https://hook.example/f"}}).problems,
            Texts{"FLUXORA_WEBHOOK_SECRET must be set where FLUXORA_WEBHOOK_URL is."});
  const ConfigResult plain =
      read({{"FLUXORA_WEBHOOK_URL", "http://hook.example/"}, {"FLUXORA_WEBHOOK_SECRET", secret}});
  ASSERT_EQ(plain.problems.size(), 1u);
  EXPECT_EQ(plain.problems[0].rfind("FLUXORA_WEBHOOK_URL must be https", 0), 0u) << plain.problems[0];
  EXPECT_EQ(accepted("FLUXORA_WEBHOOK_URL", "http://127.0.0.1:4000/",
                     {{"FLUXORA_WEBHOOK_SECRET", secret},
                      {"WEBHOOK_HTTP_HOSTS", "127.0.0.1"},
                      {"WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8"}})
                .webhook_url,
            "http://127.0.0.1:4000/");
  const ConfigResult alone = read({{"FLUXORA_WEBHOOK_SECRET", secret}});
  EXPECT_EQ(alone.problems, Texts{});
  EXPECT_EQ(alone.notes, Texts{"FLUXORA_WEBHOOK_SECRET is set, but not used: there is no FLUXORA_WEBHOOK_URL."});
}

TEST(Config, SecretsOfWebhooksAreRefusedWithoutBeingRepeated) {
  const ConfigResult wrong = read({{"FLUXORA_WEBHOOK_URL", "https://hook.example/f"},
                                   {"FLUXORA_WEBHOOK_SECRET", "very-secret!"},
                                   {"WEBHOOK_SECRET_KEYS", "c2hvcnQ="}});
  EXPECT_EQ(wrong.problems,
            (Texts{"FLUXORA_WEBHOOK_SECRET must be whsec_ and base64 of at least 24 bytes.",
                   "WEBHOOK_SECRET_KEYS must be base64 of 32 bytes, or several of that, comma separated."}));
  expect_refused("FLUXORA_WEBHOOK_SECRET",
                 {"password", "QUJD", "whsec_", "whsec_QQ==", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
                  "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS!"},
                 "must be whsec_ and base64 of at least 24 bytes.");
  const std::string key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
  EXPECT_EQ(accepted("WEBHOOK_SECRET_KEYS", key + "," + key).webhook_secret_keys, key + "," + key);
}

TEST(Config, WhereWebhooksMayGoIsAList) {
  const Config config = accepted("WEBHOOK_PRIVATE_NETWORKS", "127.0.0.0/8, fd00::/8, 10.1.2.3");
  EXPECT_EQ(config.webhook_private_networks.size(), 3u);
  expect_refused("WEBHOOK_PRIVATE_NETWORKS", {"10.0.0.1/8", "localhost", "10.0.0.1,", ""},
                 "must be IP addresses or CIDR blocks");
  EXPECT_EQ(accepted("WEBHOOK_HTTP_HOSTS", "localhost, 127.0.0.1,my_receiver, 0:0::1").webhook_http_hosts,
            (Texts{"localhost", "127.0.0.1", "my_receiver", "0:0::1"}));
  expect_refused("WEBHOOK_HTTP_HOSTS",
                 {"http://a", "a b", "a,", "a/b", "receiver:9000", "10.0.0.1:8080", "[::1]", "::1::", ":", ""},
                 "must be names or addresses of hosts without port");
  EXPECT_EQ(accepted("WEBHOOK_RETRY_SCHEDULE", "1s,2m").webhook_schedule.attempts_max(), 3u);
  expect_refused("WEBHOOK_RETRY_SCHEDULE", {"1", "0s", "8d", "1s,", ""}, "must be 1 to 32 pauses");
}

TEST(Config, AWitnessWithoutAnRpcIsToldOf) {
  const ConfigResult alone = read({{"HORIZON_URL", "https://horizon.example"}});
  EXPECT_EQ(alone.problems, Texts{});
  ASSERT_EQ(alone.notes.size(), 1u);
  EXPECT_EQ(alone.notes[0].rfind("HORIZON_URL is set, but not used", 0), 0u) << alone.notes[0];
  const ConfigResult both = read({{"HORIZON_URL", "https://horizon.example"},
                                  {"STELLAR_RPC_URL", "https://rpc.example"},
                                  {"CONTRACT_IDS", contract}});
  EXPECT_EQ(both.notes, Texts{});
}

TEST(Config, TheHostIsAnAddress) {
  for (const char* host : {"0.0.0.0", "::1", "127.0.0.1"}) EXPECT_EQ(read({{"HOST", host}}).problems, Texts{}) << host;
  for (const char* host : {"localhost", "127.0.0.1:80", "::g"}) {
    EXPECT_EQ(read({{"HOST", host}}).problems, (Texts{"HOST must be an IP address."})) << host;
  }
}

}  // namespace
}  // namespace fluxora::app
