#pragma once

#include "fluxora/ports/schedule_reader.hpp"
#include "pool.hpp"

namespace fluxora::store {

class ScheduleQueries final : public ports::ScheduleReader {
 public:
  explicit ScheduleQueries(ReadPool& pool) : pool_(pool) {}
  void schedule(std::string id, core::ScheduleRange range, std::uint64_t min_seq,
                ports::Reply<ports::ScheduleAnswer> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
