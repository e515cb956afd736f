#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/webhooks.hpp"

namespace fluxora::store {

// As ports::Webhooks and ports::WebhookUpkeep have them.
[[nodiscard]] ports::WebhookOutcome<ports::WebhookReplay> start_replay(pqxx::connection& connection,
                                                                       std::uint64_t endpoint,
                                                                       const core::Cursor& after,
                                                                       const std::optional<core::Cursor>& through,
                                                                       const ports::AuditRecord& by);
[[nodiscard]] std::vector<ports::WebhookReplay> list_replays(pqxx::connection& connection, std::size_t limit);
[[nodiscard]] std::optional<ports::WebhookReplay> find_replay(pqxx::transaction_base& sql, std::uint64_t id);
[[nodiscard]] ports::WebhookOutcome<ports::WebhookReplay> change_replay(pqxx::connection& connection, std::uint64_t id,
                                                                        ports::Webhooks::ReplayAction action,
                                                                        const ports::AuditRecord& by);
[[nodiscard]] bool advance_replay(pqxx::connection& connection, std::size_t entries, std::size_t most_waiting);

}  // namespace fluxora::store
