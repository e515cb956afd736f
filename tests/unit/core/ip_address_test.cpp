#include "fluxora/core/ip_address.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

/// What the C library reads, in our form.
std::optional<IpAddress> by_inet_pton(const std::string& text) {
  IpAddress address;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  std::array<std::uint8_t, 4> v4{};
  if (inet_pton(AF_INET, text.c_str(), v4.data()) != 1) return std::nullopt;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::copy(v4.begin(), v4.end(), address.bytes.begin() + 12);
  return address;
}

bool is_public(std::string_view text) {
  const auto address = parse_ip_address(text);
  EXPECT_TRUE(address) << text;
  return address && is_public_address(*address);
}

TEST(IpAddress, ReadsDottedDecimalAndRfc4291Text) {
  for (const char* text :
       {"0.0.0.0", "255.255.255.255", "192.0.2.7", "::", "::1", "1::", "2001:db8::1", "2001:DB8:0:0:0:0:0:1",
        "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1:2:3:4:5:6:1.2.3.4",
        "64:ff9b::192.0.2.1", "1::8", "1:2:3::7:8", "0001:0000::"}) {
    const auto address = parse_ip_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address, by_inet_pton(text)) << text;
  }
}

TEST(IpAddress, NothingElseIsOne) {
  for (const char* text : {"",
                           ".",
                           ":",
                           ":::",
                           "::1::",
                           "1",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f.0.0.1",
                           "0177.0.0.1",
                           "127.0.0.01",
                           "127.0.0.1.",
                           ".127.0.0.1",
                           "127.0.0.256",
                           "127.0.0.1000",
                           "127..0.1",
                           "+1.0.0.0",
                           "-1.0.0.0",
                           " 1.0.0.0",
                           "1.0.0.0 ",
                           "1.2.3.4.5",
                           "1:2:3:4:5:6:7",
                           "1:2:3:4:5:6:7:8:9",
                           "1::2:3:4:5:6:7:8",
                           "1:2:3:4:5:6:7:8::",
                           "12345::",
                           "g::",
                           "1:",
                           ":1",
                           "1:2:3:4:5:6:7:",
                           "::1.2.3",
                           "::1.2.3.4:5",
                           "1.2.3.4::",
                           "1:2:3:4:5:6:7:1.2.3.4",
                           "::ffff:0x7f.0.0.1",
                           "fe80::1%eth0",
                           "[::1]",
                           "::1/128",
                           "localhost",
                           "::+1",
                           "::-1",
                           "::0x1"}) {
    EXPECT_FALSE(parse_ip_address(text)) << text;
    EXPECT_FALSE(by_inet_pton(text)) << text;
  }
  EXPECT_FALSE(parse_ip_address(std::string_view("1.2.3.4\0", 8)));
}

TEST(IpAddress, ReadsWhatTheCLibraryReads) {
  constexpr std::string_view pieces[] = {"0", "1",  "00", "ff", "FFFF", "255",     "256", "12345",
                                         ":", "::", ".",  ":",  ".",    "1.2.3.4", "g"};
  std::mt19937 random(20'260'701);
  std::uniform_int_distribution<std::size_t> length(1, 18);
  std::uniform_int_distribution<std::size_t> piece(0, std::size(pieces) - 1);
  std::size_t valid = 0;
  for (int i = 0; i < 300'000; ++i) {
    std::string text;
    // Mostly alternating, or hardly anything would be an address.
    for (std::size_t left = length(random); left > 0; --left) {
      text += pieces[piece(random)];
      if (i % 3 != 0 && left > 1) text += i % 3 == 1 ? ':' : '.';
    }
    const auto ours = parse_ip_address(text);
    ASSERT_EQ(ours, by_inet_pton(text)) << text;
    valid += ours ? 1U : 0U;
  }
  EXPECT_GT(valid, 500U);
}

TEST(IpAddress, Ipv4IsTheSameMapped) {
  EXPECT_EQ(parse_ip_address("10.1.2.3"), parse_ip_address("::ffff:10.1.2.3"));
  EXPECT_EQ(parse_ip_address("10.1.2.3"), parse_ip_address("::FFFF:a01:203"));
  EXPECT_TRUE(parse_ip_address("10.1.2.3")->is_ipv4());
  EXPECT_FALSE(parse_ip_address("::10.1.2.3")->is_ipv4());
}

TEST(IpAddress, NetworksAreReadStrictly) {
  for (const char* good : {"10.0.0.0/8", "192.0.2.7", "192.0.2.7/32", "0.0.0.0/0", "::1", "fd00::/8", "::/0", "::1/128",
                           "2001:db8::/32", "::ffff:10.0.0.0/104", "128.0.0.0/1"}) {
    EXPECT_TRUE(parse_ip_network(good)) << good;
  }
  for (const char* bad : {"", "/8", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/08", "10.0.0.0/+8",
                          "10.0.0.0/-1", "10.0.0", "10.0.0.0/8/8", "fd00::/129", "fd00::1/8", "::ffff:10.0.0.0/8",
                          "10.0.0.0 /8", "10.0.0.0/ 8", "10.0.0.0/8 ", "fe80::1%eth0", "localhost/8", "10.0.0.0/0"}) {
    EXPECT_FALSE(parse_ip_network(bad)) << bad;
  }
}

