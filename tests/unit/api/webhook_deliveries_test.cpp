#include "fake_webhooks.hpp"
#include "fluxora/ports/delivery_id.hpp"

namespace fluxora::api::test {
namespace {

const std::string list = "/api/webhooks/endpoints/12/deliveries";
const std::string one = "/api/webhooks/deliveries/wd_12_k3f9_1042";
const std::string dead_letters = "/admin/webhooks/dead-letters";
const ports::DeliveryKey key{12, "k3f9", 1'042};

class WebhookDeliveriesTest : public WebhookBench {
 protected:
  const net::HeaderFields admin_ = {{"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"admin"})")},
                                    {"Content-Type", "application/json"}};
};

TEST_F(WebhookDeliveriesTest, NeedTheScope) {
  expect_scope("GET", list, "webhooks:manage");
  expect_scope("GET", one, "webhooks:manage");
  expect_scope("POST", one + "/redeliver", "webhooks:manage");
  expect_scope("GET", dead_letters, "admin");
  expect_scope("POST", dead_letters + "/redeliver", "admin");
  EXPECT_TRUE(webhooks_.queries.empty() && webhooks_.keys.empty() && webhooks_.redelivered.empty());
}

TEST_F(WebhookDeliveriesTest, AreListedInPagesThatGoWithTheirFilters) {
  webhooks_.page = ports::DeliveryPage{{sample_delivery()}, true};
  const net::Response response = bench_.ask(list + "?state=waiting&limit=1", manager_);
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const Json page = body_json(response);
  EXPECT_EQ(page["deliveries"], Json::parse("[" + sample_delivery_json + "]"));
  EXPECT_EQ(page["has_more"], true);
  const std::string cursor = page["next_cursor"];
  bench_.ask(list + "?state=waiting&cursor=" + cursor, manager_);
  ASSERT_EQ(webhooks_.queries.size(), 2u);
  EXPECT_EQ(webhooks_.queries[0].endpoint, 12u);
  EXPECT_EQ(webhooks_.queries[0].state, ports::DeliveryState::waiting);
  EXPECT_EQ(webhooks_.queries[0].limit, 1u);
  EXPECT_EQ(webhooks_.queries[0].after, std::nullopt);
  EXPECT_EQ(webhooks_.queries[1].after, (ports::DeliveryPlace{key, 1'000}));
  EXPECT_EQ(webhooks_.queries[1].limit, 20u);
  for (const std::string& other : {"?cursor=" + cursor, "?state=dead&cursor=" + cursor}) {
    expect_bad_fields(bench_.ask(list + other, manager_), {"cursor"});
  }
  expect_bad_fields(bench_.ask("/api/webhooks/endpoints/13/deliveries?state=waiting&cursor=" + cursor, manager_),
                    {"cursor"});
  expect_bad_fields(bench_.ask(list + "?state=lost&limit=0&cursor=x&y=1", manager_), {"state", "limit", "cursor", "y"});
  EXPECT_EQ(webhooks_.queries.size(), 2u);
}

TEST_F(WebhookDeliveriesTest, AnEmptyListIsOfAnEndpointThatThereIs) {
  webhooks_.known = std::optional(ports::WebhookEndpoint());
  EXPECT_EQ(body_json(bench_.ask(list, manager_)),
            Json::parse(R"({"deliveries":[],"has_more":false,"next_cursor":null})"));
  webhooks_.known = std::optional<ports::WebhookEndpoint>();
  expect_problem(bench_.ask(list, manager_), 404, "NOT_FOUND");
  webhooks_.known = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench_.ask(list, manager_), 503, "SERVICE_UNAVAILABLE");
  expect_problem(bench_.ask("/api/webhooks/endpoints/x/deliveries", manager_), 404, "NOT_FOUND");
  // What a deleted endpoint was sent stays to be seen.
  webhooks_.page = ports::DeliveryPage{{sample_delivery()}, false};
  EXPECT_EQ(bench_.ask(list, manager_).status, 200u);
  webhooks_.page = tl::unexpected(ports::StoreFailure::busy);
  expect_problem(bench_.ask(list, manager_), 503, "SERVICE_UNAVAILABLE");
}

TEST_F(WebhookDeliveriesTest, OneIsShownWithItsAttemptsAndItsBytes) {
  ports::WebhookDeliveryDetails details;
  details.delivery = sample_delivery();
  details.body = R"({"type":"stream.updated",  "n":1.0})";
  details.attempts = {{1, 1'000, 15'000, std::nullopt, "timed_out", "No answer in 15 s.", ""},
                      {2, 2'000, 20, 503, "", "", "busy \"now\""}};
  webhooks_.details = std::optional(details);
  const net::Response response = bench_.ask(one, manager_);
  EXPECT_EQ(response.status, 200u);
  Json shown = body_json(response);
  EXPECT_EQ(shown["attempts"], Json::parse(R"([
    {"number":1,"at":"1970-01-01T00:00:01.000Z","durationMs":15000,"status":null,"error":"timed_out",
     "detail":"No answer in 15 s.","response":null},
    {"number":2,"at":"1970-01-01T00:00:02.000Z","durationMs":20,"status":503,"error":null,"detail":null,
     "response":"busy \"now\""}])"));
  EXPECT_NE(body_text(response).find(R"("payload":{"type":"stream.updated",  "n":1.0})"), std::string::npos);
  shown.erase("attempts");
  shown.erase("payload");
  EXPECT_EQ(shown, Json::parse(sample_delivery_json));
  EXPECT_EQ(webhooks_.keys, std::vector<ports::DeliveryKey>{key});
}

TEST_F(WebhookDeliveriesTest, ATestHasNeitherStreamNorCursor) {
  ports::WebhookDelivery test;
  test.id = "wt_12_3";
  test.endpoint = 12;
  test.event = "webhook.test";
  test.state = ports::DeliveryState::delivered;
  test.last_status = 204;
  test.finished_at = 2'000;
  webhooks_.details = std::optional(ports::WebhookDeliveryDetails{test, "{}", {}});
  const Json shown = body_json(bench_.ask("/api/webhooks/deliveries/wt_12_3", manager_));
  EXPECT_EQ(webhooks_.keys, (std::vector<ports::DeliveryKey>{{12, "", 3}}));
  EXPECT_EQ(shown["streamId"], nullptr);
  EXPECT_EQ(shown["cursor"], nullptr);
  EXPECT_EQ(shown["state"], "delivered");
  EXPECT_EQ(shown["lastStatus"], 204);
  EXPECT_EQ(shown["nextAttemptAt"], nullptr);
}

TEST_F(WebhookDeliveriesTest, WhatCantBeAnIdIsntAskedFor) {
  webhooks_.details = std::optional<ports::WebhookDeliveryDetails>();
  expect_problem(bench_.ask(one, manager_), 404, "NOT_FOUND");
  EXPECT_EQ(webhooks_.keys.size(), 1u);
  for (const char* id : {"x", "wd_12_k3f9", "wd_012_k3f9_1", "wt_12", "wd_12_K_1", "wt_1_9223372036854775808"}) {
    expect_problem(bench_.ask(std::string("/api/webhooks/deliveries/") + id, manager_), 404, "NOT_FOUND");
    expect_problem(bench_.ask(std::string("/api/webhooks/deliveries/") + id + "/redeliver", manager_, "POST"), 404,
                   "NOT_FOUND");
  }
  EXPECT_EQ(webhooks_.keys.size(), 1u);
}

TEST_F(WebhookDeliveriesTest, OneIsRedelivered) {
  webhooks_.delivery_made = FakeWebhooks::Delivery(sample_delivery());
  const net::Response response = bench_.ask(one + "/redeliver", manager_, "POST");
  EXPECT_EQ(response.status, 202u);
  EXPECT_EQ(header(response, "Location"), one);
  EXPECT_EQ(body_json(response), Json::parse(sample_delivery_json));
  EXPECT_EQ(webhooks_.keys, std::vector<ports::DeliveryKey>{key});
  EXPECT_EQ(webhooks_.records.at(0).actor, "jwt:kim");
  EXPECT_EQ(wakes_, 1);
  using Refusal = ports::WebhookRefusal;
  for (const auto& [refusal, status, code] :
       {std::tuple(Refusal::unknown, 404u, "NOT_FOUND"), std::tuple(Refusal::disabled, 409u, "CONFLICT"),
        std::tuple(Refusal::cancelled, 409u, "CONFLICT")}) {
    webhooks_.delivery_made = FakeWebhooks::Delivery(tl::unexpected(refusal));
    expect_problem(bench_.ask(one + "/redeliver", manager_, "POST"), status, code);
  }
  EXPECT_EQ(wakes_, 1);
}

TEST_F(WebhookDeliveriesTest, DeadLettersAreOfAllEndpointsOrOfOne) {
  webhooks_.page = ports::DeliveryPage{{sample_delivery()}, true};
  const Json page = body_json(bench_.ask(dead_letters, admin_));
  EXPECT_EQ(page["deliveries"], Json::parse("[" + sample_delivery_json + "]"));
  const std::string cursor = page["next_cursor"];
  bench_.ask(dead_letters + "?limit=5&cursor=" + cursor, admin_);
  bench_.ask(dead_letters + "?endpointId=12", admin_);
  ASSERT_EQ(webhooks_.queries.size(), 3u);
  for (const ports::DeliveryQuery& query : webhooks_.queries) EXPECT_EQ(query.state, ports::DeliveryState::dead);
  EXPECT_EQ(webhooks_.queries[0].endpoint, std::nullopt);
  EXPECT_EQ(webhooks_.queries[1].after, (ports::DeliveryPlace{key, 1'000}));
  EXPECT_EQ(webhooks_.queries[2].endpoint, 12u);
  expect_bad_fields(bench_.ask(dead_letters + "?endpointId=12&cursor=" + cursor, admin_), {"cursor"});
  expect_bad_fields(bench_.ask(dead_letters + "?endpointId=x&limit=101&state=dead", admin_),
                    {"endpointId", "limit", "state"});
}

TEST_F(WebhookDeliveriesTest, DeadLettersAreRedeliveredByTheirEndpoint) {
  const auto ask = [&](const std::string& body) {
    return bench_.ask(dead_letters + "/redeliver", admin_, "POST", body);
  };
  const net::Response response = ask(R"({"endpointId":"12","limit":5})");
  EXPECT_EQ(response.status, 202u);
  EXPECT_EQ(body_json(response), Json::parse(R"({"redelivered":3})"));
  EXPECT_EQ(ask(R"({"endpointId":"13"})").status, 202u);
  EXPECT_EQ(webhooks_.redelivered, (std::vector<std::pair<std::uint64_t, std::size_t>>{{12, 5}, {13, 1'000}}));
  EXPECT_EQ(wakes_, 2);
  expect_bad_fields(ask("{}"), {"endpointId"});
  expect_bad_fields(ask(R"({"endpointId":12,"limit":1001,"x":1})"), {"endpointId", "limit", "x"});
  expect_bad_fields(ask(R"({"endpointId":"-1"})"), {"endpointId"});
  webhooks_.redelivery = ports::WebhookOutcome<std::uint64_t>(tl::unexpected(ports::WebhookRefusal::unknown));
  expect_bad_fields(ask(R"({"endpointId":"14"})"), {"endpointId"});
  webhooks_.redelivery = ports::WebhookOutcome<std::uint64_t>(tl::unexpected(ports::WebhookRefusal::disabled));
  expect_problem(ask(R"({"endpointId":"14"})"), 409, "CONFLICT");
  EXPECT_EQ(wakes_, 2);
}

}  // namespace
}  // namespace fluxora::api::test
