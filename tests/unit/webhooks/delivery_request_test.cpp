#include "fluxora/webhooks/delivery_request.hpp"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

namespace fluxora::webhooks::test {
namespace {

using core::WebhookVerdict;

constexpr core::UnixMillis now = 1'800'000'000'999;
const std::string first_secret = "whsec_" + std::string(43, 'A') + "=";
const std::string second_secret = "whsec_" + std::string(42, 'B') + "A=";
const std::string third_secret = "whsec_" + std::string(42, 'D') + "A=";
const std::string box_keys = std::string(42, 'C') + "A=";

core::SecretBox box() {
  auto made = core::SecretBox::parse(box_keys);
  if (!made) throw std::logic_error("no box");
  return std::move(*made);
}

core::Bytes sealed(const std::string& secret, std::uint64_t endpoint) {
  return box().seal(secret, ports::webhook_secret_owner(endpoint), core::SecretBoxNonce{7});
}

ports::EndpointTarget target(std::optional<core::Bytes> secret) {
  ports::EndpointTarget target;
  target.id = 12;
  target.url = "https://receiver.example/hook";
  target.secret = std::move(secret);
  return target;
}

ports::ClaimedDelivery delivery() {
  ports::ClaimedDelivery delivery;
  delivery.seq = 34;
  delivery.id = ports::delivery_id(12, "e1", 34);
  delivery.event = "stream.updated";
  delivery.body = std::make_shared<const std::string>(R"({"type":"stream.updated"})");
  return delivery;
}

std::string header(const ports::WebhookRequest& request, std::string_view name) {
  std::string found;
  int times = 0;
  for (const auto& [key, value] : request.headers) {
    if (key != name) continue;
    found = value;
    ++times;
  }
  EXPECT_LE(times, 1) << name;
  return found;
}

core::WebhookResult verify(const ports::WebhookRequest& request, const std::string& secret) {
  core::WebhookVerifier verifier;
  EXPECT_TRUE(verifier.add(std::move(*core::WebhookSecret::parse(secret))));
  const std::string id = header(request, "webhook-id");
  const std::string timestamp = header(request, "webhook-timestamp");
  const std::string signature = header(request, "webhook-signature");
  const core::WebhookHeaders headers{{}, {}, {}, id, timestamp, signature};
  return verifier.verify(headers, core::as_bytes(*request.body), now / 1'000, core::WebhookFamilies::standard_required);
}

WebhookVerdict verify_fluxora(const ports::WebhookRequest& request, const std::string& secret) {
  core::WebhookVerifier verifier;
  EXPECT_TRUE(verifier.add(std::move(*core::WebhookSecret::parse(secret))));
  const std::string id = header(request, "x-fluxora-delivery-id");
  const std::string timestamp = header(request, "x-fluxora-timestamp");
  const std::string signature = header(request, "x-fluxora-signature");
  return verifier.verify({id, timestamp, signature, {}, {}, {}}, core::as_bytes(*request.body), now / 1'000).verdict;
}

ports::WebhookRequest request_of(const ports::EndpointTarget& target, const core::SecretBox* box,
                                 std::string_view configured = {}) {
  const auto signer = EndpointSigner::open(target, box, configured);
  if (!signer) throw std::logic_error("no signer");
  return make_delivery_request(target.url, *signer, delivery(), now, "");
}

TEST(DeliveryRequest, CarriesBothFamiliesOfHeaders) {
  const auto request = request_of(target(std::nullopt), nullptr, first_secret);
  EXPECT_EQ(request.url, "https://receiver.example/hook");
  EXPECT_EQ(header(request, "content-type"), "application/json");
  EXPECT_EQ(header(request, "webhook-id"), "wd_12_e1_34");
  EXPECT_EQ(header(request, "x-fluxora-delivery-id"), "wd_12_e1_34");
  EXPECT_EQ(header(request, "webhook-timestamp"), "1800000000");
  EXPECT_EQ(header(request, "x-fluxora-timestamp"), "1800000000");
  EXPECT_EQ(header(request, "x-fluxora-event"), "stream.updated");
  EXPECT_EQ(header(request, "traceparent"), "");
  EXPECT_EQ(request.headers.size(), 8u);
  EXPECT_EQ(*request.body, *delivery().body);
}

TEST(DeliveryRequest, SaysWhoseTraceItBelongsTo) {
  const auto signer = EndpointSigner::open(target(std::nullopt), nullptr, first_secret);
  const auto request = make_delivery_request("https://a.example", *signer, delivery(), now, "00-aa-bb-01");
  EXPECT_EQ(header(request, "traceparent"), "00-aa-bb-01");
}

TEST(DeliveryRequest, SignsBothFamiliesWithTheConfiguredSecret) {
  const auto request = request_of(target(std::nullopt), nullptr, first_secret);
  EXPECT_EQ(verify(request, first_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify_fluxora(request, first_secret), WebhookVerdict::ok);
  EXPECT_EQ(verify(request, second_secret).verdict, WebhookVerdict::signature_mismatch);
}

TEST(DeliveryRequest, SignsWithTheSealedSecretWhereThereIsOne) {
  const core::SecretBox keys = box();
  const auto request = request_of(target(sealed(second_secret, 12)), &keys, first_secret);
  EXPECT_EQ(verify(request, second_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify(request, first_secret).verdict, WebhookVerdict::signature_mismatch);
  EXPECT_EQ(verify_fluxora(request, second_secret), WebhookVerdict::ok);
}

TEST(DeliveryRequest, SignsWithBothSecretsDuringARotationTheNewestFirst) {
  const core::SecretBox keys = box();
  auto rotating = target(sealed(second_secret, 12));
  rotating.former_secrets = {{sealed(first_secret, 12), now + 1}};
  const auto request = request_of(rotating, &keys);
  const std::string signature = header(request, "webhook-signature");
  EXPECT_EQ(std::count(signature.begin(), signature.end(), ' '), 1);
  EXPECT_EQ(verify(request, first_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify(request, second_secret).verdict, WebhookVerdict::ok);
  const auto alone = request_of(target(sealed(second_secret, 12)), &keys);
  EXPECT_EQ(signature.substr(0, signature.find(' ')), header(alone, "webhook-signature"));
  EXPECT_EQ(verify_fluxora(request, second_secret), WebhookVerdict::ok);
  EXPECT_EQ(verify_fluxora(request, first_secret), WebhookVerdict::signature_mismatch);
}

TEST(DeliveryRequest, SignsWithEachSecretUntilItsOwnEnd) {
  const core::SecretBox keys = box();
  auto twice_rotated = target(sealed(third_secret, 12));
  twice_rotated.former_secrets = {{sealed(second_secret, 12), now}, {sealed(first_secret, 12), now + 1}};
  auto request = request_of(twice_rotated, &keys);
  EXPECT_EQ(verify(request, first_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify(request, second_secret).verdict, WebhookVerdict::signature_mismatch);
  twice_rotated.former_secrets[0].until = now + 1;
  request = request_of(twice_rotated, &keys);
  const std::string signature = header(request, "webhook-signature");
  EXPECT_EQ(std::count(signature.begin(), signature.end(), ' '), 2);
  for (const std::string& secret : {first_secret, second_secret, third_secret}) {
    EXPECT_EQ(verify(request, secret).verdict, WebhookVerdict::ok);
  }
}

TEST(DeliveryRequest, LeavesThePreviousSecretOutOnceItsTimeIsOver) {
  const core::SecretBox keys = box();
  auto rotated = target(sealed(second_secret, 12));
  rotated.former_secrets = {{sealed(first_secret, 12), now}};
  const auto request = request_of(rotated, &keys);
  EXPECT_EQ(verify(request, second_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify(request, first_secret).verdict, WebhookVerdict::signature_mismatch);
}

TEST(EndpointSigner, IsntThereWhereTheSecretCantBeOpened) {
  const core::SecretBox keys = box();
  EXPECT_EQ(EndpointSigner::open(target(sealed(first_secret, 12)), nullptr, first_secret), nullptr);
  EXPECT_EQ(EndpointSigner::open(target(sealed(first_secret, 13)), &keys, first_secret), nullptr);
  EXPECT_EQ(EndpointSigner::open(target(core::Bytes{1, 2, 3}), &keys, first_secret), nullptr);
  EXPECT_EQ(EndpointSigner::open(target(sealed("no secret!", 12)), &keys, first_secret), nullptr);
  EXPECT_EQ(EndpointSigner::open(target(std::nullopt), &keys, ""), nullptr);
}

TEST(EndpointSigner, GoesOnWithoutAFormerSecretThatCantBeOpened) {
  const core::SecretBox keys = box();
  auto rotating = target(sealed(second_secret, 12));
  rotating.former_secrets = {{core::Bytes{1, 2, 3}, now + 1}, {sealed(first_secret, 12), now + 1}};
  const auto signer = EndpointSigner::open(rotating, &keys, "");
  ASSERT_NE(signer, nullptr);
  EXPECT_TRUE(signer->lacks_former());
  EXPECT_EQ(verify(request_of(rotating, &keys), second_secret).verdict, WebhookVerdict::ok);
  EXPECT_EQ(verify(request_of(rotating, &keys), first_secret).verdict, WebhookVerdict::ok);
  rotating.former_secrets.erase(rotating.former_secrets.begin());
  EXPECT_FALSE(EndpointSigner::open(rotating, &keys, "")->lacks_former());
}

TEST(EndpointSigner, KnowsWhetherTheSecretsAreOthersByNow) {
  const core::SecretBox keys = box();
  const auto before = target(sealed(first_secret, 12));
  const auto signer = EndpointSigner::open(before, &keys, "");
  EXPECT_TRUE(signer->is_of(before));
  auto after = target(sealed(second_secret, 12));
  EXPECT_FALSE(signer->is_of(after));
  after = before;
  after.former_secrets = {{sealed(second_secret, 12), now}};
  EXPECT_FALSE(signer->is_of(after));
}

TEST(DeliveryRequest, RefusesAnIdThatCantBeSigned) {
  const auto signer = EndpointSigner::open(target(std::nullopt), nullptr, first_secret);
  for (const char* id : {"", "wd_1.2", "wd_1\r\nx-evil: 1"}) {
    auto bad = delivery();
    bad.id = id;
    EXPECT_THROW(static_cast<void>(make_delivery_request("https://a.example", *signer, bad, now, "")),
                 std::invalid_argument);
  }
}

}  // namespace
}  // namespace fluxora::webhooks::test
