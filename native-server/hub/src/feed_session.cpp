#include "fluxora/hub/feed_session.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace fluxora::hub {
namespace {

bool comes_before(const TopicNode* a, const TopicNode* b) {
  return std::less<const TopicNode*>()(a, b);
}

}  // namespace

FeedSession::FeedSession(FeedShard& shard, Outlet& outlet, FeedFormat format)
    : shard_(shard), outlet_(outlet), generation_(shard.generation()), format_(format) {
  ++shard_.count().sessions[static_cast<std::size_t>(format_)];
}

FeedSession::~FeedSession() {
  close();
}

void FeedSession::close() {
  if (std::exchange(closed_, true)) return;
  for (const auto& subscription : subscriptions_) {
    if (subscription->live) TopicIndex::unfollow(*subscription);
    shard_.topics().give_back(*subscription->node);
  }
  shard_.count().subscriptions -= subscriptions_.size();
  shard_.count().replays_running -= replaying_;
  --shard_.count().sessions[static_cast<std::size_t>(format_)];
  if (behind_) shard_.set_behind(*this, false);
  subscriptions_.clear();
  asking_.clear();
  ended_.clear();
}

void FeedSession::give_up() {
  const auto self = shared_from_this();
  close();
  outlet_.give_up();
}

// Subscriptions.

Subscription* FeedSession::find(const TopicNode* node) const {
  const auto place = std::lower_bound(
      subscriptions_.begin(), subscriptions_.end(), node,
      [](const auto& subscription, const TopicNode* wanted) { return comes_before(subscription->node, wanted); });
  return place != subscriptions_.end() && (*place)->node == node ? place->get() : nullptr;
}

Subscription* FeedSession::find(const Topic& topic) const {
  const TopicNode* node = shard_.topics().find(topic);
  return node != nullptr ? find(node) : nullptr;
}

Subscription* FeedSession::find_replay(std::uint64_t ticket) const {
  for (const auto& subscription : subscriptions_) {
    if (!subscription->live && subscription->ticket == ticket) return subscription.get();
  }
  return nullptr;
}

void FeedSession::tell_standing(const Subscription& subscription, const std::function<void(Subscribed)>& done) const {
  done({Subscribed::Problem::none, {core::Resume::live, reached(subscription), 0, 0}, shard_.position().epoch});
}

void FeedSession::subscribe(const Topic& topic, const std::optional<core::Cursor>& after,
                            std::function<void(Subscribed)> done) {
  if (closed_) return;
  const TailPosition& tail = shard_.position();
  if (is_of_another_log()) {
    done({Subscribed::Problem::unavailable, {}, tail.epoch});
  } else if (const Subscription* standing = find(topic)) {
    tell_standing(*standing, done);
  } else if (subscriptions_.size() + asking_.size() >= max_subscriptions) {
    done({Subscribed::Problem::too_many, {}, tail.epoch});
  } else if (!after) {
    const std::uint64_t seq = tail.seq;
    done({Subscribed::Problem::none, {core::Resume::live, seq, 0, 0}, tail.epoch});
    begin(topic, seq);
  } else if (after->epoch == tail.epoch && after->seq <= tail.seq && shard_.recent().reaches_back_to(after->seq)) {
    done({Subscribed::Problem::none, {core::Resume::resumed, after->seq, 0, 0}, tail.epoch});
    begin(topic, after->seq);
  } else {
    ask_where_to_begin(topic, *after, std::move(done));
  }
}

/// Where the log stands now: its end may be ahead of this thread's tail, its beginning may have been pruned.
void FeedSession::ask_where_to_begin(const Topic& topic, const core::Cursor& after,
                                     std::function<void(Subscribed)> done) {
  const std::uint64_t ticket = ++next_ticket_;
  asking_.push_back({topic, after, std::move(done), ticket});
  ask_for_head(ticket);
}

void FeedSession::ask_for_head(std::uint64_t ticket) {
  shard_.log().head([self = weak_from_this(), post = shard_.poster(), ticket](ports::StoreResult<ports::LogHead> head) {
    post([self, ticket, head = std::move(head)] {
      if (const auto here = self.lock()) here->on_head(ticket, head);
    });
  });
}

