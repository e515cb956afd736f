#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "fluxora/core/cursor.hpp"
#include "fluxora/hub/feed_counters.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "fluxora/hub/topic.hpp"
#include "fluxora/ports/event_log.hpp"

namespace fluxora::hub {

/// Most subscriptions of one connection. SPEC section 6.
inline constexpr std::size_t max_subscriptions = 1'000;

/// Entries of one step of a replay; the next step waits until the connection has sent them.
inline constexpr std::size_t replay_page = 200;

/// A step also ends when it has sent about so much, half of what a connection may have queued.
inline constexpr std::size_t replay_bytes = 512 * 1024;

/// A connection as the hub needs it, on the connection's own thread.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void send(Frame frame) = 0;
  /// True when nothing waits to be sent.
  [[nodiscard]] virtual bool drained() const = 0;
  /// The log can't be read now, so a replay can't go on: end the connection, its client can resume by cursor.
  virtual void give_up() = 0;
};

struct Subscribed {
  enum class Problem : std::uint8_t { none, too_many, unavailable };
  Problem problem = Problem::none;
  core::ResumeDecision decision;
  std::string epoch;
};

/// The subscriptions of one connection: decides where each begins, replays what it missed and goes over to what is
/// new, so that each log entry reaches the connection once and, within a subscription, in order.
/// All on the connection's thread.
class FeedSession : public std::enable_shared_from_this<FeedSession> {
 public:
  /// Runs a task on the connection's thread, or never, when that has ended. From any thread, also when the
  /// connection is gone.
  using Post = std::function<void(std::function<void()> task)>;

  /// `tail_seq`: what the thread has been given when the session begins. The log outlives the session; the outlet lives
  /// until close(). `counters`, where there are any, outlive it.
  FeedSession(ports::EventLog& log, Outlet& outlet, Post post, std::string epoch, std::uint64_t tail_seq,
              FeedCounters* counters = nullptr);

  /// Subscribes from now on, or from a cursor on. `done` comes before the topic's first entry, and not at all when the
  /// topic is unsubscribed first. A topic that is subscribed already stays as it is: `done` hears how far it has come.
  void subscribe(const Topic& topic, const std::optional<core::Cursor>& after, std::function<void(Subscribed)> done);
  void unsubscribe(const Topic& topic);

  /// What the log got, in order and without a hole.
  void publish(const PublishedBatch& batch);

  /// Nothing waits to be sent any more: replays go on.
  void on_drained();

  /// Ends everything; nothing is sent after it.
  void close();

 private:
  /// It has been given every matching entry of (begin, position]; a live one's position is the session's tail, or
  /// `position` while that is still ahead of it.
  struct Subscription {
    Topic topic;
    std::uint64_t begin = 0;
    std::uint64_t position = 0;
    bool live = true;
    bool reading = false;      // a page is on its way
    std::uint64_t ticket = 0;  // tells its pages from those of an earlier subscription to the same topic
  };

  Subscription& add(const Topic& topic, std::uint64_t begin, bool live);
  void start(const Topic& topic, const core::Cursor& after, const ports::LogHead& head,
             const std::function<void(Subscribed)>& done);
  void read_on(Subscription& subscription);
  /// One replay reads at a time, so that several don't fill the connection's queue together.
  void read_next();
  void send_page(Subscription& subscription, const ports::EventPage& page);
  void on_page(const std::string& key, std::uint64_t ticket, ports::StoreResult<ports::EventPage> page);
  void tell_standing(const Subscription& subscription, const std::function<void(Subscribed)>& done) const;
  /// Whether the entry that `wanting` asks for came to the connection already, since `wanting` began.
  [[nodiscard]] bool was_sent(const core::LogEntry& entry, const Subscription& wanting) const;
  [[nodiscard]] std::uint64_t reached(const Subscription& subscription) const;
  [[nodiscard]] bool covers(const Subscription& subscription, std::uint64_t seq) const;
  void forget_ended();
  void count_subscriptions();
  template <class Visit>
  void for_each_match(const core::LogEntry& entry, Visit visit) const;

  ports::EventLog& log_;
  Outlet& outlet_;
  Post post_;
  std::string epoch_;
  std::uint64_t tail_seq_;
  std::uint64_t next_ticket_ = 0;
  bool closed_ = false;
  FeedCounters* const counters_;
  std::size_t counted_subscriptions_ = 0;
  std::unordered_map<std::string, Subscription> subscriptions_;  // by topic_key
  std::unordered_map<std::uint64_t, std::string> asking_;  // topic_key by ticket: the log is asked where it begins
  // What was unsubscribed while others may still come to entries that it brought; the ticket is that of its end.
  std::vector<Subscription> ended_;
};

}  // namespace fluxora::hub
