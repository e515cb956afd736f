#include "pool.hpp"

#include "connection.hpp"

namespace fluxora::store {

ReadPool::ReadPool(StoreOptions options, ports::Log& log) : options_(std::move(options)), log_(log) {
  threads_.reserve(options_.read_connections);
  for (unsigned i = 0; i < options_.read_connections; ++i) threads_.emplace_back([this] { run_worker(); });
}

ReadPool::~ReadPool() {
  stop();
}

void ReadPool::stop() {
  std::deque<Task> waiting;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting.swap(queue_);
  }
  wake_.notify_all();
  for (Task& task : waiting) task.fail(ports::StoreFailure::unavailable);
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void ReadPool::enqueue(Task task) {
  auto refusal = ports::StoreFailure::busy;
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && queue_.size() < options_.queue_limit) {
      queue_.push_back(std::move(task));
      wake_.notify_one();
      return;
    }
    if (stopping_) refusal = ports::StoreFailure::unavailable;
  }
  task.fail(refusal);
}

void ReadPool::run_worker() {
  std::unique_ptr<pqxx::connection> connection;
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    perform(task, connection);
    lock.lock();
  }
}

void ReadPool::perform(Task& task, std::unique_ptr<pqxx::connection>& connection) {
  std::function<void()> deliver;
  // A connection that was kept may have died since; only such a one earns a second try.
  for (bool fresh = connection == nullptr; !deliver; fresh = true) {
    try {
      if (!connection) connection = connect(options_, "read", options_.read_timeout_ms);
      deliver = task.work(*connection);
    } catch (const std::exception& error) {
      connection.reset();
      const bool outage = is_outage(error);
      if (outage && !fresh) continue;
      task.fail(report_failure(error, log_));
      return;
    }
  }
  deliver();
}

}  // namespace fluxora::store
