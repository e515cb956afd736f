#include "fluxora/hub/hub.hpp"

#include <algorithm>

#include "fluxora/core/log_entry.hpp"

namespace fluxora::hub {
namespace {

// Also how long an entry may wait whose notification was lost, and how long stop() may take.
constexpr std::chrono::milliseconds longest_wait{500};
constexpr std::chrono::milliseconds retry_after{500};

}  // namespace

template <class Visit>
void Hub::Shard::tell(Visit visit) {
  // A copy: subscribers may go, and come, while one is told.
  for (Subscriber* subscriber : std::vector<Subscriber*>(subscribers.begin(), subscribers.end())) {
    if (subscribers.contains(subscriber)) visit(*subscriber);
  }
}

Hub::Hub(std::unique_ptr<ports::LogTail> tail, ports::Clock& clock, ports::Log& log)
    : tail_(std::move(tail)), clock_(clock), log_(log) {}

Hub::~Hub() {
  stop();
}

void Hub::start(unsigned io_threads, Post post) {
  const ports::LogHead head = tail_->head();
  position_ = {head.epoch, head.head_seq};
  tail_seq_ = head.head_seq;
  at_end_ = clock_.now();
  post_ = std::move(post);
  for (unsigned i = 0; i < io_threads; ++i) {
    shards_.push_back(std::make_unique<Shard>());
    shards_.back()->position = position_;
  }
  thread_ = std::thread([this] { run(); });
}

void Hub::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Hub::run() {
  while (!stopping_) {
    try {
      follow();
    } catch (const ports::StoreUnavailable& error) {
      log_.warn("log_tail_unavailable", error.what());
    } catch (const std::exception& error) {
      log_.error("log_tail_error", error.what());
    }
    if (!stopping_ && !clock_.sleep(retry_after)) return;
  }
}

void Hub::follow() {
  while (!stopping_) {
    read_news();
    tail_->wait(longest_wait);
  }
}

/// Another log has taken the place of ours. It is followed from its end on: what it has, nobody was promised.
void Hub::change_log(const ports::LogHead& head) {
  position_ = {head.epoch, head.head_seq};
  tail_seq_ = head.head_seq;
  log_.warn("epoch_changed", "the database holds another log now", {{"epoch", head.epoch}});
  on_every_thread([position = position_](Shard& shard) {
    shard.position = position;
    shard.tell([](Subscriber& subscriber) { subscriber.on_epoch_changed(); });
  });
}

void Hub::read_news() {
  while (!stopping_) {
    ports::EventPage page = tail_->read_after(position_.seq, batch_limit);
    // The head comes with the entries, so that none of another log is ever taken for one of ours.
    if (page.head.epoch != position_.epoch || page.head.head_seq < position_.seq) {
      change_log(page.head);
    } else if (page.entries.empty()) {
      at_end_ = clock_.now();
      return;
    } else {
      publish(std::move(page.entries));
    }
  }
}

void Hub::publish(std::vector<core::LogEntry> entries) {
  auto batch = std::make_shared<PublishedBatch>();
  batch->epoch = position_.epoch;
  batch->entries.reserve(entries.size());
  for (core::LogEntry& entry : entries) {
    Frame frame = encode_update(entry, position_.epoch);
    batch->entries.push_back({std::move(entry), std::move(frame)});
  }
  position_.seq = batch->entries.back().entry.seq;
  tail_seq_ = position_.seq;
  entries_published_ += batch->entries.size();
  on_every_thread([batch = std::shared_ptr<const PublishedBatch>(std::move(batch))](Shard& shard) {
    shard.position.seq = batch->entries.back().entry.seq;
    shard.tell([&](Subscriber& subscriber) { subscriber.on_batch(*batch); });
  });
}

HubStatistics Hub::statistics() const {
  const core::UnixMillis age = std::max<core::UnixMillis>(0, clock_.now() - at_end_);
  return {tail_seq_, std::chrono::milliseconds(age), entries_published_, feed_counters_.subscriptions,
          feed_counters_.replays};
}

void Hub::broadcast(Frame notice) {
  if (!post_) return;
  on_every_thread([notice = std::move(notice)](Shard& shard) {
    shard.tell([&](Subscriber& subscriber) { subscriber.on_notice(notice); });
  });
}

template <class Task>
void Hub::on_every_thread(Task task) {
  for (unsigned i = 0; i < shards_.size(); ++i) {
    post_(i, [shard = shards_[i].get(), task] { task(*shard); });
  }
}

void Hub::add(unsigned io_thread, Subscriber& subscriber) {
  shards_.at(io_thread)->subscribers.insert(&subscriber);
}
void Hub::remove(unsigned io_thread, Subscriber& subscriber) {
  shards_.at(io_thread)->subscribers.erase(&subscriber);
}
const TailPosition& Hub::position(unsigned io_thread) const {
  return shards_.at(io_thread)->position;
}

}  // namespace fluxora::hub