void FeedSession::on_head(std::uint64_t ticket, const ports::StoreResult<ports::LogHead>& head) {
  if (closed_) return;
  const auto place =
      std::find_if(asking_.begin(), asking_.end(), [&](const Asking& asking) { return asking.ticket == ticket; });
  if (place == asking_.end()) return;
  if (!head && head.error() == ports::StoreFailure::busy && ++place->busy_answers < busy_store_ticks) {
    place->waits_for_tick = true;
    note_whether_behind();
    return;
  }
  const Asking asked = std::move(*place);
  asking_.erase(place);
  // Where the log is another one, this thread may not have heard of it yet: nothing can begin before it has.
  if (!head || is_of_another_log() || head->epoch != shard_.position().epoch) {
    asked.done({Subscribed::Problem::unavailable, {}, shard_.position().epoch});
    return;
  }
  start(asked, *head);
}

void FeedSession::ask_again() {
  for (Asking& asking : asking_) {
    if (std::exchange(asking.waits_for_tick, false)) ask_for_head(asking.ticket);
  }
  note_whether_behind();
}

void FeedSession::start(const Asking& asked, const ports::LogHead& head) {
  // Another may have come while the log was asked.
  if (const Subscription* standing = find(asked.topic)) {
    tell_standing(*standing, asked.done);
    return;
  }
  const core::ResumeDecision decision = core::decide_resume(&asked.after, {head.epoch, head.oldest_seq, head.head_seq});
  asked.done({Subscribed::Problem::none, decision, head.epoch});
  begin(asked.topic, decision.after_seq);
}

void FeedSession::begin(const Topic& topic, std::uint64_t after_seq) {
  if (closed_) return;  // by what it was told
  TopicNode& node = shard_.topics().take(topic);
  const auto place = std::lower_bound(
      subscriptions_.begin(), subscriptions_.end(), &node,
      [](const auto& subscription, const TopicNode* wanted) { return comes_before(subscription->node, wanted); });
  Subscription& subscription = **subscriptions_.insert(
      place, std::make_unique<Subscription>(Subscription{&node, after_seq, after_seq, ++next_ticket_, 0, false}));
  ++shard_.count().subscriptions;
  if (after_seq >= live_seq()) {
    go_live(subscription);
    return;
  }
  ++replaying_;
  ++shard_.count().replays;
  ++shard_.count().replays_running;
  note_whether_behind();
  read_next();
}

void FeedSession::go_live(Subscription& subscription) {
  TopicIndex::follow(*this, subscription);
  ahead_ = std::max(ahead_, subscription.position);
  ++changes_;
  forget_ended();
}

void FeedSession::unsubscribe(const Topic& topic) {
  std::erase_if(asking_, [&](const Asking& asked) { return asked.topic == topic; });
  const Subscription* found = find(topic);
  if (found == nullptr) return;
  const auto place = std::find_if(subscriptions_.begin(), subscriptions_.end(),
                                  [&](const auto& subscription) { return subscription.get() == found; });
  const std::unique_ptr<Subscription> subscription = std::move(*place);
  subscriptions_.erase(place);
  --shard_.count().subscriptions;
  remember_ended(*subscription);
  if (subscription->live) {
    TopicIndex::unfollow(*subscription);
    ++changes_;
  } else {
    --replaying_;
    --shard_.count().replays_running;
  }
  shard_.topics().give_back(*subscription->node);
  forget_ended();
  note_whether_behind();
}

void FeedSession::remember_ended(const Subscription& subscription) {
  const std::uint64_t position = reached(subscription);
  ended_.push_back({*subscription.node->topic, subscription.begin, position, ++next_ticket_});
  ahead_ = std::max(ahead_, position);
}

/// Once every subscription is past what an ended one brought, none can come to it again. A bound for clients that
/// subscribe and unsubscribe under a long replay: of more than that, the oldest are forgotten.
void FeedSession::forget_ended() {
  if (ended_.empty()) return;
  if (replaying_ == 0) {
    std::erase_if(ended_, [seq = live_seq()](const Ended& ended) { return ended.position <= seq; });
  }
  if (ended_.size() > max_subscriptions) ended_.erase(ended_.begin());
}

// What has come already.

std::uint64_t FeedSession::live_seq() const {
  return held_at_.value_or(shard_.position().seq);
}

std::uint64_t FeedSession::reached(const Subscription& subscription) const {
  return subscription.live ? std::max(subscription.position, live_seq()) : subscription.position;
}

