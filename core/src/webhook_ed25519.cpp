#include <cstring>

#include <sodium/crypto_sign_ed25519.h>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "webhook_signing.hpp"

namespace fluxora::core {
namespace {

constexpr std::string_view public_prefix = "whpk_";
constexpr std::string_view signing_prefix = "whsk_";
constexpr std::size_t seed_size = 32;

/// Base64 of exactly `out.size()` bytes behind the prefix.
bool read_key(std::string_view text, std::string_view prefix, std::span<std::uint8_t> out) noexcept {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return base64_decode_exactly(text, out);
}

/// id.timestamp.body in one piece: ed25519 hashes what it signs twice.
Bytes signed_content(const WebhookMessage& message) {
  Bytes content;
  content.reserve(message.id.size() + message.timestamp.size() + message.body.size() + 2);
  const auto append = [&](ByteView part) { content.insert(content.end(), part.begin(), part.end()); };
  append(as_bytes(message.id));
  append(as_bytes("."));
  append(as_bytes(message.timestamp));
  append(as_bytes("."));
  append(message.body);
  return content;
}

}  // namespace

static_assert(crypto_sign_ed25519_SEEDBYTES == seed_size);
static_assert(crypto_sign_ed25519_BYTES == std::tuple_size_v<Ed25519Signature>);

Result<std::unique_ptr<WebhookPublicKey>> WebhookPublicKey::parse(std::string_view text) {
  std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> key;
  if (!read_key(text, public_prefix, key)) return ErrorCode::webhook_secret_invalid;
  return std::unique_ptr<WebhookPublicKey>(new WebhookPublicKey(key));
}

bool WebhookPublicKey::made_any(const WebhookSignatures& signatures, const WebhookMessage& message) const {
  if (signatures.v1a.empty()) return false;
  const Bytes content = signed_content(message);
  for (const Ed25519Signature& signature : signatures.v1a) {
    if (crypto_sign_ed25519_verify_detached(signature.data(), content.data(), content.size(), key_.data()) == 0) {
      return true;
    }
  }
  return false;
}

Result<WebhookSigningKey> WebhookSigningKey::parse(std::string_view text) {
  WebhookSigningKey key;
  WebhookSigningKey derived;  // both wipe themselves
  std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> derived_public;
  if (!read_key(text, signing_prefix, key.key_)) return ErrorCode::webhook_secret_invalid;
  crypto_sign_ed25519_seed_keypair(derived_public.data(), derived.key_.data(), key.key_.data());
  // Signing with a public half that isn't the seed's gives the seed away.
  if (!equal_in_constant_time(key.key_, derived.key_)) return ErrorCode::webhook_secret_invalid;
  return key;
}

WebhookSigningKey::~WebhookSigningKey() {
  wipe(key_);
}

WebhookSigningKey::WebhookSigningKey(WebhookSigningKey&& other) noexcept : key_(other.key_) {
  wipe(other.key_);
}

WebhookSigningKey& WebhookSigningKey::operator=(WebhookSigningKey&& other) noexcept {
  if (this != &other) {
    key_ = other.key_;
    wipe(other.key_);
  }
  return *this;
}

Result<std::string> WebhookSigningKey::sign(std::string_view id, UnixSeconds timestamp, ByteView body) const {
  if (const auto checked = check_signable(id, timestamp); !checked) return checked.error();
  const std::string seconds = format_u64(timestamp);
  const Bytes content = signed_content({id, seconds, body});
  Ed25519Signature signature;
  crypto_sign_ed25519_detached(signature.data(), nullptr, content.data(), content.size(), key_.data());
  return "v1a," + base64_encode(signature);
}

std::string WebhookSigningKey::public_key() const {
  return std::string(public_prefix) + base64_encode(ByteView(key_).subspan(seed_size));
}

}  // namespace fluxora::core
