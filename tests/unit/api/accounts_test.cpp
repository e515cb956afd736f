// GET /api/accounts/{address}, over a fake of what reads the streams.

#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string alice(core::sample_sender);
const std::string target = "/api/accounts/" + alice;

TEST(Accounts, ShowTheirTotalsByTokenAndRole) {
  ApiBench bench;
  ports::AccountAnswer answer;
  answer.at = {"k3f9", 42, 1'500};
  core::Stream with_token = core::sample_stream();  // a token a second from 1,000 to 2,000
  with_token.token = core::sample_token;
  with_token.withdrawn = core::tokens(100);
  answer.totals.add(core::sample_stream(), alice, 1'500);
  answer.totals.add(with_token, alice, 1'501);
  bench.accounts.answer = answer;

  const net::Response response = bench.ask(target);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(body_json(response), Json::parse(R"({"account":")" + alice + R"(","asOf":1501,"asSender":[
    {"token":null,"streams":1,"streamsByStatus":{"scheduled":0,"active":1,"paused":0,"completed":0,"cancelled":0},
     "depositAmount":"1000.0000000","streamedAmount":"500.0000000","withdrawnAmount":"0.0000000",
     "settledAmount":"0.0000000","withdrawableAmount":"500.0000000","remainingAmount":"1000.0000000"},
    {"token":")" + std::string(core::sample_token) +
                                             R"(","streams":1,
     "streamsByStatus":{"scheduled":0,"active":1,"paused":0,"completed":0,"cancelled":0},
     "depositAmount":"1000.0000000","streamedAmount":"501.0000000","withdrawnAmount":"100.0000000",
     "settledAmount":"0.0000000","withdrawableAmount":"401.0000000","remainingAmount":"900.0000000"}],
    "asRecipient":[]})"));
  ASSERT_EQ(bench.accounts.asked.size(), 1U);
  EXPECT_EQ(bench.accounts.asked[0].first, alice);
  EXPECT_EQ(bench.accounts.asked[0].second, static_cast<core::UnixSeconds>(bench.clock.now() / 1'000));
}

TEST(Accounts, WithoutStreamsAreEmpty) {
  ApiBench bench;
  ports::AccountAnswer answer;
  answer.totals.as_of = 1'500;
  bench.accounts.answer = answer;
  EXPECT_EQ(body_json(bench.ask(target)),
            Json::parse(R"({"account":")" + alice + R"(","asOf":1500,"asSender":[],"asRecipient":[]})"));
}

TEST(Accounts, NameEverythingThatIsWrong) {
  ApiBench bench;
  expect_bad_fields(bench.ask("/api/accounts/GABC?token=x", {{"X-Fluxora-Min-Version", "x"}}),
                    {"address", "X-Fluxora-Min-Version", "token"});
  EXPECT_TRUE(bench.accounts.asked.empty());
}

TEST(Accounts, NeverShowLessThanTheVersionAskedFor) {
  ApiBench bench;
  ports::AccountAnswer answer;
  answer.at = {"k3f9", 42, 1'500};
  bench.accounts.answer = answer;
  EXPECT_EQ(bench.ask(target, {{"X-Fluxora-Min-Version", "42"}}).status, 200U);
  expect_problem(bench.ask(target, {{"X-Fluxora-Min-Version", "43"}}), 503, "SERVICE_UNAVAILABLE");
}

TEST(Accounts, WithoutAnAnswerAre503) {
  ApiBench bench;
  bench.accounts.answer = tl::unexpected(ports::StoreFailure::busy);
  expect_problem(bench.ask(target), 503, "SERVICE_UNAVAILABLE");
  bench.accounts.answer = tl::unexpected(ports::StoreFailure::internal);
  expect_problem(bench.ask(target), 500, "INTERNAL_ERROR");
}

}  // namespace
}  // namespace fluxora::api::test
