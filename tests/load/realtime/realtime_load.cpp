// The client of tests/load/realtime.mjs: thousands of subscribers in one thread, which count what they get and how long
// it took. One measurement a run; what it found goes to stdout as JSON.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <future>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "chain_events.hpp"
#include "control.hpp"
#include "feed_clients.hpp"
#include "fluxora/core/json_writer.hpp"
#include "histogram.hpp"
#include "load_log.hpp"
#include "resident_memory.hpp"

namespace fluxora::load {
namespace {

constexpr std::int64_t ns_a_second = 1'000'000'000;
constexpr std::int64_t longest_delay_ns = 10 * ns_a_second;
// Little room, so that it is the server that has to keep what a deaf client doesn't read.
constexpr int deaf_buffer_bytes = 4'096;
// Until a deaf client has seen what the server sent before its end.
constexpr std::int64_t longest_end_ns = 3 * ns_a_second;
// Shares of a measurement that come before the part that counts.
constexpr std::int64_t warm_up_share = 4;

std::uint64_t microseconds(std::uint64_t nanoseconds) {
  return nanoseconds / 1'000;
}

void write_latencies(core::JsonWriter& json, const Histogram& latencies) {
  json.key("p50").unsigned_integer(microseconds(latencies.quantile(0.5)));
  json.key("p99").unsigned_integer(microseconds(latencies.quantile(0.99)));
  json.key("max").unsigned_integer(microseconds(latencies.max()));
}

template <class Write>
std::string json_object(Write write) {
  std::string text;
  core::JsonWriter json(text);
  json.begin_object();
  write(json);
  json.end_object();
  return text;
}

// Updates that a hub makes when it is asked: deliveries of one burst are counted from the moment it was asked for.

struct BurstLoad {
  std::uint16_t port = 0;
  std::uint16_t control_port = 0;
  std::string stream;
  std::size_t connections = 0;
  std::size_t burst = 0;              ///< updates that come at once
  std::uint64_t bursts_a_second = 0;  ///< 0: as many as can be delivered
  std::uint64_t on_their_way = 0;     ///< then: so many at once; the next is asked for when one has arrived everywhere
  std::int64_t duration = 0;          ///< nanoseconds
  std::size_t deaf = 0;               ///< connections besides, which ask for the stream and then never read
};

class BurstMeasurement {
 public:
  explicit BurstMeasurement(const BurstLoad& load)
      : load_(load),
        asker_(load.control_port),
        clients_({load.port, Transport::websocket, load.connections, [&load](std::size_t) { return load.stream; }},
                 [this](const Delivery& delivery) { on_delivery(delivery); }),
        deaf_({load.port, Transport::websocket, load.deaf, [&load](std::size_t) { return load.stream; },
               deaf_buffer_bytes},
              [](const Delivery&) {}),
        received_(load.connections) {}

  std::string run() {
    deaf_.open();
    clients_.open();
    const std::int64_t begun = now_ns();
    const std::int64_t counted_from = begun + load_.duration / warm_up_share;
    go_on(begun, counted_from);
    latencies_.clear();
    const std::int64_t counting_since = now_ns();
    go_on(counting_since, counting_since + load_.duration);
    const std::int64_t took = now_ns() - counting_since;
    const std::uint64_t counted = latencies_.count();
    await_the_rest();
    const std::size_t ended = deaf_.await_end(now_ns() + longest_end_ns);
    return json_object([&](core::JsonWriter& json) {
      json.key("deliveries").unsigned_integer(counted);
      json.key("ended").unsigned_integer(ended);
      json.key("microseconds").unsigned_integer(microseconds(static_cast<std::uint64_t>(took)));
      json.key("bytes").unsigned_integer(bytes_);
      write_latencies(json, latencies_);
    });
  }

 private:
  void on_delivery(const Delivery& delivery) {
    const std::uint64_t index = received_[delivery.connection]++;
    const std::int64_t asked_at = asked_at_.at(index / load_.burst);
    latencies_.record(delivery.at - asked_at);
    ++deliveries_;
    bytes_ = delivery.bytes;
  }

  void ask() {
    asked_at_.push_back(now_ns());
    asker_.ask(load_.burst);
  }

  [[nodiscard]] std::uint64_t deliveries_asked_for() const {
    return std::uint64_t{asked_at_.size()} * load_.burst * load_.connections;
  }

  void go_on(std::int64_t begun, std::int64_t until) {
    if (load_.bursts_a_second == 0) return flood(until);
    const std::int64_t interval = ns_a_second / static_cast<std::int64_t>(load_.bursts_a_second);
    for (std::int64_t next = begun; now_ns() < until;) {
      if (now_ns() >= next) {
        ask();
        next += interval;
      }
      clients_.read(std::min(next, until));
    }
  }

  void flood(std::int64_t until) {
    const std::uint64_t window = load_.on_their_way * load_.burst * load_.connections;
    const std::uint64_t burst_everywhere = std::uint64_t{load_.burst} * load_.connections;
    while (now_ns() < until) {
      while (deliveries_asked_for() + burst_everywhere <= deliveries_ + window) ask();
      clients_.read(until);
    }
  }

