#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::store {

/// The log's end, as the row of log_head says it that the transaction holds locked.
struct LogEnd {
  std::uint64_t seq = 0;
  std::uint64_t partitioned_to = 0;     ///< every seq below it has a partition of `events`
  std::uint64_t partition_entries = 0;  ///< that a new one is made for, and more where the entries at hand are more
};

/// Appends entries behind the end, makes the partition that they need where there is none yet, and wakes whoever
/// follows the log; and writes `streams`, each at most once, as they are after the entries. Moves `end`. Throws
/// std::logic_error where the entries' seqs leave a hole. `entries` isn't empty. By COPY: for many of them.
void append_entries(pqxx::transaction_base& sql, LogEnd& end, const std::vector<core::LogEntry>& entries,
                    const std::vector<core::Stream>& streams);

/// Writes streams alone, by COPY. `streams` isn't empty.
void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams);

/// The two as statements, each ended by a semicolon, so that a transaction of a few writes needs one round trip
/// for all it writes. Neither vector is empty.
[[nodiscard]] std::string append_entries_sql(pqxx::transaction_base& sql, LogEnd& end,
                                             const std::vector<core::LogEntry>& entries);
[[nodiscard]] std::string write_streams_sql(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams);

}  // namespace fluxora::store
