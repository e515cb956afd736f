#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "fluxora/core/dedup_cache.hpp"
#include "fluxora/hub/feed_shard.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "fluxora/hub/read_queue.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::hub {

struct HubStatistics {
  using OfEachFormat = std::array<std::uint64_t, feed_formats>;

  std::uint64_t tail_seq = 0;            ///< the newest entry that was read
  std::chrono::milliseconds tail_age{};  ///< since the log was last read to its end: how much may have been missed
  std::uint64_t entries_published = 0;
  std::uint64_t duplicates = 0;       ///< entries that weren't published, because their event stood already
  OfEachFormat sessions{};            ///< that there are now, by FeedFormat
  OfEachFormat slow_consumers{};      ///< connections that were ended because they didn't read, by FeedFormat
  std::uint64_t subscriptions = 0;    ///< that there are now
  std::uint64_t replays = 0;          ///< subscriptions that began behind the tail
  std::uint64_t replays_running = 0;  ///< those that are behind it now
  std::uint64_t reads_waiting = 0;    ///< questions of replays that wait for a reader of the log
  std::uint64_t deliveries = 0;       ///< entries handed to connections
  std::uint64_t holds = 0;            ///< times that a connection was held because it didn't keep up
};

/// Follows the log on a thread of its own and hands each entry to every I/O thread's shard, which knows who asks for
/// it. Being notified is a hint: entries are read by seq, so none is lost, whichever instance wrote them.
class Hub {
 public:
  /// Runs a task on an I/O thread, or never, when that has ended.
  using Post = std::function<void(unsigned io_thread, std::function<void()> task)>;

  /// Most entries that are read at once.
  static constexpr std::size_t batch_limit = 500;
  /// Most entries that are handed to a thread at once, and about how many bytes: what they bring to a connection is
  /// far below what may wait there, and leaves in one write.
  static constexpr std::size_t handed_entries = 128;
  static constexpr std::size_t handed_bytes = 256 * 1024;
  /// Hand-overs that may wait for a thread. The slowest thread sets the pace of reading.
  static constexpr unsigned max_handed = 16;
  /// Pages that all replays together read at once.
  static constexpr std::size_t reads_at_once = 2;
  /// Questions of replays that may wait for that; more are refused as busy. A connection has one page on its way at a
  /// time.
  static constexpr std::size_t max_reads_waiting = 10'000;
  /// Events that are remembered so that one which a replayed batch brings again isn't told again. SPEC section 6.
  static constexpr std::size_t remembered_events = 10'000;

  /// Entries before the log's end that are remembered from the start on.
  static constexpr std::size_t remembered_at_start = 1'000;

  /// `log`: what replays read; it outlives its last answer.
  Hub(std::unique_ptr<ports::LogTail> tail, ports::EventLog& log, ports::Clock& clock, ports::Log& lines);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Finds the log's end and begins to follow. Throws ports::StoreUnavailable. `post` works as long as the log answers.
  /// `on_entries`: called when the log has grown, on the thread that follows it; must not block.
  void start(unsigned io_threads, Post post, std::function<void()> on_entries = nullptr);
  /// Nothing more of the log is handed over. Returns at once; the following ends when the database lets it.
  void begin_stop();
  /// Ends the following, after what is being asked of the database has its answer. The clock must be ending.
  void stop();

  /// Sends a message to every subscriber, now and on every thread. From any thread.
  void broadcast(Notice notice);

  /// From any thread, after start().
  [[nodiscard]] HubStatistics statistics() const;

  // On the I/O thread they name.
  [[nodiscard]] FeedShard& shard(unsigned io_thread) { return shards_.at(io_thread)->feeds; }
  void add(unsigned io_thread, Subscriber& subscriber) { shard(io_thread).add(subscriber); }
  void remove(unsigned io_thread, Subscriber& subscriber) { shard(io_thread).remove(subscriber); }
  /// About once a second. Does nothing before start().
  void tick(unsigned io_thread);

 private:
  struct Shard {
    Shard(ReadQueue& log, const TailPosition& position, FeedShard::Post post) : feeds(log, position, std::move(post)) {}

    FeedShard feeds;
    unsigned handed = 0;  // hand-overs that wait; under pace_mutex_
  };

  using Batches = std::vector<std::shared_ptr<const PublishedBatch>>;

  Batches read_recent(const ports::LogHead& head);
  void run();
  void follow();
  void read_news();
  void publish(std::vector<core::LogEntry> entries);
  /// False: the end has come.
  bool hand_over(std::shared_ptr<const PublishedBatch> batch);
  /// Counts a hand-over to each thread once all have room. False: the end has come.
  bool await_threads();
  /// One hand-over less waits for that thread.
  void end_hand_over(Shard& shard);
  [[nodiscard]] bool is_told_again(const core::LogEntry& entry);
  void change_log(const ports::LogHead& head);
  template <class Task>
  void on_every_thread(Task task);

  std::unique_ptr<ports::LogTail> tail_;
  ReadQueue log_;
  ports::Clock& clock_;
  ports::Log& lines_;
  Post post_;
  std::function<void()> on_entries_;
  std::vector<std::unique_ptr<Shard>> shards_;
  TailPosition position_;                         // of the following thread
  core::DedupCache standing_{remembered_events};  // of the following thread
  std::mutex pace_mutex_;
  std::condition_variable pace_;
  std::atomic<std::uint64_t> tail_seq_{0};
  std::atomic<core::UnixMillis> at_end_{0};  // when the log was last read to its end
  std::atomic<std::uint64_t> entries_published_{0};
  std::atomic<std::uint64_t> duplicates_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace fluxora::hub