bool FeedSession::was_sent(const EntryKeys& entry, const Subscription& wanting) const {
  bool sent = false;
  shard_.topics().for_each(entry, [&](const TopicNode& node) {
    if (sent) return;
    const Subscription* subscription = find(&node);
    sent = subscription != nullptr && subscription->begin < entry.seq && entry.seq <= reached(*subscription);
  });
  return sent || std::any_of(ended_.begin(), ended_.end(), [&](const Ended& ended) {
           return ended.ticket > wanting.ticket && ended.begin < entry.seq && entry.seq <= ended.position &&
                  matches(ended.topic, entry);
         });
}

bool FeedSession::is_wanted_live(const EntryKeys& entry) const {
  bool wanted = false;
  shard_.topics().for_each(entry, [&](const TopicNode& node) {
    if (wanted) return;
    const Subscription* subscription = find(&node);
    // One that began ahead of where the session is held has no need of what is below its beginning.
    wanted = subscription != nullptr && subscription->live && entry.seq > subscription->position &&
             !was_sent(entry, *subscription);
  });
  return wanted;
}

// To the connection.

void FeedSession::offer(const PublishedEntry& entry, const Subscription& subscription, FrameSource& frames) {
  const EntryKeys& keys = entry.keys();
  if (held_at_ || delivered_ == keys.seq) return;
  // A replay may have read ahead of this thread.
  if (keys.seq <= ahead_ && (keys.seq <= subscription.position || was_sent(keys, subscription))) return;
  const Frame& frame = frames.get(format_);
  if (!has_room(frame->size())) return hold(keys.seq - 1);
  delivered_ = keys.seq;
  send(frame);
}

bool FeedSession::has_room(std::size_t bytes) {
  const FeedLimits& limits = shard_.limits();
  const auto fits = [&] {
    return queued_messages_ < limits.held_from_messages && queued_bytes_ + bytes <= limits.held_from_bytes;
  };
  if (fits()) return true;
  // Some of it has been sent.
  const Backlog backlog = outlet_.backlog();
  queued_bytes_ = backlog.bytes;
  queued_messages_ = backlog.messages;
  return fits() || backlog.messages == 0;
}

void FeedSession::send(const Frame& frame) {
  queued_bytes_ += frame->size();
  ++queued_messages_;
  ++shard_.count().deliveries;
  outlet_.send(frame);
}

void FeedSession::hold(std::uint64_t at) {
  held_at_ = at;
  ++shard_.count().holds;
  note_whether_behind();
}

void FeedSession::release() {
  const std::uint64_t at = *held_at_;
  held_at_.reset();
  // A page may have read ahead of this thread.
  ahead_ = std::max(ahead_, at);
  for (const auto& subscription : subscriptions_) {
    if (subscription->live) subscription->position = std::max(subscription->position, at);
  }
  forget_ended();
  note_whether_behind();
}

void FeedSession::note_whether_behind() {
  const bool behind = catches_up() || std::any_of(asking_.begin(), asking_.end(),
                                                  [](const Asking& asking) { return asking.waits_for_tick; });
  if (behind == behind_) return;
  behind_ = behind;
  stuck_ticks_ = 0;
  shard_.set_behind(*this, behind);
}

void FeedSession::on_drained() {
  queued_bytes_ = 0;
  queued_messages_ = 0;
  stuck_ticks_ = 0;
  read_next();
}

void FeedSession::on_tick() {
  ask_again();
  const std::size_t before = std::exchange(ticked_bytes_, outlet_.backlog().bytes);
  if (!catches_up() || reading_ || outlet_.drained() || ticked_bytes_ < before) {
    stuck_ticks_ = 0;
    if (outlet_.drained()) read_next();
    return;
  }
  if (++stuck_ticks_ < slow_consumer_ticks) return;
  const auto self = shared_from_this();
  ++shard_.count().slow_consumers[static_cast<std::size_t>(format_)];
  close();
  outlet_.too_slow();
}

// Catching up.

void FeedSession::read_next() {
  while (!closed_ && !reading_ && catches_up()) {
    if (is_of_another_log()) return give_up();
    Subscription* replay = next_replay();
    if (held_at_ && held_next_) replay = nullptr;
    held_next_ = replay != nullptr;
    if (!step(replay) || closed_ || !outlet_.drained()) return;
  }
}

Subscription* FeedSession::next_replay() const {
  Subscription* next = nullptr;
  if (replaying_ == 0) return next;
  for (const auto& subscription : subscriptions_) {
    if (!subscription->live && (next == nullptr || subscription->ticket < next->ticket)) next = subscription.get();
  }
  return next;
}

