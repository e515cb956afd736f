#include "fluxora/hub/read_queue.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::hub {

struct ReadQueue::State : std::enable_shared_from_this<ReadQueue::State> {
  State(ports::EventLog& of_log, std::size_t of_at_once) : log(of_log), at_once(std::max<std::size_t>(of_at_once, 1)) {}

  /// Asks the log; `done` when it has answered.
  using Question = std::function<void(std::function<void()> done)>;

  void ask(Question question) {
    {
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(question));
    }
    run_waiting();
  }

  /// One thread at a time begins what waits: an answer may come at once, and begin the next.
  void run_waiting() {
    std::unique_lock lock(mutex);
    if (std::exchange(beginning, true)) return;
    while (running < at_once && !waiting.empty()) {
      ++running;
      const Question question = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      question([state = shared_from_this()] { state->answered(); });
      lock.lock();
    }
    beginning = false;
  }

  void answered() {
    {
      const std::lock_guard lock(mutex);
      --running;
    }
    run_waiting();
  }

  void ask_for_head(std::function<void()> done) {
    std::vector<ports::Reply<ports::LogHead>> replies;
    {
      const std::lock_guard lock(mutex);
      replies.swap(heads);
    }
    log.head([replies = std::move(replies), done = std::move(done)](const ports::StoreResult<ports::LogHead>& head) {
      for (const auto& reply : replies) reply(head);
      done();
    });
  }

  ports::EventLog& log;
  const std::size_t at_once;
  mutable std::mutex mutex;
  std::deque<Question> waiting;
  std::vector<ports::Reply<ports::LogHead>> heads;  // of those who wait for the next question for the head
  std::size_t running = 0;
  bool beginning = false;
};

ReadQueue::ReadQueue(ports::EventLog& log, std::size_t at_once) : state_(std::make_shared<State>(log, at_once)) {}

void ReadQueue::head(ports::Reply<ports::LogHead> reply) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->heads.push_back(std::move(reply));
    if (state_->heads.size() > 1) return;
  }
  state_->ask([state = state_.get()](std::function<void()> done) { state->ask_for_head(std::move(done)); });
}

void ReadQueue::read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
                     ports::Reply<ports::EventPage> reply) {
  state_->ask([state = state_.get(), after_seq, limit, filter = std::move(filter),
               reply = std::move(reply)](std::function<void()> done) {
    state->log.read(after_seq, limit, filter,
                    [reply, done = std::move(done)](ports::StoreResult<ports::EventPage> page) {
                      reply(std::move(page));
                      done();
                    });
  });
}

std::size_t ReadQueue::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size();
}

}  // namespace fluxora::hub