TEST(IpAddress, NetworksContainWhatBeginsAsTheyDo) {
  const auto contains = [](const char* network, const char* address) {
    return parse_ip_network(network)->contains(*parse_ip_address(address));
  };
  EXPECT_TRUE(contains("172.16.0.0/12", "172.31.255.255"));
  EXPECT_FALSE(contains("172.16.0.0/12", "172.32.0.0"));
  EXPECT_TRUE(contains("172.16.0.0/12", "::ffff:172.16.0.1"));
  EXPECT_TRUE(contains("192.0.2.7", "192.0.2.7"));
  EXPECT_FALSE(contains("192.0.2.7", "192.0.2.6"));
  EXPECT_TRUE(contains("0.0.0.0/0", "255.255.255.255"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("::/0", "1.2.3.4"));
  EXPECT_TRUE(contains("fe80::/10", "febf::1"));
  EXPECT_FALSE(contains("fe80::/10", "fec0::1"));
}

// Of each special block its first and its last address, and its neighbours where these are public.
TEST(IpAddress, WhatIsNotOfThePublicInternet) {
  for (const char* address :
       {"0.0.0.0",         "0.255.255.255",  "10.0.0.0",        "10.255.255.255",  "100.64.0.0",      "100.100.100.200",
        "100.127.255.255", "127.0.0.0",      "127.0.0.1",       "127.255.255.255", "168.63.129.16",   "169.254.0.0",
        "169.254.169.254", "169.254.170.2",  "169.254.255.255", "172.16.0.0",      "172.31.255.255",  "192.0.0.0",
        "192.0.0.9",       "192.0.0.192",    "192.0.0.255",     "192.0.2.0",       "192.0.2.255",     "192.88.99.0",
        "192.88.99.255",   "192.168.0.0",    "192.168.255.255", "198.18.0.0",      "198.19.255.255",  "198.51.100.0",
        "198.51.100.255",  "203.0.113.0",    "203.0.113.255",   "224.0.0.0",       "239.255.255.255", "240.0.0.0",
        "255.255.255.254", "255.255.255.255"}) {
    EXPECT_FALSE(is_public(address)) << address;
    EXPECT_FALSE(is_public(std::string("::ffff:") + address)) << "mapped " << address;
    EXPECT_FALSE(is_public(std::string("::") + address)) << "compatible " << address;
    EXPECT_FALSE(is_public(std::string("::ffff:0:") + address)) << "translated " << address;
    EXPECT_FALSE(is_public(std::string("64:ff9b::") + address)) << "NAT64 " << address;
    EXPECT_FALSE(is_public(std::string("64:ff9b:1::") + address)) << "local NAT64 " << address;
    const auto v4 = parse_ip_address(address)->bytes;
    IpAddress six_to_four{{0x20, 0x02, v4[12], v4[13], v4[14], v4[15]}};
    EXPECT_FALSE(is_public_address(six_to_four)) << "6to4 " << address;
  }
  for (const char* address : {"::",
                              "::1",
                              "::2",
                              "64:ff9b:1::1",
                              "100::1",
                              "100:0:0:1::1",
                              "1fff:ffff::1",
                              "2001::1",
                              "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                              "2001:2::1",
                              "2001:10::1",
                              "2001:20::1",
                              "2001:1ff:ffff::1",
                              "2001:db8::",
                              "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                              "3fff::1",
                              "3fff:fff:ffff::1",
                              "4000::1",
                              "5f00::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fd20:ce::254",
                              "fdff:ffff::1",
                              "fe80::1",
                              "fe80::a9fe:a9fe",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    EXPECT_FALSE(is_public(address)) << address;
  }
}

TEST(IpAddress, WhatIsOfThePublicInternet) {
  for (const char* address :
       {"1.0.0.0",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",  "100.128.0.0",   "126.255.255.255",
        "128.0.0.0",       "168.63.129.15",   "168.63.129.17",   "169.253.255.255", "169.255.0.0",   "172.15.255.255",
        "172.32.0.0",      "191.255.255.255", "192.0.1.0",       "192.0.3.0",       "192.88.98.255", "192.88.100.0",
        "192.167.255.255", "192.169.0.0",     "198.17.255.255",  "198.20.0.0",      "198.51.99.255", "198.51.101.0",
        "203.0.112.255",   "203.0.114.0",     "223.255.255.255", "8.8.8.8"}) {
    EXPECT_TRUE(is_public(address)) << address;
    EXPECT_TRUE(is_public(std::string("::ffff:") + address)) << "mapped " << address;
    EXPECT_TRUE(is_public(std::string("64:ff9b::") + address)) << "NAT64 " << address;
    EXPECT_FALSE(is_public(std::string("::") + address)) << "compatible " << address;
  }
  for (const char* address : {"2000::1", "2001:200::1", "2001:db7::1", "2001:db9::1", "2002:808:808::1", "2003::1",
                              "2606:4700:4700::1111", "3ffe:ffff::1", "3fff:1000::1"}) {
    EXPECT_TRUE(is_public(address)) << address;
  }
}

}  // namespace
}  // namespace fluxora::core
