#include "one_at_a_time.hpp"

#include <utility>
#include <vector>

namespace fluxora::store {

/// A task that tells when it has ended.
class OneAtATime::Turn final : public ReadTask {
 public:
  Turn(OneAtATime& turns, std::unique_ptr<ReadTask> task) : turns_(turns), task_(std::move(task)) {}

  ReadFrom begin() override { return task_->begin(); }
  void read(ReadConnection& connection) override { task_->read(connection); }
  bool accept(const std::string& epoch) override { return task_->accept(epoch); }

  void deliver() override {
    task_->deliver();
    turns_.end();
  }

  void fail(ports::StoreFailure failure) override {
    task_->fail(failure);
    turns_.end();
  }

 private:
  OneAtATime& turns_;
  std::unique_ptr<ReadTask> task_;
};

void OneAtATime::start(std::unique_ptr<ReadTask> task) {
  {
    const std::lock_guard lock(mutex_);
    if (running_) return waiting_.push_back({std::move(task), Clock::now()});
    running_ = true;
  }
  pool_.enqueue(std::make_unique<Turn>(*this, std::move(task)));
}

void OneAtATime::end() {
  std::vector<std::unique_ptr<ReadTask>> late;
  std::unique_ptr<ReadTask> next;
  {
    const std::lock_guard lock(mutex_);
    const Clock::time_point too_early = Clock::now() - longest_wait_;
    while (!waiting_.empty() && waiting_.front().since < too_early) {
      late.push_back(std::move(waiting_.front().task));
      waiting_.pop_front();
    }
    running_ = !waiting_.empty();
    if (running_) {
      next = std::move(waiting_.front().task);
      waiting_.pop_front();
    }
  }
  if (next) pool_.enqueue(std::make_unique<Turn>(*this, std::move(next)));
  for (const auto& task : late) task->fail(ports::StoreFailure::busy);
}

}  // namespace fluxora::store
