#include <fstream>

#include <gtest/gtest.h>

#include "receiver.hpp"
#include "seen_connections.hpp"
#include "test_certificates.hpp"

namespace fluxora::outbound::test {
namespace {

using net::test::Authority;
using ports::TransportFailure;

class CurlTransportTls : public ::testing::Test {
 protected:
  CurlTransportTls() { set_addresses("receiver.test.example", {{"127.0.0.1"}}); }

  [[nodiscard]] CurlTransportOptions trusting_options() const {
    CurlTransportOptions options = loopback_options();
    options.ca_file = authority_.file();
    return options;
  }

  /// Of a certificate for these names, by a sender who trusts its authority.
  ports::WebhookAnswer ask(SSL_CTX* tls) {
    Receiver receiver(answer_all(std::string(ok_answer)), tls);
    Sender sender(trusting_options());
    return sender.ask(receiver.url("receiver.test.example"));
  }

  const Authority authority_;
};

TEST_F(CurlTransportTls, ChainAndNameAreVerified) {
  EXPECT_EQ(ask(authority_.server_context("DNS:receiver.test.example")).status, 200U);
  EXPECT_EQ(ask(authority_.server_context("DNS:*.test.example")).status, 200U);
  for (const char* names : {"DNS:other.example", "DNS:*.receiver.test.example", "DNS:test.example", "IP:127.0.0.1"}) {
    const auto answer = ask(authority_.server_context(names));
    EXPECT_EQ(answer.failure, TransportFailure::tls_failed) << names;
    EXPECT_NE(answer.detail, "");
  }
  EXPECT_EQ(ask(Authority().server_context("DNS:receiver.test.example")).failure, TransportFailure::tls_failed);
  EXPECT_EQ(ask(authority_.server_context("DNS:receiver.test.example", net::test::Validity::over)).failure,
            TransportFailure::tls_failed);
  EXPECT_EQ(ask(authority_.server_context("DNS:receiver.test.example", net::test::Validity::to_come)).failure,
            TransportFailure::tls_failed);
}

TEST_F(CurlTransportTls, AddressesAreVerifiedToo) {
  Receiver receiver(answer_all(std::string(ok_answer)), authority_.server_context("IP:127.0.0.1"));
  Sender sender(trusting_options());
  EXPECT_EQ(sender.ask(receiver.url()).status, 200U);
  Receiver other(answer_all(std::string(ok_answer)), authority_.server_context("IP:127.0.0.2"));
  EXPECT_EQ(sender.ask(other.url()).failure, TransportFailure::tls_failed);
}

TEST_F(CurlTransportTls, TheSystemsAuthoritiesDoNotKnowOurs) {
  Receiver receiver(answer_all(std::string(ok_answer)), authority_.server_context("DNS:receiver.test.example"));
  Sender sender;
  EXPECT_EQ(sender.ask(receiver.url("receiver.test.example")).failure, TransportFailure::tls_failed);
}

TEST_F(CurlTransportTls, OldVersionsAreRefused) {
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    SSL_CTX* tls = authority_.server_context("DNS:receiver.test.example");
    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(tls, version);
    EXPECT_EQ(ask(tls).failure, TransportFailure::tls_failed);
  }
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    SSL_CTX* tls = authority_.server_context("DNS:receiver.test.example");
    SSL_CTX_set_max_proto_version(tls, version);
    EXPECT_EQ(ask(tls).status, 200U);
  }
}

TEST_F(CurlTransportTls, ConnectionsAreKept) {
  Receiver receiver(answer_all(std::string(ok_answer)), authority_.server_context("DNS:receiver.test.example"));
  Sender sender(trusting_options());
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sender.ask(receiver.url("receiver.test.example")).status, 200U);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(CurlTransportTls, WhoSpeaksNoTlsHasNoAnswer) {
  Receiver plain([](Peer& peer) { peer.send(ok_answer); });
  const std::string port = ":" + std::to_string(plain.port());
  CurlTransportOptions options = trusting_options();
  Sender sender(std::move(options));
  EXPECT_EQ(sender.ask("https://receiver.test.example" + port).failure, TransportFailure::tls_failed);
  Receiver silent([](Peer& peer) { peer.wait_for_end(); });
  options = trusting_options();
  options.connect_timeout_ms = 300;
  Sender hasty(std::move(options));
  EXPECT_EQ(hasty.ask("https://receiver.test.example:" + std::to_string(silent.port())).failure,
            TransportFailure::timed_out);
}

TEST_F(CurlTransportTls, TheCaFileHasToBeThere) {
  CurlTransportOptions options = loopback_options();
  options.ca_file = authority_.file() + ".absent";
  fakes::FakeClock clock;
  EXPECT_THROW(CurlTransport(clock, options), std::runtime_error);
}

TEST_F(CurlTransportTls, ACaFileThatIsSpoiltLaterIsNotNamedToStrangers) {
  Receiver receiver(answer_all(std::string(ok_answer)), authority_.server_context("DNS:receiver.test.example"));
  CurlTransportOptions options = loopback_options();
  options.ca_file = ::testing::TempDir() + "spoilt_authority.pem";
  std::ofstream(options.ca_file) << "none";
  Sender sender(std::move(options));
  const auto answer = sender.ask(receiver.url("receiver.test.example"));
  EXPECT_EQ(answer.failure, TransportFailure::tls_failed);
  EXPECT_EQ(answer.detail, "WEBHOOK_CA_FILE can't be used.");
}

}  // namespace
}  // namespace fluxora::outbound::test
