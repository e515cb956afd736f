#include <gtest/gtest.h>

#include "api_bench.hpp"

namespace fluxora::api::test {
namespace {

const net::HeaderFields admin = {{"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"admin"})")},
                                 {"Content-Type", "application/json"}};
const std::string path = "/admin/replay";

/// Answers at once what the test has set, and keeps what it was asked.
class FakeJobs final : public ports::ReplayJobs {
 public:
  void list(std::size_t limit, ports::Reply<std::vector<ports::Job>> reply) override {
    limits.push_back(limit);
    reply(jobs);
  }
  void start(ports::NewJob job, ports::AuditRecord by, ports::Reply<std::optional<ports::Job>> reply) override {
    started.push_back(std::move(job));
    records.push_back(std::move(by));
    reply(made);
  }
  void change(std::uint64_t id, Action action, ports::AuditRecord by, ports::Reply<Change> reply) override {
    changed.emplace_back(id, action);
    records.push_back(std::move(by));
    reply(change_answer);
  }

  std::vector<ports::Job> jobs;
  ports::StoreResult<std::optional<ports::Job>> made;
  ports::StoreResult<Change> change_answer;
  std::vector<std::size_t> limits;
  std::vector<ports::NewJob> started;
  std::vector<std::pair<std::uint64_t, Action>> changed;
  std::vector<ports::AuditRecord> records;
};

ports::Job sample_job() {
  ports::Job job;
  job.id = 7;
  job.what = {ports::JobKind::replay, "CA,CB", 51'000'000, false};
  job.state = ports::JobState::running;
  job.place = {40, 100, 3'000, 250, 12'000};
  job.created_at = 1'000;
  job.started_at = 2'000;
  job.updated_at = 3'000;
  return job;
}

class ReplayJobsTest : public ::testing::Test {
 protected:
  ReplayJobsTest() {
    bench_.context.replay_jobs = &jobs_;
    bench_.context.replay_contracts = "CA,CB";
  }

  ApiBench bench_;
  FakeJobs jobs_;
};

TEST_F(ReplayJobsTest, AreForAdministrators) {
  for (const auto& [method, target] : std::vector<std::pair<std::string, std::string>>{{"GET", path},
                                                                                       {"POST", path},
                                                                                       {"DELETE", path + "/1"},
                                                                                       {"POST", path + "/1/pause"},
                                                                                       {"POST", path + "/1/resume"}}) {
    expect_problem(bench_.ask(target, {}, method), 401, "UNAUTHORIZED");
  }
  EXPECT_TRUE(jobs_.started.empty());
  EXPECT_TRUE(jobs_.changed.empty());
}

TEST_F(ReplayJobsTest, AreListedWithRateAndRemainingTime) {
  jobs_.jobs = {sample_job()};
  const net::Response response = bench_.ask(path + "?limit=5", admin);
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  EXPECT_EQ(body_json(response)["jobs"], Json::parse(R"([{"id":"7","kind":"replay","state":"running",
    "contracts":"CA,CB","fromLedger":51000000,"done":40,"total":100,"rows":3000,"rowsPerSecond":250,"remainingMs":12000,
    "createdAt":"1970-01-01T00:00:01.000Z","startedAt":"1970-01-01T00:00:02.000Z",
    "updatedAt":"1970-01-01T00:00:03.000Z","finishedAt":null,"message":null}])"));
  EXPECT_EQ(jobs_.limits, std::vector<std::size_t>{5});
  expect_bad_fields(bench_.ask(path + "?limit=0&x=1", admin), {"limit", "x"});
}

TEST_F(ReplayJobsTest, AReplayFollowsWhatTheInstanceDoes) {
  jobs_.made = sample_job();
  const net::Response response =
      bench_.ask(path, admin, "POST", R"({"kind":"replay","fromLedger":51000000,"restart":true})");
  EXPECT_EQ(response.status, 202u) << body_text(response);
  EXPECT_EQ(body_json(response)["id"], "7");
  ASSERT_EQ(jobs_.started.size(), 1u);
  EXPECT_EQ(jobs_.started[0].contracts, "CA,CB");
  EXPECT_EQ(jobs_.started[0].from_ledger, 51'000'000u);
  EXPECT_TRUE(jobs_.started[0].restart);
  EXPECT_EQ(jobs_.records[0].actor, "jwt:kim");

  bench_.context.replay_contracts.clear();
  expect_problem(bench_.ask(path, admin, "POST", R"({"kind":"replay"})"), 409, "CONFLICT");
  EXPECT_EQ(jobs_.started.size(), 1u);
}

