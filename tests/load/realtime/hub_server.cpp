// The server's own feed without its database: the hub, the API's socket and net as the application has them, over a log
// in memory that grows when it is asked to. What tests/load/realtime.mjs measures beside hubs that have no database
// either. With a number of bytes as its argument, updates go out as padding of that size.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control.hpp"
#include "fluxora/api/access.hpp"
#include "fluxora/api/api.hpp"
#include "fluxora/hub/hub.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/store/store.hpp"
#include "json_log.hpp"
#include "options.hpp"
#include "process.hpp"
#include "short_updates.hpp"
#include "stream_samples.hpp"
#include "system_clock.hpp"
#include "system_random.hpp"

namespace fluxora::load {
namespace {

constexpr core::UnixSeconds closed_at = 1'700'000'000;
constexpr std::uint32_t ledger = 51'000'294;
constexpr std::uint32_t connections_per_address = 100'000;

core::LogEntry withdrawal() {
  core::LogEntry entry;
  entry.event = core::EventName::stream_updated;
  entry.kind = "withdrew";
  entry.stream = core::sample_stream();
  entry.stream->withdrawn = core::tokens(8);
  entry.stream_id = entry.stream->id;
  entry.contract_id = core::sample_contract;
  entry.ledger = ledger;
  entry.ledger_hash = core::hash_of(0x51);
  entry.tx_hash = core::hash_of(0xa1);
  entry.closed_at = closed_at;
  entry.change = R"({"withdrawnAmount":["7.0000000","8.0000000"]})";
  return entry;
}

/// A log of one stream's withdrawals, which gets a burst more whenever one is asked for.
class BurstTail final : public ports::LogTail {
 public:
  explicit BurstTail(BurstRequests& requests) : requests_(requests) {}

  ports::LogHead head() override { return {"load", 1, head_seq_}; }

  ports::EventPage read_after(std::uint64_t seq, std::size_t limit) override {
    ports::EventPage page;
    page.head = head();
    for (; seq < head_seq_ && page.entries.size() < limit; ++seq) page.entries.push_back(entry_at(seq + 1));
    page.has_more = seq < head_seq_;
    return page;
  }

  void wait(std::chrono::milliseconds timeout) override { head_seq_ += requests_.next(timeout).value_or(0); }

 private:
  [[nodiscard]] core::LogEntry entry_at(std::uint64_t seq) const {
    core::LogEntry entry = withdrawal_;
    char id[48];
    std::snprintf(id, sizeof id, "%019llu-%010llu", static_cast<unsigned long long>(ledger) << 32,
                  static_cast<unsigned long long>(seq));
    entry.event_id = id;
    entry.seq = seq;
    if (seq > 1) entry.prev_seq = seq - 1;
    return entry;
  }

  BurstRequests& requests_;
  const core::LogEntry withdrawal_ = withdrawal();
  std::uint64_t head_seq_ = 0;
};

app::Config measured_config() {
  app::Config config;
  config.port = 0;
  config.ws_max_connections_per_ip = connections_per_address;
  config.database_url = "postgres://127.0.0.1:1/none";  // a feed from now on never asks for it
  return config;
}

/// `update_bytes` 0: updates are sent as they are.
void serve(const app::Config& config, std::size_t update_bytes, app::EndSignals& signals, app::SystemClock& clock,
           app::JsonLog& log) {
  BurstRequests requests;
  app::SystemRandom random;
  telemetry::Tracer tracer(nullptr, config.traces_share, clock, random);
  store::Store store(app::store_options(config), log);
  hub::Hub hub(std::make_unique<BurstTail>(requests), store.events(), clock, log);
  api::AccessControl access(app::access_options(config), store.api_keys(), store.audit_log(), clock, log);
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
                          nullptr,
                          "load",
                          "",
                          "",
                          config.ws_max_connections_per_ip,
                          [] { return false; },
                          [] { return std::size_t{0}; }};
  const auto whole = api::build_router(context);
  const auto router =
      update_bytes == 0 ? whole : with_short_updates(*whole, "/ws/streams", update_bytes, config.io_threads);
  telemetry::RequestMetrics metrics(*router);
  net::ServerOptions options = app::server_options(config, log, metrics, tracer);
  options.on_tick = [&hub](unsigned io_thread) { hub.tick(io_thread); };
  net::Server server(std::move(options), router);

  hub.start(config.io_threads,
            [&server](unsigned io_thread, std::function<void()> task) { server.post(io_thread, std::move(task)); });
  server.start();
  log.info("listening", "",
           {{"port", std::uint64_t{server.port()}},
            {"control", std::uint64_t{requests.port()}},
            {"stream", core::sample_stream().id}});
  signals.wait();
  clock.end();
  hub.stop();
  server.stop(std::chrono::milliseconds(config.shutdown_grace_ms));
  store.stop();
}

}  // namespace
}  // namespace fluxora::load

int main(int argc, char** argv) {
  using namespace fluxora;
  app::EndSignals signals;
  app::raise_descriptor_limit();
  app::SystemClock clock;
  app::JsonLog log(ports::LogLevel::info, clock);
  try {
    load::serve(load::measured_config(), argc > 1 ? std::stoul(argv[1]) : 0, signals, clock, log);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
