#include "fluxora/api/cors.hpp"

#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

CorsPolicy policy(std::string_view text) {
  std::string wrong;
  const auto parsed = CorsPolicy::parse(text, wrong);
  EXPECT_TRUE(parsed) << wrong;
  return parsed.value_or(CorsPolicy());
}

net::Response applied(const std::string& method, net::HeaderFields headers, net::HeaderFields answered = {}) {
  net::Response response;
  response.headers = std::move(answered);
  policy("https://app.example, http://localhost:5173")
      .apply(ApiBench::request("/api/streams", std::move(headers), method), response);
  return response;
}

TEST(Cors, OriginsAreAsBrowsersSendThem) {
  for (const char* good : {"https://app.example", "http://localhost:5173", "http://[::1]:8080", "https://a:80"}) {
    std::string wrong;
    EXPECT_TRUE(CorsPolicy::parse(good, wrong)) << good;
  }
  for (const char* bad :
       {"", "*", "null", "app.example", "https://", "https://app.example/", "https://App.example",
        "https://app.example:443", "http://app.example:80", "https://app.example:", "ftp://a", "https://*.example",
        "https://a,", "https://user@a", "https://a:0", "https://a:65536", "https://a b"}) {
    std::string wrong;
    EXPECT_FALSE(CorsPolicy::parse(bad, wrong)) << bad;
  }
}

TEST(Cors, AKnownOriginMayRead) {
  const net::Response response = applied("GET", {{"Origin", "https://app.example"}});
  EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "https://app.example");
  EXPECT_NE(header(response, "Access-Control-Expose-Headers").find("X-Request-Id"), std::string::npos);
  EXPECT_EQ(header(response, "Vary"), "Origin");
  EXPECT_EQ(header(response, "Access-Control-Allow-Credentials"), "");
}

TEST(Cors, OthersMayNot) {
  for (const char* origin : {"https://evil.example", "null", "*", "https://app.example.evil", "http://app.example",
                             "https://app.example:8443", "HTTPS://app.example", ""}) {
    const net::Response response = applied("GET", {{"Origin", origin}});
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "") << origin;
    EXPECT_EQ(header(response, "Vary"), "Origin");
  }
  EXPECT_EQ(header(applied("GET", {}), "Access-Control-Allow-Origin"), "");
}

TEST(Cors, APreflightIsToldTheMethodsOfThePath) {
  const net::Response response =
      applied("OPTIONS", {{"Origin", "http://localhost:5173"}, {"Access-Control-Request-Method", "POST"}},
              {{"Allow", "GET, HEAD, POST, OPTIONS"}});
  EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "http://localhost:5173");
  EXPECT_EQ(header(response, "Access-Control-Allow-Methods"), "GET, HEAD, POST, OPTIONS");
  EXPECT_NE(header(response, "Access-Control-Allow-Headers").find("X-API-Key"), std::string::npos);
  EXPECT_EQ(header(response, "Access-Control-Max-Age"), "600");
}

TEST(Cors, AForeignPreflightIsToldNothing) {
  const net::Response response = applied(
      "OPTIONS", {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}}, {{"Allow", "GET"}});
  for (const auto& [name, value] : response.headers) EXPECT_NE(name.rfind("Access-Control", 0), 0u) << name;
}

}  // namespace
}  // namespace fluxora::api::test
