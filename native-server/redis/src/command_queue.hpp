#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "connectivity.hpp"

namespace fluxora::redis {

/// Sends commands to Redis on a thread of its own, those that wait together in one write. While Redis is away nothing
/// is taken: what would wait for it is worth nothing by then.
class CommandQueue {
 public:
  static constexpr std::size_t max_commands = 1'024;
  static constexpr std::size_t max_bytes = std::size_t{16} << 20;
  static constexpr std::chrono::milliseconds tick_every{250};

  /// Called on the queue's thread; null where the command has no answer. The answer may be an error of Redis'.
  using Answer = std::function<void(const Reply* reply)>;

  /// `on_tick`: about every tick_every while Redis is in reach, and once more at the end. On the queue's thread.
  CommandQueue(RedisAddress address, Connectivity& connectivity, std::function<void()> on_tick);
  ~CommandQueue();
  CommandQueue(const CommandQueue&) = delete;
  CommandQueue& operator=(const CommandQueue&) = delete;

  void start();
  /// Sends what waits, if Redis answers, and joins.
  void stop();

  /// From any thread. False: Redis is away, or too much waits; `answer` isn't called then.
  bool submit(Command command, Answer answer = nullptr);

  struct Counts {
    std::uint64_t commands = 0;
    std::uint64_t failures = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  struct Waiting {
    Command command;
    Answer answer;
  };
  using Clock = std::chrono::steady_clock;

  void run();
  void serve(Connection& connection);
  /// What waits; waits itself until something does, a tick is due or the end is near.
  std::deque<Waiting> take();
  void perform(Connection& connection, std::deque<Waiting>& batch);
  void tick_if_due();
  /// Ends with the connection: whoever waits for an answer gets none.
  void disconnect(std::deque<Waiting> unanswered);
  /// False at the end.
  bool pause(std::chrono::milliseconds duration);
  [[nodiscard]] bool is_stopping() const;

  const RedisAddress address_;
  Connectivity& connectivity_;
  const std::function<void()> on_tick_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Waiting> queue_;
  std::size_t queued_bytes_ = 0;
  bool connected_ = false;
  bool stopping_ = false;
  Counts counts_;
  Clock::time_point next_tick_;
  std::thread thread_;
};

}  // namespace fluxora::redis
