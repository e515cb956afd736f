#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "fluxora/net/http_message.hpp"

/// How a receiver behaves that is to show what senders make of it.
namespace fluxora::webhook_receiver {

/// What becomes of a request that was verified.
struct Plan {
  bool handled = true;  ///< whether the receiver keeps it, whatever it answers
  unsigned status = 200;
  bool never = false;                 ///< no answer at all
  std::chrono::milliseconds delay{};  ///< before the answer
  std::optional<unsigned> retry_after_seconds{};
};

/// Plans by the request's path, whose first segment is one of these; what follows is only a name.
///   /ok/…                handled
///   /slow/MS/…           handled, answered after so many milliseconds
///   /hang/…              never answered
///   /status/CODE/…       that answer; handled where it is 2xx
///   /fail-first/N/…      of each delivery the first N attempts are answered 500
///   /flaky/PERCENT/…     so many attempts go wrong, drawn from the seed: refused, or handled and yet answered 500,
///   some of them
///                        late, a few with Retry-After
class Behaviour {
 public:
  explicit Behaviour(std::uint64_t seed) : random_(seed) {}

  /// None: no such path.
  [[nodiscard]] std::optional<Plan> plan(std::string_view path, const std::string& delivery_id);

 private:
  Plan flaky(unsigned percent);
  Plan fail_first(unsigned failures, const std::string& delivery_id);

  std::mutex mutex_;
  std::mt19937_64 random_;
  std::unordered_map<std::string, unsigned> attempts_;  ///< of /fail-first
};

/// Answers that are given later, or never. Beyond `held_max` they are given at once.
class LateAnswers {
 public:
  LateAnswers();
  ~LateAnswers();
  LateAnswers(const LateAnswers&) = delete;
  LateAnswers& operator=(const LateAnswers&) = delete;

  void after(std::chrono::milliseconds delay, net::Respond respond, net::Response response);
  void never(net::Respond respond);

 private:
  static constexpr std::size_t held_max = 20'000;
  struct Late {
    std::chrono::steady_clock::time_point due;
    net::Respond respond;
    net::Response response;
    bool operator<(const Late& other) const { return due > other.due; }  // the earliest is the queue's top
  };
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::priority_queue<Late> late_;
  std::vector<net::Respond> never_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace fluxora::webhook_receiver
