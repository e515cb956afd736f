#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "command_queue.hpp"
#include "fluxora/ports/clock.hpp"
#include "log_bus.hpp"

namespace fluxora::redis {

/// The bus as a channel, and the office of publishing on it as a key that expires (SET NX PX, a random token as its
/// value), renewed as long as its holder can read the database.
class RedisLogBus final : public LogBus {
 public:
  /// How long the office outlives its holder, how often it is renewed, and how often others try for it.
  static constexpr std::chrono::milliseconds lease{2'000};
  static constexpr std::chrono::milliseconds renew_every{500};

  struct Names {
    std::string log;          ///< channel
    std::string connections;  ///< channel
    std::string publisher;    ///< key
    std::string rates;        ///< prefix of keys
  };
  /// Of a log on a Redis: two installations that share one have different epochs. Channels know no databases, so that
  /// one's number is in the name, too.
  [[nodiscard]] static Names names(unsigned database, const std::string& epoch);

  using FollowNames = std::function<void(const Names&)>;

  /// `on_names`: other channels are the right ones from here on. All outlive it.
  RedisLogBus(unsigned database, InstanceId self, CommandQueue& commands, const ports::Clock& clock,
              FollowNames on_names);

  void follow(const std::string& epoch) override;
  [[nodiscard]] bool publishes() const override;
  void stand(bool wanted) override;
  void publish(std::string epoch, std::uint64_t last_seq, std::vector<core::LogEntry> entries) override;
  [[nodiscard]] LogInbox& inbox() override { return inbox_; }
  void contradict() override;

  /// What came on the log's channel. Of the subscription's thread.
  void take(std::string_view message);

  struct Counts {
    std::uint64_t published = 0;
    std::uint64_t dropped = 0;
    std::uint64_t received = 0;
    std::uint64_t refused = 0;
  };
  [[nodiscard]] Counts counts() const;

 private:
  void ask_for_office(Command command, const std::string& key, bool (*is_ours)(const Reply&));

  const unsigned database_;
  const InstanceId self_;
  const std::string token_;
  CommandQueue& commands_;
  const ports::Clock& clock_;
  const FollowNames on_names_;
  LogInbox inbox_;
  mutable std::mutex mutex_;
  Names names_;
  core::UnixMillis held_from_ = 0;  // until held_until_, by this clock
  core::UnixMillis held_until_ = 0;
  core::UnixMillis asked_at_ = 0;
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> dropped_{0};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<std::uint64_t> refused_{0};
};

}  // namespace fluxora::redis
