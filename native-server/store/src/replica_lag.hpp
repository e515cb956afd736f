#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "database_watch.hpp"

namespace fluxora::store {

/// Whether a replica keeps up: it has to reach, within a time, where the primary's log once was. How far it is behind
/// in entries says nothing: a batch of the indexer's has thousands. Not for two threads at once.
class ReplicaLag {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  static constexpr std::chrono::seconds longest{10};

  /// What the last looks at both have seen.
  void note(const DatabaseWatch::Sight& ours, const DatabaseWatch::Sight& its, TimePoint now) {
    if (ours.epoch == epoch_ && its.head_seq < goal_) return;
    epoch_ = ours.epoch;
    goal_ = ours.head_seq;
    since_ = now;
  }
  [[nodiscard]] bool is_too_long(TimePoint now) const { return now - since_ > longest; }

 private:
  std::string epoch_;
  std::uint64_t goal_ = 0;  ///< where the primary's log was, and the replica's not yet
  TimePoint since_{};
};

}  // namespace fluxora::store
