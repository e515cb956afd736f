#pragma once

#include <cstdint>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::store {

/// Appends entries behind `head_seq`, which the transaction holds locked, and wakes whoever follows the log. Throws
/// std::logic_error where their seqs leave a hole. `entries` isn't empty.
void append_entries(pqxx::transaction_base& sql, std::uint64_t head_seq, const std::vector<core::LogEntry>& entries);

/// Writes streams as they are after the transaction's entries, each at most once.
void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams);

}  // namespace fluxora::store
