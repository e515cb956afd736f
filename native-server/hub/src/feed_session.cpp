#include "fluxora/hub/feed_session.hpp"

#include <algorithm>

#include "fluxora/core/json_writer.hpp"

namespace fluxora::hub {

Frame encode_update(const core::LogEntry& entry, std::string_view epoch) {
  auto text = std::make_shared<std::string>();
  text->reserve(2'048);
  core::JsonWriter json(*text);
  json.begin_object();
  json.key("type").string("stream_update");
  json.key("event").string(core::event_name_text(entry.event));
  json.key("streamId");
  entry.stream_id.empty() ? json.null() : json.string(entry.stream_id);
  json.key("eventId").string(entry.event_id);
  json.key("cursor").string(core::format_cursor({std::string(epoch), entry.seq}));
  json.key("timestamp").string(core::format_rfc3339(entry.closed_at));
  json.key("payload");
  core::write_log_entry_json(json, entry, epoch);
  json.end_object();
  return text;
}

FeedSession::FeedSession(ports::EventLog& log, Outlet& outlet, Post post, std::string epoch, std::uint64_t tail_seq,
                         FeedCounters* counters)
    : log_(log),
      outlet_(outlet),
      post_(std::move(post)),
      epoch_(std::move(epoch)),
      tail_seq_(tail_seq),
      counters_(counters) {}

void FeedSession::count_subscriptions() {
  // Unsigned: a difference below zero subtracts.
  if (counters_ != nullptr) counters_->subscriptions += subscriptions_.size() - counted_subscriptions_;
  counted_subscriptions_ = subscriptions_.size();
}

FeedSession::Subscription& FeedSession::add(const Topic& topic, std::uint64_t begin, bool live) {
  Subscription& subscription = subscriptions_[topic_key(topic)];
  subscription = {topic, begin, begin, live, false, ++next_ticket_};
  count_subscriptions();
  if (!live && counters_ != nullptr) ++counters_->replays;
  return subscription;
}

void FeedSession::tell_standing(const Subscription& subscription, const std::function<void(Subscribed)>& done) const {
  done({Subscribed::Problem::none, {core::Resume::live, reached(subscription), 0, 0}, epoch_});
}

void FeedSession::subscribe(const Topic& topic, const std::optional<core::Cursor>& after,
                            std::function<void(Subscribed)> done) {
  const std::string key = topic_key(topic);
  if (const auto found = subscriptions_.find(key); found != subscriptions_.end()) {
    tell_standing(found->second, done);
    return;
  }
  if (subscriptions_.size() >= max_subscriptions) {
    done({Subscribed::Problem::too_many, {}, epoch_});
    return;
  }
  if (!after) {
    done({Subscribed::Problem::none, {core::Resume::live, tail_seq_, 0, 0}, epoch_});
    add(topic, tail_seq_, true);
    return;
  }
  // Where the log stands now: its end may be ahead of this thread's tail, its beginning may have been pruned.
  const std::uint64_t ticket = ++next_ticket_;
  asking_.emplace(ticket, key);
  log_.head([self = weak_from_this(), post = post_, topic, ticket, after = *after,
             done = std::move(done)](ports::StoreResult<ports::LogHead> head) {
    post([self, topic, ticket, after, done, head] {
      const auto here = self.lock();
      if (!here || here->closed_ || here->asking_.erase(ticket) == 0) return;
      if (!head) {
        done({Subscribed::Problem::unavailable, {}, here->epoch_});
        return;
      }
      here->start(topic, after, *head, done);
    });
  });
}

void FeedSession::start(const Topic& topic, const core::Cursor& after, const ports::LogHead& head,
                        const std::function<void(Subscribed)>& done) {
  // Others may have come while the log was asked.
  if (const auto found = subscriptions_.find(topic_key(topic)); found != subscriptions_.end()) {
    tell_standing(found->second, done);
    return;
  }
  if (subscriptions_.size() >= max_subscriptions) {
    done({Subscribed::Problem::too_many, {}, epoch_});
    return;
  }
  const core::ResumeDecision decision = core::decide_resume(&after, {head.epoch, head.oldest_seq, head.head_seq});
  done({Subscribed::Problem::none, decision, head.epoch});
  Subscription& subscription = add(topic, decision.after_seq, decision.after_seq >= tail_seq_);
  if (!subscription.live) read_next();
}

void FeedSession::unsubscribe(const Topic& topic) {
  const std::string key = topic_key(topic);
  std::erase_if(asking_, [&](const auto& asked) { return asked.second == key; });
  const auto found = subscriptions_.find(key);
  if (found == subscriptions_.end()) return;
  Subscription ended = std::move(found->second);
  subscriptions_.erase(found);
  count_subscriptions();
  ended.position = reached(ended);
  ended.live = false;
  ended.ticket = ++next_ticket_;
  ended_.push_back(std::move(ended));
  forget_ended();
}

std::uint64_t FeedSession::reached(const Subscription& subscription) const {
  return subscription.live ? std::max(subscription.position, tail_seq_) : subscription.position;
}

bool FeedSession::covers(const Subscription& subscription, std::uint64_t seq) const {
  return subscription.begin < seq && seq <= reached(subscription);
}

/// Once every subscription is past what an ended one brought, none can come to it again. A bound for clients that
/// subscribe and unsubscribe under a long replay: of more than that, the oldest are forgotten.
void FeedSession::forget_ended() {
  if (ended_.empty()) return;
  const bool replaying =
      std::any_of(subscriptions_.begin(), subscriptions_.end(), [](const auto& item) { return !item.second.live; });
  if (!replaying) std::erase_if(ended_, [this](const Subscription& ended) { return ended.position <= tail_seq_; });
  if (ended_.size() > max_subscriptions) ended_.erase(ended_.begin());
}

template <class Visit>
void FeedSession::for_each_match(const core::LogEntry& entry, Visit visit) const {
  const auto look = [&](const Topic& topic) {
    const auto found = subscriptions_.find(topic_key(topic));
    if (found != subscriptions_.end()) visit(found->second);
  };
  look({Topic::Kind::all, {}});
  if (!entry.stream_id.empty()) look({Topic::Kind::stream, entry.stream_id});
  if (entry.stream) {
    look({Topic::Kind::recipient, entry.stream->recipient});
    look({Topic::Kind::sender, entry.stream->sender});
  }
}

bool FeedSession::was_sent(const core::LogEntry& entry, const Subscription& wanting) const {
  bool sent = false;
  for_each_match(entry, [&](const Subscription& subscription) { sent = sent || covers(subscription, entry.seq); });
  return sent || std::any_of(ended_.begin(), ended_.end(), [&](const Subscription& ended) {
           return ended.ticket > wanting.ticket && covers(ended, entry.seq) && matches(ended.topic, entry);
         });
}

void FeedSession::publish(const PublishedBatch& batch) {
  if (closed_ || batch.entries.empty()) return;
  for (const PublishedEntry& published : batch.entries) {
    const core::LogEntry& entry = published.entry;
    if (entry.seq <= tail_seq_) continue;
    bool wanted = false;
    for_each_match(entry, [&](const Subscription& subscription) {
      // One that began ahead of this thread's tail has no need of what is below its beginning.
      const bool wants = subscription.live && entry.seq > subscription.begin;
      wanted = wanted || (wants && !was_sent(entry, subscription));
    });
    if (wanted) outlet_.send(published.frame);
  }
  tail_seq_ = std::max(tail_seq_, batch.entries.back().entry.seq);
  forget_ended();
}

void FeedSession::read_on(Subscription& subscription) {
  subscription.reading = true;
  ports::EventFilter filter;
  if (subscription.topic.kind == Topic::Kind::stream) filter.stream_id = subscription.topic.value;
  log_.read(subscription.position, replay_page, std::move(filter),
            [self = weak_from_this(), post = post_, key = topic_key(subscription.topic),
             ticket = subscription.ticket](ports::StoreResult<ports::EventPage> page) {
              post([self, key, ticket, page = std::move(page)] {
                if (const auto here = self.lock()) here->on_page(key, ticket, page);
              });
            });
}

void FeedSession::on_page(const std::string& key, std::uint64_t ticket, ports::StoreResult<ports::EventPage> page) {
  if (closed_) return;
  const auto found = subscriptions_.find(key);
  if (found != subscriptions_.end() && found->second.ticket == ticket) {
    Subscription& subscription = found->second;
    subscription.reading = false;
    // Another log, or entries that were pruned before they were read: the client is told when it resumes by its cursor.
    if (!page || page->head.epoch != epoch_ || page->head.oldest_seq > subscription.position + 1) {
      outlet_.give_up();
      return;
    }
    send_page(subscription, *page);
  }
  if (outlet_.drained()) read_next();
}

void FeedSession::send_page(Subscription& subscription, const ports::EventPage& page) {
  std::size_t bytes = 0;
  bool whole = true;
  for (const core::LogEntry& entry : page.entries) {
    whole = bytes < replay_bytes;
    if (!whole) break;
    if (matches(subscription.topic, entry) && !was_sent(entry, subscription)) {
      Frame frame = encode_update(entry, epoch_);
      bytes += frame->size();
      outlet_.send(std::move(frame));
    }
    subscription.position = entry.seq;
  }
  // No more: everything up to the head that this page was read at has been seen.
  if (whole && !page.has_more) subscription.position = std::max(subscription.position, page.head.head_seq);
  if (subscription.position < tail_seq_) return;
  subscription.live = true;
  forget_ended();
}

void FeedSession::read_next() {
  Subscription* next = nullptr;
  for (auto& [key, subscription] : subscriptions_) {
    if (subscription.reading) return;
    if (!subscription.live && next == nullptr) next = &subscription;
  }
  if (next != nullptr) read_on(*next);
}

void FeedSession::on_drained() {
  if (!closed_) read_next();
}

void FeedSession::close() {
  closed_ = true;
  subscriptions_.clear();
  count_subscriptions();
  asking_.clear();
  ended_.clear();
}

}  // namespace fluxora::hub
