#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "fluxora/hub/published_entry.hpp"

namespace fluxora::hub {

/// The log's last entries with their messages, for who has just fallen behind or comes back with a fresh cursor: they
/// cost neither a query nor an encoding. Bounded in number and bytes; the batches are shared between threads.
class RecentEntries {
 public:
  struct Bounds {
    std::size_t entries = 4'096;
    std::size_t bytes = 16 * 1024 * 1024;
  };

  /// Empty, behind `seq`.
  RecentEntries(std::uint64_t seq, const Bounds& bounds) : bounds_(bounds), begin_(seq) {}

  /// `batch` begins where the last one ended.
  void push(std::shared_ptr<const PublishedBatch> batch);

  /// True when every entry behind `position` is here.
  [[nodiscard]] bool reaches_back_to(std::uint64_t position) const noexcept { return position >= begin_; }

  /// Visits the entries of (after, up_to] in order while `visit(const PublishedEntry&)` gives true. False: it was told
  /// to stop.
  template <class Visit>
  bool visit(std::uint64_t after, std::uint64_t up_to, Visit visit) const {
    for (auto batch = first_behind(after); batch != batches_.end(); ++batch) {
      for (const PublishedEntry& entry : (*batch)->entries) {
        if (entry.keys().seq <= after) continue;
        if (entry.keys().seq > up_to) return true;
        if (!visit(entry)) return false;
      }
    }
    return true;
  }

 private:
  using Batches = std::deque<std::shared_ptr<const PublishedBatch>>;

  [[nodiscard]] Batches::const_iterator first_behind(std::uint64_t seq) const;

  Bounds bounds_;
  Batches batches_;
  std::uint64_t begin_;
  std::size_t entries_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace fluxora::hub
