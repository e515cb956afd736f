#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>

#include "pool.hpp"

namespace fluxora::store {

/// Reads that look at many rows: one of a kind at a time goes to the pool, whose threads they would all take. The pool
/// is stopped before this goes.
class OneAtATime {
 public:
  using Clock = std::chrono::steady_clock;

  /// What has waited longer than that when another one ends fails with `busy`.
  OneAtATime(ReadPool& pool, std::chrono::milliseconds longest_wait) : pool_(pool), longest_wait_(longest_wait) {}

  /// Begins the task now, or in its turn. Whoever calls it bounds how many wait.
  void start(std::unique_ptr<ReadTask> task);

 private:
  class Turn;
  struct Waiting {
    std::unique_ptr<ReadTask> task;
    Clock::time_point since;
  };

  /// The task whose turn it was has ended.
  void end();

  ReadPool& pool_;
  const std::chrono::milliseconds longest_wait_;
  std::mutex mutex_;
  std::deque<Waiting> waiting_;
  bool running_ = false;
};

}  // namespace fluxora::store
