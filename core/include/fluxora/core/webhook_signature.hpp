#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/unix_time.hpp"

/// Signing and verifying webhooks. SPEC section 8; Standard Webhooks (standardwebhooks.com), `v1` and `v1a`.
/// Two families of headers carry the same delivery:
///   x-fluxora-delivery-id, -timestamp, -signature   hex HMAC over  timestamp.body        key: the secret's own text
///   webhook-id, -timestamp, -signature              `v1,` base64 HMAC over id.timestamp.body   key: the decoded bytes
/// Only the second covers the id.
namespace fluxora::core {

/// In the order of the checks. The numbers are the WebAssembly boundary's.
enum class WebhookVerdict : std::uint8_t {
  ok,
  missing_secret,
  missing_delivery_id,
  missing_timestamp,
  missing_signature,
  payload_too_large,
  invalid_timestamp,
  timestamp_outside_tolerance,
  signature_mismatch,
  previous_secret_expired,  ///< made with a previous secret past its grace
  duplicate_delivery,       ///< never from verify(): what a receiver's memory of handled deliveries says
};
/// As clients see it: "signature_mismatch".
[[nodiscard]] std::string_view webhook_verdict_name(WebhookVerdict verdict) noexcept;
/// The HTTP status to answer with.
[[nodiscard]] int webhook_verdict_status(WebhookVerdict verdict) noexcept;

inline constexpr std::size_t webhook_body_max = std::size_t{256} << 10;
inline constexpr UnixSeconds webhook_tolerance_seconds = 300;
/// Keys of one verifier: the live one, and the previous ones of a rotation.
inline constexpr std::size_t webhook_keys_max = 16;
/// Signatures that are looked at in one header; what follows them is not.
inline constexpr std::size_t webhook_tokens_max = 32;
/// Of these, the well-formed `v1a` ones that are verified: each costs an ed25519 verification for every public key.
inline constexpr std::size_t webhook_v1a_tokens_max = 4;

using Ed25519Signature = std::array<std::uint8_t, 64>;

/// The tokens of one `webhook-signature` header, decoded.
struct WebhookSignatures {
  std::span<const Hash> v1;
  std::span<const Ed25519Signature> v1a;
};

/// What Standard Webhooks sign.
struct WebhookMessage {
  std::string_view id;
  std::string_view timestamp;
  ByteView body;
};

/// A key that a receiver trusts.
class WebhookKey {
 public:
  virtual ~WebhookKey() = default;
  WebhookKey(const WebhookKey&) = delete;
  WebhookKey& operator=(const WebhookKey&) = delete;

  /// True when this key made one of the signatures for the message.
  [[nodiscard]] virtual bool made_any(const WebhookSignatures& signatures, const WebhookMessage& message) const = 0;
  /// True when this key made the Fluxora family's tag (decoded) for timestamp and body.
  [[nodiscard]] virtual bool made_fluxora(const Hash& tag, std::string_view timestamp,
                                          ByteView body) const noexcept = 0;

 protected:
  WebhookKey() = default;
};

/// A shared secret: `whsec_` and base64, or that base64 alone. Signs and verifies both families.
class WebhookSecret final : public WebhookKey {
 public:
  /// Errors: webhook_secret_invalid (not base64, or nothing, or over 1,024 bytes of text).
  static Result<std::unique_ptr<WebhookSecret>> parse(std::string_view text);

  /// `v1,` + base64. Errors: webhook_id_invalid (empty, over 256 bytes, other than printable ASCII, or with a '.',
  /// which would let an id and a timestamp be read as others), time_invalid (0, or over 15 digits).
  Result<std::string> sign(std::string_view id, UnixSeconds timestamp, ByteView body) const;
  /// The value of x-fluxora-signature.
  [[nodiscard]] std::string sign_fluxora(UnixSeconds timestamp, ByteView body) const;

  [[nodiscard]] bool made_any(const WebhookSignatures& signatures, const WebhookMessage& message) const override;
  [[nodiscard]] bool made_fluxora(const Hash& tag, std::string_view timestamp, ByteView body) const noexcept override;

