#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const net::HeaderFields admin = {{"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"admin"})")}};
const std::string path = "/admin/reconciliation";

class FakeReconciliation final : public ports::Reconciliation {
 public:
  void read(std::optional<std::uint64_t> before, std::size_t limit,
            ports::Reply<ports::ReconciliationPage> reply) override {
    asked.emplace_back(before, limit);
    reply(page);
  }

  ports::StoreResult<ports::ReconciliationPage> page;
  std::vector<std::pair<std::optional<std::uint64_t>, std::size_t>> asked;
};

class ReconciliationTest : public ::testing::Test {
 protected:
  ReconciliationTest() { bench_.context.reconciliation = &found_; }

  FakeReconciliation found_;
  ApiBench bench_;
};

TEST_F(ReconciliationTest, IsForAdministrators) {
  expect_problem(bench_.ask(path), 401, "UNAUTHORIZED");
  const std::string other = "Bearer " + signed_token(R"({"sub":"kim","scope":"indexer:write streams:write"})");
  expect_problem(bench_.ask(path, {{"Authorization", other}}), 403, "FORBIDDEN");
  EXPECT_TRUE(found_.asked.empty());
}

TEST_F(ReconciliationTest, BeforeTheFirstPassThereIsNothing) {
  const net::Response answer = bench_.ask(path, admin);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(header(answer, "Cache-Control"), "no-store");
  EXPECT_EQ(body_json(answer), Json::parse(R"({"pass":null,"lastPass":null,"waiting":0,"differences":[],
    "has_more":false,"next_cursor":null})"));
  EXPECT_EQ(found_.asked.at(0).first, std::nullopt);
  EXPECT_EQ(found_.asked.at(0).second, 20u);
}

TEST_F(ReconciliationTest, TellsPassesAndDifferences) {
  const std::string id = core::sample_stream().id;
  found_.page = ports::ReconciliationPage{
      {ports::AuditPass{2'000, 400, 1}, id, ports::AuditPass{1'000, 500, 2}, 1'500},
      3,
      {{9, 2'500, {id, ports::DifferenceKind::log_differs_from_contract, 77, R"({"kind":["linear","cliff_only"]})"}},
       {8, 2'400, {id, ports::DifferenceKind::entry_missing, 76, "{}"}}},
      true};
  const Json page = body_json(bench_.ask(path + "?limit=2&cursor=10", admin));
  EXPECT_EQ(page["pass"], Json::parse(R"({"startedAt":"1970-01-01T00:00:02.000Z","streams":400,"differences":1})"));
  EXPECT_EQ(page["lastPass"], Json::parse(R"({"startedAt":"1970-01-01T00:00:01.000Z",
    "completedAt":"1970-01-01T00:00:01.500Z","streams":500,"differences":2})"));
  EXPECT_EQ(page["waiting"], 3);
  EXPECT_EQ(page["differences"][0], Json({{"position", 9},
                                          {"foundAt", "1970-01-01T00:00:02.500Z"},
                                          {"streamId", id},
                                          {"ledger", 77},
                                          {"difference", "log_differs_from_contract"},
                                          {"fields", {{"kind", {"linear", "cliff_only"}}}},
                                          {"action", "observed"}}));
  EXPECT_EQ(page["differences"][1]["difference"], "entry_missing");
  EXPECT_EQ(page["differences"][1]["action"], "none");
  EXPECT_EQ(page["has_more"], true);
  EXPECT_EQ(page["next_cursor"], "8");
  EXPECT_EQ(found_.asked.at(0).first, 10u);
  EXPECT_EQ(found_.asked.at(0).second, 2u);
}

TEST_F(ReconciliationTest, EverythingWrongIsNamedAtOnce) {
  expect_bad_fields(bench_.ask(path + "?limit=0&cursor=x&y=1", admin), {"cursor", "limit", "y"});
}

TEST_F(ReconciliationTest, ADatabaseThatIsAwayIs503) {
  found_.page = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench_.ask(path, admin), 503, "SERVICE_UNAVAILABLE");
}

}  // namespace
}  // namespace fluxora::api::test
