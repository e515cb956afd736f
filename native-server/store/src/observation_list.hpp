#pragma once

#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/ledger_store.hpp"

/// The indexer's side of what is read from contract storage: the list of streams to look at, what was found, and where
/// the audit is.
namespace fluxora::store {

/// Most differences that are kept.
inline constexpr unsigned max_differences = 1'000;

/// Writes what a record says of observations and the audit, as part of its transaction.
void write_findings(pqxx::transaction_base& sql, const ports::IngestRecord& record);

[[nodiscard]] std::vector<ports::StreamLedger> last_ledgers(pqxx::transaction_base& sql,
                                                            const std::vector<std::string>& ids);
[[nodiscard]] std::vector<core::Stream> logged_states(pqxx::transaction_base& sql, const std::vector<std::string>& ids);
[[nodiscard]] std::optional<ports::LedgerHeader> first_ledger_closing(pqxx::transaction_base& sql,
                                                                      core::UnixSeconds at);

/// `contracts`: those that are followed, comma separated.
[[nodiscard]] std::vector<ports::ObservationRequest> due_observations(pqxx::transaction_base& sql,
                                                                      const std::string& contracts,
                                                                      std::uint32_t checkpoint, std::size_t limit);
[[nodiscard]] std::vector<std::string> streams_to_audit(pqxx::transaction_base& sql, const std::string& contracts,
                                                        const std::string& after, std::size_t limit);
[[nodiscard]] ports::AuditState audit_state(pqxx::transaction_base& sql);

}  // namespace fluxora::store
