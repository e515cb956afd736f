// Webhooks and tokens, beside OpenSSL's HMAC over the same bytes.
#include <string>

#include <benchmark/benchmark.h>
#include <openssl/hmac.h>

#include "fluxora/core/hmac_sha256.hpp"
#include "fluxora/core/jwt.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "must.hpp"

using namespace fluxora;
using bench::must;
using bench::require;

namespace {

constexpr core::UnixSeconds now = 1774776687;
const std::string secret = "whsec_" + core::base64_encode(core::as_bytes("0123456789abcdef0123456789abcdef"));

std::string body_of(benchmark::State& state) {
  return std::string(static_cast<std::size_t>(state.range(0)), 'x');
}

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

void webhook_verify(benchmark::State& state) {
  const std::string body = body_of(state);
  const auto signer = must(core::WebhookSecret::parse(secret), "secret");
  const std::string signature = must(signer->sign("msg_1", now, core::as_bytes(body)), "sign");
  core::WebhookVerifier verifier;
  must(verifier.add(must(core::WebhookSecret::parse(secret), "secret")), "add");
  core::WebhookHeaders headers;
  headers.webhook_id = "msg_1";
  const std::string timestamp = std::to_string(now);
  headers.webhook_timestamp = timestamp;
  headers.webhook_signature = signature;
  require(verifier.verify(headers, core::as_bytes(body), now).verdict == core::WebhookVerdict::ok, "verdict");
  for (auto _ : state) benchmark::DoNotOptimize(verifier.verify(headers, core::as_bytes(body), now));
  count_bytes(state);
}
BENCHMARK(webhook_verify)->Arg(1 << 10)->Arg(256 << 10);

void hmac_core(benchmark::State& state) {
  const std::string body = body_of(state);
  const core::HmacSha256Key key(core::as_bytes(secret));
  for (auto _ : state) benchmark::DoNotOptimize(key.authenticate({core::as_bytes(body)}));
  count_bytes(state);
}
BENCHMARK(hmac_core)->Arg(1 << 10)->Arg(256 << 10);

void hmac_openssl(benchmark::State& state) {
  const std::string body = body_of(state);
  const core::ByteView bytes = core::as_bytes(body);
  core::Hash tag{};
  unsigned size = 0;
  const auto authenticate = [&] {
    return HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), bytes.data(), bytes.size(), tag.data(),
                &size);
  };
  require(authenticate() != nullptr, "OpenSSL's HMAC");
  require(tag == core::HmacSha256Key(core::as_bytes(secret)).authenticate({bytes}), "the two HMACs differ");
  for (auto _ : state) benchmark::DoNotOptimize(authenticate());
  count_bytes(state);
}
BENCHMARK(hmac_openssl)->Arg(1 << 10)->Arg(256 << 10);

void jwt_verify(benchmark::State& state) {
  const core::HmacSha256Key key(core::as_bytes(secret));
  const auto encode = [](std::string_view text) { return core::base64url_encode(core::as_bytes(text)); };
  const std::string signing_input =
      encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
      encode(R"({"sub":"treasury-1","scope":"streams:write webhooks:manage","nbf":1774776000,"exp":1774780287})");
  const std::string token =
      signing_input + "." + core::base64url_encode(key.authenticate({core::as_bytes(signing_input)}));
  require(must(core::verify_jwt(token, key, now), "token").has_scope("streams:write"), "scope");
  for (auto _ : state) benchmark::DoNotOptimize(core::verify_jwt(token, key, now));
}
BENCHMARK(jwt_verify);

}  // namespace
