#include <tuple>

#include "fake_webhooks.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/ports/delivery_id.hpp"

namespace fluxora::api::test {
namespace {

const std::string path = "/api/webhooks/endpoints";
const std::string party = "GBKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKVKK3J";
const std::string stream = "api-0190a5f2-7b3c-7def-8a1b-0123456789ab";

ports::WebhookEndpoint sample_endpoint() {
  ports::WebhookEndpoint endpoint;
  endpoint.id = 12;
  endpoint.url = "https://receiver.example/in";
  endpoint.filter.events = {core::EventName::stream_created, core::EventName::stream_updated};
  endpoint.filter.recipient = party;
  endpoint.since = {"k3f9", 1'042};
  endpoint.created_at = 1'000;
  endpoint.updated_at = 2'000;
  return endpoint;
}

const std::string sample_json = R"({"id":"12","url":"https://receiver.example/in",
  "events":["stream.created","stream.updated"],"streamId":null,"sender":null,"recipient":")" +
                                party + R"(","description":"","enabled":true,"configured":false,"disabledReason":null,
  "disabledAt":null,"failingSince":null,"previousSecretExpiresAt":null,"cursor":"k3f9-1042",
  "createdAt":"1970-01-01T00:00:01.000Z","updatedAt":"1970-01-01T00:00:02.000Z"})";

class WebhookEndpointsTest : public WebhookBench {
 protected:
  WebhookEndpointsTest() { webhooks_.endpoint = FakeWebhooks::Endpoint(sample_endpoint()); }

  net::Response create(const std::string& body) { return bench_.ask(path, manager_, "POST", body); }
  net::Response patch(const std::string& body) { return bench_.ask(path + "/12", manager_, "PATCH", body); }
  void refuse(ports::WebhookRefusal refusal) { webhooks_.endpoint = FakeWebhooks::Endpoint(tl::unexpected(refusal)); }
};

TEST_F(WebhookEndpointsTest, NeedTheScope) {
  using Route = std::pair<std::string, std::string>;
  for (const auto& [method, target] :
       {Route("GET", ""), Route("POST", ""), Route("GET", "/1"), Route("PATCH", "/1"), Route("DELETE", "/1"),
        Route("POST", "/1/rotate-secret"), Route("POST", "/1/test")}) {
    expect_scope(method, path + target, "webhooks:manage");
  }
  EXPECT_TRUE(webhooks_.records.empty());
}

TEST_F(WebhookEndpointsTest, OneIsMadeAndItsSecretShownOnceAndKeptSealed) {
  const net::Response made =
      create(R"({"url":"https://receiver.example/in","events":["stream.updated","stream.created"],
    "streamId":")" +
             stream + R"(","sender":")" + party + R"(","recipient":null,"description":"payroll","enabled":false})");
  EXPECT_EQ(made.status, 201u) << body_text(made);
  EXPECT_EQ(header(made, "Location"), path + "/12");
  EXPECT_EQ(header(made, "Cache-Control"), "no-store");
  Json answer = body_json(made);
  const std::string secret = answer["secret"];
  answer.erase("secret");
  EXPECT_EQ(answer, Json::parse(sample_json));

  ASSERT_EQ(webhooks_.created.size(), 1u);
  const ports::NewWebhookEndpoint& wanted = webhooks_.created[0];
  EXPECT_EQ(wanted.url, "https://receiver.example/in");
  EXPECT_EQ(wanted.description, "payroll");
  EXPECT_FALSE(wanted.enabled);
  const ports::WebhookFilter filter{
      {core::EventName::stream_created, core::EventName::stream_updated}, stream, party, ""};
  EXPECT_EQ(wanted.filter, filter);
  EXPECT_EQ(webhooks_.records.at(0).actor, "jwt:kim");

  EXPECT_EQ(secret.substr(0, 6), "whsec_");
  EXPECT_EQ(core::base64_decode(secret.substr(6))->size(), 32u);
  EXPECT_TRUE(core::WebhookSecret::parse(secret));
  EXPECT_EQ(secrets_->open(webhooks_.sealed, ports::webhook_secret_owner(12)), secret);
  EXPECT_EQ(secrets_->open(webhooks_.sealed, ports::webhook_secret_owner(13)), std::nullopt);
}

