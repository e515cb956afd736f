#include <string>

#include <gtest/gtest.h>

#include "fluxora/api/api.hpp"

namespace fluxora::api::test {
namespace {

// SPEC section 5, word by word.
const std::string policy =
    "default-src 'self'; base-uri 'self'; font-src 'self' https: data:; form-action 'self'; frame-ancestors 'self'; "
    "img-src 'self' data:; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'; script-src-attr 'none'; "
    "style-src 'self' https: 'unsafe-inline'";

net::HeaderFields expected(const std::string& content_security_policy) {
  return {{"Content-Security-Policy", content_security_policy},
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

TEST(SecurityHeaders, AreTheSpecs) {
  EXPECT_EQ(security_headers(""), expected(policy));
  EXPECT_EQ(security_headers("http://fluxora.example"), expected(policy));
}

TEST(SecurityHeaders, BehindHttpsInsecureRequestsAreUpgraded) {
  EXPECT_EQ(security_headers("https://fluxora.example"), expected(policy + "; upgrade-insecure-requests"));
  EXPECT_EQ(security_headers("HTTPS://fluxora.example"), expected(policy + "; upgrade-insecure-requests"));
}

}  // namespace
}  // namespace fluxora::api::test
