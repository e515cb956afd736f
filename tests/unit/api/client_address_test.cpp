#include "fluxora/api/client_address.hpp"

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

TrustedProxies proxies(std::string_view text) {
  std::string wrong;
  const auto parsed = TrustedProxies::parse(text, wrong);
  EXPECT_TRUE(parsed) << wrong;
  return parsed.value_or(TrustedProxies());
}

std::string client(const TrustedProxies& trusted, const std::string& peer, const std::vector<std::string>& forwarded) {
  net::Request request;
  for (const std::string& value : forwarded) request.headers.emplace_back("x-forwarded-for", value);
  return trusted.client_address(peer, request);
}

TEST(ClientAddress, BlocksAreReadStrictly) {
  for (const char* good : {"10.0.0.0/8", "192.0.2.7", "192.0.2.7/32", "0.0.0.0/0", "::1", "fd00::/8", "::/0",
                           " 10.0.0.1 , 10.0.0.2 ", "2001:db8::/32,10.0.0.0/8"}) {
    std::string wrong;
    EXPECT_TRUE(TrustedProxies::parse(good, wrong)) << good;
  }
  for (const char* bad : {"",
                          ",",
                          "10.0.0.1,",
                          "10.0.0.1/8",
                          "10.0.0.0/33",
                          "10.0.0.0/",
                          "10.0.0.0/08",
                          "10.0.0.0/+8",
                          "10.0.0.0/-1",
                          "10.0.0",
                          "010.0.0.1",
                          "10.0.0.0/8/8",
                          "fd00::/129",
                          "fd00::1/8",
                          "localhost",
                          "*",
                          "10.0.0.1:80",
                          "[::1]",
                          "10.0.0.0 /8",
                          "fe80::1%eth0"}) {
    std::string wrong;
    EXPECT_FALSE(TrustedProxies::parse(bad, wrong)) << bad;
  }
}

TEST(ClientAddress, NobodyElseIsBelieved) {
  EXPECT_EQ(client(proxies("10.0.0.0/8"), "192.0.2.1", {"203.0.113.9"}), "192.0.2.1");
  EXPECT_EQ(client(TrustedProxies(), "10.0.0.1", {"203.0.113.9"}), "10.0.0.1");
}

TEST(ClientAddress, TheRightmostThatIsNoProxy) {
  const TrustedProxies trusted = proxies("10.0.0.0/8, fd00::/8");
  EXPECT_EQ(client(trusted, "10.0.0.1", {}), "10.0.0.1");
  EXPECT_EQ(client(trusted, "10.0.0.1", {"203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client(trusted, "10.0.0.1", {"1.2.3.4, 203.0.113.9"}), "203.0.113.9");  // the first is the client's claim
  EXPECT_EQ(client(trusted, "10.0.0.1", {"1.2.3.4, 203.0.113.9, 10.1.1.1 ,fd00::5"}), "203.0.113.9");
  EXPECT_EQ(client(trusted, "fd00::1", {"1.2.3.4", "2001:db8::9, 10.1.1.1"}), "2001:db8::9");
  EXPECT_EQ(client(trusted, "10.0.0.1", {"10.2.2.2, 10.3.3.3"}), "10.2.2.2");
}

TEST(ClientAddress, ItStopsAtWhatIsNoAddress) {
  const TrustedProxies trusted = proxies("10.0.0.0/8");
  for (const char* nonsense :
       {"", "unknown", "203.0.113.9:4711", "_hidden", "203.0.113.256", "1.2.3.4,", ",", "[2001:db8::1]", "<script>"}) {
    EXPECT_EQ(client(trusted, "10.0.0.1", {nonsense}), "10.0.0.1") << nonsense;
  }
  EXPECT_EQ(client(trusted, "10.0.0.1", {"203.0.113.9, junk, 10.5.5.5"}), "10.5.5.5");
}

TEST(ClientAddress, Ipv4IsTheSameInIpv6) {
  const TrustedProxies trusted = proxies("10.0.0.0/8");
  EXPECT_EQ(client(trusted, "::ffff:10.0.0.1", {"::ffff:203.0.113.9"}), "203.0.113.9");
  EXPECT_EQ(client(proxies("::/0"), "2001:db8::1", {"2001:DB8::2"}), "2001:db8::2");
}

}  // namespace
}  // namespace fluxora::api
