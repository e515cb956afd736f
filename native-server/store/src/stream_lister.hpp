#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "fluxora/ports/stream_reader.hpp"
#include "gathering.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Lists. Equal ones that arrive while that list is being read share the next reading of it, and its page. Lists with a
/// total are read one at a time: counting looks at every stream that matches, and would take all of the pool's threads.
class StreamLister {
 public:
  using Page = std::shared_ptr<const ports::StreamPage>;

  StreamLister(ReadPool& pool, std::size_t queue_limit);
  ~StreamLister();
  StreamLister(const StreamLister&) = delete;
  StreamLister& operator=(const StreamLister&) = delete;

  void list(ports::StreamQuery query, ports::Reply<Page> reply);
  void add_to(StoreStatistics& statistics) const;

 private:
  struct Request {
    std::uint64_t min_seq;
    ports::Reply<Page> reply;
  };
  class Query;

  std::vector<Request> take(const std::string& key);
  void end(const ports::StreamQuery& query, const std::string& key);
  void start(std::unique_ptr<Query> query);
  /// Of a list with a total: the query itself where it may start now.
  std::unique_ptr<Query> wait_its_turn(std::unique_ptr<Query> query);

  ReadPool& pool_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  std::map<std::string, Gathering<Request>> gatherings_;  ///< of the lists being read, by what is asked
  std::size_t waiting_ = 0;                               ///< in all of them
  std::deque<std::unique_ptr<Query>> totals_;             ///< that wait for the one that runs
  bool total_runs_ = false;
  std::uint64_t refused_ = 0;
  std::uint64_t shared_ = 0;
};

}  // namespace fluxora::store
