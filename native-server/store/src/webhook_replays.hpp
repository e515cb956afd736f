#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::store {

// As ports::Webhooks and ports::WebhookUpkeep have them.
[[nodiscard]] ports::WebhookOutcome<ports::WebhookReplay> start_replay(pqxx::connection& connection,
                                                                       std::uint64_t endpoint,
                                                                       const core::Cursor& after,
                                                                       const std::optional<core::Cursor>& through,
                                                                       const ports::AuditRecord& by);
[[nodiscard]] ports::WebhookReplayPage list_replays(pqxx::connection& connection,
                                                    const ports::WebhookReplayQuery& query);
[[nodiscard]] std::optional<ports::WebhookReplay> find_replay(pqxx::transaction_base& sql, std::uint64_t id);
[[nodiscard]] ports::WebhookOutcome<ports::WebhookReplay> change_replay(pqxx::connection& connection, std::uint64_t id,
                                                                        ports::Webhooks::ReplayAction action,
                                                                        const ports::AuditRecord& by);
[[nodiscard]] bool advance_replay(pqxx::connection& connection, std::size_t entries, std::size_t most_waiting);

// For whoever puts another log in the served one's place, in that transaction, behind the exchange.
/// Replays of a log that isn't served any more end as failed.
void end_replays_of_other_logs(pqxx::transaction_base& sql);
/// Each enabled endpoint gets a replay of what the served log has of ledgers that closed behind `after`, where the log
/// before it ended. None has one that is active.
void replay_what_nobody_told(pqxx::transaction_base& sql, core::UnixSeconds after);

/// How a transaction keeps the planner from reading all of webhook_deliveries, or all that an endpoint ever had: where
/// a few endpoints have most of it, that looks cheap to whoever expects to find the first ones soon.
inline constexpr std::string_view by_the_indexes =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_hashjoin = off;"
    "SET LOCAL enable_mergejoin = off; SET LOCAL enable_sort = off; SET LOCAL enable_incremental_sort = off";
/// Of what waits for one endpoint: the order that the index of what waits has, and no other.
inline constexpr std::string_view waiting_order = " ORDER BY endpoint, epoch, lane, seq";

}  // namespace fluxora::store
