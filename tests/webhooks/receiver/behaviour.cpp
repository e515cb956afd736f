#include "behaviour.hpp"

#include <charconv>
#include <utility>

namespace fluxora::webhook_receiver {
namespace {

constexpr std::size_t counted_max = 100'000;

/// Takes the first segment off a path: "/slow/20/x" gives "slow" and leaves "/20/x".
std::string_view take_segment(std::string_view& path) {
  if (path.empty() || path.front() != '/') return {};
  path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

std::optional<unsigned> take_number(std::string_view& path) {
  const std::string_view text = take_segment(path);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Plan refused(unsigned status) {
  Plan plan;
  plan.handled = false;
  plan.status = status;
  return plan;
}

}  // namespace

std::optional<Plan> Behaviour::plan(std::string_view path, const std::string& delivery_id) {
  const std::string_view name = take_segment(path);
  if (name == "ok") return Plan{};
  if (name == "hang") {
    Plan plan = refused(0);
    plan.never = true;
    return plan;
  }
  const auto number = take_number(path);
  if (!number) return std::nullopt;
  if (name == "slow") {
    Plan plan;
    plan.delay = std::chrono::milliseconds(*number);
    return plan;
  }
  if (name == "status" && *number >= 200 && *number <= 599) {
    Plan plan = refused(*number);
    plan.handled = *number < 300;
    return plan;
  }
  if (name == "fail-first") return fail_first(*number, delivery_id);
  if (name == "flaky" && *number <= 100) return flaky(*number);
  return std::nullopt;
}

Plan Behaviour::fail_first(unsigned failures, const std::string& delivery_id) {
  const std::lock_guard lock(mutex_);
  if (attempts_.size() >= counted_max && !attempts_.contains(delivery_id)) return refused(503);
  return ++attempts_[delivery_id] > failures ? Plan{} : refused(500);
}

Plan Behaviour::flaky(unsigned percent) {
  const std::lock_guard lock(mutex_);
  const auto draw = [this](unsigned below) { return static_cast<unsigned>(random_() % below); };
  if (draw(100) >= percent) return Plan{};
  Plan plan = refused(500);
  if (draw(4) == 0) plan.delay = std::chrono::milliseconds(draw(300));
  switch (draw(40)) {
    case 0: plan.status = 503; break;
    case 1: plan.status = 429; break;
    default: plan.handled = draw(3) == 0; return plan;
  }
  plan.retry_after_seconds = 1;
  return plan;
}

LateAnswers::LateAnswers() : thread_([this] { run(); }) {}

LateAnswers::~LateAnswers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LateAnswers::after(std::chrono::milliseconds delay, net::Respond respond, net::Response response) {
  {
    const std::lock_guard lock(mutex_);
    if (late_.size() < held_max) {
      late_.push({std::chrono::steady_clock::now() + delay, std::move(respond), std::move(response)});
      changed_.notify_one();
      return;
    }
  }
  respond(std::move(response));
}

void LateAnswers::never(net::Respond respond) {
  const std::lock_guard lock(mutex_);
  if (never_.size() < held_max) never_.push_back(std::move(respond));
}

void LateAnswers::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (late_.empty()) {
      changed_.wait(lock);
    } else if (const auto due = late_.top().due; due > std::chrono::steady_clock::now()) {
      changed_.wait_until(lock, due);
    } else {
      Late next = late_.top();
      late_.pop();
      lock.unlock();
      next.respond(std::move(next.response));
      lock.lock();
    }
  }
}

}  // namespace fluxora::webhook_receiver
