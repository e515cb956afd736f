#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/core/cursor.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::store {

// What ports::IngestTransaction is asked by those who add to ledgers that are held: it says what each gives.

[[nodiscard]] core::Cursor read_log_end(pqxx::transaction_base& sql);
[[nodiscard]] std::vector<ports::LedgerHeader> read_ledgers_around(pqxx::transaction_base& sql,
                                                                   const std::vector<std::uint32_t>& numbers);
[[nodiscard]] std::vector<ports::LedgerHeader> read_held_ledgers(pqxx::transaction_base& sql, std::uint32_t first,
                                                                 std::uint32_t last);
[[nodiscard]] std::vector<core::LogEntry> read_standing_events(pqxx::transaction_base& sql, std::uint32_t first,
                                                               std::uint32_t last);
[[nodiscard]] std::size_t count_above(pqxx::transaction_base& sql, std::uint32_t ledger, std::size_t limit);

}  // namespace fluxora::store
