#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/cursor.hpp"
#include "fluxora/hub/feed_shard.hpp"
#include "fluxora/hub/published_entry.hpp"
#include "fluxora/hub/topic.hpp"
#include "fluxora/ports/event_log.hpp"

namespace fluxora::hub {

/// Most subscriptions of one connection. SPEC section 6.
inline constexpr std::size_t max_subscriptions = 1'000;

/// Entries of one page of a replay.
inline constexpr std::size_t replay_page = 200;

/// Ticks of about a second in which what a connection has to send may not get less while more waits for it.
inline constexpr unsigned slow_consumer_ticks = 10;

/// Times that a busy store is asked, a tick apart, before a replay is given up.
inline constexpr unsigned busy_store_ticks = 10;

/// What waits to be sent on a connection.
struct Backlog {
  std::size_t bytes = 0;
  std::size_t messages = 0;
};

/// A connection as the hub needs it, on the connection's own thread.
class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual void send(Frame frame) = 0;
  [[nodiscard]] virtual Backlog backlog() const = 0;
  /// True when nothing waits to be sent.
  [[nodiscard]] virtual bool drained() const = 0;
  /// The log can't be read now, or is another one, so the feed can't go on: end the connection, its client can resume
  /// by cursor.
  virtual void give_up() = 0;
  /// The client doesn't read, and entries wait for it: end the connection as a slow consumer (4008).
  virtual void too_slow() = 0;
};

struct Subscribed {
  enum class Problem : std::uint8_t { none, too_many, unavailable };
  Problem problem = Problem::none;
  core::ResumeDecision decision;
  std::string epoch;
};

/// The subscriptions of one connection: decides where each begins, replays what it missed and goes over to what is
/// new, so that each log entry reaches the connection once and, within a subscription, in order.
///
/// A connection with FeedLimits::held_from_… waiting to be sent is held: it is given nothing more until its queue is
/// empty, and then reads on where it stopped, from what the shard remembers or from the log, until it has caught up. So
/// a burst costs a healthy client nothing but a moment, and a slow one has a bounded queue. While entries wait for it,
/// by a hold or by a replay, it is ended as a slow consumer when its queue doesn't get shorter for slow_consumer_ticks.
///
/// All on the connection's thread, which is the shard's. While it has live subscriptions the shard hands it entries;
/// close() it before it goes.
class FeedSession : public std::enable_shared_from_this<FeedSession> {
 public:
  /// The shard outlives the session; the outlet lives until close().
  FeedSession(FeedShard& shard, Outlet& outlet, FeedFormat format);
  ~FeedSession();
  FeedSession(const FeedSession&) = delete;
  FeedSession& operator=(const FeedSession&) = delete;

  /// Subscribes from now on, or from a cursor on. `done` comes before the topic's first entry, and not at all when the
  /// topic is unsubscribed first. A topic that is subscribed already stays as it is: `done` hears how far it has come.
  void subscribe(const Topic& topic, const std::optional<core::Cursor>& after, std::function<void(Subscribed)> done);
  void unsubscribe(const Topic& topic);

  /// Nothing waits to be sent any more: what was held and replays go on.
  void on_drained();

  /// Ends everything; nothing is sent after it.
  void close();

  // From its shard.

  /// The log's next entry, which `subscription` asks for, being live.
  void offer(const PublishedEntry& entry, const Subscription& subscription, FrameSource& frames);
  /// About once a second while it is behind.
  void on_tick();
  /// Closes, and ends the connection: it can't be given what it is to be given.
  void give_up();

 private:
  /// What was unsubscribed while others may still come to entries that it brought.
  struct Ended {
    Topic topic;
    std::uint64_t begin = 0;
    std::uint64_t position = 0;
    std::uint64_t ticket = 0;  // of its end
  };
  /// A topic of which the log is asked where it begins.
  struct Asking {
    Topic topic;
    core::Cursor after;
    std::function<void(Subscribed)> done;
    std::uint64_t ticket = 0;
    unsigned busy_answers = 0;
    bool waits_for_tick = false;  // to be asked again
  };
  /// What a page is read for: a subscription's replay, or everything live that is held.
  struct Reading {
    std::uint64_t ticket = 0;   // the subscription's; 0: what is held
    std::uint64_t changes = 0;  // changes_ when it was asked for
  };
  enum class Pass : std::uint8_t { done, full };

