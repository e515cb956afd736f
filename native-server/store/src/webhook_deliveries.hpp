#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/webhooks.hpp"

namespace fluxora::store {

/// Some deliveries of one endpoint, each with the lane that it waits in.
struct LaneDeliveries {
  std::uint64_t endpoint = 0;
  std::vector<std::string> epochs;
  std::vector<std::uint64_t> seqs;
  std::vector<std::string> lanes;

  void add(std::string epoch, std::uint64_t seq, std::string lane);
  [[nodiscard]] bool empty() const noexcept { return seqs.empty(); }
  /// SQL's query of them: (endpoint, epoch, seq, lane).
  [[nodiscard]] std::string query(pqxx::transaction_base& sql) const;
};

/// Locks the lanes of the deliveries, or makes them. To be done before anything is changed about these.
void open_lanes(pqxx::transaction_base& sql, const LaneDeliveries& deliveries);

/// Those of them that are there and don't wait, wait again, with all tries before them. How many those were.
std::uint64_t let_wait_again(pqxx::transaction_base& sql, const LaneDeliveries& deliveries);

/// Removes those of their lanes in which nothing waits. These are locked.
void drop_idle_lanes(pqxx::transaction_base& sql, const LaneDeliveries& deliveries);

// As ports::Webhooks has them.
[[nodiscard]] ports::DeliveryPage list_deliveries(pqxx::connection& connection, const ports::DeliveryQuery& query);
[[nodiscard]] std::optional<ports::WebhookDeliveryDetails> find_delivery(pqxx::connection& connection,
                                                                         const ports::DeliveryKey& key);
ports::WebhookOutcome<ports::WebhookDelivery> make_test(pqxx::connection& connection, std::uint64_t endpoint,
                                                        const std::string& body, const ports::AuditRecord& by);
ports::WebhookOutcome<ports::WebhookDelivery> redeliver(pqxx::connection& connection, const ports::DeliveryKey& key,
                                                        const ports::AuditRecord& by);
ports::WebhookOutcome<std::uint64_t> redeliver_dead(pqxx::connection& connection, std::uint64_t endpoint,
                                                    std::size_t limit, const ports::AuditRecord& by);

}  // namespace fluxora::store
