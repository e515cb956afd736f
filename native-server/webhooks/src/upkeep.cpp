#include "fluxora/webhooks/upkeep.hpp"

#include <chrono>
#include <utility>

#include "fluxora/ports/store_result.hpp"

namespace fluxora::webhooks {
namespace {

constexpr std::chrono::milliseconds look_every{1'000};

/// Whether something that is done every so often is to be done; a clock that went back makes it due.
bool is_due(const std::optional<core::UnixMillis>& done_at, core::UnixMillis every_ms, core::UnixMillis now) {
  return !done_at || now < *done_at || now - *done_at >= every_ms;
}

}  // namespace

Upkeep::Upkeep(UpkeepOptions options, std::unique_ptr<ports::WebhookUpkeep> store, ports::Clock& clock, ports::Log& log)
    : options_(std::move(options)), store_(std::move(store)), clock_(clock), log_(log) {}

Upkeep::~Upkeep() {
  stop();
}

void Upkeep::start() {
  thread_ = std::thread([this] { run(); });
}

void Upkeep::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_one();
}

void Upkeep::begin_stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
}

void Upkeep::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

UpkeepStatistics Upkeep::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

bool Upkeep::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Upkeep::run() {
  while (!is_stopping()) {
    if (round()) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, look_every, [this] { return stopping_ || woken_; });
    woken_ = false;
  }
}

bool Upkeep::round() {
  try {
    const core::UnixMillis now = clock_.now();
    configure();
    read_backlog(now);
    const bool more_to_prune = prune(now);
    const bool more_to_replay = advance_replays();
    if (std::exchange(in_trouble_, false)) log_.info("webhook_upkeep_available", "");
    return more_to_prune || more_to_replay;
  } catch (const std::exception& error) {
    if (!std::exchange(in_trouble_, true)) log_.warn("webhook_upkeep_unavailable", error.what());
    const std::lock_guard lock(mutex_);
    ++statistics_.failures;
    return false;
  }
}

void Upkeep::configure() {
  if (configured_) return;
  store_->configure(options_.configured);
  configured_ = true;
}

void Upkeep::read_backlog(core::UnixMillis now) {
  if (!is_due(backlog_at_, backlog_every_ms, now)) return;
  ports::DeliveryBacklog backlog = store_->backlog(options_.most_waiting);
  backlog_at_ = now;
  if (options_.on_overfull) {
    for (const std::uint64_t endpoint : backlog.overfull) options_.on_overfull(endpoint);
  }
  const std::lock_guard lock(mutex_);
  statistics_.backlog = std::move(backlog);
}

/// True: there is more to remove.
bool Upkeep::prune(core::UnixMillis now) {
  if (!is_due(pruned_at_, prune_every_ms, now)) return false;
  for (int step = 0; step < prune_steps_a_round && !is_stopping(); ++step) {
    const std::size_t removed = store_->prune(now - options_.retention_ms, prune_step);
    {
      const std::lock_guard lock(mutex_);
      statistics_.pruned_deliveries += removed;
    }
    if (removed < prune_step) {
      pruned_at_ = now;
      return false;
    }
  }
  return true;
}

/// True: there is more to bring on.
bool Upkeep::advance_replays() {
  for (int step = 0; step < replay_steps_a_round && !is_stopping(); ++step) {
    if (!store_->advance_replay(replay_step, replay_most_waiting)) return false;
    const std::lock_guard lock(mutex_);
    ++statistics_.replay_steps;
  }
  return true;
}

}  // namespace fluxora::webhooks
