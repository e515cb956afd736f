// GET /api/accounts/{address}/statement, over a fake of what reads the log.

#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

using State = net::BodyPiece::State;

const std::string alice(core::sample_sender);
const std::string bob(core::sample_recipient);
const std::string token(core::sample_token);
const std::string target = "/api/accounts/" + bob + "/statement";

core::StatementLine line(std::optional<std::string> of_token) {
  return {core::sample_stream().id,
          core::Role::recipient,
          alice,
          std::move(of_token),
          1'000,
          1'300,
          "active",
          {core::tokens(1000), {}, {}, {}, core::tokens(1000)},
          {core::tokens(700), core::tokens(300), core::tokens(80), {}, core::tokens(620)}};
}

void fill(ApiBench& bench) {
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  bench.accounts.pages = {{{line(token)}, false}, {{}, false}, {{line(token), line(std::nullopt)}, false}, {{}, true}};
}

/// All pieces of a body that ends as it should.
std::string whole_body(const net::Response& response) {
  std::string text;
  for (bool last = false; !last;) {
    std::optional<net::BodyPiece> given;
    std::get<std::shared_ptr<net::BodyStream>>(response.body)->next([&](net::BodyPiece piece) {
      given = std::move(piece);
    });
    if (!given || given->state == State::failed) {
      ADD_FAILURE() << "the body fails";
      return text;
    }
    text += given->bytes;
    last = given->state == State::last;
  }
  return text;
}

const std::string amounts_json =
    R"("opening":{"depositAmount":"1000.0000000","streamedAmount":"0.0000000","withdrawnAmount":"0.0000000",
      "settledAmount":"0.0000000","remainingAmount":"1000.0000000"},
    "closing":{"depositAmount":"700.0000000","streamedAmount":"300.0000000","withdrawnAmount":"80.0000000",
      "settledAmount":"0.0000000","remainingAmount":"620.0000000"},
    "change":{"depositAmount":"-300.0000000","streamedAmount":"300.0000000","withdrawnAmount":"80.0000000",
      "settledAmount":"0.0000000","remainingAmount":"-380.0000000"})";

TEST(Statements, AreJsonWithTheirTotals) {
  ApiBench bench;
  fill(bench);
  const net::Response response = bench.ask(target + "?from=900&to=1300");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(header(response, "Vary"), "Accept");
  EXPECT_EQ(header(response, "Content-Disposition"), "");
  const auto line_json = [](const std::string& of_token) {
    return R"({"streamId":")" + core::sample_stream().id + R"(","role":"recipient","counterparty":")" + alice +
           R"(","token":)" + of_token + R"(,"spanFrom":1000,"spanTo":1300,"status":"active",)" + amounts_json + "}";
  };
  const std::string quoted = '"' + token + '"';
  EXPECT_EQ(Json::parse(whole_body(response)),
            Json::parse(R"({"account":")" + bob + R"(","from":900,"to":1300,"asOf":1450,"lines":[)" +
                        line_json(quoted) + "," + line_json(quoted) + "," + line_json("null") + R"(],"totals":[
      {"token":null,"role":"recipient","lines":1,"change":{"depositAmount":"-300.0000000",
       "streamedAmount":"300.0000000","withdrawnAmount":"80.0000000","settledAmount":"0.0000000",
       "remainingAmount":"-380.0000000"}},
      {"token":)" + quoted +
                        R"(,"role":"recipient","lines":2,"change":{"depositAmount":"-600.0000000",
       "streamedAmount":"600.0000000","withdrawnAmount":"160.0000000","settledAmount":"0.0000000",
       "remainingAmount":"-760.0000000"}}]})"));
}

TEST(Statements, AreCsvOnRequest) {
  ApiBench bench;
  fill(bench);
  const net::Response response = bench.ask(target + "?format=csv");
  EXPECT_EQ(response.content_type, "text/csv; charset=utf-8; header=present");
  EXPECT_EQ(header(response, "Content-Disposition"), "attachment; filename=\"fluxora-statement.csv\"");
  const auto row = [](const std::string& of_token) {
    return core::sample_stream().id + ",recipient," + alice + "," + of_token +
           ",1000,1300,active,1000.0000000,0.0000000,0.0000000,0.0000000,1000.0000000,700.0000000,300.0000000,"
           "80.0000000,0.0000000,620.0000000,-300.0000000,300.0000000,80.0000000,0.0000000,-380.0000000\r\n";
  };
  EXPECT_EQ(whole_body(response),
            "streamId,role,counterparty,token,spanFrom,spanTo,status,openingDepositAmount,openingStreamedAmount,"
            "openingWithdrawnAmount,openingSettledAmount,openingRemainingAmount,closingDepositAmount,"
            "closingStreamedAmount,closingWithdrawnAmount,closingSettledAmount,closingRemainingAmount,"
            "changeDepositAmount,changeStreamedAmount,changeWithdrawnAmount,changeSettledAmount,"
            "changeRemainingAmount\r\n" +
                row(token) + row(token) + row(""));
}