std::uint64_t FeedSession::position_of(const Subscription* replay) const {
  return replay != nullptr ? replay->position : *held_at_;
}

void FeedSession::move(Subscription* replay, std::uint64_t position) {
  if (replay != nullptr) {
    replay->position = std::max(replay->position, position);
  } else {
    held_at_ = std::max(*held_at_, position);
  }
}

void FeedSession::finish_if_there(Subscription* replay) {
  if (replay == nullptr) {
    if (*held_at_ >= shard_.position().seq) release();
  } else if (replay->position >= live_seq()) {
    --replaying_;
    --shard_.count().replays_running;
    go_live(*replay);
    note_whether_behind();
  }
}

bool FeedSession::step(Subscription* replay) {
  const std::uint64_t from = position_of(replay);
  if (!shard_.recent().reaches_back_to(from)) {
    read_page(replay);
    return true;
  }
  const std::uint64_t to = replay != nullptr ? live_seq() : shard_.position().seq;
  const bool whole = shard_.recent().visit(from, to, [&](const PublishedEntry& entry) {
    return pass(replay, entry.keys(), [&] { return entry.frame(format_); }) == Pass::done;
  });
  if (closed_) return false;
  if (whole) move(replay, to);
  const bool moved = position_of(replay) != from;
  finish_if_there(replay);
  return moved;
}

template <class MakeFrame>
FeedSession::Pass FeedSession::pass(Subscription* replay, const EntryKeys& entry, MakeFrame make_frame) {
  if (entry.seq <= position_of(replay)) return Pass::done;
  const bool wanted =
      replay != nullptr ? matches(*replay->node->topic, entry) && !was_sent(entry, *replay) : is_wanted_live(entry);
  if (wanted) {
    const Frame frame = make_frame();
    if (!has_room(frame->size())) return Pass::full;
    send(frame);
    if (closed_) return Pass::full;
  }
  move(replay, entry.seq);
  return Pass::done;
}

void FeedSession::read_page(const Subscription* replay) {
  reading_ = true;
  ports::EventFilter filter;
  filter.min_seq = shard_.position().seq;
  // What is held is of one topic, or of several.
  const Subscription* only = replay != nullptr || subscriptions_.size() != 1 ? replay : subscriptions_.front().get();
  if (only != nullptr) {
    const Topic& topic = *only->node->topic;
    if (topic.kind == Topic::Kind::stream) filter.stream_id = topic.value;
    filter.event = topic.event;
  }
  const Reading reading{replay != nullptr ? replay->ticket : 0, changes_};
  shard_.log().read(
      weak_from_this(), position_of(replay), replay_page, std::move(filter),
      [self = weak_from_this(), post = shard_.poster(), reading](ports::StoreResult<ports::EventPage> page) {
        post([self, reading, page = std::move(page)] {
          if (const auto here = self.lock()) here->on_page(reading, page);
        });
      });
}

void FeedSession::on_page(Reading reading, const ports::StoreResult<ports::EventPage>& page) {
  if (closed_) return;
  reading_ = false;
  if (!page) {
    // A busy store is asked again by the tick.
    if (page.error() == ports::StoreFailure::busy && ++busy_ticks_ < busy_store_ticks) return;
    return give_up();
  }
  busy_ticks_ = 0;
  Subscription* replay = find_replay(reading.ticket);
  // What was held may be of other topics now than the page is.
  const bool is_of_use = replay != nullptr || (reading.ticket == 0 && held_at_ && reading.changes == changes_);
  if (is_of_use) {
    // Another log, or entries that were pruned before they were read: the client is told when it resumes by its cursor.
    if (is_of_another_log() || page->head.epoch != shard_.position().epoch ||
        page->head.oldest_seq > position_of(replay) + 1) {
      return give_up();
    }
    send_page(replay, *page);
  }
  if (!closed_ && outlet_.drained()) read_next();
}

void FeedSession::send_page(Subscription* replay, const ports::EventPage& page) {
  bool whole = true;
  for (const core::LogEntry& entry : page.entries) {
    const auto make_frame = [&] { return encode_update(entry, page.head.epoch, format_); };
    whole = pass(replay, keys_of(entry), make_frame) == Pass::done;
    if (!whole) break;
  }
  if (closed_) return;
  // No more: everything up to the head that this page was read at has been seen.
  if (whole && !page.has_more) move(replay, page.head.head_seq);
  finish_if_there(replay);
}

}  // namespace fluxora::hub
