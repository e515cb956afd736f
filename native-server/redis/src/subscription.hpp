#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "connectivity.hpp"

namespace fluxora::redis {

/// Listens to channels on a thread of its own, and again after each loss of the connection.
class Subscription {
 public:
  /// Longest without a word from Redis, which is asked for one in between: then the connection counts as lost.
  static constexpr std::chrono::milliseconds longest_silence{3'000};

  /// Both are called on the subscription's thread.
  struct Listener {
    std::function<void(const std::string& channel, std::string_view message)> on_message;
    /// From here on messages may have been missed.
    std::function<void()> on_lost;
  };

  Subscription(RedisAddress address, Connectivity& connectivity, Listener listener);
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  void start();
  void stop();
  /// These instead of those before. From any thread.
  void listen_to(std::vector<std::string> channels);

 private:
  using Clock = std::chrono::steady_clock;

  void run();
  /// Waits until there is something to listen to; empty at the end.
  std::vector<std::string> wanted();
  /// Listens until the end, or until other channels are wanted. Throws RedisError.
  void listen(const std::vector<std::string>& channels);
  /// True when it says that a channel is being listened to from here on.
  bool hear(const Reply& message);
  [[nodiscard]] bool is_still_wanted(const std::vector<std::string>& channels) const;
  void pause(std::chrono::milliseconds duration);

  const RedisAddress address_;
  Connectivity& connectivity_;
  const Listener listener_;
  WakeUp wake_up_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::string> channels_;
  bool stopping_ = false;
  unsigned failures_ = 0;  // in a row; of the thread
  std::thread thread_;
};

}  // namespace fluxora::redis