  void await_the_rest() {
    const std::int64_t give_up_at = now_ns() + longest_delay_ns;
    while (deliveries_ < deliveries_asked_for()) {
      if (now_ns() > give_up_at) {
        throw std::runtime_error(std::to_string(deliveries_asked_for() - deliveries_) + " updates didn't come");
      }
      clients_.read(give_up_at);
    }
  }

  const BurstLoad& load_;
  BurstAsker asker_;
  Histogram latencies_;
  std::vector<std::int64_t> asked_at_;  // by burst
  FeedClients clients_;
  FeedClients deaf_;
  std::vector<std::uint64_t> received_;  // by connection
  std::uint64_t deliveries_ = 0;
  std::size_t bytes_ = 0;
};

// Updates that come out of the log, which a thread of ours writes beside the server.

constexpr std::uint64_t creations_a_ledger = 100;

indexer::LedgerBatch empty_batch(std::uint32_t ledger) {
  indexer::LedgerBatch batch;
  batch.first = ledger;
  batch.last = ledger;
  batch.headers.push_back(header_of(ledger));
  if (ledger > 1) batch.closed_before = header_of(ledger - 1).closed_at;
  return batch;
}

void add_event(indexer::LedgerBatch& batch, ports::ChainEvent event) {
  const auto index = static_cast<std::uint32_t>(batch.events.size());
  batch.events.push_back(indexer::test::placed(std::move(event), batch.first, index, batch.headers.back().closed_at));
}

std::string create_streams(const std::string& database_url, std::uint64_t count) {
  LoadLog log(database_url);
  for (std::uint64_t made = 0; made < count;) {
    indexer::LedgerBatch batch = empty_batch(log.next_ledger());
    for (std::uint64_t i = 0; i < creations_a_ledger && made < count; ++i, ++made) {
      add_event(batch, creation(made, batch.headers.back().closed_at));
    }
    log.ingest(batch);
  }
  return json_object([&](core::JsonWriter& json) { json.key("streams").unsigned_integer(count); });
}

struct LogLoad {
  std::uint16_t port = 0;
  std::string database_url;
  Transport transport = Transport::websocket;
  std::size_t connections = 0;
  std::uint64_t streams = 0;  ///< connection n asks for stream n % streams; connections are a multiple
  std::size_t events_a_transaction = 0;
  std::int64_t transactions_a_second = 0;
  std::size_t transactions = 0;
};

/// Commits a ledger with withdrawals at every tick.
class PacedWriter {
 public:
  explicit PacedWriter(const LogLoad& load)
      : load_(load),
        log_(load.database_url),
        first_ledger_(log_.next_ledger()),
        begun_at_(load.transactions),
        committed_at_(load.transactions) {}

  [[nodiscard]] std::uint32_t first_ledger() const noexcept { return first_ledger_; }
  /// When the transaction of that ledger was begun. From any thread.
  [[nodiscard]] std::int64_t begun_at(std::uint32_t ledger) const { return begun_at_.at(ledger - first_ledger_); }
  /// When it was known to be committed; none: not yet. From any thread.
  [[nodiscard]] std::optional<std::int64_t> committed_at(std::uint32_t ledger) const {
    const std::int64_t at = committed_at_.at(ledger - first_ledger_);
    return at == 0 ? std::nullopt : std::optional(at);
  }

  /// Returns how long it took. Throws what the store throws.
  std::int64_t run() {
    const std::int64_t interval = ns_a_second / load_.transactions_a_second;
    const std::int64_t begun = now_ns();
    for (std::size_t i = 0; i < load_.transactions; ++i) {
      const indexer::LedgerBatch batch = next_batch();
      const std::int64_t due = begun + interval * static_cast<std::int64_t>(i);
      std::this_thread::sleep_for(std::chrono::nanoseconds(due - now_ns()));
      begun_at_[i] = now_ns();
      log_.ingest(batch);
      committed_at_[i] = now_ns();
    }
    return now_ns() - begun;
  }