TEST(Statements, OfNothingAreWholeAllTheSame) {
  ApiBench bench;
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  bench.accounts.pages = {{{}, true}};
  EXPECT_EQ(Json::parse(whole_body(bench.ask(target))),
            Json::parse(R"({"account":")" + bob + R"(","from":0,"to":1400,"asOf":1450,"lines":[],"totals":[]})"));
}

TEST(Statements, TakeTheFormatThatIsAcceptedUnlessOneIsNamed) {
  ApiBench bench;
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  const auto type = [&](const std::string& query, const std::string& accept) {
    return bench.ask(target + query, {{"Accept", accept}}).content_type.substr(0, 8);
  };
  EXPECT_EQ(type("", "text/csv"), "text/csv");
  EXPECT_EQ(type("", "*/*"), "applicat");
  EXPECT_EQ(type("", "text/csv;q=0.5, application/json"), "applicat");
  EXPECT_EQ(type("?format=json", "text/csv"), "applicat");
  EXPECT_EQ(type("?format=csv", "application/json"), "text/csv");
}

TEST(Statements, AskForTheirPeriod) {
  ApiBench bench;
  bench.ask(target);
  bench.ask(target + "?from=900&to=1300");
  ASSERT_EQ(bench.accounts.begun.size(), 2U);
  EXPECT_EQ(bench.accounts.begun[0].account, bob);
  EXPECT_EQ(bench.accounts.begun[0].from, std::nullopt);
  EXPECT_EQ(bench.accounts.begun[0].to, std::nullopt);
  EXPECT_EQ(bench.accounts.begun[0].now, static_cast<core::UnixSeconds>(bench.clock.now() / 1'000));
  EXPECT_EQ(bench.accounts.begun[1].from, 900U);
  EXPECT_EQ(bench.accounts.begun[1].to, 1'300U);
}

TEST(Statements, BeginWhereThePastIsKnown) {
  ApiBench bench;
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400, 900};
  bench.accounts.pages = {{{}, true}, {{}, true}};
  EXPECT_EQ(Json::parse(whole_body(bench.ask(target))).at("from"), 900);
  EXPECT_EQ(Json::parse(whole_body(bench.ask(target + "?from=900"))).at("from"), 900);
  expect_bad_fields(bench.ask(target + "?from=899"), {"from"});
  expect_bad_fields(bench.ask(target + "?to=900"), {"from"});
  EXPECT_EQ(bench.accounts.open, 0);
}

TEST(Statements, NameEverythingThatIsWrong) {
  ApiBench bench;
  expect_bad_fields(bench.ask("/api/accounts/x/statement?from=a&to=b&format=xml&limit=5"),
                    {"address", "from", "to", "format", "limit"});
  expect_bad_fields(bench.ask(target + "?from=900&to=900"), {"from"});
  EXPECT_TRUE(bench.accounts.begun.empty());
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  expect_bad_fields(bench.ask(target + "?from=1400"), {"from"});
  EXPECT_EQ(bench.accounts.open, 0);
}

TEST(Statements, WithoutAPlaceOrADatabaseAre503) {
  ApiBench bench;
  bench.accounts.failure = ports::StoreFailure::busy;
  const net::Response busy = bench.ask(target);
  expect_problem(busy, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(busy, "Retry-After"), "10");
  bench.accounts.failure = ports::StoreFailure::unavailable;
  expect_problem(bench.ask(target), 503, "SERVICE_UNAVAILABLE");
}

TEST(Statements, NeverShowLessThanTheVersionAskedFor) {
  ApiBench bench;
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  expect_problem(bench.ask(target, {{"X-Fluxora-Min-Version", "43"}}), 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(bench.accounts.open, 0);
}

TEST(Statements, FailInTheMiddleWhereTheDatabaseDoes) {
  ApiBench bench;
  bench.accounts.start = {{"k3f9", 42, 1'400}, 1'450, 1'400};
  bench.accounts.pages = {{{line(token)}, false}};
  const net::Response response = bench.ask(target);
  const auto body = std::get<std::shared_ptr<net::BodyStream>>(response.body);
  std::vector<State> states;
  for (int i = 0; i < 2; ++i) body->next([&](const net::BodyPiece& piece) { states.push_back(piece.state); });
  EXPECT_EQ(states, (std::vector<State>{State::more, State::failed}));
}

}  // namespace
}  // namespace fluxora::api::test
