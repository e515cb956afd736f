#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/secret_box.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::api::test {

/// Answers at once what the test has set, and keeps what it was asked.
class FakeWebhooks final : public ports::Webhooks {
 public:
  using Endpoint = ports::WebhookOutcome<ports::WebhookEndpoint>;
  using Delivery = ports::WebhookOutcome<ports::WebhookDelivery>;
  using Replay = ports::WebhookOutcome<ports::WebhookReplay>;

  void create(ports::NewWebhookEndpoint wanted, SealSecret seal, ports::AuditRecord by,
              ports::Reply<Endpoint> reply) override {
    created.push_back(std::move(wanted));
    sealed = seal(12);
    records.push_back(std::move(by));
    reply(endpoint);
  }
  void list(std::optional<std::uint64_t> before, std::size_t limit,
            ports::Reply<ports::WebhookEndpointPage> reply) override {
    listed.emplace_back(before, limit);
    reply(endpoints);
  }
  void find(std::uint64_t id, ports::Reply<std::optional<ports::WebhookEndpoint>> reply) override {
    found.push_back(id);
    reply(known);
  }
  void change(std::uint64_t id, ports::WebhookEndpointChange change, ports::AuditRecord by,
              ports::Reply<Endpoint> reply) override {
    changed.emplace_back(id, std::move(change));
    records.push_back(std::move(by));
    reply(endpoint);
  }
  void remove(std::uint64_t id, ports::AuditRecord by, ports::Reply<ports::WebhookOutcome<bool>> reply) override {
    removed.push_back(id);
    records.push_back(std::move(by));
    reply(removal);
  }
  void rotate(std::uint64_t id, ports::SecretRotation rotation, ports::AuditRecord by,
              ports::Reply<Endpoint> reply) override {
    rotated.emplace_back(id, std::move(rotation));
    records.push_back(std::move(by));
    reply(endpoint);
  }
  void test(std::uint64_t id, std::string body, ports::AuditRecord by, ports::Reply<Delivery> reply) override {
    tested.emplace_back(id, std::move(body));
    records.push_back(std::move(by));
    reply(delivery_made);
  }
  void deliveries(ports::DeliveryQuery query, ports::Reply<ports::DeliveryPage> reply) override {
    queries.push_back(std::move(query));
    reply(page);
  }
  void delivery(ports::DeliveryKey key, ports::Reply<std::optional<ports::WebhookDeliveryDetails>> reply) override {
    keys.push_back(std::move(key));
    reply(details);
  }
  void redeliver(ports::DeliveryKey key, ports::AuditRecord by, ports::Reply<Delivery> reply) override {
    keys.push_back(std::move(key));
    records.push_back(std::move(by));
    reply(delivery_made);
  }
  void redeliver_dead(std::uint64_t id, std::size_t limit, ports::AuditRecord by,
                      ports::Reply<ports::WebhookOutcome<std::uint64_t>> reply) override {
    redelivered.emplace_back(id, limit);
    records.push_back(std::move(by));
    reply(redelivery);
  }
  void start_replay(std::uint64_t id, core::Cursor after, std::optional<core::Cursor> through, ports::AuditRecord by,
                    ports::Reply<Replay> reply) override {
    started.push_back({id, std::move(after), std::move(through)});
    records.push_back(std::move(by));
    reply(replay_made);
  }
  void replays(ports::WebhookReplayQuery query, ports::Reply<ports::WebhookReplayPage> reply) override {
    replay_queries.push_back(query);
    reply(all_replays);
  }
  void replay(std::uint64_t id, ports::Reply<std::optional<ports::WebhookReplay>> reply) override {
    found.push_back(id);
    reply(known_replay);
  }
  void change_replay(std::uint64_t id, ReplayAction action, ports::AuditRecord by,
                     ports::Reply<Replay> reply) override {
    steered.emplace_back(id, action);
    records.push_back(std::move(by));
    reply(replay_made);
  }

  struct Started {
    std::uint64_t endpoint;
    core::Cursor after;
    std::optional<core::Cursor> through;
  };

