#include "fluxora/webhooks/delivery_request.hpp"

#include <stdexcept>
#include <utility>

#include "fluxora/core/hmac_sha256.hpp"

namespace fluxora::webhooks {
namespace {

core::UnixSeconds seconds(core::UnixMillis now) {
  return static_cast<core::UnixSeconds>(now / 1'000);
}

std::unique_ptr<core::WebhookSecret> parse(std::string_view text) {
  auto secret = core::WebhookSecret::parse(text);
  return secret ? std::move(*secret) : nullptr;
}

std::unique_ptr<core::WebhookSecret> open_sealed(const core::Bytes& sealed, std::uint64_t endpoint,
                                                 const core::SecretBox* box) {
  if (box == nullptr) return nullptr;
  auto text = box->open(sealed, ports::webhook_secret_owner(endpoint));
  if (!text) return nullptr;
  auto secret = parse(*text);
  core::wipe(*text);
  return secret;
}

}  // namespace

std::shared_ptr<const EndpointSigner> EndpointSigner::open(const ports::EndpointTarget& target,
                                                           const core::SecretBox* box,
                                                           std::string_view configured_secret) {
  const std::shared_ptr<EndpointSigner> signer(new EndpointSigner);
  signer->newest_ = target.secret ? open_sealed(*target.secret, target.id, box) : parse(configured_secret);
  if (!signer->newest_) return nullptr;
  for (const ports::FormerSecret& former : target.former_secrets) {
    if (auto secret = open_sealed(former.sealed, target.id, box)) {
      signer->former_.push_back({std::move(secret), former.until});
    }
  }
  signer->sealed_ = target.secret;
  signer->sealed_former_ = target.former_secrets;
  return signer;
}

bool EndpointSigner::is_of(const ports::EndpointTarget& target) const noexcept {
  return sealed_ == target.secret && sealed_former_ == target.former_secrets;
}

core::Result<std::string> EndpointSigner::sign(std::string_view id, core::UnixMillis now, core::ByteView body) const {
  auto tokens = newest_->sign(id, seconds(now), body);
  for (const Former& former : former_) {
    if (!tokens) break;
    if (now >= former.until) continue;
    auto token = former.secret->sign(id, seconds(now), body);
    if (!token) return token;
    *tokens += " " + *token;
  }
  return tokens;
}

std::string EndpointSigner::sign_fluxora(core::UnixMillis now, core::ByteView body) const {
  return newest_->sign_fluxora(seconds(now), body);
}

ports::WebhookRequest make_delivery_request(const std::string& url, const EndpointSigner& signer,
                                            const ports::ClaimedDelivery& delivery, core::UnixMillis now,
                                            std::string_view traceparent) {
  const core::ByteView body = core::as_bytes(*delivery.body);
  auto signature = signer.sign(delivery.id, now, body);
  if (!signature) throw std::invalid_argument("a delivery's id can't be signed");
  std::string timestamp = std::to_string(seconds(now));
  ports::WebhookRequest request;
  request.url = url;
  request.body = delivery.body;
  request.headers.reserve(9);
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("webhook-id", delivery.id);
  request.headers.emplace_back("webhook-timestamp", timestamp);
  request.headers.emplace_back("webhook-signature", std::move(*signature));
  request.headers.emplace_back("x-fluxora-delivery-id", delivery.id);
  request.headers.emplace_back("x-fluxora-timestamp", std::move(timestamp));
  request.headers.emplace_back("x-fluxora-signature", signer.sign_fluxora(now, body));
  request.headers.emplace_back("x-fluxora-event", delivery.event);
  if (!traceparent.empty()) request.headers.emplace_back("traceparent", traceparent);
  return request;
}

}  // namespace fluxora::webhooks
