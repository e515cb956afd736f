#include "webhooks.hpp"

#include <utility>

#include "webhook_deliveries.hpp"
#include "webhook_endpoints.hpp"
#include "webhook_replays.hpp"

namespace fluxora::store {

using ports::Reply;
using ports::WebhookOutcome;

void PostgresWebhooks::create(ports::NewWebhookEndpoint endpoint, SealSecret seal, ports::AuditRecord by,
                              Reply<WebhookOutcome<ports::WebhookEndpoint>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookEndpoint>>(
      std::move(reply), [endpoint = std::move(endpoint), seal = std::move(seal), by = std::move(by)](
                            pqxx::connection& connection) { return create_endpoint(connection, endpoint, seal, by); });
}

void PostgresWebhooks::list(std::optional<std::uint64_t> before, std::size_t limit,
                            Reply<ports::WebhookEndpointPage> reply) {
  pool_.run<ports::WebhookEndpointPage>(std::move(reply), [before, limit](pqxx::connection& connection) {
    return list_endpoints(connection, before, limit);
  });
}

void PostgresWebhooks::find(std::uint64_t id, Reply<std::optional<ports::WebhookEndpoint>> reply) {
  pool_.run<std::optional<ports::WebhookEndpoint>>(std::move(reply), [id](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return find_endpoint(sql, id);
  });
}

void PostgresWebhooks::change(std::uint64_t id, ports::WebhookEndpointChange change, ports::AuditRecord by,
                              Reply<WebhookOutcome<ports::WebhookEndpoint>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookEndpoint>>(
      std::move(reply), [id, change = std::move(change), by = std::move(by)](pqxx::connection& connection) {
        return change_endpoint(connection, id, change, by);
      });
}

void PostgresWebhooks::remove(std::uint64_t id, ports::AuditRecord by, Reply<WebhookOutcome<bool>> reply) {
  pool_.run<WebhookOutcome<bool>>(std::move(reply), [id, by = std::move(by)](pqxx::connection& connection) {
    return remove_endpoint(connection, id, by);
  });
}

void PostgresWebhooks::rotate(std::uint64_t id, ports::SecretRotation rotation, ports::AuditRecord by,
                              Reply<WebhookOutcome<ports::WebhookEndpoint>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookEndpoint>>(
      std::move(reply), [id, rotation = std::move(rotation), by = std::move(by)](pqxx::connection& connection) {
        return rotate_secret(connection, id, rotation, by);
      });
}

void PostgresWebhooks::test(std::uint64_t id, std::string body, ports::AuditRecord by,
                            Reply<WebhookOutcome<ports::WebhookDelivery>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookDelivery>>(
      std::move(reply), [id, body = std::move(body), by = std::move(by)](pqxx::connection& connection) {
        return make_test(connection, id, body, by);
      });
}

void PostgresWebhooks::deliveries(ports::DeliveryQuery query, Reply<ports::DeliveryPage> reply) {
  pool_.run<ports::DeliveryPage>(std::move(reply), [query = std::move(query)](pqxx::connection& connection) {
    return list_deliveries(connection, query);
  });
}

void PostgresWebhooks::delivery(ports::DeliveryKey key, Reply<std::optional<ports::WebhookDeliveryDetails>> reply) {
  pool_.run<std::optional<ports::WebhookDeliveryDetails>>(
      std::move(reply),
      [key = std::move(key)](pqxx::connection& connection) { return find_delivery(connection, key); });
}

void PostgresWebhooks::redeliver(ports::DeliveryKey key, ports::AuditRecord by,
                                 Reply<WebhookOutcome<ports::WebhookDelivery>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookDelivery>>(
      std::move(reply), [key = std::move(key), by = std::move(by)](pqxx::connection& connection) {
        return store::redeliver(connection, key, by);
      });
}

void PostgresWebhooks::redeliver_dead(std::uint64_t endpoint, std::size_t limit, ports::AuditRecord by,
                                      Reply<WebhookOutcome<std::uint64_t>> reply) {
  pool_.run<WebhookOutcome<std::uint64_t>>(std::move(reply),
                                           [endpoint, limit, by = std::move(by)](pqxx::connection& connection) {
                                             return store::redeliver_dead(connection, endpoint, limit, by);
                                           });
}

void PostgresWebhooks::start_replay(std::uint64_t endpoint, core::Cursor after, std::optional<core::Cursor> through,
                                    ports::AuditRecord by, Reply<WebhookOutcome<ports::WebhookReplay>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookReplay>>(
      std::move(reply),
      [endpoint, after = std::move(after), through = std::move(through), by = std::move(by)](
          pqxx::connection& connection) { return store::start_replay(connection, endpoint, after, through, by); });
}

void PostgresWebhooks::replays(ports::WebhookReplayQuery query, Reply<ports::WebhookReplayPage> reply) {
  pool_.run<ports::WebhookReplayPage>(
      std::move(reply), [query](pqxx::connection& connection) { return list_replays(connection, query); });
}

void PostgresWebhooks::replay(std::uint64_t id, Reply<std::optional<ports::WebhookReplay>> reply) {
  pool_.run<std::optional<ports::WebhookReplay>>(std::move(reply), [id](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return find_replay(sql, id);
  });
}

void PostgresWebhooks::change_replay(std::uint64_t id, ReplayAction action, ports::AuditRecord by,
                                     Reply<WebhookOutcome<ports::WebhookReplay>> reply) {
  pool_.run<WebhookOutcome<ports::WebhookReplay>>(std::move(reply),
                                                  [id, action, by = std::move(by)](pqxx::connection& connection) {
                                                    return store::change_replay(connection, id, action, by);
                                                  });
}

}  // namespace fluxora::store