TEST_F(WebhookEndpointsTest, WhatIsntSaidIsWide) {
  EXPECT_EQ(create(R"({"url":"https://a.example/","events":null,"streamId":null,"description":null})").status, 201u);
  EXPECT_EQ(create(R"({"url":"https://a.example/"})").status, 201u);
  for (const ports::NewWebhookEndpoint& wanted : webhooks_.created) {
    EXPECT_EQ(wanted.filter, ports::WebhookFilter());
    EXPECT_EQ(wanted.description, "");
    EXPECT_TRUE(wanted.enabled);
  }
  ports::WebhookEndpoint wide = sample_endpoint();
  wide.filter = {};
  webhooks_.endpoint = FakeWebhooks::Endpoint(wide);
  EXPECT_EQ(body_json(create(R"({"url":"https://a.example/"})"))["events"], nullptr);
}

TEST_F(WebhookEndpointsTest, EverythingWrongIsNamedAtOnce) {
  expect_bad_fields(create(R"({"events":["stream.gone"],"streamId":"7","sender":"G","recipient":1,"description":7,
    "enabled":"yes","x":1})"),
                    {"url", "events", "streamId", "sender", "recipient", "description", "enabled", "x"});
  expect_bad_fields(create("{}"), {"url"});
  expect_bad_fields(create(R"({"url":null})"), {"url"});
  expect_bad_fields(create(R"({"url":"http://receiver.example/","enabled":null})"), {"url", "enabled"});
  for (const char* events :
       {R"([])", R"("stream.created")", R"(["stream.created","stream.created"])", R"([1])", R"(["webhook.test"])"}) {
    expect_bad_fields(create(R"({"url":"https://a.example/","events":)" + std::string(events) + "}"), {"events"});
  }
  expect_problem(bench_.ask(path, {manager_[0]}, "POST", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE");
  EXPECT_TRUE(webhooks_.created.empty());
}

TEST_F(WebhookEndpointsTest, ADescriptionsCharactersAreCountedNotItsBytes) {
  std::string longest;
  for (int i = 0; i < 500; ++i) longest += "€";
  EXPECT_EQ(create(R"({"url":"https://a.example/","description":")" + longest + R"("})").status, 201u);
  expect_bad_fields(create(R"({"url":"https://a.example/","description":")" + longest + R"(x"})"), {"description"});
}

TEST_F(WebhookEndpointsTest, WithoutKeysNoSecretIsMade) {
  bench_.context.webhook_secrets = nullptr;
  for (const net::Response& refused :
       {create(R"({"url":"https://a.example/"})"), bench_.ask(path + "/12/rotate-secret", manager_, "POST", "{}")}) {
    const Json told = expect_problem(refused, 503, "SERVICE_UNAVAILABLE");
    EXPECT_NE(told["detail"].get<std::string>().find("WEBHOOK_SECRET_KEYS"), std::string::npos) << told;
  }
  EXPECT_TRUE(webhooks_.created.empty() && webhooks_.rotated.empty());
}

TEST_F(WebhookEndpointsTest, WhatTheStoreRefusesIsTold) {
  using Refusal = ports::WebhookRefusal;
  for (const auto& [refusal, status] : {std::pair(Refusal::unknown, 404u), std::pair(Refusal::configured, 409u)}) {
    refuse(refusal);
    webhooks_.removal = ports::WebhookOutcome<bool>(tl::unexpected(refusal));
    const std::string code = status == 404 ? "NOT_FOUND" : "CONFLICT";
    expect_problem(patch(R"({"description":"x"})"), status, code);
    expect_problem(bench_.ask(path + "/12", manager_, "DELETE"), status, code);
    const net::Response rotated = bench_.ask(path + "/12/rotate-secret", manager_, "POST", "{}");
    expect_problem(rotated, status, code);
    EXPECT_EQ(body_text(rotated).find("whsec_"), std::string::npos);
  }
  refuse(Refusal::too_many);
  const net::Response made = create(R"({"url":"https://a.example/"})");
  expect_problem(made, 409, "CONFLICT");
  EXPECT_EQ(body_text(made).find("whsec_"), std::string::npos);
  webhooks_.endpoint = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(patch("{}"), 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(wakes_, 0);
}

TEST_F(WebhookEndpointsTest, AreListedInPages) {
  webhooks_.endpoints = ports::WebhookEndpointPage{{sample_endpoint()}, true};
  const net::Response response = bench_.ask(path + "?limit=1", manager_);
  EXPECT_EQ(response.status, 200u);
  const Json page = body_json(response);
  EXPECT_EQ(page["endpoints"], Json::parse("[" + sample_json + "]"));
  EXPECT_EQ(page["has_more"], true);
  const std::string cursor = page["next_cursor"];
  webhooks_.endpoints = ports::WebhookEndpointPage{};
  EXPECT_EQ(body_json(bench_.ask(path + "?cursor=" + cursor, manager_)),
            Json::parse(R"({"endpoints":[],"has_more":false,"next_cursor":null})"));
  using Asked = std::pair<std::optional<std::uint64_t>, std::size_t>;
  EXPECT_EQ(webhooks_.listed, (std::vector<Asked>{{std::nullopt, 1}, {12, 20}}));
  expect_bad_fields(bench_.ask(path + "?limit=101&cursor=" + cursor + "x&y=1", manager_), {"limit", "cursor", "y"});
  expect_bad_fields(bench_.ask(path + "?cursor=12", manager_), {"cursor"});
}

TEST_F(WebhookEndpointsTest, OneIsFound) {
  webhooks_.known = std::optional(sample_endpoint());
  const net::Response response = bench_.ask(path + "/12", manager_);
  EXPECT_EQ(body_json(response), Json::parse(sample_json));
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  webhooks_.known = std::optional<ports::WebhookEndpoint>();
  expect_problem(bench_.ask(path + "/13", manager_), 404, "NOT_FOUND");
  EXPECT_EQ(webhooks_.found, (std::vector<std::uint64_t>{12, 13}));
  for (const char* id : {"x", "-1", "9223372036854775808"}) {
    expect_problem(bench_.ask(path + "/" + id, manager_), 404, "NOT_FOUND");
  }
  EXPECT_EQ(webhooks_.found.size(), 2u);
}

TEST_F(WebhookEndpointsTest, AChangeIsOfWhatIsNamedAndNullClears) {
  EXPECT_EQ(patch("{}").status, 200u);
  EXPECT_EQ(patch(R"({"events":null,"streamId":null,"sender":null,"recipient":null,"description":null})").status, 200u);
  EXPECT_EQ(patch(R"({"url":"https://b.example/","events":["chain.event"],"enabled":true})").status, 200u);
  ASSERT_EQ(webhooks_.changed.size(), 3u);
  const auto& [id, nothing] = webhooks_.changed[0];
  EXPECT_EQ(id, 12u);
  EXPECT_FALSE(nothing.url || nothing.description || nothing.events || nothing.stream_id || nothing.sender ||
               nothing.recipient || nothing.enabled);
  const ports::WebhookEndpointChange& cleared = webhooks_.changed[1].second;
  EXPECT_EQ(cleared.events, std::vector<core::EventName>());
  EXPECT_EQ(cleared.stream_id, "");
  EXPECT_EQ(cleared.sender, "");
  EXPECT_EQ(cleared.recipient, "");
  EXPECT_EQ(cleared.description, "");
  EXPECT_FALSE(cleared.url || cleared.enabled);
  const ports::WebhookEndpointChange& changed = webhooks_.changed[2].second;
  EXPECT_EQ(changed.url, "https://b.example/");
  EXPECT_EQ(changed.events, std::vector<core::EventName>{core::EventName::chain_event});
  EXPECT_EQ(changed.enabled, true);
  EXPECT_EQ(wakes_, 3);
  expect_bad_fields(patch(R"({"url":null,"enabled":null,"secret":"x"})"), {"url", "enabled", "secret"});
  EXPECT_EQ(webhooks_.changed.size(), 3u);
}

TEST_F(WebhookEndpointsTest, WhyOneIsDisabledIsShown) {
  ports::WebhookEndpoint disabled = sample_endpoint();
  disabled.enabled = false;
  disabled.configured = true;
  disabled.disabled_reason = "failing";
  disabled.disabled_at = 5'000;
  disabled.failing_since = 3'000;
  disabled.previous_secret_until = 9'000;
  webhooks_.endpoint = FakeWebhooks::Endpoint(disabled);
  const Json shown = body_json(patch("{}"));
  EXPECT_EQ(shown["enabled"], false);
  EXPECT_EQ(shown["configured"], true);
  EXPECT_EQ(shown["disabledReason"], "failing");
  EXPECT_EQ(shown["disabledAt"], "1970-01-01T00:00:05.000Z");
  EXPECT_EQ(shown["failingSince"], "1970-01-01T00:00:03.000Z");
  EXPECT_EQ(shown["previousSecretExpiresAt"], "1970-01-01T00:00:09.000Z");
}

TEST_F(WebhookEndpointsTest, OneIsRemoved) {
  const net::Response response = bench_.ask(path + "/12", manager_, "DELETE");
  EXPECT_EQ(response.status, 204u);
  EXPECT_EQ(body_text(response), "");
  EXPECT_EQ(webhooks_.removed, std::vector<std::uint64_t>{12});
}

TEST_F(WebhookEndpointsTest, ASecretIsRotatedWithGrace) {
  const std::string target = path + "/12/rotate-secret";
  const net::Response response = bench_.ask(target, manager_, "POST", R"({"graceSeconds":60})");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const std::string secret = body_json(response)["secret"];
  ASSERT_EQ(webhooks_.rotated.size(), 1u);
  const auto& [id, rotation] = webhooks_.rotated[0];
  EXPECT_EQ(id, 12u);
  EXPECT_EQ(rotation.former_until, bench_.clock.now() + 60'000);
  EXPECT_EQ(secrets_->open(rotation.secret, ports::webhook_secret_owner(12)), secret);
  bench_.ask(target, manager_, "POST", "{}");
  EXPECT_EQ(webhooks_.rotated.at(1).second.former_until, bench_.clock.now() + 86'400'000);
  bench_.ask(target, manager_, "POST", R"({"graceSeconds":0})");
  EXPECT_EQ(webhooks_.rotated.at(2).second.former_until, std::nullopt);
  expect_bad_fields(bench_.ask(target, manager_, "POST", R"({"graceSeconds":604801})"), {"graceSeconds"});
}

TEST_F(WebhookEndpointsTest, RotatingNeedsNoBody) {
  const std::string target = path + "/12/rotate-secret";
  const net::HeaderFields without_type = {manager_[0]};
  EXPECT_EQ(bench_.ask(target, without_type, "POST", "").status, 200u);
  EXPECT_EQ(bench_.ask(target, manager_, "POST", "").status, 200u);
  ASSERT_EQ(webhooks_.rotated.size(), 2u);
  EXPECT_EQ(webhooks_.rotated[0].second.former_until, bench_.clock.now() + 86'400'000);
  EXPECT_EQ(bench_.ask(target, without_type, "POST", "{}").status, 415u);
  EXPECT_EQ(bench_.ask(target, manager_, "POST", " ").status, 400u);
  expect_bad_fields(bench_.ask(target + "?x=1", without_type, "POST", ""), {"x"});
  EXPECT_EQ(webhooks_.rotated.size(), 2u);
}

TEST_F(WebhookEndpointsTest, ATestIsADeliveryThatIsDueAtOnce) {
  webhooks_.delivery_made = FakeWebhooks::Delivery(sample_delivery());
  const net::Response response = bench_.ask(path + "/12/test", manager_, "POST");
  EXPECT_EQ(response.status, 202u);
  EXPECT_EQ(header(response, "Location"), "/api/webhooks/deliveries/wd_12_k3f9_1042");
  EXPECT_EQ(body_json(response), Json::parse(sample_delivery_json));
  ASSERT_EQ(webhooks_.tested.size(), 1u);
  EXPECT_EQ(webhooks_.tested[0].first, 12u);
  const Json body = Json::parse(webhooks_.tested[0].second);
  EXPECT_EQ(body["type"], "webhook.test");
  EXPECT_EQ(body["data"], Json::parse(R"({"endpointId":"12"})"));
  EXPECT_EQ(wakes_, 1);
  webhooks_.delivery_made = FakeWebhooks::Delivery(tl::unexpected(ports::WebhookRefusal::disabled));
  expect_problem(bench_.ask(path + "/12/test", manager_, "POST"), 409, "CONFLICT");
  expect_bad_fields(bench_.ask(path + "/12/test?x=1", manager_, "POST"), {"x"});
  EXPECT_EQ(wakes_, 1);
}

}  // namespace
}  // namespace fluxora::api::test
