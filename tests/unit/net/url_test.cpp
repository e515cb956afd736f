#include <stdexcept>

#include <gtest/gtest.h>

#include "fluxora/net/http_client.hpp"

namespace fluxora::net {
namespace {

TEST(Url, IsTakenApart) {
  const Url rpc = parse_url("https://rpc.example.org/soroban?key=1");
  EXPECT_TRUE(rpc.secure);
  EXPECT_EQ(rpc.host, "rpc.example.org");
  EXPECT_EQ(rpc.port, "443");
  EXPECT_EQ(rpc.target, "/soroban?key=1");

  const Url local = parse_url("HTTP://127.0.0.1:8000");
  EXPECT_FALSE(local.secure);
  EXPECT_EQ(local.host, "127.0.0.1");
  EXPECT_EQ(local.port, "8000");
  EXPECT_EQ(local.target, "/");

  const Url six = parse_url("http://[::1]:80?a");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, "80");
  EXPECT_EQ(six.target, "/?a");
}

TEST(Url, IsRefusedWhereItIsNotAnAbsoluteHttpUrl) {
  for (const char* text :
       {"", "example.org", "ftp://example.org/", "http://", "http:///path", "http://user@example.org/",
        "http://example.org/#part", "http://example.org:0/", "http://example.org:65536/", "http://example.org:/",
        "http://example.org:8x/", "http://exa mple.org/", "http://example.org/a b", "http://example.org/\n",
        "http://[::1/", "http://[]/", "http://[::1]80/", "http://[example]/", "http://ex\xc3\xa4mple.org/"})
    EXPECT_THROW(parse_url(text), std::invalid_argument) << text;
}

TEST(Url, DoesNotAppearInItsRefusal) {
  try {
    parse_url("http://user:secret@example.org/");
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace fluxora::net