  [[nodiscard]] Subscription* find(const TopicNode* node) const;
  [[nodiscard]] Subscription* find(const Topic& topic) const;
  [[nodiscard]] Subscription* find_replay(std::uint64_t ticket) const;
  [[nodiscard]] bool is_of_another_log() const { return generation_ != shard_.generation(); }
  void ask_where_to_begin(const Topic& topic, const core::Cursor& after, std::function<void(Subscribed)> done);
  void ask_for_head(std::uint64_t ticket);
  void ask_again();
  void on_head(std::uint64_t ticket, const ports::StoreResult<ports::LogHead>& head);
  void start(const Asking& asked, const ports::LogHead& head);
  void begin(const Topic& topic, std::uint64_t after_seq);
  void go_live(Subscription& subscription);
  void tell_standing(const Subscription& subscription, const std::function<void(Subscribed)>& done) const;
  void remember_ended(const Subscription& subscription);
  void forget_ended();

  /// Up to where live subscriptions have been given everything: the shard's tail, or where the session is held.
  [[nodiscard]] std::uint64_t live_seq() const;
  [[nodiscard]] std::uint64_t reached(const Subscription& subscription) const;
  /// Whether the entry that `wanting` asks for came to the connection already, since `wanting` began.
  [[nodiscard]] bool was_sent(const EntryKeys& entry, const Subscription& wanting) const;
  [[nodiscard]] bool is_wanted_live(const EntryKeys& entry) const;
  [[nodiscard]] bool has_room(std::size_t bytes);
  void send(const Frame& frame);

  void hold(std::uint64_t at);
  void release();
  /// Entries wait for it.
  [[nodiscard]] bool catches_up() const { return held_at_ || replaying_ > 0; }
  void note_whether_behind();

  // Catching up. Where a replay is asked for, null is everything live that is held.

  /// One step of a replay or of what is held, by turns, and the next where the connection has sent the last.
  void read_next();
  /// The oldest.
  [[nodiscard]] Subscription* next_replay() const;
  /// False: nothing moved.
  bool step(Subscription* replay);
  void read_page(const Subscription* replay);
  void on_page(Reading reading, const ports::StoreResult<ports::EventPage>& page);
  void send_page(Subscription* replay, const ports::EventPage& page);
  /// Sends what is wanted of the next entry and moves on behind it, unless there is no room for it.
  template <class MakeFrame>
  Pass pass(Subscription* replay, const EntryKeys& entry, MakeFrame make_frame);
  [[nodiscard]] std::uint64_t position_of(const Subscription* replay) const;
  void move(Subscription* replay, std::uint64_t position);
  /// What has caught up goes on live.
  void finish_if_there(Subscription* replay);

  FeedShard& shard_;
  Outlet& outlet_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;  // by the address of their node
  std::vector<Asking> asking_;
  std::vector<Ended> ended_;
  std::optional<std::uint64_t> held_at_;  // live subscriptions have been given everything up to there, and no more
  std::uint64_t ahead_ = 0;               // what came to this connection before the shard reached it is below
  std::uint64_t delivered_ = 0;           // the last entry that the shard brought
  std::uint64_t next_ticket_ = 0;
  std::uint64_t changes_ = 0;     // of the set of live subscriptions
  std::size_t queued_bytes_ = 0;  // at most what waits of what was sent
  std::size_t queued_messages_ = 0;
  std::size_t ticked_bytes_ = 0;  // that waited at the last tick
  std::uint32_t generation_;      // of the shard's log
  std::uint16_t replaying_ = 0;
  std::uint8_t stuck_ticks_ = 0;
  std::uint8_t busy_ticks_ = 0;
  FeedFormat format_;
  bool closed_ = false;
  bool behind_ = false;     // entries wait for it, or a busy store: the shard's tick comes to it
  bool reading_ = false;    // a page is on its way
  bool held_next_ = false;  // whose turn it is
};

}  // namespace fluxora::hub
