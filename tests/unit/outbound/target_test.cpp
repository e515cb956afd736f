#include <gtest/gtest.h>

#include "fluxora/outbound/webhook_transport.hpp"

namespace fluxora::outbound {
namespace {

using std::string_literals::operator""s;

const TargetRules strict;

TEST(Target, HttpsToNamesAndPublicAddresses) {
  for (const char* url : {"https://example.com",
                          "https://example.com/",
                          "https://example.com?a=b",
                          "https://example.com:8443/hooks/x?y=%20z",
                          "HTTPS://Example.COM/a/../b",
                          "https://example.com:1",
                          "https://example.com:65535",
                          "https://xn--bcher-kva.example/",
                          "https://a_b.example.com/",
                          "https://example.com./",
                          "https://8.8.8.8/",
                          "https://134744072/",
                          "https://8.8.2056/",
                          "https://[2606:4700:4700::1111]:443/x",
                          "https://[::ffff:8.8.8.8]/",
                          "https://3com.example",
                          "https://1.2.3.4.example",
                          "https://localhost.example.com/",
                          "https://notlocalhost/",
                          "https://example.com/@x",
                          "https://example.com/?u=http://127.0.0.1/"}) {
    EXPECT_EQ(target_problem(url, strict), std::nullopt) << url;
  }
}

/// Every one leads to an address that nothing is sent to, or might on some system.
const char* const forbidden_hosts[] = {
    // loopback
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f.1",
    "0X7F.0X0.0X0.0X1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "127.0.0.1.",
    "00000177.0.0.1",
    "127.0.0.01",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "%31%32%37.0.0.1",
    "127%2e0.0.1",
    "0x7f.0.0.0x1",
    "4294967297",
    "127.0.0.0x",
    "127..0.1",
    // this host, broadcast, multicast
    "0.0.0.0",
    "0",
    "0x0",
    "00",
    "255.255.255.255",
    "4294967295",
    "224.0.0.1",
    "240.0.0.1",
    // private, shared, link-local, metadata
    "10.0.0.1",
    "10.1",
    "012.0.0.1",
    "0xa000001",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "0300.0250.0.1",
    "3232235521",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "0251.254.0xa9fe",
    "168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    // IPv6
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::0001]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::a00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::1]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[ff02::1]",
    "[fec0::1]",
    "[2001:db8::1]",
    "[100::1]",
    // other digits, and what isn't ASCII
    "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1",
    "127\xe3\x80\x82"
    "0.0.1",
    "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1",
    "lo\xc5\xbf\x61lhost\xc2\xad",
};

TEST(Target, EverySpellingOfAnAddressThatIsNotPublic) {
  EXPECT_GE(std::size(forbidden_hosts), 60U);
  TargetRules plain_too;
  for (const char* host : forbidden_hosts) plain_too.http_hosts.emplace_back(host);
  for (const char* host : forbidden_hosts) {
    for (const char* path : {"", "/", ":80/hook", ":8443"}) {
      EXPECT_TRUE(target_problem("https://"s + host + path, strict)) << host << path;
      EXPECT_TRUE(target_problem("http://"s + host + path, plain_too)) << host << path;
    }
  }
}