TEST_F(ReplayJobsTest, ARebuildNeedsNoChain) {
  bench_.context.replay_contracts.clear();
  jobs_.made = sample_job();
  EXPECT_EQ(bench_.ask(path, admin, "POST", R"({"kind":"rebuild"})").status, 202u);
  EXPECT_EQ(jobs_.started.at(0).kind, ports::JobKind::rebuild);
  EXPECT_EQ(jobs_.started.at(0).from_ledger, std::nullopt);
}

TEST_F(ReplayJobsTest, EverythingWrongIsNamedAtOnce) {
  expect_bad_fields(bench_.ask(path, admin, "POST", R"({"kind":"undo","fromLedger":0,"restart":1,"x":1})"),
                    {"kind", "fromLedger", "restart", "x"});
  expect_bad_fields(bench_.ask(path, admin, "POST", "{}"), {"kind"});
  expect_bad_fields(bench_.ask(path, admin, "POST", R"({"kind":"rebuild","fromLedger":5,"restart":false})"),
                    {"fromLedger", "restart"});
  expect_bad_fields(bench_.ask(path, admin, "POST", R"({"kind":"replay","fromLedger":4294967296})"), {"fromLedger"});
  EXPECT_TRUE(jobs_.started.empty());
}

TEST_F(ReplayJobsTest, OneAtATime) {
  jobs_.made = std::optional<ports::Job>();
  expect_problem(bench_.ask(path, admin, "POST", R"({"kind":"rebuild"})"), 409, "CONFLICT");
}

TEST_F(ReplayJobsTest, ArePausedResumedAndCancelled) {
  using Action = ports::ReplayJobs::Action;
  jobs_.change_answer = ports::ReplayJobs::Change{sample_job(), true};
  for (const auto& [method, target, action] :
       std::vector<std::tuple<std::string, std::string, Action>>{{"POST", "/7/pause", Action::pause},
                                                                 {"POST", "/7/resume", Action::resume},
                                                                 {"DELETE", "/7", Action::cancel}}) {
    const net::Response response = bench_.ask(path + target, admin, method);
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(body_json(response)["id"], "7");
    EXPECT_EQ(jobs_.changed.back(), std::pair(std::uint64_t{7}, action));
  }
  jobs_.change_answer = ports::ReplayJobs::Change{sample_job(), false};
  expect_problem(bench_.ask(path + "/7/pause", admin, "POST"), 409, "CONFLICT");
  ports::Job failed = sample_job();
  failed.state = ports::JobState::failed;
  jobs_.change_answer = ports::ReplayJobs::Change{failed, false};
  const Json refused = expect_problem(bench_.ask(path + "/7", admin, "DELETE"), 409, "CONFLICT");
  EXPECT_NE(refused["detail"].get<std::string>().find("Another job is active"), std::string::npos) << refused;
  failed.state = ports::JobState::done;
  jobs_.change_answer = ports::ReplayJobs::Change{failed, false};
  EXPECT_EQ(expect_problem(bench_.ask(path + "/7", admin, "DELETE"), 409, "CONFLICT")["detail"],
            "The job is at its end.");
  jobs_.change_answer = ports::ReplayJobs::Change{std::nullopt, false};
  expect_problem(bench_.ask(path + "/7", admin, "DELETE"), 404, "NOT_FOUND");
  const std::size_t asked = jobs_.changed.size();
  for (const std::string id : {"x", "-1", "7x", "9223372036854775808", "1000000000000000000000"}) {
    expect_problem(bench_.ask(path + "/" + id + "/pause", admin, "POST"), 404, "NOT_FOUND");
  }
  EXPECT_EQ(jobs_.changed.size(), asked);
}

TEST_F(ReplayJobsTest, ADatabaseWithoutAnswerIsTold) {
  jobs_.made = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(bench_.ask(path, admin, "POST", R"({"kind":"rebuild"})"), 503, "SERVICE_UNAVAILABLE");
}

}  // namespace
}  // namespace fluxora::api::test
