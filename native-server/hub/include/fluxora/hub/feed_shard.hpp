#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/hub/feed_counters.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "fluxora/hub/read_queue.hpp"
#include "fluxora/hub/recent_entries.hpp"
#include "fluxora/hub/topic_index.hpp"

namespace fluxora::hub {

class FeedSession;

/// Who hears of what concerns every connection of an I/O thread. Called on that thread.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void on_notice(const Notice& notice) = 0;
  /// The log is another one now: whoever follows has to fetch state again. Its feed sessions send nothing any more.
  virtual void on_epoch_changed() = 0;
  /// About once a second.
  virtual void on_tick(core::UnixMillis now) { static_cast<void>(now); }
};

/// What a shard keeps for its connections.
struct FeedLimits {
  /// Beyond so much that waits to be sent a connection is held: half of what may wait, which leaves the other half to
  /// answers. SPEC section 6.
  std::size_t held_from_bytes = 512 * 1024;
  std::size_t held_from_messages = 2'048;
  RecentEntries::Bounds recent;
};

/// Where a thread's subscribers stand: they have been given every entry up to seq.
struct TailPosition {
  std::string epoch;
  std::uint64_t seq = 0;
};

/// An entry's messages for one thread's connections. Each has a reference count of its own, so that threads which send
/// the same text don't share a cache line that both write with every message.
class FrameSource {
 public:
  explicit FrameSource(const PublishedEntry& entry) : entry_(entry) {}
  [[nodiscard]] const Frame& get(FeedFormat format);

 private:
  const PublishedEntry& entry_;
  std::array<Frame, feed_formats> frames_;
};

/// What the connections of one I/O thread share: how far they have been given the log, who asks for what, and what came
/// last. Touched on that thread only, but for post() and counters().
class FeedShard {
 public:
  /// Runs a task on the shard's thread, or never, when that has ended. From any thread.
  using Post = std::function<void(std::function<void()> task)>;

  /// The log outlives the shard.
  FeedShard(ReadQueue& log, TailPosition position, Post post, const FeedLimits& limits = {});
  FeedShard(const FeedShard&) = delete;
  FeedShard& operator=(const FeedShard&) = delete;

  [[nodiscard]] const TailPosition& position() const noexcept { return position_; }
  [[nodiscard]] const FeedCounters& counters() const noexcept { return counters_; }

  void add(Subscriber& subscriber) { subscribers_.insert(&subscriber); }
  void remove(Subscriber& subscriber) { subscribers_.erase(&subscriber); }

  // From the hub.

  /// The log's next entries: each goes to the sessions that ask for it. Where an entry fails to get to them, or the
  /// batch isn't the next one, live sessions are given up instead of having a hole: their clients resume by cursor.
  /// Throws what the failure was.
  void publish(std::shared_ptr<const PublishedBatch> batch);
  /// Another log has taken the place of ours.
  void change_log(const TailPosition& position);
  void broadcast(const Notice& notice);
  void tick(core::UnixMillis now);

  // From its sessions.

  [[nodiscard]] ReadQueue& log() noexcept { return log_; }
  void post(std::function<void()> task) const { post_(std::move(task)); }
  [[nodiscard]] std::function<void(std::function<void()>)> poster() const { return post_; }
  [[nodiscard]] TopicIndex& topics() noexcept { return topics_; }
  [[nodiscard]] const RecentEntries& recent() const noexcept { return recent_; }
  [[nodiscard]] const FeedLimits& limits() const noexcept { return limits_; }
  [[nodiscard]] FeedCounters& count() noexcept { return counters_; }
  /// Which log it is: another number after each change of log.
  [[nodiscard]] std::uint32_t generation() const noexcept { return generation_; }
  /// Sessions that wait to be given more are asked to go on, or end, by the tick.
  void set_behind(FeedSession& session, bool behind);

 private:
  template <class Visit>
  void tell(Visit visit);
  void deliver(const PublishedBatch& batch);
  void deliver(const PublishedEntry& entry);
  /// What came before isn't there for live sessions.
  void begin_anew_at(std::uint64_t seq);

  ReadQueue& log_;
  TailPosition position_;
  Post post_;
  const FeedLimits limits_;
  std::uint32_t generation_ = 0;
  TopicIndex topics_;
  RecentEntries recent_;
  std::unordered_set<Subscriber*> subscribers_;
  std::unordered_set<FeedSession*> behind_;
  FeedCounters counters_;
};

}  // namespace fluxora::hub
