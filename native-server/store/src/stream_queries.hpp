#pragma once

#include "fluxora/ports/stream_reader.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// The filter as SQL over `streams s` and the row `c` of the indexer's checkpoint.
[[nodiscard]] std::string stream_conditions(const ports::StreamFilter& filter, pqxx::transaction_base& sql);

class StreamQueries final : public ports::StreamReader {
 public:
  explicit StreamQueries(ReadPool& pool) : pool_(pool) {}

  void find(std::string id, ports::Reply<ports::StreamAnswer> reply) override;
  void find_as_of(std::string id, core::UnixSeconds at, ports::Reply<ports::StreamAnswer> reply) override;
  void find_all(std::vector<std::string> ids, ports::Reply<ports::StreamsAnswer> reply) override;
  void list(ports::StreamQuery query, ports::Reply<ports::StreamPage> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
