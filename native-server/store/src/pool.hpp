#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/log.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/store/store.hpp"

namespace fluxora::store {

/// Threads with one connection each behind a bounded queue. A connection and all that belongs to it stay on their
/// thread. For reads: a read whose connection turns out dead is done once more on a new one.
class ReadPool {
 public:
  ReadPool(StoreOptions options, ports::Log& log);
  ~ReadPool();
  /// Fails what waits, lets what runs end, and joins. Nothing is replied after it.
  void stop();
  ReadPool(const ReadPool&) = delete;
  ReadPool& operator=(const ReadPool&) = delete;

  /// Runs `work` on a thread of the pool and replies what it returns, or why it couldn't.
  template <class T>
  void run(ports::Reply<T> reply, std::function<T(pqxx::connection&)> work) {
    Task task;
    // The reply is made only after the query has succeeded for good, and outside of what is tried again.
    task.work = [reply, work = std::move(work)](pqxx::connection& connection) -> std::function<void()> {
      auto answer = std::make_shared<T>(work(connection));
      return [reply, answer] { reply(std::move(*answer)); };
    };
    task.fail = [reply](ports::StoreFailure failure) { reply(tl::unexpected(failure)); };
    enqueue(std::move(task));
  }

 private:
  struct Task {
    std::function<std::function<void()>(pqxx::connection&)> work;  ///< gives what delivers the answer
    std::function<void(ports::StoreFailure)> fail;
  };

  void enqueue(Task task);
  void run_worker();
  void perform(Task& task, std::unique_ptr<pqxx::connection>& connection);

  StoreOptions options_;
  ports::Log& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace fluxora::store
