#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_set>
#include <vector>

#include "fluxora/hub/feed_counters.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::hub {

/// Who hears of news on one I/O thread. Called on that thread.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  virtual void on_batch(const PublishedBatch& batch) = 0;
  virtual void on_notice(const Frame& notice) = 0;
  /// The log is another one now: whoever follows has to fetch state again.
  virtual void on_epoch_changed() = 0;
};

/// Where a thread's subscribers stand: they have been given every entry up to seq.
struct TailPosition {
  std::string epoch;
  std::uint64_t seq = 0;
};

struct HubStatistics {
  std::uint64_t tail_seq = 0;            ///< the newest entry that was read
  std::chrono::milliseconds tail_age{};  ///< since the log was last read to its end: how much may have been missed
  std::uint64_t entries_published = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t replays = 0;
};

/// Follows the log on a thread of its own, encodes each entry once and hands it to every I/O thread's subscribers.
/// Being notified is a hint: entries are read by seq, so none is lost, whichever instance wrote them.
class Hub {
 public:
  /// Runs a task on an I/O thread.
  using Post = std::function<void(unsigned io_thread, std::function<void()> task)>;

  /// Most entries that are read, encoded and handed over at once.
  static constexpr std::size_t batch_limit = 500;

  Hub(std::unique_ptr<ports::LogTail> tail, ports::Clock& clock, ports::Log& log);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// Finds the log's end and begins to follow. Throws ports::StoreUnavailable. `post` works until stop().
  void start(unsigned io_threads, Post post);
  /// Ends the following. The clock must be ending.
  void stop();

  /// Sends a message to every subscriber, now and on every thread. From any thread.
  void broadcast(Frame notice);

  /// From any thread, after start().
  [[nodiscard]] HubStatistics statistics() const;
  [[nodiscard]] FeedCounters& feed_counters() noexcept { return feed_counters_; }

  // On the I/O thread they name.
  void add(unsigned io_thread, Subscriber& subscriber);
  void remove(unsigned io_thread, Subscriber& subscriber);
  [[nodiscard]] const TailPosition& position(unsigned io_thread) const;

 private:
  /// What one I/O thread has; only touched on it.
  struct Shard {
    TailPosition position;
    std::unordered_set<Subscriber*> subscribers;

    template <class Visit>
    void tell(Visit visit);
  };

  void run();
  void follow();
  void read_news();
  void publish(std::vector<core::LogEntry> entries);
  void change_log(const ports::LogHead& head);
  template <class Task>
  void on_every_thread(Task task);

  std::unique_ptr<ports::LogTail> tail_;
  ports::Clock& clock_;
  ports::Log& log_;
  Post post_;
  std::vector<std::unique_ptr<Shard>> shards_;
  TailPosition position_;  // of the following thread
  std::atomic<std::uint64_t> tail_seq_{0};
  std::atomic<core::UnixMillis> at_end_{0};  // when the log was last read to its end
  std::atomic<std::uint64_t> entries_published_{0};
  FeedCounters feed_counters_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace fluxora::hub
