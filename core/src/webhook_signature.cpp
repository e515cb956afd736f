#include "fluxora/core/webhook_signature.hpp"

#include <algorithm>

#include "fluxora/core/decimal.hpp"
#include "webhook_signing.hpp"

// ed25519 is in webhook_ed25519.cpp, so that a module that verifies shared secrets alone doesn't carry it.
namespace fluxora::core {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
constexpr std::size_t secret_text_max = 1024;
constexpr std::size_t id_max = 256;
constexpr UnixSeconds timestamp_max = 999'999'999'999'999;

struct VerdictText {
  std::string_view name;
  int status;
};

// A switch without a default: the compiler names the verdict that was forgotten here.
VerdictText text_of(WebhookVerdict verdict) noexcept {
  switch (verdict) {
    case WebhookVerdict::ok: return {"ok", 200};
    case WebhookVerdict::missing_secret: return {"missing_secret", 500};
    case WebhookVerdict::missing_delivery_id: return {"missing_delivery_id", 401};
    case WebhookVerdict::missing_timestamp: return {"missing_timestamp", 401};
    case WebhookVerdict::missing_signature: return {"missing_signature", 401};
    case WebhookVerdict::payload_too_large: return {"payload_too_large", 413};
    case WebhookVerdict::invalid_timestamp: return {"invalid_timestamp", 400};
    case WebhookVerdict::timestamp_outside_tolerance: return {"timestamp_outside_tolerance", 401};
    case WebhookVerdict::signature_mismatch: return {"signature_mismatch", 401};
    case WebhookVerdict::previous_secret_expired: return {"previous_secret_expired", 401};
    case WebhookVerdict::duplicate_delivery: return {"duplicate_delivery", 200};
  }
  // Only a number that was cast to a WebhookVerdict comes here.
  return {"unknown_verdict", 500};
}

/// What ^[1-9][0-9]{0,14}$ can say.
bool is_timestamp(UnixSeconds seconds) noexcept {
  return seconds != 0 && seconds <= timestamp_max;
}

/// Without trimming: the text is part of what was signed.
std::optional<UnixSeconds> read_timestamp(std::string_view text) noexcept {
  const auto seconds = parse_u64(text);
  return seconds && is_timestamp(*seconds) ? seconds : std::nullopt;
}

bool within_tolerance(UnixSeconds timestamp, UnixSeconds now) noexcept {
  return (timestamp > now ? timestamp - now : now - timestamp) <= webhook_tolerance_seconds;
}

/// The tag of the Fluxora family: 64 hexadecimal characters, perhaps with white space around them.
std::optional<Hash> read_fluxora_tag(std::string_view text) noexcept {
  constexpr std::string_view white_space = " \t\n\v\f\r";
  const auto is_space = [&](char c) { return white_space.find(c) != std::string_view::npos; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  const auto tag = hash_from_hex(text);
  return tag ? std::optional(*tag) : std::nullopt;
}

/// A `webhook-signature` header, read without allocating. Tokens that are malformed or of other versions are skipped.
class TokenList {
 public:
  explicit TokenList(std::string_view header) noexcept {
    for (std::size_t seen = 0; seen < webhook_tokens_max; ++seen) {
      while (!header.empty() && header.front() == ' ') header.remove_prefix(1);
      if (header.empty()) return;
      const std::string_view token = take_until(header, ' ');
      read(token);
    }
  }

  [[nodiscard]] WebhookSignatures signatures() const noexcept {
    return {{v1_.data(), v1_count_}, {v1a_.data(), v1a_count_}};
  }

 private:
  /// What stands before the next separator, or all; both are taken off the text.
  static std::string_view take_until(std::string_view& text, char separator) noexcept {
    const std::size_t size = std::min(text.find(separator), text.size());
    const std::string_view taken(text.data(), size);
    text.remove_prefix(std::min(size + 1, text.size()));
    return taken;
  }

  /// `version,base64`. A comma at the end joined two header lines to one; any other is no base64, so it needs no look.
  void read(std::string_view token) noexcept {
    if (token.ends_with(',')) token.remove_suffix(1);
    const std::string_view version = take_until(token, ',');
    if (version == "v1" && base64_decode_exactly(token, v1_[v1_count_])) ++v1_count_;
    if (version == "v1a" && v1a_count_ < v1a_.size() && base64_decode_exactly(token, v1a_[v1a_count_])) ++v1a_count_;
  }

  // Decoded where the next one goes. Each token looked at fills at most one place, so v1 ones can't overrun theirs.
  std::array<Hash, webhook_tokens_max> v1_;
  std::size_t v1_count_ = 0;
  std::array<Ed25519Signature, webhook_v1a_tokens_max> v1a_;
  std::size_t v1a_count_ = 0;
};

WebhookResult failed(WebhookVerdict verdict) noexcept {
  return {verdict, {}, 0};
}

}  // namespace

std::string_view webhook_verdict_name(WebhookVerdict verdict) noexcept {
  return text_of(verdict).name;
}

int webhook_verdict_status(WebhookVerdict verdict) noexcept {
  return text_of(verdict).status;
}

Result<bool> check_signable(std::string_view id, UnixSeconds timestamp) noexcept {
  const bool printable = std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c <= '~' && c != '.'; });
  if (id.empty() || id.size() > id_max || !printable) return ErrorCode::webhook_id_invalid;
  if (!is_timestamp(timestamp)) return ErrorCode::time_invalid;
  return true;
}

