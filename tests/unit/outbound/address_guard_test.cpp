// Names that lead where nothing may be sent: their addresses are looked at when they are connected to.
#include <algorithm>

#include <gtest/gtest.h>

#include "receiver.hpp"
#include "seen_connections.hpp"

namespace fluxora::outbound::test {
namespace {

using ports::TransportFailure;

class AddressGuard : public ::testing::Test {
 protected:
  AddressGuard() { take_connections(); }

  /// What becomes of a request to a name with these addresses, sent by a transport of its own: nothing is remembered.
  ports::WebhookAnswer ask(const std::vector<std::string>& addresses, const std::string& scheme = "http") {
    set_addresses("name.guard.example", {addresses});
    return ask_name(scheme);
  }

  ports::WebhookAnswer ask_name(const std::string& scheme = "http") {
    CurlTransportOptions options = loopback_options();
    options.targets.http_hosts = {"name.guard.example"};
    Sender sender(std::move(options));
    return sender.ask(scheme + "://name.guard.example:" + std::to_string(receiver_.port()) + "/hook?token=planted");
  }

  Receiver receiver_{answer_all(std::string(ok_answer))};
};

TEST_F(AddressGuard, NoneOfTheseIsConnectedTo) {
  for (const char* address : {"127.0.0.2",
                              "127.255.255.254",
                              "0.0.0.0",
                              "10.0.0.1",
                              "10.255.255.255",
                              "100.64.0.1",
                              "100.100.100.200",
                              "168.63.129.16",
                              "169.254.169.254",
                              "169.254.170.2",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.0.0.192",
                              "192.0.2.1",
                              "192.88.99.1",
                              "192.168.1.1",
                              "198.18.0.1",
                              "198.51.100.1",
                              "203.0.113.1",
                              "224.0.0.1",
                              "239.255.255.255",
                              "240.0.0.1",
                              "255.255.255.255",
                              "::",
                              "::1",
                              "::ffff:127.0.0.2",
                              "::ffff:10.0.0.1",
                              "::ffff:169.254.169.254",
                              "::ffff:0.0.0.0",
                              "::127.0.0.2",
                              "::169.254.169.254",
                              "::ffff:0:127.0.0.2",
                              "64:ff9b::127.0.0.2",
                              "64:ff9b::169.254.169.254",
                              "64:ff9b::10.0.0.1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:0:7f00:1::1",
                              "2001:2::1",
                              "2001:20::1",
                              "2001:db8::1",
                              "2002:7f00:2::1",
                              "2002:a9fe:a9fe::1",
                              "2002:a00:1::1",
                              "2002:c0a8:101::1",
                              "3fff::1",
                              "5f00::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fd20:ce::254",
                              "fe80::1",
                              "fe80::a9fe:a9fe",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "ff05::2",
                              "::2",
                              "4000::1",
                              "8000::1"}) {
    for (const char* scheme : {"http", "https"}) {
      const auto answer = ask({address}, scheme);
      EXPECT_EQ(answer.failure, TransportFailure::target_refused) << address;
      EXPECT_EQ(answer.detail, "The host has no address that may be connected to.");
      EXPECT_EQ(answer.status, 0U);
    }
  }
  EXPECT_EQ(take_connections(), std::vector<std::string>());
  EXPECT_EQ(receiver_.connections(), 0);
}

TEST_F(AddressGuard, OfManyAddressesOnlyThoseThatMayBeAreConnectedTo) {
  EXPECT_EQ(ask({"127.0.0.2", "169.254.169.254", "127.0.0.1"}).status, 200U);
  EXPECT_EQ(ask({"::1", "fe80::1", "127.0.0.1"}).status, 200U);
  EXPECT_EQ(ask({"::1", "10.0.0.1", "::ffff:127.0.0.2", "127.0.0.1", "127.0.0.3"}).status, 200U);
  EXPECT_EQ(ask({"::1", "fe80::1", "::2", "127.0.0.2", "127.0.0.3", "10.0.0.1", "127.0.0.1"}).status, 200U);
  EXPECT_EQ(ask({"::ffff:127.0.0.1"}).status, 200U);
  const auto seen = take_connections();
  EXPECT_EQ(seen.size(), 5U);
  EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](const std::string& address) {
    return address == "127.0.0.1" || address == "::ffff:127.0.0.1";
  }));
}

TEST_F(AddressGuard, WhatANameSaidBeforeDoesNotCount) {
  set_addresses("name.guard.example", {{"127.0.0.1"}, {"127.0.0.2"}, {"127.0.0.1"}, {"169.254.169.254"}});
  EXPECT_EQ(ask_name().status, 200U);
  EXPECT_EQ(ask_name().failure, TransportFailure::target_refused);
  EXPECT_EQ(ask_name().status, 200U);
  EXPECT_EQ(ask_name().failure, TransportFailure::target_refused);
  EXPECT_EQ(take_connections(), (std::vector<std::string>{"127.0.0.1", "127.0.0.1"}));
}

TEST_F(AddressGuard, ATransportGoesByEveryLookup) {
  CurlTransportOptions options = loopback_options();
  options.targets.http_hosts = {"first.guard.example", "second.guard.example"};
  Sender sender(std::move(options));
  const std::string port = ":" + std::to_string(receiver_.port());
  set_addresses("first.guard.example", {{"127.0.0.1"}});
  set_addresses("second.guard.example", {{"127.0.0.2"}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(sender.ask("http://first.guard.example" + port).status, 200U);
    EXPECT_EQ(sender.ask("http://second.guard.example" + port).failure, TransportFailure::target_refused);
  }
  EXPECT_EQ(take_connections(), std::vector<std::string>{"127.0.0.1"});
}

TEST_F(AddressGuard, WhatIsRefusedByItsUrlIsNotEvenLookedUp) {
  Sender sender;
  for (const char* url : {"https://127.0.0.2/", "https://0x7f.0.0.2/", "https://[::1]/", "http://example.com/",
                          "https://u:p@127.0.0.1/", "file:///etc/passwd", ""}) {
    const auto answer = sender.ask(url);
    EXPECT_EQ(answer.failure, TransportFailure::target_refused) << url;
    EXPECT_EQ(answer.detail.substr(0, 13), "The URL must ") << url;
    EXPECT_EQ(answer.started_at, sender.clock.now());
    EXPECT_EQ(answer.duration_ms, 0);
  }
  EXPECT_EQ(take_connections(), std::vector<std::string>());
}

}  // namespace
}  // namespace fluxora::outbound::test
