#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

using State = ports::IndexerStatus::State;

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    ports::IndexerStatus& status = bench_.indexer.now;
    status.state = State::healthy;
    status.lag_ms = 1'500;
    status.threshold_ms = 300'000;
    status.last_successful_sync = 1'799'999'998'500;
    status.last_ledger = 51'000'294;
    status.last_safe_ledger = 51'000'295;
    status.rpc_healthy = true;
    status.network = "Test network";
    status.summary = "Up to date.";
  }

  /// /health's body, which is 200 while the process runs.
  Json health() {
    const net::Response response = bench_.ask("/health");
    EXPECT_EQ(response.status, 200u);
    return body_json(response);
  }
  /// status, clientImpact, operatorAction in a state of the indexer's.
  std::string consequences(State state) {
    bench_.indexer.now.state = state;
    const Json body = health();
    return body["status"].get<std::string>() + " " + body["indexer"]["status"].get<std::string>() + " " +
           body["indexer"]["clientImpact"].get<std::string>() + " " +
           body["indexer"]["operatorAction"].get<std::string>();
  }

  ApiBench bench_;
};

TEST_F(HealthTest, IsTheSpecs) {
  bench_.websockets = 3;
  const net::Response response = bench_.ask("/health");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(
      body_text(response),
      R"({"status":"ok","service":"fluxora","version":"1.2.3","timestamp":"2027-01-15T08:00:00.000Z",)"
      R"("network":"Test network","wsConnections":3,)"
      R"("indexer":{"status":"healthy","lagMs":1500,"thresholdMs":300000,)"
      R"("lastSuccessfulSyncAt":"2027-01-15T07:59:58.500Z","summary":"Up to date.","clientImpact":"none",)"
      R"("operatorAction":"none","lastLedger":51000294,"lastSafeLedger":51000295,"reorgDetected":false},)"
      R"("dependencies":{"postgres":"healthy","redis":"not_configured","rpc":"healthy","horizon":"not_configured"}})");
}

TEST_F(HealthTest, InEveryStateOfTheIndexers) {
  EXPECT_EQ(consequences(State::healthy), "ok healthy none none");
  EXPECT_EQ(consequences(State::starting), "ok starting none observe");
  EXPECT_EQ(consequences(State::stalled), "degraded stalled stale_chain_state page");
  EXPECT_EQ(consequences(State::halted), "degraded halted stale_chain_state page");
  EXPECT_EQ(consequences(State::not_configured), "ok not_configured none none");
}

TEST_F(HealthTest, AnRpcOutOfReachDegrades) {
  bench_.indexer.now.rpc_healthy = false;
  EXPECT_EQ(consequences(State::healthy), "degraded healthy none none");
  EXPECT_EQ(health()["dependencies"]["rpc"], "unhealthy");
  EXPECT_EQ(consequences(State::starting), "ok starting none observe") << "it hasn't been asked yet";
}

TEST_F(HealthTest, WhatClientsWereToldOfDegradesAlsoBeforeTheFirstSync) {
  bench_.indexer.now.degraded = true;
  EXPECT_EQ(consequences(State::starting), "degraded starting none observe");
  EXPECT_EQ(consequences(State::healthy), "degraded healthy none none");
}

TEST_F(HealthTest, AnOpenCircuitIsAnRpcOutOfReach) {
  for (const auto circuit : {core::CircuitBreaker::State::open, core::CircuitBreaker::State::half_open}) {
    bench_.indexer.now.rpc_circuit = circuit;
    EXPECT_EQ(consequences(State::healthy), "degraded healthy none none");
    EXPECT_EQ(health()["dependencies"]["rpc"], "unhealthy");
  }
}

TEST_F(HealthTest, AWitnessOutOfReachDegradesAndIsToBeWatched) {
  bench_.indexer.now.horizon = ports::IndexerStatus::Horizon::healthy;
  EXPECT_EQ(consequences(State::healthy), "ok healthy none none");
  EXPECT_EQ(health()["dependencies"]["horizon"], "healthy");
  bench_.indexer.now.horizon = ports::IndexerStatus::Horizon::unhealthy;
  EXPECT_EQ(consequences(State::healthy), "degraded healthy none observe");
  EXPECT_EQ(health()["dependencies"]["horizon"], "unhealthy");
}

TEST_F(HealthTest, ARedisOutOfReachDegrades) {
  bool well = true;
  bench_.context.redis_well = [&well] { return well; };
  EXPECT_EQ(consequences(State::healthy), "ok healthy none none");
  EXPECT_EQ(health()["dependencies"]["redis"], "healthy");
  well = false;
  EXPECT_EQ(consequences(State::healthy), "degraded healthy none none");
  EXPECT_EQ(health()["dependencies"]["redis"], "unhealthy");
}

TEST_F(HealthTest, AnRpcThatLagsBehindItsWitnessDegrades) {
  bench_.indexer.now.rpc_lagging = true;
  EXPECT_EQ(consequences(State::healthy), "degraded healthy none observe");
}