WebhookSecret::WebhookSecret(HmacSha256Key standard, HmacSha256Key fluxora) noexcept
    : standard_(std::move(standard)), fluxora_(std::move(fluxora)) {}

Result<std::unique_ptr<WebhookSecret>> WebhookSecret::parse(std::string_view text) {
  std::string_view encoded = text;
  if (encoded.starts_with(secret_prefix)) encoded.remove_prefix(secret_prefix.size());
  const std::size_t size = base64_decoded_size(encoded);
  if (text.size() > secret_text_max || size == 0) return ErrorCode::webhook_secret_invalid;

  std::array<std::uint8_t, secret_text_max> decoded;
  const std::span<std::uint8_t> key(decoded.data(), size);
  std::unique_ptr<WebhookSecret> secret;
  if (base64_decode_exactly(encoded, key)) {
    secret.reset(new WebhookSecret(HmacSha256Key(key), HmacSha256Key(as_bytes(text))));
  }
  wipe(key);
  if (!secret) return ErrorCode::webhook_secret_invalid;
  return secret;
}

Result<std::string> WebhookSecret::sign(std::string_view id, UnixSeconds timestamp, ByteView body) const {
  if (const auto checked = check_signable(id, timestamp); !checked) return checked.error();
  const std::string seconds = format_u64(timestamp);
  return "v1," +
         base64_encode(standard_.authenticate({as_bytes(id), as_bytes("."), as_bytes(seconds), as_bytes("."), body}));
}

std::string WebhookSecret::sign_fluxora(UnixSeconds timestamp, ByteView body) const {
  return hex_encode(fluxora_.authenticate({as_bytes(format_u64(timestamp)), as_bytes("."), body}));
}

bool WebhookSecret::made_any(const WebhookSignatures& signatures, const WebhookMessage& message) const {
  if (signatures.v1.empty()) return false;
  const Hash code = standard_.authenticate(
      {as_bytes(message.id), as_bytes("."), as_bytes(message.timestamp), as_bytes("."), message.body});
  bool made = false;
  for (const Hash& signature : signatures.v1) made = equal_in_constant_time(code, signature) || made;
  return made;
}

bool WebhookSecret::made_fluxora(const Hash& tag, std::string_view timestamp, ByteView body) const noexcept {
  return equal_in_constant_time(fluxora_.authenticate({as_bytes(timestamp), as_bytes("."), body}), tag);
}

Result<bool> WebhookVerifier::add(std::unique_ptr<WebhookKey> key, std::optional<UnixSeconds> grace_ends) {
  if (key_count_ == keys_.size()) return ErrorCode::webhook_too_many_keys;
  keys_[key_count_++] = {std::move(key), grace_ends};
  return true;
}

WebhookResult WebhookVerifier::verify(const WebhookHeaders& headers, ByteView body, UnixSeconds now,
                                      WebhookFamilies families) const {
  const bool standard = families == WebhookFamilies::standard_required || !headers.webhook_id.empty() ||
                        !headers.webhook_timestamp.empty() || !headers.webhook_signature.empty();
  const WebhookMessage message{standard ? headers.webhook_id : headers.fluxora_delivery_id,
                               standard ? headers.webhook_timestamp : headers.fluxora_timestamp, body};
  const std::string_view signature = standard ? headers.webhook_signature : headers.fluxora_signature;

  if (key_count_ == 0) return failed(WebhookVerdict::missing_secret);
  if (message.id.empty()) return failed(WebhookVerdict::missing_delivery_id);
  if (message.timestamp.empty()) return failed(WebhookVerdict::missing_timestamp);
  if (signature.empty()) return failed(WebhookVerdict::missing_signature);
  if (body.size() > webhook_body_max) return failed(WebhookVerdict::payload_too_large);
  const auto timestamp = read_timestamp(message.timestamp);
  if (!timestamp) return failed(WebhookVerdict::invalid_timestamp);
  if (!within_tolerance(*timestamp, now)) return failed(WebhookVerdict::timestamp_outside_tolerance);

  WebhookVerdict verdict = WebhookVerdict::signature_mismatch;
  if (standard) {
    if (!headers.fluxora_delivery_id.empty() && headers.fluxora_delivery_id != message.id) return failed(verdict);
    const TokenList tokens(signature);
    const WebhookSignatures signatures = tokens.signatures();
    verdict = verdict_of_keys(now, [&](const WebhookKey& key) { return key.made_any(signatures, message); });
  } else if (const auto tag = read_fluxora_tag(signature)) {
    verdict = verdict_of_keys(
        now, [&](const WebhookKey& key) { return key.made_fluxora(*tag, message.timestamp, message.body); });
  }
  if (verdict != WebhookVerdict::ok) return failed(verdict);
  return {verdict, message.id, *timestamp};
}

/// A live key decides at once; one past its grace, only where no live one made the signature.
template <class Made>
WebhookVerdict WebhookVerifier::verdict_of_keys(UnixSeconds now, Made made) const {
  WebhookVerdict verdict = WebhookVerdict::signature_mismatch;
  for (std::size_t i = 0; i < key_count_; ++i) {
    const HeldKey& held = keys_[i];
    if (!made(*held.key)) continue;
    if (!held.grace_ends || now <= *held.grace_ends) return WebhookVerdict::ok;
    verdict = WebhookVerdict::previous_secret_expired;
  }
  return verdict;
}

}  // namespace fluxora::core
