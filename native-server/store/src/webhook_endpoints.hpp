#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <pqxx/pqxx>

#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::store {

/// Locks the log's end until the commit, and gives it: what is changed of the endpoints counts for every entry behind
/// it and for none before. Whoever appends sees that something was.
[[nodiscard]] core::Cursor hold_log_end(pqxx::transaction_base& sql);

/// Assignments of webhook_endpoints: it is enabled, or disabled, from the log's end on. `reason` is a constant.
[[nodiscard]] std::string enabling_sql(pqxx::transaction_base& sql, const core::Cursor& end);
[[nodiscard]] std::string disabling_sql(pqxx::transaction_base& sql, std::string_view reason, const core::Cursor& end);

/// Disables an endpoint that is enabled, from the log's end on, where `url` (if any) is its address. One text, which
/// the database makes one transaction of: whoever appends never waits for us. Waits half a second for a lock.
[[nodiscard]] ports::DisableEnd disable_endpoint(pqxx::connection& connection, std::uint64_t id,
                                                 const std::optional<std::string>& url, ports::DisableReason reason);

/// What rests of an endpoint's lanes is due: it was enabled, and that is committed. A bounded number at once, in their
/// order; as there may be very many of them, not in the transaction that enables it, which holds the log's end.
void wake_lanes(pqxx::connection& connection, std::uint64_t id);

/// None: there is no such endpoint, or not any more.
[[nodiscard]] std::optional<ports::WebhookEndpoint> find_endpoint(pqxx::transaction_base& sql, std::uint64_t id);
[[nodiscard]] ports::WebhookEndpointPage list_endpoints(pqxx::connection& connection,
                                                        std::optional<std::uint64_t> before, std::size_t limit);

// Each is one transaction, with its record in the audit log. As ports::Webhooks has them.
ports::WebhookOutcome<ports::WebhookEndpoint> create_endpoint(pqxx::connection& connection,
                                                              const ports::NewWebhookEndpoint& endpoint,
                                                              const ports::Webhooks::SealSecret& seal,
                                                              const ports::AuditRecord& by);
ports::WebhookOutcome<ports::WebhookEndpoint> change_endpoint(pqxx::connection& connection, std::uint64_t id,
                                                              const ports::WebhookEndpointChange& change,
                                                              const ports::AuditRecord& by);
ports::WebhookOutcome<bool> remove_endpoint(pqxx::connection& connection, std::uint64_t id,
                                            const ports::AuditRecord& by);
ports::WebhookOutcome<ports::WebhookEndpoint> rotate_secret(pqxx::connection& connection, std::uint64_t id,
                                                            const ports::SecretRotation& rotation,
                                                            const ports::AuditRecord& by);

/// What of an endpoint's URL may be kept in records: path and query may hold secrets, and so may what stands before
/// the host. "https://host:port".
[[nodiscard]] std::string url_origin(std::string_view url);

}  // namespace fluxora::store