TEST_F(HealthTest, AStallWantsSomebodyUntilItIsAcknowledged) {
  bench_.indexer.now.alarms = {
      {1, ports::AlarmKind::stalled, "k3f9", "", 1'799'999'000'000, std::nullopt, std::nullopt, ""}};
  ports::IndexerAlarm& alarm = bench_.indexer.now.alarms[0];
  EXPECT_EQ(consequences(State::stalled), "degraded stalled stale_chain_state page");
  alarm.acknowledged_at = 1'799'999'100'000;
  EXPECT_EQ(consequences(State::stalled), "degraded stalled stale_chain_state observe");
  alarm.acknowledged_at.reset();
  alarm.cleared_at = 1'799'999'200'000;
  EXPECT_EQ(consequences(State::healthy), "ok healthy none observe") << "nobody has seen it yet";
}

TEST_F(HealthTest, ACheckpointThatIsAboutToBePassedWantsSomebody) {
  bench_.indexer.now.alarms = {
      {1, ports::AlarmKind::retention, "k3f9", "", 1'799'999'000'000, std::nullopt, std::nullopt, ""}};
  EXPECT_EQ(consequences(State::healthy), "ok healthy none page");
  bench_.indexer.now.alarms[0].acknowledged_at = 1'799'999'100'000;
  EXPECT_EQ(consequences(State::healthy), "ok healthy none observe");
}

TEST_F(HealthTest, AReorgIsTold) {
  bench_.indexer.now.reorg_detected = true;
  EXPECT_EQ(consequences(State::halted), "degraded halted stale_chain_state page");
  EXPECT_EQ(health()["indexer"]["reorgDetected"], true);
}

TEST_F(HealthTest, BeforeTheFirstSyncThereIsNoTimeOfIt) {
  bench_.indexer.now.last_successful_sync.reset();
  bench_.indexer.now.network.clear();
  EXPECT_TRUE(health()["indexer"]["lastSuccessfulSyncAt"].is_null());
  EXPECT_TRUE(health()["network"].is_null());
}

TEST_F(HealthTest, WithoutAChainNothingIsWrong) {
  ApiBench bench(/*with_indexer=*/false);
  const Json body = body_json(bench.ask("/health"));
  EXPECT_EQ(body["status"], "ok");
  EXPECT_EQ(body["indexer"]["status"], "not_configured");
  EXPECT_NE(body["indexer"]["summary"], "");
  EXPECT_EQ(body["dependencies"]["rpc"], "not_configured");
}

TEST_F(HealthTest, ADatabaseOutOfReachDegrades) {
  for (const auto failure :
       {ports::StoreFailure::unavailable, ports::StoreFailure::busy, ports::StoreFailure::internal}) {
    bench_.readiness.current = tl::unexpected(failure);
    const Json body = health();
    EXPECT_EQ(body["status"], "degraded");
    EXPECT_EQ(body["dependencies"]["postgres"], "unhealthy");
  }
}

TEST_F(HealthTest, ShuttingDownIs503) {
  bench_.shutting_down = true;
  const net::Response response = bench_.ask("/health");
  EXPECT_EQ(response.status, 503u);
  EXPECT_EQ(body_json(response)["status"], "shutting_down");
  expect_problem(bench_.ask("/health/ready"), 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(bench_.ask("/health/live").status, 200u);
}

TEST_F(HealthTest, DrainingIs503AndFeedsAreOpenedStill) {
  bench_.context.draining = [] { return true; };
  EXPECT_EQ(bench_.ask("/health").status, 503u);
  expect_problem(bench_.ask("/health/ready"), 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(bench_.ask("/health/live").status, 200u);
  EXPECT_EQ(bench_.ask("/api/events/stream").status, 200u);
}

TEST_F(HealthTest, Liveness) {
  bench_.readiness.current = tl::unexpected(ports::StoreFailure::unavailable);
  const net::Response response = bench_.ask("/health/live");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(body_text(response), R"({"status":"live"})");
}

TEST_F(HealthTest, Readiness) {
  EXPECT_EQ(body_text(bench_.ask("/health/ready")), R"({"status":"ready"})");
  bench_.readiness.current = false;
  const Json migrations = expect_problem(bench_.ask("/health/ready"), 503, "SERVICE_UNAVAILABLE");
  EXPECT_NE(migrations["detail"].get<std::string>().find("migrations"), std::string::npos);
  bench_.readiness.current = tl::unexpected(ports::StoreFailure::unavailable);
  const net::Response away = bench_.ask("/health/ready");
  expect_problem(away, 503, "SERVICE_UNAVAILABLE");
  EXPECT_NE(header(away, "Retry-After"), "");
}

TEST_F(HealthTest, TheRootNamesTheServiceAndWhereToGo) {
  EXPECT_EQ(body_text(bench_.ask("/")),
            R"({"name":"fluxora","version":"1.2.3","links":{"health":"/health","streams":"/api/streams",)"
            R"("events":"/api/events","websocket":"/ws/streams","description":"/openapi.json","docs":"/docs"}})");
}

TEST_F(HealthTest, TheseResourcesTakeNoParameters) {
  for (const std::string path : {"/", "/health", "/health/live", "/health/ready"}) {
    expect_bad_fields(bench_.ask(path + "?verbose=1"), {"verbose"});
  }
}

}  // namespace
}  // namespace fluxora::api::test
