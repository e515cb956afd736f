#pragma once

#include <cstddef>
#include <optional>

#include "fluxora/ports/account_reader.hpp"
#include "one_at_a_time.hpp"
#include "paged_reads.hpp"
#include "pool.hpp"
#include "shared_reads.hpp"

namespace fluxora::store {

/// Totals as a read gives them.
struct TotalsRead {
  std::optional<core::AccountTotals> totals;  ///< none: they took too long
  ports::ReadPoint at;
};

/// Totals look at every stream of an account's: they are read one at a time, equal accounts share a reading, and few
/// may wait.
class AccountQueries final : public ports::AccountReader {
 public:
  static constexpr std::size_t most_waiting_totals = 64;

  /// Totals take `timeout_ms` at most, all their statements together, after waiting about as long for their turn.
  AccountQueries(ReadPool& pool, PagedReadThreads& long_reads, int timeout_ms);

  void totals(std::string account, core::UnixSeconds now, std::uint64_t min_seq,
              ports::Reply<ports::AccountAnswer> reply) override;
  void statement(ports::StatementQuery query, ports::Reply<std::shared_ptr<ports::Statement>> reply) override;
  void add_to(StoreStatistics& statistics) const { totals_.add_to(statistics); }

 private:
  PagedReadThreads& long_reads_;
  int timeout_ms_;
  OneAtATime turns_;
  SharedReads<TotalsRead> totals_;
};

}  // namespace fluxora::store