  ports::StoreResult<Endpoint> endpoint;
  ports::StoreResult<ports::WebhookEndpointPage> endpoints;
  ports::StoreResult<std::optional<ports::WebhookEndpoint>> known;
  ports::StoreResult<ports::WebhookOutcome<bool>> removal = true;
  ports::StoreResult<Delivery> delivery_made;
  ports::StoreResult<ports::DeliveryPage> page;
  ports::StoreResult<std::optional<ports::WebhookDeliveryDetails>> details;
  ports::StoreResult<ports::WebhookOutcome<std::uint64_t>> redelivery = 3;
  ports::StoreResult<Replay> replay_made;
  ports::StoreResult<ports::WebhookReplayPage> all_replays;
  ports::StoreResult<std::optional<ports::WebhookReplay>> known_replay;

  std::vector<ports::NewWebhookEndpoint> created;
  core::Bytes sealed;
  std::vector<std::pair<std::optional<std::uint64_t>, std::size_t>> listed;
  std::vector<std::uint64_t> found;
  std::vector<std::pair<std::uint64_t, ports::WebhookEndpointChange>> changed;
  std::vector<std::uint64_t> removed;
  std::vector<std::pair<std::uint64_t, ports::SecretRotation>> rotated;
  std::vector<std::pair<std::uint64_t, std::string>> tested;
  std::vector<ports::DeliveryQuery> queries;
  std::vector<ports::DeliveryKey> keys;
  std::vector<std::pair<std::uint64_t, std::size_t>> redelivered;
  std::vector<Started> started;
  std::vector<ports::WebhookReplayQuery> replay_queries;
  std::vector<std::pair<std::uint64_t, ReplayAction>> steered;
  std::vector<ports::AuditRecord> records;
};

/// A bench whose webhooks are fakes, and the headers of someone who may manage them.
class WebhookBench : public ::testing::Test {
 protected:
  WebhookBench() {
    bench_.context.webhooks = &webhooks_;
    bench_.context.webhook_secrets = &*secrets_;
    bench_.context.webhook_target_problem = [](std::string_view url) -> std::optional<std::string> {
      if (url.substr(0, 8) == "https://") return std::nullopt;
      return "must be https.";
    };
    bench_.context.wake_webhooks = [this] { ++wakes_; };
  }

  /// Expects 401 without a credential and 403 with one of another scope.
  void expect_scope(const std::string& method, const std::string& target, const std::string& scope) {
    expect_problem(bench_.ask(target, {}, method, "{}"), 401, "UNAUTHORIZED");
    const std::string other = scope == "admin" ? "webhooks:manage" : "admin";
    const net::HeaderFields with_other = {
        {"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":")" + other + R"("})")},
        {"Content-Type", "application/json"}};
    const Json refused = expect_problem(bench_.ask(target, with_other, method, "{}"), 403, "FORBIDDEN");
    EXPECT_NE(refused["detail"].get<std::string>().find(scope), std::string::npos) << refused;
  }

  const net::HeaderFields manager_ = {
      {"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"webhooks:manage"})")},
      {"Content-Type", "application/json"}};
  ApiBench bench_;
  FakeWebhooks webhooks_;
  std::optional<core::SecretBox> secrets_ =
      core::SecretBox::parse(core::base64_encode(core::Bytes(32, std::uint8_t{7})));
  int wakes_ = 0;
};

[[nodiscard]] inline ports::WebhookDelivery sample_delivery() {
  ports::WebhookDelivery delivery;
  delivery.id = "wd_12_k3f9_1042";
  delivery.endpoint = 12;
  delivery.event = "stream.updated";
  delivery.stream_id = "api-0190a5f2-7b3c-7def-8a1b-0123456789ab";
  delivery.cursor = core::Cursor{"k3f9", 1'042};
  delivery.attempts = 2;
  delivery.due_at = 4'000;
  delivery.last_error = "timed_out";
  delivery.created_at = 1'000;
  return delivery;
}

inline const std::string sample_delivery_json = R"({"id":"wd_12_k3f9_1042","endpointId":"12","event":"stream.updated",
  "streamId":"api-0190a5f2-7b3c-7def-8a1b-0123456789ab","cursor":"k3f9-1042","state":"waiting","attemptCount":2,
  "nextAttemptAt":"1970-01-01T00:00:04.000Z","lastStatus":null,"lastError":"timed_out",
  "createdAt":"1970-01-01T00:00:01.000Z","finishedAt":null})";

}  // namespace fluxora::api::test
