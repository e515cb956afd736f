#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

using State = ports::IndexerStatus::State;

const net::HeaderFields admin = {{"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"admin"})")}};
const net::HeaderFields writer = {
    {"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"streams:write indexer:write"})")}};

/// Answers at once what the test has set, and keeps what it was asked.
class FakeAlarms final : public ports::IndexerAlarms {
 public:
  void list(std::size_t limit, ports::Reply<std::vector<ports::IndexerAlarm>> reply) override {
    listed = limit;
    if (failure) return reply(tl::unexpected(*failure));
    reply(alarms);
  }
  void acknowledge(std::uint64_t id, ports::AuditRecord by,
                   ports::Reply<std::optional<ports::IndexerAlarm>> reply) override {
    acknowledged.emplace_back(id, std::move(by));
    if (failure) return reply(tl::unexpected(*failure));
    for (ports::IndexerAlarm& alarm : alarms) {
      if (alarm.id != id) continue;
      alarm.acknowledged_at = 1'800'000'001'000;
      alarm.acknowledged_by = acknowledged.back().second.actor;
      return reply(alarm);
    }
    reply(std::nullopt);
  }

  std::vector<ports::IndexerAlarm> alarms;
  std::optional<ports::StoreFailure> failure;
  std::size_t listed = 0;
  std::vector<std::pair<std::uint64_t, ports::AuditRecord>> acknowledged;
};

class AdminIndexerTest : public ::testing::Test {
 protected:
  AdminIndexerTest() {
    bench_.context.indexer_alarms = &alarms_;
    bench_.indexer.now.state = State::stalled;
    bench_.indexer.now.leads = true;
    bench_.indexer.now.retention_ledgers = 99;
    bench_.indexer.now.rpc_circuit = core::CircuitBreaker::State::half_open;
    alarms_.alarms = {{7, ports::AlarmKind::stalled, "k3f9", "No successful sync.", 1'800'000'000'000, std::nullopt,
                       std::nullopt, ""}};
  }

  ApiBench bench_;
  FakeAlarms alarms_;
};

TEST_F(AdminIndexerTest, IsForAdministrators) {
  for (const auto& [path, method] : {std::pair<std::string, std::string>("/admin/indexer", "GET"),
                                     {"/admin/indexer/alarms/7/acknowledge", "POST"}}) {
    expect_problem(bench_.ask(path, {}, method), 401, "UNAUTHORIZED");
    expect_problem(bench_.ask(path, writer, method), 403, "FORBIDDEN");
  }
  EXPECT_TRUE(alarms_.acknowledged.empty());
}

TEST_F(AdminIndexerTest, ShowsTheStatusAndTheAlarms) {
  const net::Response response = bench_.ask("/admin/indexer", admin);
  EXPECT_EQ(response.status, 200u) << body_text(response);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const Json body = body_json(response);
  EXPECT_EQ(body["indexer"], body_json(bench_.ask("/health"))["indexer"]);
  EXPECT_EQ(body["leads"], true);
  EXPECT_EQ(body["rpcCircuit"], "half_open");
  EXPECT_EQ(body["retentionLedgers"], 99);
  EXPECT_EQ(body["alarms"], Json::parse(R"([{"id":"7","alarm":"stalled","reason":"No successful sync.","epoch":"k3f9",
    "raisedAt":"2027-01-15T08:00:00.000Z","clearedAt":null,"acknowledgedAt":null,"acknowledgedBy":null}])"));
  EXPECT_EQ(alarms_.listed, 100u);
}

TEST_F(AdminIndexerTest, WithoutAChainThereIsAStatusAllTheSame) {
  ApiBench bench(/*with_indexer=*/false);
  FakeAlarms none;
  bench.context.indexer_alarms = &none;
  const Json body = body_json(bench.ask("/admin/indexer", admin));
  EXPECT_EQ(body["indexer"]["status"], "not_configured");
  EXPECT_EQ(body["retentionLedgers"], nullptr);
  EXPECT_EQ(body["alarms"], Json::array());
}

TEST_F(AdminIndexerTest, AcknowledgingSaysWhoDidIt) {
  const net::Response response = bench_.ask("/admin/indexer/alarms/7/acknowledge", admin, "POST");
  EXPECT_EQ(response.status, 200u) << body_text(response);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const Json alarm = body_json(response);
  EXPECT_EQ(alarm["id"], "7");
  EXPECT_EQ(alarm["acknowledgedAt"], "2027-01-15T08:00:01.000Z");
  EXPECT_EQ(alarm["acknowledgedBy"], "jwt:kim");
  ASSERT_EQ(alarms_.acknowledged.size(), 1u);
  EXPECT_EQ(alarms_.acknowledged[0].first, 7u);
  EXPECT_EQ(alarms_.acknowledged[0].second.actor, "jwt:kim");
  EXPECT_EQ(alarms_.acknowledged[0].second.request_id, "request-7");
}

TEST_F(AdminIndexerTest, WhatIsNoAlarmIs404) {
  for (const std::string id : {"8", "x", "-7", "+7", "7x", "9223372036854775808", "18446744073709551616"}) {
    expect_problem(bench_.ask("/admin/indexer/alarms/" + id + "/acknowledge", admin, "POST"), 404, "NOT_FOUND");
  }
  EXPECT_EQ(alarms_.acknowledged.size(), 1u) << "only what can be a number is looked for";
}

TEST_F(AdminIndexerTest, TakesNoQuery) {
  expect_bad_fields(bench_.ask("/admin/indexer?x=1", admin), {"x"});
  expect_bad_fields(bench_.ask("/admin/indexer/alarms/7/acknowledge?x=1", admin, "POST"), {"x"});
  EXPECT_TRUE(alarms_.acknowledged.empty());
}

TEST_F(AdminIndexerTest, ADatabaseOutOfReachIs503) {
  alarms_.failure = ports::StoreFailure::unavailable;
  expect_problem(bench_.ask("/admin/indexer", admin), 503, "SERVICE_UNAVAILABLE");
  expect_problem(bench_.ask("/admin/indexer/alarms/7/acknowledge", admin, "POST"), 503, "SERVICE_UNAVAILABLE");
}

}  // namespace
}  // namespace fluxora::api::test
