#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <utility>
#include <vector>

namespace fluxora::store {

/// Requests that one query can answer together. Those that come while queries run wait for the next one, which takes
/// them when it is sent: a query that has been sent might not see what was committed since. Not for two threads at
/// once.
template <class Request>
class Gathering {
 public:
  /// True: a query is to be started, which calls take() when it is about to be sent, and end() after it.
  [[nodiscard]] bool add(Request request) {
    waiting_.push_back(std::move(request));
    return is_due();
  }

  /// The requests that the query is for: at most `most`, and none where another one took them all.
  [[nodiscard]] std::vector<Request> take(std::size_t most) {
    announced_ = false;
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting_.size()));
    std::vector<Request> taken(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return taken;
  }

  /// Whether another query is to be started; asked after take(), which may have left some.
  [[nodiscard]] bool is_due() {
    if (announced_ || waiting_.empty() || queries_ == most_queries) return false;
    announced_ = true;
    ++queries_;
    return true;
  }

  /// A query has ended. True: another one is to be started.
  [[nodiscard]] bool end() {
    --queries_;
    return is_due();
  }

  [[nodiscard]] std::size_t waiting() const noexcept { return waiting_.size(); }
  [[nodiscard]] bool is_idle() const noexcept { return queries_ == 0; }

 private:
  /// While one's answers are handed out, the database works on the other.
  static constexpr unsigned most_queries = 2;

  std::deque<Request> waiting_;
  unsigned queries_ = 0;    ///< started and not ended
  bool announced_ = false;  ///< one of them has yet to take what waits
};

}  // namespace fluxora::store
