#include "paged_reads.hpp"

#include <algorithm>

namespace fluxora::store {

void begin_snapshot(pqxx::transaction_base& sql) {
  sql.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // LOCK takes no snapshot. Where a new log takes this one's place just now, or partitions are pruned, it waits, and
  // all that is read afterwards is of the one log or all of the other.
  sql.exec("LOCK TABLE log_head, ONLY events IN ACCESS SHARE MODE");
}

void open_snapshot(pqxx::transaction_base& sql, int idle_timeout_ms) {
  begin_snapshot(sql);
  sql.exec("SET LOCAL idle_in_transaction_session_timeout = " + std::to_string(idle_timeout_ms));
}

PagedReadThreads::PagedReadThreads(StoreOptions options, ports::Log& log) : options_(std::move(options)), log_(log) {
  threads_.reserve(options_.max_exports);
  for (unsigned i = 0; i < options_.max_exports; ++i) threads_.emplace_back([this] { run_worker(); });
}

PagedReadThreads::~PagedReadThreads() {
  stop();
}

void PagedReadThreads::start(std::shared_ptr<PagedReadJob> job) {
  auto refusal = ports::StoreFailure::busy;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() + running_.size() < options_.max_exports) {
      waiting_.push_back(std::move(job));
      wake_.notify_one();
      return;
    }
    if (stopping_) refusal = ports::StoreFailure::unavailable;
  }
  job->finish(refusal);
}

void PagedReadThreads::stop() {
  std::deque<std::shared_ptr<PagedReadJob>> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(waiting_);
    for (const auto& job : running_) job->interrupt(ports::StoreFailure::unavailable);
  }
  wake_.notify_all();
  for (const auto& job : waiting) job->finish(ports::StoreFailure::unavailable);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void PagedReadThreads::run_worker() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    const std::shared_ptr<PagedReadJob> job = std::move(waiting_.front());
    waiting_.pop_front();
    running_.push_back(job);
    lock.unlock();
    auto why = ports::StoreFailure::busy;  // it took too long, or nobody asks any more
    const std::function<void()> give_last_page = perform(*job, why);
    lock.lock();
    running_.erase(std::find(running_.begin(), running_.end(), job));
    lock.unlock();
    if (give_last_page) give_last_page();
    job->finish(why);
    lock.lock();
  }
}

std::function<void()> PagedReadThreads::perform(PagedReadJob& job, ports::StoreFailure& why) {
  const Deadline deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.export_timeout_ms);
  try {
    const auto connection = connect(options_, job.name(), options_.read_timeout_ms);
    auto give_last_page = job.serve(*connection, deadline, options_.export_timeout_ms, log_);
    if (!give_last_page && std::chrono::steady_clock::now() >= deadline) {
      log_.warn(std::string(job.name()) + "_too_slow", "a long read was ended because it took longer than it may");
    }
    return give_last_page;
  } catch (const std::exception& error) {
    why = report_failure(error, log_);
    return {};
  }
}

}  // namespace fluxora::store
