#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "fluxora/ports/stream_reader.hpp"
#include "gathering.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Streams by these ids and the read point, in one statement.
[[nodiscard]] pqxx::result find_streams(ReadConnection& connection, const std::vector<std::string>& ids);

/// Reads of one stream each. Those that arrive while queries run are gathered into the next: alone, a read is one
/// round trip at once; under load, one statement answers hundreds.
class StreamFinder {
 public:
  StreamFinder(ReadPool& pool, std::size_t queue_limit) : pool_(pool), queue_limit_(queue_limit) {}

  void find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply);
  void add_to(StoreStatistics& statistics) const;

 private:
  struct Request {
    std::string id;
    std::uint64_t min_seq;
    ports::Reply<ports::StreamAnswer> reply;
  };
  class Query;

  std::vector<Request> take();
  void end();
  void start();

  ReadPool& pool_;
  const std::size_t queue_limit_;
  mutable std::mutex mutex_;
  Gathering<Request> gathering_;
  std::uint64_t refused_ = 0;
  std::uint64_t gathered_ = 0;
};

}  // namespace fluxora::store
