#pragma once

#include <cstddef>
#include <deque>
#include <string>

#include "fluxora/api/sse_counters.hpp"
#include "fluxora/hub/published_entry.hpp"

namespace fluxora::api {

/// The messages that wait to be sent to one client, shared with all others who get them. Not for several threads.
class SseQueue {
 public:
  /// As many as a WebSocket may have waiting. SPEC section 6.
  static constexpr std::size_t max_bytes = 1024 * 1024;
  static constexpr std::size_t max_messages = 4'096;

  /// `counters` outlive the queue.
  explicit SseQueue(SseCounters& counters) : counters_(counters) {}
  ~SseQueue();
  SseQueue(const SseQueue&) = delete;
  SseQueue& operator=(const SseQueue&) = delete;

  void push(hub::Frame message);
  /// Takes what waits longest, up to so many bytes: whole messages, or part of one that is larger, whose rest is next.
  [[nodiscard]] std::string take(std::size_t most_bytes);
  /// Drops all messages of which nothing was taken.
  void drop_waiting();

  [[nodiscard]] bool empty() const noexcept { return messages_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t messages() const noexcept { return messages_.size(); }
  [[nodiscard]] bool over_bound() const noexcept { return bytes_ > max_bytes || messages_.size() > max_messages; }
  [[nodiscard]] std::uint64_t messages_taken() const noexcept { return messages_taken_; }
  [[nodiscard]] std::uint64_t bytes_taken() const noexcept { return bytes_taken_; }

 private:
  SseCounters& counters_;
  std::deque<hub::Frame> messages_;
  std::size_t begun_ = 0;  // bytes of the first message that are taken
  std::size_t bytes_ = 0;  // not taken
  std::uint64_t messages_taken_ = 0;
  std::uint64_t bytes_taken_ = 0;
};

}  // namespace fluxora::api
