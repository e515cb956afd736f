#include "webhook_keys.hpp"

using namespace fluxora;

extern "C" {

/// Adds a sender's public key. A file of its own, because only one module has ed25519.
wasm::Status fluxora_verifier_add_public_key(core::WebhookVerifier* verifier, const char* text, std::uint32_t size,
                                             std::uint32_t has_grace, std::uint64_t grace_ends) {
  return wasm::add_key<core::WebhookPublicKey>(*verifier, text, size, has_grace, grace_ends);
}

}  // extern "C"
