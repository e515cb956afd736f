#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/redis/redis.hpp"

struct redisContext;

namespace fluxora::redis {

/// Redis can't be reached, doesn't answer in time, refuses us (refusal_text()) or answers nonsense. The text holds no
/// credentials.
class RedisError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A command's words, the first its name.
using Command = std::vector<std::string>;

struct Reply {
  enum class Kind : std::uint8_t { nil, integer, text, error, list };
  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text;  ///< of `text` and `error`
  std::vector<Reply> list;
};

/// Which command was refused, and the kind of its error: `AUTH was refused: WRONGPASS`. The rest of what Redis says may
/// quote the command's words, credentials among them, and is told to nobody.
[[nodiscard]] std::string refusal_text(std::string_view command, const Reply& error);

/// Ends another thread's waiting. A descriptor to be polled beside others.
class WakeUp {
 public:
  /// Throws std::system_error where there is no descriptor left.
  WakeUp();
  ~WakeUp();
  WakeUp(const WakeUp&) = delete;
  WakeUp& operator=(const WakeUp&) = delete;

  /// From any thread.
  void wake();
  /// What has been woken for so far counts as seen.
  void reset();
  [[nodiscard]] int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

/// One blocking connection, of one thread. Every wait has an end. After a RedisError it is of no use any more. The
/// process has to ignore SIGPIPE.
class Connection {
 public:
  /// Longest for connecting and for one answer. Looking up a host's name may take the resolver's own time.
  static constexpr std::chrono::milliseconds patience{2'000};
  /// What may have come in of one message that isn't complete yet.
  static constexpr std::size_t max_unread_bytes = std::size_t{4} << 20;

  /// Connects, says who we are and sees whether it is answered. Throws RedisError.
  explicit Connection(const RedisAddress& address);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends all commands at once; the answers, in order. An answer may be an error. Throws RedisError.
  std::vector<Reply> run(const std::vector<Command>& commands);

  /// Sends a command whose answers receive() brings. Throws RedisError.
  void send(const Command& command);
  /// The next message; none after `timeout`, once for having been woken, and for a part of one. Throws RedisError.
  std::optional<Reply> receive(std::chrono::milliseconds timeout, WakeUp& wake_up);

 private:
  struct Free {
    void operator()(redisContext* context) const noexcept;
  };

  void append(const Command& command);
  Reply answer();
  std::optional<Reply> buffered();
  [[noreturn]] void fail() const;
  void introduce(const RedisAddress& address);

  std::unique_ptr<redisContext, Free> context_;
};

}  // namespace fluxora::redis
