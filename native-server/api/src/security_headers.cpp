#include "fluxora/api/api.hpp"

namespace fluxora::api {

net::HeaderFields security_headers(std::string_view public_url) {
  std::string policy =
      "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; frame-ancestors 'self'; "
      "img-src 'self' data:; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'; script-src-attr 'none'; "
      "style-src 'self' https: 'unsafe-inline'";
  // Behind plain http it would break every link of the page.
  if (net::equal_ignoring_case(public_url.substr(0, 8), "https://")) policy += "; upgrade-insecure-requests";
  return {{"Content-Security-Policy", policy},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Origin-Agent-Cluster", "?1"},
          {"Referrer-Policy", "no-referrer"},
          {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
          {"X-Content-Type-Options", "nosniff"},
          {"X-DNS-Prefetch-Control", "off"},
          {"X-Download-Options", "noopen"},
          {"X-Frame-Options", "SAMEORIGIN"},
          {"X-Permitted-Cross-Domain-Policies", "none"},
          {"X-XSS-Protection", "0"}};
}

std::vector<std::string> single_headers() {
  return {"Idempotency-Key", "X-API-Key", "X-Fluxora-Min-Version", "X-Indexer-Worker-Token", "Last-Event-ID"};
}

}  // namespace fluxora::api
