#include "fluxora/hub/feed_shard.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "fluxora/hub/feed_session.hpp"

namespace fluxora::hub {

const Frame& FrameSource::get(FeedFormat format) {
  Frame& frame = frames_[static_cast<std::size_t>(format)];
  if (!frame) {
    const Frame& shared = entry_.frame(format);
    frame = Frame(shared.get(), [shared](const std::string*) {});
  }
  return frame;
}

FeedShard::FeedShard(ReadQueue& log, TailPosition position, Post post, const FeedLimits& limits)
    : log_(log),
      position_(std::move(position)),
      post_(std::move(post)),
      limits_(limits),
      recent_(position_.seq, limits_.recent) {}

template <class Visit>
void FeedShard::tell(Visit visit) {
  // A copy: subscribers may go, and come, while one is told.
  for (Subscriber* subscriber : std::vector<Subscriber*>(subscribers_.begin(), subscribers_.end())) {
    if (subscribers_.contains(subscriber)) visit(*subscriber);
  }
}

void FeedShard::publish(std::shared_ptr<const PublishedBatch> batch) {
  if (batch->after_seq > position_.seq) begin_anew_at(batch->after_seq);
  try {
    recent_.push(batch);  // before anything is sent: whoever is held now reads on from there
    deliver(*batch);
  } catch (const std::exception&) {
    begin_anew_at(batch->last_seq);
    throw;
  }
}

void FeedShard::deliver(const PublishedBatch& batch) {
  for (const PublishedEntry& entry : batch.entries) {
    if (entry.keys().seq <= position_.seq) continue;
    deliver(entry);
    position_.seq = entry.keys().seq;
  }
  position_.seq = std::max(position_.seq, batch.last_seq);
}

void FeedShard::deliver(const PublishedEntry& entry) {
  FrameSource frames(entry);
  topics_.for_each(entry.keys(), [&](const TopicNode& node) {
    // From the back: a follower that leaves while it is told is replaced by one that has been told.
    for (std::size_t i = node.followers.size(); i-- > 0;) {
      if (i >= node.followers.size()) continue;
      const Follower follower = node.followers[i];
      follower.session->offer(entry, *follower.subscription, frames);
    }
  });
}

void FeedShard::begin_anew_at(std::uint64_t seq) {
  position_.seq = seq;
  recent_ = RecentEntries(seq, limits_.recent);
  // Those that only replay come to it in the log. Kept, since the end of one may be that of another.
  std::vector<std::shared_ptr<FeedSession>> sessions;
  for (FeedSession* session : topics_.followers()) sessions.push_back(session->shared_from_this());
  for (const auto& session : sessions) session->give_up();
}

void FeedShard::change_log(const TailPosition& position) {
  position_ = position;
  ++generation_;
  recent_ = RecentEntries(position.seq, limits_.recent);
  tell([](Subscriber& subscriber) { subscriber.on_epoch_changed(); });
  // Those that replay find out when they go on.
  for (FeedSession* session : topics_.followers()) session->close();
}

void FeedShard::broadcast(const Notice& notice) {
  tell([&](Subscriber& subscriber) { subscriber.on_notice(notice); });
}

void FeedShard::tick(core::UnixMillis now) {
  tell([now](Subscriber& subscriber) { subscriber.on_tick(now); });
  for (FeedSession* session : std::vector<FeedSession*>(behind_.begin(), behind_.end())) {
    if (behind_.contains(session)) session->on_tick();
  }
}

void FeedShard::set_behind(FeedSession& session, bool behind) {
  if (behind) {
    behind_.insert(&session);
  } else {
    behind_.erase(&session);
  }
}

}  // namespace fluxora::hub
