#pragma once

#include "fluxora/ports/webhooks.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Webhooks as they are managed, on the pool.
class PostgresWebhooks final : public ports::Webhooks {
 public:
  explicit PostgresWebhooks(ReadPool& pool) : pool_(pool) {}

  void create(ports::NewWebhookEndpoint endpoint, SealSecret seal, ports::AuditRecord by,
              ports::Reply<ports::WebhookOutcome<ports::WebhookEndpoint>> reply) override;
  void list(std::optional<std::uint64_t> before, std::size_t limit,
            ports::Reply<ports::WebhookEndpointPage> reply) override;
  void find(std::uint64_t id, ports::Reply<std::optional<ports::WebhookEndpoint>> reply) override;
  void change(std::uint64_t id, ports::WebhookEndpointChange change, ports::AuditRecord by,
              ports::Reply<ports::WebhookOutcome<ports::WebhookEndpoint>> reply) override;
  void remove(std::uint64_t id, ports::AuditRecord by, ports::Reply<ports::WebhookOutcome<bool>> reply) override;
  void rotate(std::uint64_t id, ports::SecretRotation rotation, ports::AuditRecord by,
              ports::Reply<ports::WebhookOutcome<ports::WebhookEndpoint>> reply) override;
  void test(std::uint64_t id, std::string body, ports::AuditRecord by,
            ports::Reply<ports::WebhookOutcome<ports::WebhookDelivery>> reply) override;
  void deliveries(ports::DeliveryQuery query, ports::Reply<ports::DeliveryPage> reply) override;
  void delivery(ports::DeliveryKey key, ports::Reply<std::optional<ports::WebhookDeliveryDetails>> reply) override;
  void redeliver(ports::DeliveryKey key, ports::AuditRecord by,
                 ports::Reply<ports::WebhookOutcome<ports::WebhookDelivery>> reply) override;
  void redeliver_dead(std::uint64_t endpoint, std::size_t limit, ports::AuditRecord by,
                      ports::Reply<ports::WebhookOutcome<std::uint64_t>> reply) override;
  void start_replay(std::uint64_t endpoint, core::Cursor after, std::optional<core::Cursor> through,
                    ports::AuditRecord by, ports::Reply<ports::WebhookOutcome<ports::WebhookReplay>> reply) override;
  void replays(ports::WebhookReplayQuery query, ports::Reply<ports::WebhookReplayPage> reply) override;
  void replay(std::uint64_t id, ports::Reply<std::optional<ports::WebhookReplay>> reply) override;
  void change_replay(std::uint64_t id, ReplayAction action, ports::AuditRecord by,
                     ports::Reply<ports::WebhookOutcome<ports::WebhookReplay>> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