TEST(Target, WhatIsWrongIsSaid) {
  const auto problem = [](const std::string& url) { return target_problem(url, strict).value_or("nothing"); };
  for (const char* url :
       {"", "example.com", "//example.com", "/hook", "https:example.com", "https:/example.com", "ftp://example.com",
        "file:///etc/passwd", "gopher://example.com", "javascript:alert(1)", "httpss://example.com", "https"}) {
    EXPECT_EQ(problem(url), "must begin with https://.") << url;
  }
  for (const char* url : {"https://", "https:///", "https:///example.com", "https://?x", "https:////example.com"}) {
    EXPECT_EQ(problem(url), "must have a host.") << url;
  }
  for (const char* url : {"https://user@example.com/", "https://user:password@example.com/", "https://@example.com/",
                          "https://:@example.com/", "https://example.com@127.0.0.1/",
                          "https://example.com\\@127.0.0.1/", "https://example.com:443@127.0.0.1/"}) {
    EXPECT_EQ(problem(url), "must not have user information.") << url;
  }
  for (const char* url : {"https://example.com/#", "https://example.com/#part", "https://example.com#@127.0.0.1/"}) {
    EXPECT_EQ(problem(url), "must not have a fragment.") << url;
  }
  for (const char* url : {"https://example.com:0/", "https://example.com:65536/", "https://example.com:99999999999/",
                          "https://example.com:-1/", "https://example.com:+1/", "https://example.com:8a/",
                          "https://example.com:80:80/"}) {
    EXPECT_NE(problem(url).find("a port of 1 to 65535"), std::string::npos) << url << ": " << problem(url);
  }
  for (const std::string& url : {"https://example.com/a b"s, "https://example.com/\n"s, "https://example.com/\r\nX: y"s,
                                 "\thttps://example.com/"s, "https://exam\0ple.com/"s, "https://example.com/\x7f"s,
                                 "https://b\xc3\xbc"
                                 "cher.example/"s}) {
    EXPECT_EQ(problem(url).substr(0, 13), "must be ASCII") << url;
  }
  for (const char* url : {"https://example.com\\127.0.0.1/", "https://exa%6dple.com/", "https://[fe80::1%25lo]/"}) {
    EXPECT_EQ(problem(url), "must have a plain host, without zone, % and backslash.") << url;
  }
  for (const char* url : {"https://exa,mple.com/", "https://a;b/", "https://example.com,127.0.0.1/",
                          "https://[example.com]/", "https://[::1/", "https://1.2.3.4.5/", "https://example.0x7f/"}) {
    EXPECT_TRUE(target_problem(url, strict)) << url;
  }
  EXPECT_EQ(problem("https://10.0.0.1/"), "must not lead to an address that isn't public.");
  EXPECT_EQ(problem("http://example.com/"),
            "must be https: plain http is allowed only to hosts that the configuration names.");
}

TEST(Target, LengthHasABound) {
  const std::string start = "https://example.com/";
  EXPECT_FALSE(target_problem(start + std::string(max_target_length - start.size(), 'a'), strict));
  EXPECT_EQ(target_problem(start + std::string(max_target_length + 1 - start.size(), 'a'), strict),
            "must have at most 2,048 bytes.");
}

TEST(Target, PlainHttpToNamedHostsOnly) {
  TargetRules rules;
  rules.http_hosts = {"Receiver.example", "my_receiver", "8.8.8.8", "::1", "2606:4700:0:0::1111"};
  rules.private_networks = {*core::parse_ip_network("::1/128")};
  for (const char* url :
       {"http://receiver.example/", "http://RECEIVER.EXAMPLE:8080/x", "http://8.8.8.8/", "http://134744072/",
        "http://[::1]:81/", "http://my_receiver:9000/", "http://[2606:4700::1111]/"}) {
    EXPECT_EQ(target_problem(url, rules), std::nullopt) << url;
  }
  for (const char* url : {"http://a.receiver.example/", "http://receiver.example.com/", "http://eceiver.example/",
                          "http://receiver.example./", "http://8.8.4.4/"}) {
    EXPECT_TRUE(target_problem(url, rules)) << url;
  }
}

TEST(Target, PrivateNetworksAreAllowedByName) {
  TargetRules rules;
  rules.private_networks = {*core::parse_ip_network("10.1.0.0/16"), *core::parse_ip_network("127.0.0.1")};
  for (const char* url : {"https://10.1.2.3/", "https://[::ffff:10.1.2.3]/", "https://0xa010203/", "https://127.1/",
                          "https://localhost/"}) {
    EXPECT_EQ(target_problem(url, rules), std::nullopt) << url;
  }
  for (const char* url : {"https://10.2.2.3/", "https://127.0.0.2/", "https://[::1]/"}) {
    EXPECT_TRUE(target_problem(url, rules)) << url;
  }
}

}  // namespace
}  // namespace fluxora::outbound
