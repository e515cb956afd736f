#pragma once

#include "fluxora/ports/account_reader.hpp"
#include "paged_reads.hpp"
#include "pool.hpp"

namespace fluxora::store {

class AccountQueries final : public ports::AccountReader {
 public:
  /// Totals take `timeout_ms` at most: all their statements together.
  AccountQueries(ReadPool& pool, PagedReadThreads& long_reads, int timeout_ms)
      : pool_(pool), long_reads_(long_reads), timeout_ms_(timeout_ms) {}

  void totals(std::string account, core::UnixSeconds now, std::uint64_t min_seq,
              ports::Reply<ports::AccountAnswer> reply) override;
  void statement(ports::StatementQuery query, ports::Reply<std::shared_ptr<ports::Statement>> reply) override;

 private:
  ReadPool& pool_;
  PagedReadThreads& long_reads_;
  int timeout_ms_;
};

}  // namespace fluxora::store
