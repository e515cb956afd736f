#include "fluxora/webhooks/upkeep.hpp"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "fluxora/ports/store_result.hpp"

namespace fluxora::webhooks {
namespace {

constexpr std::chrono::milliseconds look_every{1'000};

/// Whether something that is done every so often is to be done; a clock that went back makes it due.
bool is_due(const std::optional<core::UnixMillis>& done_at, core::UnixMillis every_ms, core::UnixMillis now) {
  return !done_at || now < *done_at || now - *done_at >= every_ms;
}

/// To the configured endpoint.
std::string_view what_happened(ports::ConfiguredChange change) {
  using ports::ConfiguredChange;
  switch (change) {
    case ConfiguredChange::none: return "";
    case ConfiguredChange::made: return "made";
    case ConfiguredChange::moved: return "its URL is another one";
    case ConfiguredChange::enabled: return "enabled: an instance has FLUXORA_WEBHOOK_URL again";
    case ConfiguredChange::disabled: return "disabled: for ten minutes no instance had FLUXORA_WEBHOOK_URL";
  }
  return "";
}

}  // namespace

Upkeep::Upkeep(UpkeepOptions options, std::unique_ptr<ports::WebhookUpkeep> store, const core::SecretBox* secrets,
               ports::Clock& clock, ports::Random& random, ports::Log& log)
    : options_(std::move(options)),
      store_(std::move(store)),
      clock_(clock),
      log_(log),
      resealer_(*store_, secrets, random, log) {}

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
  const core::UnixMillis now = clock_.now();
  std::optional<std::string> trouble;
  // Each by itself: what one of them can't do doesn't keep the others.
  const auto do_step = [&](auto step) {
    try {
      return step();
    } catch (const std::exception& error) {
      if (!trouble) trouble = error.what();
      return false;
    }
  };
  do_step([&] {
    configure(now);
    return false;
  });
  const bool more_to_prune = do_step([&] { return prune(now); });
  const bool more_to_replay = do_step([this] { return advance_replays(); });
  const bool more_to_reseal = do_step([this] { return resealer_.step(); });
  do_step([&] {
    read_backlog(now);
    return false;
  });
  tell(trouble);
  return more_to_prune || more_to_replay || more_to_reseal;
}

void Upkeep::tell(const std::optional<std::string>& trouble) {
  const bool was_in_trouble = std::exchange(in_trouble_, trouble.has_value());
  if (!trouble) {
    if (was_in_trouble) log_.info("webhook_upkeep_available", "");
    return;
  }
  if (!was_in_trouble) log_.warn("webhook_upkeep_unavailable", *trouble);
  const std::lock_guard lock(mutex_);
  ++statistics_.failures;
}

void Upkeep::configure(core::UnixMillis now) {
  if (!began_at_) began_at_ = now;
  if (!is_due(configured_at_, configure_every_ms, now)) return;
  // Where all instances were down, one that has the endpoint gets the time to say so.
  if (!options_.configured && !is_due(began_at_, ports::configured_life_ms, now)) return;
  const ports::ConfiguredChange change = store_->configure(options_.configured, !configured_at_);
  configured_at_ = now;
  if (change == ports::ConfiguredChange::none) return;
  log_.write(change == ports::ConfiguredChange::disabled ? ports::LogLevel::warn : ports::LogLevel::info,
             "webhook_configured_endpoint", what_happened(change), {});
}

void Upkeep::read_backlog(core::UnixMillis now) {
  if (!is_due(backlog_at_, backlog_every_ms, now)) return;
  backlog_at_ = now;  // what fails now would fail a second later, too
  ports::DeliveryBacklog backlog = store_->backlog(options_.most_waiting);
  const std::vector<std::uint64_t> growing = take_growing(backlog.overfull);
  {
    const std::lock_guard lock(mutex_);
    statistics_.backlog = std::move(backlog);
  }
  for (const std::uint64_t endpoint : growing) disable_overfull(endpoint);
}

void Upkeep::disable_overfull(std::uint64_t endpoint) {
  constexpr auto reason = ports::DisableReason::backlog;
  if (!store_->disable(endpoint, reason)) return;
  log_.warn("webhook_endpoint_disabled", "nothing is delivered to it until somebody enables it",
            {{"endpoint", endpoint}, {"reason", ports::disable_reason_name(reason)}});
  const std::lock_guard lock(mutex_);
  ++statistics_.overfull_disabled;
}

/// Those for which more waits than at the last reading, or so much that nobody counts it. The others are remembered:
/// an endpoint that was enabled again may well have more than the bound, and get on with it.
std::vector<std::uint64_t> Upkeep::take_growing(const std::vector<ports::OverfullEndpoint>& overfull) {
  std::vector<std::uint64_t> growing;
  std::map<std::uint64_t, std::uint64_t> others;
  for (const auto& [endpoint, waiting] : overfull) {
    const auto before = overfull_.find(endpoint);
    const bool is_uncounted = waiting >= options_.most_waiting * ports::most_times_counted;
    if (is_uncounted || (before != overfull_.end() && waiting > before->second)) {
      growing.push_back(endpoint);
    } else {
      others.emplace(endpoint, waiting);
    }
  }
  overfull_ = std::move(others);
  return growing;
}

/// True: there is more to remove.
bool Upkeep::prune(core::UnixMillis now) {
  if (!is_due(pruned_at_, prune_every_ms, now)) return false;
  const auto pruned_before = std::exchange(pruned_at_, now);  // as the backlog's
  for (int step = 0; step < prune_steps_a_round && !is_stopping(); ++step) {
    const std::size_t removed = store_->prune(now - options_.retention_ms, prune_step);
    {
      const std::lock_guard lock(mutex_);
      statistics_.pruned_deliveries += removed;
    }
    if (removed < prune_step) return false;
  }
  pruned_at_ = pruned_before;
  return true;
}

/// True: there is more to bring on.
bool Upkeep::advance_replays() {
  // What waits and what a step adds are less than the bound together: no replay makes an endpoint overfull.
  const std::size_t most = std::max<std::size_t>(std::min(replay_most_waiting, options_.most_waiting / 2), 1);
  for (int step = 0; step < replay_steps_a_round && !is_stopping(); ++step) {
    if (!store_->advance_replay(std::min(replay_step, most), most)) return false;
    const std::lock_guard lock(mutex_);
    ++statistics_.replay_steps;
  }
  return true;
}

}  // namespace fluxora::webhooks
