#include "fluxora/chain/rpc_breaker.hpp"

#include <chrono>
#include <functional>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fake_rpc.hpp"
#include "fluxora/chain/stellar_rpc.hpp"

namespace fluxora::chain::test {
namespace {

using Kind = ports::ChainError::Kind;
using State = core::CircuitBreaker::State;
using std::chrono::milliseconds;

/// The chance that leaves pauses as they are.
class EvenRandom final : public ports::Random {
 public:
  void fill(std::span<std::uint8_t> bytes) override {
    for (std::uint8_t& byte : bytes) byte = 0;
    bytes.back() = 20;
  }
};

class RpcBreakerTest : public ::testing::Test {
 protected:
  StellarRpc make() {
    StellarRpcOptions options;
    options.url = rpc_.url();
    options.http.request_timeout_ms = 2'000;
    options.breaker = &breaker_;
    return StellarRpc(std::move(options));
  }
  ports::ChainError error_of(const std::function<void()>& call) {
    try {
      call();
    } catch (const ports::ChainError& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return {Kind::cancelled, ""};
  }
  void answer_http(unsigned status, net::HeaderFields headers = {}) {
    rpc_.answer_with([status, headers = std::move(headers)](const Json&) {
      net::Response answer = response("trouble", status);
      for (const auto& header : headers) answer.headers.push_back(header);
      return answer;
    });
  }

  FakeRpc rpc_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  EvenRandom random_;
  RpcBreaker breaker_{clock_, random_, log_};
};

TEST_F(RpcBreakerTest, ErrorsSayWhenToAskAgain) {
  StellarRpc rpc = make();
  answer_http(500);
  answer_http(500);
  EXPECT_EQ(error_of([&] { rpc.window(); }).retry_in(), milliseconds(500));
  EXPECT_EQ(error_of([&] { rpc.window(); }).retry_in(), milliseconds(1'000));
  EXPECT_EQ(breaker_.state(), State::closed);
}

TEST_F(RpcBreakerTest, OnceOpenNobodyCallsButATrial) {
  StellarRpc rpc = make();
  StellarRpc other = make();
  for (int i = 0; i < 5; ++i) {
    answer_http(502);
    error_of([&] { rpc.window(); });
  }
  EXPECT_EQ(breaker_.state(), State::open);
  const ports::ChainError refused = error_of([&] { other.window(); });
  EXPECT_EQ(refused.kind(), Kind::unreachable);
  EXPECT_EQ(refused.retry_in(), milliseconds(8'000));
  EXPECT_EQ(rpc_.requests().size(), 5U);
  EXPECT_EQ(other.statistics().calls, 0U);

  clock_.advance(milliseconds(8'000));
  answer_http(502);
  error_of([&] { other.window(); });
  EXPECT_EQ(breaker_.state(), State::open);
  clock_.advance(milliseconds(15'000));
  rpc_.answer(health());
  EXPECT_EQ(other.window().latest, 1'000U);
  EXPECT_EQ(breaker_.state(), State::closed);
  rpc_.answer(health());
  EXPECT_EQ(rpc.window().latest, 1'000U);

  EXPECT_EQ(log_.lines("rpc_circuit_open").size(), 1U);
  EXPECT_EQ(log_.lines("rpc_circuit_half_open").size(), 1U) << "once an outage, however many trials";
  EXPECT_EQ(log_.lines("rpc_circuit_closed").size(), 1U);
}

TEST_F(RpcBreakerTest, RetryAfterIsHonoured) {
  StellarRpc rpc = make();
  answer_http(429, {{"Retry-After", "7"}});
  EXPECT_EQ(error_of([&] { rpc.window(); }).retry_in(), milliseconds(7'000));
  EXPECT_EQ(breaker_.state(), State::open);
  clock_.advance(milliseconds(7'000));
  answer_http(503, {{"Retry-After", "100000"}});
  EXPECT_EQ(error_of([&] { rpc.window(); }).retry_in(), milliseconds(60'000)) << "within bounds";
}

TEST_F(RpcBreakerTest, RetryAfterOfAnotherStatusIsNone) {
  StellarRpc rpc = make();
  answer_http(500, {{"Retry-After", "7"}});
  EXPECT_EQ(error_of([&] { rpc.window(); }).retry_in(), milliseconds(500));
}

TEST_F(RpcBreakerTest, ErrorsThatAreAnswersAreNoOutage) {
  StellarRpc rpc = make();
  for (int i = 0; i < 6; ++i) {
    rpc_.answer_error(-32600, "startLedger must be within the ledger range: 5 - 9");
    EXPECT_EQ(error_of([&] { rpc.events(1, 2); }).retry_in(), std::nullopt);
  }
  EXPECT_EQ(breaker_.state(), State::closed);
  for (int i = 0; i < 5; ++i) {
    rpc_.answer_error(-32603, "internal error");
    error_of([&] { rpc.window(); });
  }
  EXPECT_EQ(breaker_.state(), State::open) << "its own trouble is";
}

TEST_F(RpcBreakerTest, ACancelledTrialTellsNothing) {
  StellarRpc rpc = make();
  StellarRpc other = make();
  for (int i = 0; i < 5; ++i) {
    answer_http(500);
    error_of([&] { rpc.window(); });
  }
  clock_.advance(milliseconds(8'000));
  rpc.cancel();
  EXPECT_EQ(error_of([&] { rpc.window(); }).kind(), Kind::cancelled);
  rpc_.answer(health());
  EXPECT_EQ(other.window().latest, 1'000U) << "the trial is the next one's";
}

}  // namespace
}  // namespace fluxora::chain::test
