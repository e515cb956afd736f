// Webhook signatures: no headers and no body are good that weren't signed here, and a signed delivery is good until one
// byte of what the signature covers changes.
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "fluxora/core/webhook_signature.hpp"
#include "fuzzer/FuzzedDataProvider.h"
#include "require.hpp"

using namespace fluxora;
using core::WebhookVerdict;
using fuzz::require;

namespace {

constexpr core::UnixSeconds now = 1'774'000'000;
constexpr std::string_view live_secret = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
constexpr std::string_view other_secret = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

std::unique_ptr<core::WebhookSecret> secret_of(std::string_view text) {
  auto secret = core::WebhookSecret::parse(text);
  require(secret.ok(), "the fuzzer's own secret is read");
  return std::move(*secret);
}

const core::WebhookSecret& signer() {
  static const auto held = secret_of(live_secret);
  return *held;
}

/// A live key and a previous one whose grace is over.
const core::WebhookVerifier& verifier() {
  static const auto held = [] {
    core::WebhookVerifier made;
    require(made.add(secret_of(live_secret)).ok(), "a key is added");
    require(made.add(secret_of(other_secret), now - 1).ok(), "a previous key is added");
    return made;
  }();
  return held;
}

/// Texts of the six headers.
struct Headers {
  std::string text[6];

  [[nodiscard]] core::WebhookHeaders view() const { return {text[0], text[1], text[2], text[3], text[4], text[5]}; }
};

core::WebhookResult verify(const Headers& headers, std::string_view body, core::WebhookFamilies families) {
  const core::WebhookHeaders view = headers.view();
  const core::WebhookResult result = verifier().verify(view, core::as_bytes(body), now, families);
  const bool ok = result.verdict == WebhookVerdict::ok;
  require(ok != result.delivery_id.empty(), "an id is given exactly where the verdict is ok");
  if (ok) {
    require(result.timestamp + core::webhook_tolerance_seconds >= now, "a good delivery isn't old");
    require(result.timestamp <= now + core::webhook_tolerance_seconds, "a good delivery isn't of the future");
  }
  require(result.verdict != WebhookVerdict::missing_secret, "there are secrets");
  require(result.verdict != WebhookVerdict::duplicate_delivery, "a verifier remembers no delivery");
  return core::WebhookResult{result.verdict, {}, result.timestamp};
}

/// Nothing of it was signed.
void check_forged(const Headers& headers, std::string_view body) {
  for (const auto families : {core::WebhookFamilies::either, core::WebhookFamilies::standard_required}) {
    const WebhookVerdict verdict = verify(headers, body, families).verdict;
    require(verdict != WebhookVerdict::ok && verdict != WebhookVerdict::previous_secret_expired,
            "what wasn't signed is refused");
  }
}

std::optional<Headers> sign(const std::string& id, core::UnixSeconds timestamp, std::string_view body) {
  const auto token = signer().sign(id, timestamp, core::as_bytes(body));
  if (!token) {
    require(token.error().code == core::ErrorCode::webhook_id_invalid, "a delivery isn't signed for its id alone");
    return std::nullopt;
  }
  const std::string time = std::to_string(timestamp);
  return Headers{{id, time, signer().sign_fluxora(timestamp, core::as_bytes(body)), id, time, *token}};
}

void check_signed(const std::string& id, std::string body, FuzzedDataProvider& input) {
  const auto timestamp =
      now + core::webhook_tolerance_seconds - input.ConsumeIntegralInRange<core::UnixSeconds>(0, 600);
  auto headers = sign(id, timestamp, body);
  if (!headers) return;
  require(verify(*headers, body, core::WebhookFamilies::standard_required).verdict == WebhookVerdict::ok,
          "what was signed is good");

  // Neither family's signature covers anything but these.
  const auto place = input.ConsumeIntegral<std::uint16_t>();
  const auto bit = static_cast<char>(1 << input.ConsumeIntegralInRange<int>(0, 7));
  const auto part = input.ConsumeIntegralInRange<int>(0, 2);
  if (part == 0) {
    if (body.empty()) return;
    body[place % body.size()] = static_cast<char>(body[place % body.size()] ^ bit);
  } else if (part == 1) {
    headers->text[0] = headers->text[3] = id + "x";
  } else {
    const core::UnixSeconds moved = timestamp == now ? now + 1 : now;
    headers->text[1] = headers->text[4] = std::to_string(moved);
  }
  require(
      verify(*headers, body, core::WebhookFamilies::standard_required).verdict == WebhookVerdict::signature_mismatch,
      "a change of what is signed is noticed");
}

void check_keys(std::string_view text) {
  if (const auto secret = core::WebhookSecret::parse(text)) {
    const auto token = (*secret)->sign("msg_1", now, core::as_bytes("body"));
    require(token.ok() && token->substr(0, 3) == "v1,", "a secret that is read signs");
  }
  (void)core::WebhookPublicKey::parse(text);
  (void)core::WebhookSigningKey::parse(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_keys(std::string_view(reinterpret_cast<const char*>(data), size));
  // Six lines of headers, then the body.
  const std::string_view whole(reinterpret_cast<const char*>(data), size);
  std::string_view rest = whole;
  Headers headers;
  for (std::string& text : headers.text) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  check_forged(headers, rest);

  FuzzedDataProvider input(data, size);
  const std::string id = input.ConsumeRandomLengthString(300);
  const std::string body = input.ConsumeRandomLengthString(1000);
  check_signed(id, body, input);
  return 0;
}