 private:
  indexer::LedgerBatch next_batch() {
    indexer::LedgerBatch batch = empty_batch(log_.next_ledger());
    for (std::size_t i = 0; i < load_.events_a_transaction; ++i, ++written_) {
      // Spread over all of them, the same in every run.
      add_event(batch, indexer::test::withdrew((written_ * 2'654'435'761U) % load_.streams, 1));
    }
    return batch;
  }

  const LogLoad& load_;
  LoadLog log_;
  const std::uint32_t first_ledger_;
  std::vector<std::atomic<std::int64_t>> begun_at_;  // by transaction
  std::vector<std::atomic<std::int64_t>> committed_at_;
  std::uint64_t written_ = 0;
};

/// The ledger in an entry's eventId: the upper half of a TOID. SPEC section 3.
std::uint32_t ledger_of(std::string_view message) {
  constexpr std::string_view member = R"("eventId":")";
  const std::size_t at = message.find(member);
  if (at == std::string_view::npos) throw std::runtime_error("an update without an eventId");
  const std::string_view digits = message.substr(at + member.size());
  std::uint64_t toid = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), toid);
  return static_cast<std::uint32_t>(toid >> 32);
}

std::string measure_log(const LogLoad& load) {
  PacedWriter writer(load);
  const std::uint32_t counted_from =
      writer.first_ledger() + static_cast<std::uint32_t>(load.transactions / warm_up_share);
  Histogram since_commit;
  Histogram since_begin;
  std::uint64_t deliveries = 0;
  FeedClients clients({load.port, load.transport, load.connections,
                       [&](std::size_t n) { return indexer::test::stream_id(n % load.streams); }},
                      [&](const Delivery& delivery) {
                        const std::uint32_t ledger = ledger_of(delivery.head);
                        ++deliveries;
                        if (ledger < counted_from) return;
                        since_begin.record(delivery.at - writer.begun_at(ledger));
                        // It may be here before the writer hears that it is committed.
                        since_commit.record(delivery.at - writer.committed_at(ledger).value_or(delivery.at));
                      });
  clients.open();

  auto written = std::async(std::launch::async, [&] { return writer.run(); });
  const auto tick = [&] { clients.read(now_ns() + ns_a_second / 100); };
  while (written.wait_for(std::chrono::seconds(0)) != std::future_status::ready) tick();
  const auto took = static_cast<std::uint64_t>(written.get());
  const std::uint64_t events = std::uint64_t{load.transactions} * load.events_a_transaction;
  const std::uint64_t expected = events * (load.connections / load.streams);
  const std::int64_t give_up_at = now_ns() + longest_delay_ns;
  while (deliveries < expected && now_ns() < give_up_at) tick();
  if (deliveries != expected) {
    throw std::runtime_error(std::to_string(deliveries) + " updates of " + std::to_string(expected) + " came");
  }
  return json_object([&](core::JsonWriter& json) {
    json.key("events").unsigned_integer(events);
    json.key("deliveries").unsigned_integer(deliveries);
    json.key("microseconds").unsigned_integer(microseconds(took));
    write_latencies(json, since_commit);
    json.key("sinceBegin").begin_object();
    write_latencies(json, since_begin);
    json.end_object();
  });
}

// Connections to which nothing happens.

/// `subscribed`: each to a stream of its own.
std::string measure_idle(std::uint16_t port, const std::string& process_id, std::size_t connections, bool subscribed) {
  const std::uint64_t before = resident_kib(process_id);
  FeedOptions options{port, Transport::websocket, connections, nullptr};
  if (subscribed) options.stream_of = [](std::size_t n) { return indexer::test::stream_id(n); };
  FeedClients clients(options, [](const Delivery&) {});
  clients.open();
  // What opening them left to be done.
  for (const std::int64_t end = now_ns() + ns_a_second; now_ns() < end;) clients.read(end);
  const std::uint64_t after = resident_kib(process_id);
  return json_object([&](core::JsonWriter& json) {
    json.key("connections").unsigned_integer(connections);
    json.key("beforeKiB").unsigned_integer(before);
    json.key("afterKiB").unsigned_integer(after);
  });
}

constexpr std::string_view usage =
    "bursts PORT CONTROL_PORT STREAM CONNECTIONS UPDATES_A_BURST BURSTS_A_SECOND|0 ON_THEIR_WAY MILLISECONDS DEAF | "
    "streams URL COUNT | "
    "log PORT URL websocket|sse CONNECTIONS STREAMS EVENTS_A_TRANSACTION TRANSACTIONS_A_SECOND TRANSACTIONS | "
    "idle PORT PROCESS CONNECTIONS silent|subscribed";

std::string run(const std::vector<std::string>& arguments) {
  const auto text = [&](std::size_t at) -> const std::string& {
    if (at >= arguments.size()) throw std::invalid_argument(std::string(usage));
    return arguments[at];
  };
  const auto number = [&](std::size_t at) { return std::stoull(text(at)); };
  const auto port = [&](std::size_t at) { return static_cast<std::uint16_t>(number(at)); };
  const std::string& what = text(0);
  if (what == "bursts") {
    const BurstLoad load{port(1),   port(2),   text(3),   number(4),
                         number(5), number(6), number(7), static_cast<std::int64_t>(number(8)) * 1'000'000,
                         number(9)};
    return BurstMeasurement(load).run();
  }
  if (what == "streams") return create_streams(text(1), number(2));
  if (what == "log") {
    const Transport transport = text(3) == "sse" ? Transport::sse : Transport::websocket;
    return measure_log({port(1), text(2), transport, number(4), number(5), number(6),
                        static_cast<std::int64_t>(number(7)), number(8)});
  }
  if (what == "idle") return measure_idle(port(1), text(2), number(3), text(4) == "subscribed");
  throw std::invalid_argument(std::string(usage));
}

}  // namespace
}  // namespace fluxora::load

int main(int argc, char** argv) {
  try {
    std::cout << fluxora::load::run({argv + 1, argv + argc}) << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