 private:
  WebhookSecret(HmacSha256Key standard, HmacSha256Key fluxora) noexcept;
  HmacSha256Key standard_;
  HmacSha256Key fluxora_;
};

/// A sender's ed25519 public key, `whpk_` and base64 of 32 bytes: verifies `v1a` tokens. (RFC 8032)
class WebhookPublicKey final : public WebhookKey {
 public:
  /// Errors: webhook_secret_invalid.
  static Result<std::unique_ptr<WebhookPublicKey>> parse(std::string_view text);

  [[nodiscard]] bool made_any(const WebhookSignatures& signatures, const WebhookMessage& message) const override;
  [[nodiscard]] bool made_fluxora(const Hash&, std::string_view, ByteView) const noexcept override { return false; }

 private:
  explicit WebhookPublicKey(const std::array<std::uint8_t, 32>& key) noexcept : key_(key) {}
  std::array<std::uint8_t, 32> key_;
};

/// A sender's ed25519 key pair, `whsk_` and base64 of 64 bytes (seed and public key). Moved, never copied; zeroed.
class WebhookSigningKey {
 public:
  /// Errors: webhook_secret_invalid (also where the two halves don't belong together).
  static Result<WebhookSigningKey> parse(std::string_view text);
  ~WebhookSigningKey();
  WebhookSigningKey(WebhookSigningKey&& other) noexcept;
  WebhookSigningKey& operator=(WebhookSigningKey&& other) noexcept;
  WebhookSigningKey(const WebhookSigningKey&) = delete;
  WebhookSigningKey& operator=(const WebhookSigningKey&) = delete;

  /// `v1a,` + base64. Errors: webhook_id_invalid, time_invalid.
  Result<std::string> sign(std::string_view id, UnixSeconds timestamp, ByteView body) const;
  /// The `whpk_` text that receivers verify with.
  [[nodiscard]] std::string public_key() const;

 private:
  WebhookSigningKey() = default;
  std::array<std::uint8_t, 64> key_{};
};

/// The headers of one delivery as they were received; an absent one is empty.
struct WebhookHeaders {
  std::string_view fluxora_delivery_id;
  std::string_view fluxora_timestamp;
  std::string_view fluxora_signature;
  std::string_view webhook_id;
  std::string_view webhook_timestamp;
  std::string_view webhook_signature;
};

/// Which family may decide. Where any webhook-* header is there, that family decides, in both.
enum class WebhookFamilies : std::uint8_t {
  either,             ///< the Fluxora family alone is enough; its delivery id is then not covered by the signature
  standard_required,  ///< a receiver that remembers ids needs them signed
};

struct WebhookResult {
  WebhookVerdict verdict = WebhookVerdict::missing_secret;
  std::string_view delivery_id;  ///< part of the headers given; empty unless the verdict is ok
  UnixSeconds timestamp = 0;     ///< 0 unless the verdict is ok
};

/// The keys of one receiver, and the verdict on what it receives.
class WebhookVerifier {
 public:
  /// `key`: not null. `grace_ends`: the last second at which a previous key is still good; none: it is live.
  /// Errors: webhook_too_many_keys.
  Result<bool> add(std::unique_ptr<WebhookKey> key, std::optional<UnixSeconds> grace_ends = std::nullopt);

  /// The checks in SPEC section 8's order; the first that fails decides. `body`: the bytes as received.
  /// Signature text: for Fluxora 64 hex characters after trimming; for the other, space-separated tokens of which
  /// those that are malformed or of other versions are skipped. Where both families give an id, they must be the same
  /// (signature_mismatch).
  [[nodiscard]] WebhookResult verify(const WebhookHeaders& headers, ByteView body, UnixSeconds now,
                                     WebhookFamilies families = WebhookFamilies::either) const;

 private:
  struct HeldKey {
    std::unique_ptr<WebhookKey> key;
    std::optional<UnixSeconds> grace_ends;
  };
  template <class Made>
  [[nodiscard]] WebhookVerdict verdict_of_keys(UnixSeconds now, Made made) const;

  std::array<HeldKey, webhook_keys_max> keys_;
  std::size_t key_count_ = 0;
};

}  // namespace fluxora::core
