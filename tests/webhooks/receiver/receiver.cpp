#include "receiver.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "fluxora/core/bytes.hpp"

namespace fluxora::webhook_receiver {

HandledDeliveries::Begin HandledDeliveries::begin(const std::string& id) {
  const std::lock_guard lock(mutex_);
  if (handled_.contains(id)) return Begin::duplicate;
  return running_.insert(id).second ? Begin::first : Begin::being_handled;
}

void HandledDeliveries::end(const std::string& id, bool handled) {
  const std::lock_guard lock(mutex_);
  running_.erase(id);
  if (handled) handled_.insert(id);
}

void Receiver::trust(std::string_view path, std::string_view secret) {
  auto key = core::WebhookSecret::parse(secret);
  if (!key) throw std::invalid_argument("a secret is `whsec_` and base64");
  const std::unique_lock lock(mutex_);
  if (!verifiers_[std::string(path)].add(std::move(*key))) throw std::invalid_argument("too many secrets for a path");
}

Receiver::Verified Receiver::verify(const net::Request& request, core::UnixSeconds now) const {
  const auto header = [&request](std::string_view name) { return request.header(name).value_or(std::string_view()); };
  core::WebhookHeaders headers;
  headers.fluxora_delivery_id = header("x-fluxora-delivery-id");
  headers.fluxora_timestamp = header("x-fluxora-timestamp");
  headers.fluxora_signature = header("x-fluxora-signature");
  headers.webhook_id = header("webhook-id");
  headers.webhook_timestamp = header("webhook-timestamp");
  headers.webhook_signature = header("webhook-signature");

  const std::shared_lock lock(mutex_);
  auto verifier = verifiers_.find(request.path);
  if (verifier == verifiers_.end()) verifier = verifiers_.find("");
  if (verifier == verifiers_.end()) return {};
  // standard_required: only that family signs the id, by which deliveries are remembered here.
  const core::WebhookResult result =
      verifier->second.verify(headers, core::as_bytes(request.body), now, core::WebhookFamilies::standard_required);
  return {result.verdict, std::string(result.delivery_id)};
}

net::Response json_answer(unsigned status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

net::Response answer(core::WebhookVerdict verdict) {
  const auto status = static_cast<unsigned>(core::webhook_verdict_status(verdict));
  if (verdict == core::WebhookVerdict::duplicate_delivery) {
    return json_answer(status, R"({"ok":true,"duplicate":true})");
  }
  return json_answer(status, R"({"error":")" + std::string(core::webhook_verdict_name(verdict)) + R"("})");
}

}  // namespace fluxora::webhook_receiver
