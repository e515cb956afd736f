#pragma once

#include <chrono>
#include <memory>

#include "fluxora/ports/stream_reader.hpp"
#include "one_at_a_time.hpp"
#include "pool.hpp"
#include "shared_reads.hpp"

namespace fluxora::store {

/// Lists. Equal ones share a page. Lists with a total are read one at a time, and few may wait: counting looks at every
/// stream that matches.
class StreamLister {
 public:
  using Page = std::shared_ptr<const ports::StreamPage>;
  /// Of lists with a total; they don't count with the others.
  static constexpr std::size_t most_waiting_totals = 64;

  StreamLister(ReadPool& pool, std::size_t queue_limit, std::chrono::milliseconds longest_wait);

  void list(ports::StreamQuery query, ports::Reply<Page> reply);
  void add_to(StoreStatistics& statistics) const;

 private:
  OneAtATime turns_;
  SharedReads<ports::StreamPage> lists_;
  SharedReads<ports::StreamPage> totals_;
};

}  // namespace fluxora::store
