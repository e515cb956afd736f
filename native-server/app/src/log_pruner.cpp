#include "log_pruner.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::app {

using std::chrono::milliseconds;
using Progress = ports::LogRetention::Progress;

LogPruner::LogPruner(LogPrunerOptions options, std::unique_ptr<ports::LogRetention> retention, ports::Clock& clock,
                     ports::Log& log)
    : options_(options), retention_(std::move(retention)), clock_(clock), log_(log) {}

LogPruner::~LogPruner() {
  stop();
}

void LogPruner::start() {
  thread_ = std::thread([this] {
    milliseconds pause = std::min(size_every, options_.every);
    while (clock_.sleep(pause)) pause = look();
  });
}

void LogPruner::stop() {
  if (thread_.joinable()) thread_.join();
}

LogPrunerStatistics LogPruner::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

template <class Change>
void LogPruner::count(Change change) {
  const std::lock_guard lock(mutex_);
  change(statistics_);
}

milliseconds LogPruner::look() {
  milliseconds pause = std::min(size_every, options_.every);
  try {
    if (!prune()) pause = std::min(pause, busy_pause);
    const ports::LogSize size = retention_->size();
    count([&](LogPrunerStatistics& now) { now.size = size; });
    if (std::exchange(in_trouble_, false)) log_.info("log_retention_available", "");
  } catch (const std::exception& error) {
    if (!std::exchange(in_trouble_, true)) log_.warn("log_retention_unavailable", error.what());
    count([](LogPrunerStatistics& now) { ++now.failures; });
  }
  return pause;
}

bool LogPruner::prune() {
  const core::UnixMillis now = clock_.now();
  const bool is_due = !looked_at_ || now < *looked_at_ || now - *looked_at_ >= options_.every.count();
  if (options_.keep_s == 0 || !is_due) return true;
  const auto now_s = static_cast<core::UnixSeconds>(now / 1'000);
  const core::UnixSeconds before = now_s - std::min(now_s, options_.keep_s);
  while (clock_.sleep(milliseconds{0})) {
    if (!began_at_) began_at_ = clock_.now();
    const ports::LogRetention::Step step = retention_->step(before);
    if (step.progress == Progress::busy) return false;
    if (step.progress == Progress::more) continue;
    const core::UnixMillis began_at = *std::exchange(began_at_, std::nullopt);
    if (step.progress == Progress::none) {
      looked_at_ = now;
      return true;
    }
    tell(step.log, began_at);
  }
  return true;
}

void LogPruner::tell(const ports::PrunedLog& pruned, core::UnixMillis began_at) {
  log_.info("log_pruned", "",
            {{"from", pruned.from},
             {"to", pruned.oldest_seq - 1},
             {"partitions", pruned.partitions},
             {"keptRows", pruned.kept_rows},
             {"durationMs", std::max<core::UnixMillis>(clock_.now() - began_at, 0)}});
  count([&](LogPrunerStatistics& now) {
    ++now.prunings;
    now.pruned_partitions += pruned.partitions;
  });
}

}  // namespace fluxora::app
