#include <cstddef>
#include <memory>
#include <span>

#include "exchange.hpp"
#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "webhook_keys.hpp"

using namespace fluxora;
using wasm::Status;

namespace {

/// What the caller's area begins with; verify fills it where the verdict is ok.
struct Verified {
  std::uint32_t id_offset = 0;  // within the header texts
  std::uint32_t id_size = 0;
  std::uint64_t timestamp = 0;
};
static_assert(sizeof(Verified) == 16);

}  // namespace

namespace fluxora::wasm {

void wipe_input(const char* text, std::uint32_t size) noexcept {
  core::wipe(std::span(const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text)), size));
}

}  // namespace fluxora::wasm

extern "C" {

/// A verifier without keys, 0 when there is no memory.
core::WebhookVerifier* fluxora_verifier_create() {
  return wasm::has_room_for(wasm::heap_left_to_core) ? new core::WebhookVerifier() : nullptr;
}

/// Its keys are zeroed with it.
void fluxora_verifier_destroy(core::WebhookVerifier* verifier) {
  delete verifier;
}

/// Adds a shared secret and zeroes its text. `has_grace` 0: it is live, and `grace_ends` says nothing.
Status fluxora_verifier_add_secret(core::WebhookVerifier* verifier, const char* text, std::uint32_t size,
                                   std::uint32_t has_grace, std::uint64_t grace_ends) {
  return wasm::add_key<core::WebhookSecret>(*verifier, text, size, has_grace, grace_ends);
}

/// The verdict's number on what was received. `area` has room for a Verified, then the texts of the six headers, as
/// WebhookHeaders lists them, and the body. A body above webhook_body_max needn't be there.
std::uint32_t fluxora_verifier_verify(const core::WebhookVerifier* verifier, std::uint8_t* area,
                                      std::uint32_t fluxora_delivery_id, std::uint32_t fluxora_timestamp,
                                      std::uint32_t fluxora_signature, std::uint32_t webhook_id,
                                      std::uint32_t webhook_timestamp, std::uint32_t webhook_signature,
                                      std::uint32_t body_size, std::uint64_t now, std::uint32_t require_standard) {
  const char* const text = reinterpret_cast<const char*>(area) + sizeof(Verified);
  wasm::Texts texts(text);
  core::WebhookHeaders headers;
  headers.fluxora_delivery_id = texts.take(fluxora_delivery_id);
  headers.fluxora_timestamp = texts.take(fluxora_timestamp);
  headers.fluxora_signature = texts.take(fluxora_signature);
  headers.webhook_id = texts.take(webhook_id);
  headers.webhook_timestamp = texts.take(webhook_timestamp);
  headers.webhook_signature = texts.take(webhook_signature);
  const auto families =
      require_standard != 0 ? core::WebhookFamilies::standard_required : core::WebhookFamilies::either;
  const core::WebhookResult result = verifier->verify(headers, {texts.rest(), body_size}, now, families);
  if (result.verdict == core::WebhookVerdict::ok) {
    const Verified verified{static_cast<std::uint32_t>(result.delivery_id.data() - text),
                            static_cast<std::uint32_t>(result.delivery_id.size()), result.timestamp};
    std::memcpy(area, &verified, sizeof verified);
  }
  return static_cast<std::uint32_t>(result.verdict);
}

/// Gives a verdict's name. The result is the HTTP status to answer with, 0 where there is no such verdict.
std::uint32_t fluxora_verdict(std::uint32_t number) {
  if (number > static_cast<std::uint32_t>(core::WebhookVerdict::duplicate_delivery)) return 0;
  const auto verdict = static_cast<core::WebhookVerdict>(number);
  wasm::give(core::webhook_verdict_name(verdict));
  return static_cast<std::uint32_t>(core::webhook_verdict_status(verdict));
}

}  // extern "C"
