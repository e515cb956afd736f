#include "subscription.hpp"

#include <algorithm>

#include "fluxora/core/circuit_breaker.hpp"

namespace fluxora::redis {
namespace {

constexpr core::Backoff backoff{250, 5'000};
constexpr std::chrono::milliseconds ask_after{1'000};

}  // namespace

Subscription::Subscription(RedisAddress address, Connectivity& connectivity, Listener listener)
    : address_(std::move(address)), connectivity_(connectivity), listener_(std::move(listener)) {}

Subscription::~Subscription() {
  stop();
}

void Subscription::start() {
  thread_ = std::thread([this] { run(); });
}

void Subscription::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  wake_up_.wake();
  if (thread_.joinable()) thread_.join();
}

void Subscription::listen_to(std::vector<std::string> channels) {
  {
    const std::lock_guard lock(mutex_);
    channels_ = std::move(channels);
  }
  wake_.notify_all();
  wake_up_.wake();
}

std::vector<std::string> Subscription::wanted() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !channels_.empty(); });
  return stopping_ ? std::vector<std::string>() : channels_;
}

bool Subscription::is_still_wanted(const std::vector<std::string>& channels) const {
  const std::lock_guard lock(mutex_);
  return !stopping_ && channels_ == channels;
}

void Subscription::run() {
  for (auto channels = wanted(); !channels.empty(); channels = wanted()) {
    try {
      listen(channels);
      failures_ = 0;
    } catch (const RedisError& error) {
      connectivity_.down(Connectivity::Part::subscription, error.what());
      ++failures_;
    }
    listener_.on_lost();
    if (failures_ != 0) pause(std::chrono::milliseconds(backoff.pause_ms(failures_)));
  }
}

void Subscription::listen(const std::vector<std::string>& channels) {
  Connection connection(address_);
  Command subscribe = {"SUBSCRIBE"};
  subscribe.insert(subscribe.end(), channels.begin(), channels.end());
  connection.send(subscribe);
  std::size_t open_channels = 0;
  Clock::time_point heard = Clock::now();
  Clock::time_point asked = heard;
  while (is_still_wanted(channels)) {
    if (const auto message = connection.receive(ask_after, wake_up_)) {
      heard = Clock::now();
      if (hear(*message) && ++open_channels == channels.size()) {
        failures_ = 0;
        connectivity_.up(Connectivity::Part::subscription);
      }
      continue;
    }
    const Clock::time_point now = Clock::now();
    if (now - heard > longest_silence) throw RedisError("Redis has fallen silent");
    if (now - std::max(heard, asked) < ask_after) continue;
    connection.send({"PING"});
    asked = now;
  }
}

bool Subscription::hear(const Reply& message) {
  if (message.kind == Reply::Kind::error) throw RedisError(refusal_text("SUBSCRIBE", message));
  if (message.list.empty()) throw RedisError("Redis answered something that isn't a message");
  const std::string& kind = message.list[0].text;
  if (kind == "message" && message.list.size() == 3) listener_.on_message(message.list[1].text, message.list[2].text);
  return kind == "subscribe";
}

void Subscription::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_; });
}

}  // namespace fluxora::redis
