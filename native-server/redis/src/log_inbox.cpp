#include "log_inbox.hpp"

#include <algorithm>
#include <iterator>

namespace fluxora::redis {

void LogInbox::begin(const std::string& epoch) {
  {
    const std::lock_guard lock(mutex_);
    if (epoch_ == epoch) return;
    epoch_ = epoch;
    taken_ = 0;
  }
  doubt();
}

bool LogInbox::put(LogNews news) {
  const std::lock_guard lock(mutex_);
  if (news.epoch != epoch_) return false;
  heard_at_ = clock_.now();
  promised_ = std::max(promised_, news.last_seq);
  if (!news.entries.empty()) {
    // Nobody takes them: what is let go of here is a hole there, for which the database is read.
    if (pages_.size() >= max_pages) pages_.clear();
    pages_.push_back(std::move(news.entries));
  }
  if (promised_ > taken_) {
    woken_ = true;
    wake_.notify_all();
  }
  return true;
}

void LogInbox::doubt() {
  const std::lock_guard lock(mutex_);
  heard_at_.reset();
  promised_ = 0;
  pages_.clear();
  woken_ = true;
  wake_.notify_all();
}

bool LogInbox::trusted() const {
  if (!heard_at_) return false;
  const core::UnixMillis age = clock_.now() - *heard_at_;
  return age >= 0 && age <= longest_silence.count();  // a clock that was set back says nothing
}

bool LogInbox::is_trusted() const {
  const std::lock_guard lock(mutex_);
  return trusted();
}

std::uint64_t LogInbox::promised() const {
  const std::lock_guard lock(mutex_);
  return promised_;
}

std::optional<std::vector<core::LogEntry>> LogInbox::take_after(std::uint64_t seq, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  taken_ = seq;
  while (!pages_.empty() && pages_.front().back().seq <= seq) pages_.pop_front();
  if (!trusted()) return std::nullopt;
  if (pages_.empty()) {
    if (promised_ > seq) return std::nullopt;
    return std::vector<core::LogEntry>();
  }
  std::vector<core::LogEntry>& page = pages_.front();
  if (page.front().seq > seq + 1) return std::nullopt;
  const auto begin = page.begin() + static_cast<std::ptrdiff_t>(seq + 1 - page.front().seq);
  const auto end = begin + std::min(std::distance(begin, page.end()), static_cast<std::ptrdiff_t>(limit));
  std::vector<core::LogEntry> taken(std::make_move_iterator(begin), std::make_move_iterator(end));
  page.erase(page.begin(), end);
  if (page.empty()) pages_.pop_front();
  taken_ = taken.back().seq;
  return taken;
}

void LogInbox::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, timeout, [this] { return woken_; });
  woken_ = false;
}

}  // namespace fluxora::redis
