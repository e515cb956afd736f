#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/connection_counts.hpp"
#include "log_news.hpp"

namespace fluxora::redis {

/// Each instance tells the others how many feeds each address has with it: what has changed at the next tick, and
/// everything every few seconds. What isn't told again in time is forgotten, so that an instance that died counts for
/// nothing soon, and a message that was lost doesn't matter for long.
class SharedCounts final : public ports::ConnectionCounts {
 public:
  static constexpr std::chrono::milliseconds tell_all_every{3'000};
  static constexpr std::chrono::milliseconds forget_after{7'000};  ///< one telling may be lost
  static constexpr std::size_t addresses_a_message = 1'000;
  static constexpr std::size_t messages_a_tick = 20;
  /// Addresses that have left and wait to be told of. Of more than that the others hear no more and forget them.
  static constexpr std::size_t max_untold = addresses_a_message * messages_a_tick;
  static constexpr std::size_t max_addresses = 200'000;  ///< of others
  static constexpr std::size_t max_instances = 256;      ///< that are remembered for one address

  /// False: the message couldn't be sent.
  using Publish = std::function<bool(std::string message)>;

  SharedCounts(InstanceId self, const ports::Clock& clock, Publish publish);

  [[nodiscard]] std::size_t elsewhere(const std::string& address) const override;
  void changed(const std::string& address, std::size_t here) override;

  /// Tells what there is to tell. On one thread, a few times a second.
  void tick();
  /// Another instance's message, or our own. False: it is none.
  bool take(std::string_view message);
  [[nodiscard]] std::size_t addresses_elsewhere() const;

 private:
  struct Theirs {
    InstanceId instance;
    std::uint32_t count;
    core::UnixMillis heard_at;
  };

  /// The next message's text; empty where nothing is left to tell.
  std::string next_message();
  void forget_old();
  void note(const InstanceId& instance, const std::string& address, std::uint32_t count);
  [[nodiscard]] bool is_current(const Theirs& theirs) const;

  const InstanceId self_;
  const ports::Clock& clock_;
  const Publish publish_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::uint32_t> ours_;
  std::unordered_set<std::string> untold_;
  std::unordered_map<std::string, std::vector<Theirs>> theirs_;
  core::UnixMillis told_all_at_ = 0;
};

}  // namespace fluxora::redis
