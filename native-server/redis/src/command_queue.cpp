#include "command_queue.hpp"

#include <utility>

#include "fluxora/core/circuit_breaker.hpp"

namespace fluxora::redis {
namespace {

constexpr core::Backoff backoff{250, 5'000};

}  // namespace

CommandQueue::CommandQueue(RedisAddress address, Connectivity& connectivity, std::function<void()> on_tick)
    : address_(std::move(address)), connectivity_(connectivity), on_tick_(std::move(on_tick)) {}

CommandQueue::~CommandQueue() {
  stop();
}

void CommandQueue::start() {
  thread_ = std::thread([this] { run(); });
}

void CommandQueue::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool CommandQueue::submit(Command command, Answer answer) {
  std::size_t bytes = 0;
  for (const std::string& word : command) bytes += word.size();
  {
    const std::lock_guard lock(mutex_);
    if (!connected_ || queue_.size() >= max_commands || queued_bytes_ + bytes > max_bytes) return false;
    queue_.push_back({std::move(command), std::move(answer)});
    queued_bytes_ += bytes;
  }
  wake_.notify_one();
  return true;
}

CommandQueue::Counts CommandQueue::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool CommandQueue::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void CommandQueue::run() {
  unsigned failures = 0;
  while (!is_stopping()) {
    try {
      Connection connection(address_);
      failures = 0;
      connectivity_.up(Connectivity::Part::commands);
      serve(connection);
    } catch (const RedisError& error) {
      connectivity_.down(Connectivity::Part::commands, error.what());
      ++failures;
    }
    if (failures != 0 && !pause(std::chrono::milliseconds(backoff.pause_ms(failures)))) return;
  }
}

void CommandQueue::serve(Connection& connection) {
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
  }
  next_tick_ = Clock::now();
  std::deque<Waiting> batch;
  try {
    while (!is_stopping()) {
      tick_if_due();
      batch = take();
      perform(connection, batch);
    }
    on_tick_();
    batch = take();
    perform(connection, batch);
  } catch (const RedisError&) {
    disconnect(std::move(batch));
    throw;
  }
  disconnect({});
}

void CommandQueue::tick_if_due() {
  if (Clock::now() < next_tick_) return;
  next_tick_ = Clock::now() + tick_every;
  on_tick_();
}

std::deque<CommandQueue::Waiting> CommandQueue::take() {
  std::unique_lock lock(mutex_);
  wake_.wait_until(lock, next_tick_, [this] { return stopping_ || !queue_.empty(); });
  queued_bytes_ = 0;
  return std::exchange(queue_, {});
}

void CommandQueue::perform(Connection& connection, std::deque<Waiting>& batch) {
  if (batch.empty()) return;
  std::vector<Command> commands;
  commands.reserve(batch.size());
  for (Waiting& waiting : batch) commands.push_back(std::move(waiting.command));
  const std::vector<Reply> replies = connection.run(commands);
  std::uint64_t refused = 0;
  for (const Reply& reply : replies) refused += reply.kind == Reply::Kind::error ? 1 : 0;
  {
    const std::lock_guard lock(mutex_);
    counts_.commands += replies.size();
    counts_.failures += refused;
  }
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const Reply& reply = replies[i];
    if (reply.kind == Reply::Kind::error) connectivity_.refused(refusal_text(commands[i].front(), reply));
    if (batch.front().answer) batch.front().answer(&reply);
    batch.pop_front();
  }
  if (refused == 0) connectivity_.accepted();
}

void CommandQueue::disconnect(std::deque<Waiting> unanswered) {
  std::deque<Waiting> waiting;
  {
    const std::lock_guard lock(mutex_);
    connected_ = false;
    waiting = std::exchange(queue_, {});
    queued_bytes_ = 0;
    counts_.failures += unanswered.size() + waiting.size();
  }
  for (auto* queue : {&unanswered, &waiting}) {
    for (const Waiting& command : *queue) {
      if (command.answer) command.answer(nullptr);
    }
  }
}

bool CommandQueue::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, duration, [this] { return stopping_; });
  return !stopping_;
}

}  // namespace fluxora::redis
