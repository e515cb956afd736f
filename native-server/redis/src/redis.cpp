#include "fluxora/redis/redis.hpp"

#include <atomic>

#include "command_queue.hpp"
#include "connectivity.hpp"
#include "live_log_tail.hpp"
#include "redis_log_bus.hpp"
#include "shared_counts.hpp"
#include "shared_rates.hpp"
#include "subscription.hpp"

namespace fluxora::redis {
namespace {

InstanceId new_instance(ports::Random& random) {
  InstanceId instance{};
  random.fill(instance);
  return instance;
}

}  // namespace

struct Redis::Parts {
  Parts(const RedisAddress& address, ports::Clock& shared_clock, ports::Random& random, ports::Log& log)
      : clock(shared_clock),
        self(new_instance(random)),
        connectivity(log),
        commands(address, connectivity, [this] { counts.tick(); }),
        bus(address.database, self, commands, clock, [this](const RedisLogBus::Names& now) { listen_to(now); }),
        counts(self, clock, [this](std::string message) { return tell_connections(std::move(message)); }),
        rates(
            clock, [this] { return name(&RedisLogBus::Names::rates); },
            [this](Command command, CommandQueue::Answer answer) {
              return commands.submit(std::move(command), std::move(answer));
            }),
        subscription(address, connectivity,
                     {[this](const std::string& channel, std::string_view message) { hear(channel, message); },
                      [this] { bus.inbox().doubt(); }}) {}

  void listen_to(const RedisLogBus::Names& followed) {
    {
      const std::lock_guard lock(mutex);
      names = followed;
    }
    subscription.listen_to({followed.log, followed.connections});
  }

  /// Of the log that is followed; empty where none is yet.
  std::string name(std::string RedisLogBus::Names::* which) {
    const std::lock_guard lock(mutex);
    return names.*which;
  }

  bool tell_connections(std::string message) {
    std::string channel = name(&RedisLogBus::Names::connections);
    return !channel.empty() && commands.submit({"PUBLISH", std::move(channel), std::move(message)});
  }

  void hear(const std::string& channel, std::string_view message) {
    if (channel != name(&RedisLogBus::Names::connections)) return bus.take(message);
    if (!counts.take(message)) ++refused_counts;
  }

  ports::Clock& clock;
  const InstanceId self;
  std::mutex mutex;
  RedisLogBus::Names names;
  Connectivity connectivity;
  LiveLogTail::Counts reads;
  std::atomic<std::uint64_t> refused_counts{0};
  CommandQueue commands;
  RedisLogBus bus;
  SharedCounts counts;
  SharedRates rates;
  Subscription subscription;
};

Redis::Redis(RedisAddress address, ports::Clock& clock, ports::Random& random, ports::Log& log)
    : parts_(std::make_unique<Parts>(address, clock, random, log)) {}

Redis::~Redis() {
  stop();
}

std::unique_ptr<ports::LogTail> Redis::make_tail(MakeTail database) {
  return std::make_unique<LiveLogTail>(std::move(database), parts_->bus, parts_->clock, parts_->reads);
}

ports::ConnectionCounts& Redis::connection_counts() {
  return parts_->counts;
}

ports::RateCounts& Redis::rate_counts() {
  return parts_->rates;
}

void Redis::start() {
  parts_->commands.start();
  parts_->subscription.start();
}

void Redis::stop() {
  parts_->subscription.stop();
  parts_->commands.stop();
}

bool Redis::is_well() const {
  return parts_->connectivity.is_well();
}

RedisStatistics Redis::statistics() const {
  const CommandQueue::Counts commands = parts_->commands.counts();
  const RedisLogBus::Counts pages = parts_->bus.counts();
  const SharedRates::Counts rates = parts_->rates.counts();
  RedisStatistics statistics;
  statistics.well = is_well();
  statistics.publishes = parts_->bus.publishes();
  statistics.commands = commands.commands;
  statistics.command_failures = commands.failures;
  statistics.pages_published = pages.published;
  statistics.pages_dropped = pages.dropped;
  statistics.pages_received = pages.received;
  statistics.messages_refused = pages.refused + parts_->refused_counts;
  statistics.reads_from_bus = parts_->reads.from_bus;
  statistics.reads_from_database = parts_->reads.from_database;
  statistics.addresses_elsewhere = parts_->counts.addresses_elsewhere();
  statistics.rates_shared = rates.shared;
  statistics.rates_alone = rates.alone;
  return statistics;
}

}  // namespace fluxora::redis
