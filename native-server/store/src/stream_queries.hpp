#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "fluxora/ports/stream_reader.hpp"
#include "pool.hpp"
#include "stream_finder.hpp"
#include "stream_lister.hpp"

namespace fluxora::store {

/// How a value of that SQL type is written into a statement: as a parameter, or as a literal.
using WriteValue = std::function<std::string(const std::string& value, std::string_view type)>;

/// The filter as SQL over `streams s` and the row `c` of the indexer's checkpoint.
[[nodiscard]] std::string stream_conditions(const ports::StreamFilter& filter, const WriteValue& write);
/// The same with literals.
[[nodiscard]] std::string stream_conditions(const ports::StreamFilter& filter, pqxx::transaction_base& sql);

class StreamQueries final : public ports::StreamReader {
 public:
  StreamQueries(ReadPool& pool, std::size_t queue_limit, int read_timeout_ms)
      : pool_(pool),
        finder_(pool, queue_limit),
        lister_(pool, queue_limit, std::chrono::milliseconds(read_timeout_ms)) {}

  void find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply) override;
  void find_as_of(std::string id, core::UnixSeconds at, std::uint64_t min_seq,
                  ports::Reply<ports::StreamAnswer> reply) override;
  void find_all(std::vector<std::string> ids, std::uint64_t min_seq, ports::Reply<ports::StreamsAnswer> reply) override;
  void list(ports::StreamQuery query, ports::Reply<std::shared_ptr<const ports::StreamPage>> reply) override;
  void add_to(StoreStatistics& statistics) const;

 private:
  ReadPool& pool_;
  StreamFinder finder_;
  StreamLister lister_;
};

}  // namespace fluxora::store
