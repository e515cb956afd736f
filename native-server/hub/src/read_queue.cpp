#include "fluxora/hub/read_queue.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace fluxora::hub {
namespace {

using Heads = std::vector<ports::Reply<ports::LogHead>>;

/// Answers a question once, whatever goes wrong.
template <class T>
class Answer {
 public:
  explicit Answer(ports::Reply<T> reply) : reply_(std::move(reply)) {}

  /// False: it was given already.
  bool give(ports::StoreResult<T> result) noexcept {
    if (given_.exchange(true)) return false;
    try {
      reply_(std::move(result));
    } catch (const std::exception&) {
      // Who asked can't be told. Those who wait behind it have their turn all the same.
      return true;
    }
    return true;
  }

 private:
  ports::Reply<T> reply_;
  std::atomic<bool> given_{false};
};

}  // namespace

struct ReadQueue::State : std::enable_shared_from_this<ReadQueue::State> {
  State(ports::EventLog& of_log, std::size_t of_at_once, std::size_t of_most_waiting)
      : log(of_log), at_once(std::max<std::size_t>(of_at_once, 1)), most_waiting(of_most_waiting) {}

  struct Question {
    std::weak_ptr<const void> asker;
    std::function<void(const std::shared_ptr<State>& state)> ask;
    std::function<bool(State& state, ports::StoreFailure failure)> fail;  // false: it was answered already
  };

  void ask(Question question) {
    {
      std::unique_lock lock(mutex);
      if (waiting.size() >= most_waiting) {
        lock.unlock();
        question.fail(*this, ports::StoreFailure::busy);
        return;
      }
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
      begin(question);
      lock.lock();
    }
    beginning = false;
  }

  void begin(const Question& question) {
    if (question.asker.expired()) return answered();
    try {
      question.ask(shared_from_this());
    } catch (const std::exception&) {
      if (question.fail(*this, ports::StoreFailure::internal)) answered();
    }
  }

  void answered() {
    {
      const std::lock_guard lock(mutex);
      --running;
    }
    run_waiting();
  }

  /// Who asks for the head from now on gets an answer that is given later.
  void close(const std::shared_ptr<Heads>& shared) {
    const std::lock_guard lock(mutex);
    if (heads == shared) heads = nullptr;
  }

  ports::EventLog& log;
  const std::size_t at_once;
  const std::size_t most_waiting;
  mutable std::mutex mutex;
  std::deque<Question> waiting;
  std::shared_ptr<Heads> heads;  // of those who share the question for the head that waits
  std::size_t running = 0;
  bool beginning = false;
};

ReadQueue::ReadQueue(ports::EventLog& log, std::size_t at_once, std::size_t most_waiting)
    : state_(std::make_shared<State>(log, at_once, most_waiting)) {}

void ReadQueue::head(ports::Reply<ports::LogHead> reply) {
  std::shared_ptr<Heads> heads;
  {
    std::unique_lock lock(state_->mutex);
    if (state_->heads && state_->heads->size() >= state_->most_waiting) {
      lock.unlock();
      return reply(tl::unexpected(ports::StoreFailure::busy));
    }
    const bool shares = state_->heads != nullptr;
    if (!shares) state_->heads = std::make_shared<Heads>();
    heads = state_->heads;
    heads->push_back(std::move(reply));
    if (shares) return;
  }
  const auto answer = std::make_shared<Answer<ports::LogHead>>([heads](const ports::StoreResult<ports::LogHead>& head) {
    for (const auto& reply_of_one : *heads) reply_of_one(head);
  });
  state_->ask({state_,
               [answer, heads](const std::shared_ptr<State>& state) {
                 state->close(heads);
                 state->log.head([answer, state](ports::StoreResult<ports::LogHead> head) {
                   if (answer->give(std::move(head))) state->answered();
                 });
               },
               [answer, heads](State& state, ports::StoreFailure failure) {
                 state.close(heads);
                 return answer->give(tl::unexpected(failure));
               }});
}

void ReadQueue::read(std::weak_ptr<const void> asker, std::optional<std::uint64_t> after_seq, std::size_t limit,
                     ports::EventFilter filter, ports::Reply<ports::EventPage> reply) {
  const auto answer = std::make_shared<Answer<ports::EventPage>>(std::move(reply));
  state_->ask({std::move(asker),
               [answer, after_seq, limit, filter = std::move(filter)](const std::shared_ptr<State>& state) {
                 state->log.read(after_seq, limit, filter, [answer, state](ports::StoreResult<ports::EventPage> page) {
                   if (answer->give(std::move(page))) state->answered();
                 });
               },
               [answer](State&, ports::StoreFailure failure) { return answer->give(tl::unexpected(failure)); }});
}

std::size_t ReadQueue::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size();
}

}  // namespace fluxora::hub
