#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/ports/clock.hpp"
#include "log_news.hpp"

namespace fluxora::redis {

/// What another instance has told of the log's end, for the thread that follows it. It can be relied on for as long as
/// somebody tells of that log all the time. From any thread.
class LogInbox {
 public:
  /// Without a word for so long, nobody is there who would tell.
  static constexpr std::chrono::milliseconds longest_silence{1'000};
  static constexpr std::size_t max_pages = 32;

  explicit LogInbox(const ports::Clock& clock) : clock_(clock) {}

  /// Of the log of that epoch from here on.
  void begin(const std::string& epoch);
  /// False for news of another log, which isn't taken.
  bool put(LogNews news);
  /// Something may have been missed: nothing is known until the next word.
  void doubt();

  [[nodiscard]] bool is_trusted() const;
  /// Up to where the log goes, as it was told; 0 for nothing.
  [[nodiscard]] std::uint64_t promised() const;

  /// What follows `seq`, `limit` entries at most; empty where the log is known to end there; none where that isn't
  /// known.
  std::optional<std::vector<core::LogEntry>> take_after(std::uint64_t seq, std::size_t limit);

  /// Returns when there is more than was taken, when nothing is known any more, or after `timeout`.
  void wait(std::chrono::milliseconds timeout);

 private:
  [[nodiscard]] bool trusted() const;

  const ports::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::string epoch_;
  std::optional<core::UnixMillis> heard_at_;
  std::uint64_t promised_ = 0;
  std::uint64_t taken_ = 0;
  bool woken_ = false;
  std::deque<std::vector<core::LogEntry>> pages_;  // none of them empty
};

}  // namespace fluxora::redis
