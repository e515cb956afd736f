#include "fluxora/hub/hub.hpp"

#include <algorithm>
#include <utility>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/log_entry.hpp"

namespace fluxora::hub {
namespace {

// Also how long an entry may wait whose notification was lost, and how long stop() may take.
constexpr std::chrono::milliseconds longest_wait{500};
constexpr std::chrono::milliseconds retry_after{500};
constexpr std::chrono::milliseconds look_for_the_end_after{100};

/// What is the same of an event whenever the chain, or a batch, brings it. SPEC section 3.
std::string event_key(const core::LogEntry& entry) {
  std::string key = entry.event_id;
  key += ' ';
  key += entry.stream_id;
  key += ' ';
  if (entry.ledger_hash) key.append(entry.ledger_hash->begin(), entry.ledger_hash->end());
  return key;
}

}  // namespace

Hub::Hub(std::unique_ptr<ports::LogTail> tail, ports::EventLog& log, ports::Clock& clock, ports::Log& lines)
    : tail_(std::move(tail)), log_(log, reads_at_once, max_reads_waiting), clock_(clock), lines_(lines) {}

Hub::~Hub() {
  stop();
}

void Hub::start(unsigned io_threads, Post post, std::function<void()> on_entries) {
  const ports::LogHead head = tail_->head();
  const Batches recent = read_recent(head);
  const TailPosition begin = {head.epoch, recent.empty() ? head.head_seq : recent.front()->after_seq};
  at_end_ = clock_.now();
  post_ = std::move(post);
  on_entries_ = std::move(on_entries);
  for (unsigned i = 0; i < io_threads; ++i) {
    shards_.push_back(std::make_unique<Shard>(
        log_, begin, [to_thread = post_, i](std::function<void()> task) { to_thread(i, std::move(task)); }));
    for (const auto& batch : recent) shards_.back()->feeds.publish(batch);
  }
  position_ = {head.epoch, recent.empty() ? head.head_seq : recent.back()->last_seq};
  tail_seq_ = position_.seq;
  thread_ = std::thread([this] { run(); });
}

/// The log's last entries: after a restart all clients come back at once, with fresh cursors.
Hub::Batches Hub::read_recent(const ports::LogHead& head) {
  Batches batches;
  std::uint64_t seq = head.head_seq - std::min<std::uint64_t>(head.head_seq, remembered_at_start);
  seq = std::max(seq, head.oldest_seq - std::min<std::uint64_t>(head.oldest_seq, 1));
  while (seq < head.head_seq) {
    ports::EventPage page = tail_->read_after(seq, batch_limit);
    // A log that changes under our eyes is followed from where it was found.
    if (page.head.epoch != head.epoch || page.head.oldest_seq > seq + 1 || page.entries.empty()) return {};
    const auto batch = std::make_shared<PublishedBatch>(head.epoch, seq);
    for (core::LogEntry& entry : page.entries) batch->add(std::move(entry));
    seq = batch->last_seq;
    batches.push_back(batch);
  }
  return batches;
}

void Hub::begin_stop() {
  stopping_ = true;
}

void Hub::stop() {
  begin_stop();
  if (thread_.joinable()) thread_.join();
}

void Hub::run() {
  while (!stopping_) {
    try {
      follow();
    } catch (const ports::StoreUnavailable& error) {
      lines_.warn("log_tail_unavailable", error.what());
    } catch (const std::exception& error) {
      // It may have noted events that weren't handed over, and comes to them again.
      standing_.clear();
      lines_.error("log_tail_error", error.what());
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
  standing_.clear();
  lines_.warn("epoch_changed", "the database holds another log now", {{"epoch", head.epoch}});
  on_every_thread([position = position_](FeedShard& shard) { shard.change_log(position); });
}

void Hub::read_news() {
  while (!stopping_) {
    ports::EventPage page = tail_->read_after(position_.seq, batch_limit);
    // The head comes with the entries, so that none of another log is ever taken for one of ours.
    if (page.head.epoch != position_.epoch || page.head.head_seq < position_.seq) {
      change_log(page.head);
      continue;
    }
    // Entries were pruned before we came to them: the threads find the hole, and their followers resume by their
    // cursors.
    position_.seq = std::max(position_.seq, page.head.oldest_seq - std::min<std::uint64_t>(page.head.oldest_seq, 1));
    const bool is_end = !page.has_more;
    if (on_entries_ && !page.entries.empty()) on_entries_();
    publish(std::move(page.entries));
    if (!is_end) continue;
    at_end_ = clock_.now();
    return;
  }
}

void Hub::publish(std::vector<core::LogEntry> entries) {
  auto batch = std::make_shared<PublishedBatch>(position_.epoch, position_.seq);
  for (core::LogEntry& entry : entries) {
    if (is_told_again(entry)) {
      batch->last_seq = entry.seq;
    } else {
      batch->add(std::move(entry));
    }
    if (batch->entries.size() < handed_entries && batch->weight < handed_bytes) continue;
    if (!hand_over(std::move(batch))) return;
    batch = std::make_shared<PublishedBatch>(position_.epoch, position_.seq);
  }
  if (batch->last_seq > batch->after_seq) hand_over(std::move(batch));
}

/// The log holds an event once as long as it stands, so this never fires unless the log is wrong. What a retraction
/// undid may honestly come again, with the same key, and a retraction names only the position of what it undoes: so it
/// makes us forget all of them.
bool Hub::is_told_again(const core::LogEntry& entry) {
  if (entry.retracts) {
    standing_.clear();
    return false;
  }
  if (standing_.insert(event_key(entry))) return false;
  ++duplicates_;
  lines_.error("duplicate_event", "an event that stands is in the log once more; subscribers aren't told again",
               {{"seq", entry.seq}, {"eventId", entry.event_id}});
  return true;
}

bool Hub::hand_over(std::shared_ptr<const PublishedBatch> batch) {
  if (!await_threads()) return false;
  position_.seq = batch->last_seq;
  tail_seq_ = position_.seq;
  entries_published_ += batch->entries.size();
  unsigned i = 0;
  try {
    for (; i < shards_.size(); ++i) {
      post_(i, [this, shard = shards_[i].get(), batch] {
        struct HandOver {
          ~HandOver() { hub.end_hand_over(shard); }
          Hub& hub;
          Shard& shard;
        };
        const HandOver hand_over{*this, *shard};
        shard->feeds.publish(batch);
      });
    }
  } catch (const std::exception&) {
    // A thread that misses it finds the hole with the next one.
    for (; i < shards_.size(); ++i) end_hand_over(*shards_[i]);
    throw;
  }
  return true;
}

void Hub::end_hand_over(Shard& shard) {
  {
    const std::lock_guard lock(pace_mutex_);
    --shard.handed;
  }
  pace_.notify_one();
}

bool Hub::await_threads() {
  std::unique_lock lock(pace_mutex_);
  const auto all_have_room = [this] {
    return std::all_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->handed < max_handed; });
  };
  while (!stopping_ && !all_have_room()) pace_.wait_for(lock, look_for_the_end_after);
  if (stopping_) return false;
  for (const auto& shard : shards_) ++shard->handed;
  return true;
}

HubStatistics Hub::statistics() const {
  HubStatistics now;
  now.tail_seq = tail_seq_;
  now.tail_age = std::chrono::milliseconds(std::max<core::UnixMillis>(0, clock_.now() - at_end_));
  now.entries_published = entries_published_;
  now.duplicates = duplicates_;
  now.reads_waiting = log_.waiting();
  for (const auto& shard : shards_) {
    const FeedCounters& counters = shard->feeds.counters();
    for (std::size_t format = 0; format < feed_formats; ++format) {
      now.sessions[format] += counters.sessions[format];
      now.slow_consumers[format] += counters.slow_consumers[format];
    }
    now.subscriptions += counters.subscriptions;
    now.replays += counters.replays;
    now.replays_running += counters.replays_running;
    now.deliveries += counters.deliveries;
    now.holds += counters.holds;
  }
  return now;
}

void Hub::broadcast(Notice notice) {
  if (!post_) return;
  on_every_thread([notice = std::move(notice)](FeedShard& shard) { shard.broadcast(notice); });
}

void Hub::tick(unsigned io_thread) {
  if (io_thread < shards_.size()) shards_[io_thread]->feeds.tick(clock_.now());
}

template <class Task>
void Hub::on_every_thread(Task task) {
  for (unsigned i = 0; i < shards_.size(); ++i) {
    post_(i, [shard = shards_[i].get(), task] { task(shard->feeds); });
  }
}

}  // namespace fluxora::hub
