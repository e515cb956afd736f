#include "fluxora/chain/horizon_witness.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fake_rpc.hpp"
#include "fluxora/net/server.hpp"

namespace fluxora::chain::test {
namespace {

using State = ports::WitnessSight::State;

const std::string good_root =
    R"({"history_latest_ledger":59,"core_latest_ledger":60,"network_passphrase":"Test network","extra":[{}]})";

/// Answers GET / with what the test says.
class FakeHorizon {
 public:
  FakeHorizon() {
    auto router = std::make_shared<net::Router>();
    router->add("GET", "/", [this](const std::shared_ptr<const net::Request>&, const net::Respond& respond) {
      ++looks;
      const std::lock_guard lock(mutex_);
      respond(response(body_, status_));
    });
    net::ServerOptions options;
    options.port = 0;
    options.io_threads = 1;
    options.error_response = [](unsigned status, std::string_view, const net::Request&) {
      return response("", status);
    };
    options.on_response = [](const net::Request&, const net::RequestEnd&) {};
    options.on_trouble = [](std::string_view) {};
    server_ = std::make_unique<net::Server>(std::move(options), std::move(router));
    server_->start();
  }
  ~FakeHorizon() { server_->stop(std::chrono::milliseconds(0)); }
  FakeHorizon(const FakeHorizon&) = delete;
  FakeHorizon& operator=(const FakeHorizon&) = delete;

  void answer(std::string body, unsigned status = 200) {
    const std::lock_guard lock(mutex_);
    body_ = std::move(body);
    status_ = status;
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()) + "/"; }

  std::atomic<int> looks{0};

 private:
  std::mutex mutex_;
  std::string body_ = good_root;
  unsigned status_ = 200;
  std::unique_ptr<net::Server> server_;
};

class HorizonWitnessTest : public ::testing::Test {
 protected:
  void expect_refused(const std::string& body) {
    horizon_.answer(body);
    EXPECT_FALSE(witness_.look()) << body;
    EXPECT_EQ(witness_.sight().state, State::unreachable);
  }

  FakeHorizon horizon_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
  HorizonWitness witness_{HorizonOptions{horizon_.url(), {}, {}, {}}, clock_, log_};
};

TEST_F(HorizonWitnessTest, ReadsTheRootDocument) {
  EXPECT_EQ(witness_.sight().state, State::not_looked);
  ASSERT_TRUE(witness_.look());
  const ports::WitnessSight sight = witness_.sight();
  EXPECT_EQ(sight.state, State::seen);
  EXPECT_EQ(sight.network_passphrase, "Test network");
  EXPECT_EQ(sight.latest_ledger, 60U) << "what its node has closed counts, taken in or not";
  EXPECT_TRUE(log_.lines().empty());
}

TEST_F(HorizonWitnessTest, OutOfReachItKeepsWhatItSawAndIsToldOnce) {
  ASSERT_TRUE(witness_.look());
  horizon_.answer("away", 503);
  EXPECT_FALSE(witness_.look());
  EXPECT_FALSE(witness_.look());
  const ports::WitnessSight sight = witness_.sight();
  EXPECT_EQ(sight.state, State::unreachable);
  EXPECT_EQ(sight.network_passphrase, "Test network");
  EXPECT_EQ(log_.lines("horizon_unavailable").size(), 1U);
  horizon_.answer(good_root);
  EXPECT_TRUE(witness_.look());
  EXPECT_EQ(log_.lines("horizon_recovered").size(), 1U);
}

TEST_F(HorizonWitnessTest, BelievesNoNonsense) {
  expect_refused("<html>");
  expect_refused("[]");
  expect_refused(R"({"network_passphrase":"x","history_latest_ledger":1})");
  expect_refused(R"({"network_passphrase":"","history_latest_ledger":1,"core_latest_ledger":1})");
  expect_refused(R"({"network_passphrase":"a\u0000b","history_latest_ledger":1,"core_latest_ledger":1})");
  expect_refused(R"({"network_passphrase":7,"history_latest_ledger":1,"core_latest_ledger":1})");
  expect_refused(R"({"network_passphrase":"x","history_latest_ledger":-1,"core_latest_ledger":1})");
  expect_refused(R"({"network_passphrase":"x","history_latest_ledger":1,"core_latest_ledger":4294967296})");
  expect_refused(std::string(400'000, ' '));
}

TEST_F(HorizonWitnessTest, LooksAgainUntilTheClockEnds) {
  clock_.end();
  witness_.start();
  witness_.stop();
  EXPECT_LE(horizon_.looks, 1);
  EXPECT_FALSE(witness_.look()) << "stopped it asks nobody";
}

}  // namespace
}  // namespace fluxora::chain::test
