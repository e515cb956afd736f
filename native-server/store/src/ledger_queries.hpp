#pragma once

#include "fluxora/ports/ledger_reader.hpp"
#include "pool.hpp"

namespace fluxora::store {

class LedgerQueries final : public ports::LedgerReader {
 public:
  explicit LedgerQueries(ReadPool& pool) : pool_(pool) {}
  void up_to(std::uint32_t ledger, std::uint64_t min_seq, ports::Reply<ports::LedgerAnswer> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
