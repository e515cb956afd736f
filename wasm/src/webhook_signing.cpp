#include "exchange.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "webhook_keys.hpp"

using namespace fluxora;
using wasm::Status;

extern "C" {

/// Signs a delivery in both families and zeroes the secret's text. From `text` on: secret, id, body. Gives the 64
/// characters of x-fluxora-signature and then the value of webhook-signature.
Status fluxora_webhook_sign(const char* text, std::uint32_t secret_size, std::uint32_t id_size, std::uint32_t body_size,
                            std::uint64_t timestamp) {
  wasm::Texts texts(text);
  const auto secret = core::WebhookSecret::parse(texts.take(secret_size));
  wasm::wipe_input(text, secret_size);
  if (!secret) return wasm::fail(secret.error());
  const std::string_view id = texts.take(id_size);
  const core::ByteView body(texts.rest(), body_size);
  const auto standard = (*secret)->sign(id, timestamp, body);
  if (!standard) return wasm::fail(standard.error());
  wasm::give(std::string_view((*secret)->sign_fluxora(timestamp, body)));
  wasm::append_output(*standard);
  return wasm::status_ok;
}

}  // extern "C"
