#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/hub/feed_session.hpp"
#include "fluxora/hub/read_queue.hpp"
#include "memory_event_log.hpp"

namespace fluxora::hub::test {

/// A connection that keeps what is sent on it: "7" for the update of seq 7, and what the test notes beside it.
class RecordingOutlet final : public Outlet {
 public:
  void send(Frame frame) override;
  [[nodiscard]] Backlog backlog() const override { return backlog_; }
  [[nodiscard]] bool drained() const override { return backlog_.messages == 0; }
  void give_up() override { ++given_up; }
  void too_slow() override { ++ended_as_slow; }

  void note(std::string text) { sent.push_back(std::move(text)); }
  void set_drained() { backlog_ = {}; }
  /// The connection has sent so much of it.
  void set_sent(std::size_t bytes) { backlog_.bytes -= bytes; }

  std::vector<std::string> sent;
  std::vector<Frame> frames;
  int given_up = 0;
  int ended_as_slow = 0;
  std::function<void(std::uint64_t seq)> on_send;

 private:
  Backlog backlog_;
};

/// A session, its connection, its shard and their thread's mailbox. Nothing moves but by the test's hand.
class SessionBench {
 public:
  /// The session begins where the log ends, unless told otherwise.
  explicit SessionBench(std::size_t entries = 0, std::optional<std::uint64_t> tail = std::nullopt);

  /// Begins anew, with a shard that has been given the log up to there and remembers none of it.
  void begin_at(std::uint64_t tail, const FeedLimits& limits = {});
  void begin_at_the_end(const FeedLimits& limits = {}) { begin_at(log.extent.head_seq, limits); }

  /// Notes "<topic> <outcome> after <seq>", or what went wrong, when it is answered.
  void subscribe(const Topic& topic, const std::optional<core::Cursor>& after = std::nullopt);
  /// Hands the shard what the log got since the last time, up to `seq`.
  void publish_up_to(std::uint64_t seq);
  void publish_all() { publish_up_to(log.extent.head_seq); }
  /// Appends entries of stream 1 and hands them over.
  void happen(std::size_t count);

  /// The oldest question is answered and the answer reaches the session.
  void answer();
  void run_mailbox();
  /// The connection has sent everything.
  void drain();
  /// So many seconds pass.
  void tick(unsigned times = 1);
  /// Until nothing waits any more.
  void settle();

  MemoryEventLog log;
  ReadQueue queue{log, 1'000, 1'000};
  RecordingOutlet outlet;
  std::deque<std::function<void()>> mailbox;
  std::unique_ptr<FeedShard> shard;
  std::shared_ptr<FeedSession> session;
  std::uint64_t published = 0;
};

inline const Topic everything{};
[[nodiscard]] Topic of_stream(std::uint64_t number);
[[nodiscard]] Topic to_recipient(std::string address);
[[nodiscard]] Topic from_sender(std::string address);
[[nodiscard]] core::Cursor at(std::uint64_t seq);

/// What was sent: notes, and "first".."last".
[[nodiscard]] std::vector<std::string> sequence(std::vector<std::string> notes, std::uint64_t first,
                                                std::uint64_t last);

}  // namespace fluxora::hub::test
