#include "pool.hpp"

#include "connection.hpp"

namespace fluxora::store {

ReadPool::ReadPool(StoreOptions options, ports::Log& log) : options_(std::move(options)), log_(log) {
  threads_.reserve(options_.read_connections);
  for (unsigned i = 0; i < options_.read_connections; ++i) threads_.emplace_back([this] { run_worker(); });
}

ReadPool::~ReadPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  for (Task& task : queue_) task.fail(ports::StoreFailure::unavailable);
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
  // A connection that was kept may have died since; only such a one earns a second try.
  for (bool fresh = connection == nullptr;; fresh = true) {
    try {
      if (!connection) connection = connect(options_, "read", options_.read_timeout_ms);
      task.work(*connection);
      return;
    } catch (const std::exception& error) {
      connection.reset();
      const bool outage = is_outage(error);
      if (outage && !fresh) continue;
      if (outage) {
        log_.warn("database_unavailable", error.what());
        task.fail(ports::StoreFailure::unavailable);
      } else {
        log_.error("database_error", error.what());
        task.fail(ports::StoreFailure::internal);
      }
      return;
    }
  }
}

}  // namespace fluxora::store
