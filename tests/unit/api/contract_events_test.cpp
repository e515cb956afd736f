#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string path = "/internal/indexer/contract-events";
const std::string worker_token = "a worker token of the tests, 32 bytes and some";
const std::string contract(core::sample_contract);
const std::string other_contract = "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD2KM";

/// Answers at once what the test has set, and keeps what it was asked to take.
class FakeIntake final : public ports::EventIntake {
 public:
  void take(std::vector<ports::SentEvent> batch, ports::AuditRecord by,
            ports::Reply<ports::IntakeAnswer> reply) override {
    batches.push_back(std::move(batch));
    callers.push_back(std::move(by));
    reply(answer);
  }

  ports::StoreResult<ports::IntakeAnswer> answer = ports::IntakeAnswer(ports::IntakeReceipt{{}, {}, {"epoch", 1}});
  std::vector<std::vector<ports::SentEvent>> batches;
  std::vector<ports::AuditRecord> callers;
};

/// An event of ledger 100 at a place.
Json event(std::uint32_t ledger = 100, std::uint32_t index = 0) {
  char id[32];
  std::snprintf(id, sizeof id, "%019llu-%010u", static_cast<unsigned long long>(ledger) << 32, index);
  char time[32];
  std::snprintf(time, sizeof time, "2026-03-29T09:%02u:%02uZ", ledger % 3600 / 60, ledger % 60);
  return {{"eventId", id},
          {"ledger", ledger},
          {"ledgerHash", std::string(56, '0') + std::to_string(10'000'000 + ledger)},
          {"contractId", contract},
          {"txHash", std::string(64, 'A')},
          {"txIndex", 1},
          {"operationIndex", 0},
          {"eventIndex", index},
          {"happenedAt", time},
          {"topics", {"AAAADwAAAAdjcmVhdGVkAA==", Json{{"u64", "7"}}}},
          {"value", "void"}};
}

Json changed(Json event, const std::string& name, Json value) {
  event[name] = std::move(value);
  return event;
}

class ContractEventsTest : public ::testing::Test {
 protected:
  ContractEventsTest() {
    bench.context.intake = &intake;
    bench.context.contracts = {contract};
  }

  net::Response send(const Json& body) { return send_text(body.dump()); }
  net::Response send_events(Json events) { return send({{"events", std::move(events)}}); }
  net::Response send_text(const std::string& body) {
    return bench.ask(path,
                     {{"Authorization", "Bearer " + signed_token(R"({"sub":"relay","scope":"indexer:write"})")},
                      {"Content-Type", "application/json"}},
                     "POST", body);
  }

  ApiBench bench;
  FakeIntake intake;
};

TEST_F(ContractEventsTest, ABatchIsTakenAsItIsSent) {
  intake.answer = ports::IntakeAnswer(ports::IntakeReceipt{{"a", "b"}, {"c"}, {"k3f9", 42}});
  const net::Response response = send_events({event(), changed(event(101), "inSuccessfulContractCall", false)});
  ASSERT_EQ(response.status, 200u) << body_text(response);
  EXPECT_EQ(body_text(response),
            R"({"insertedCount":2,"duplicateCount":1,"insertedIds":["a","b"],"duplicateIds":["c"]})");
  EXPECT_EQ(header(response, "X-Fluxora-Version"), "42");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");

  ASSERT_EQ(intake.batches.size(), 1u);
  ASSERT_EQ(intake.batches[0].size(), 2u);
  const ports::SentEvent& first = intake.batches[0][0];
  EXPECT_EQ(first.event.event_id, "0000000429496729600-0000000000");
  EXPECT_EQ(first.event.ledger, 100u);
  EXPECT_EQ(first.event.contract_id, contract);
  EXPECT_EQ(first.event.closed_at, *core::parse_rfc3339("2026-03-29T09:01:40Z"));
  EXPECT_EQ(first.event.tx_hash[0], 0xaa);
  EXPECT_EQ(first.ledger_hash, *core::hash_from_hex(std::string(56, '0') + "10000100"));
  EXPECT_TRUE(first.event.in_successful_call);
  ASSERT_EQ(first.event.topics_xdr.size(), 2u);
  EXPECT_EQ(core::base64_encode(first.event.topics_xdr[0]), "AAAADwAAAAdjcmVhdGVkAA==");
  EXPECT_EQ(core::base64_encode(first.event.topics_xdr[1]), "AAAABQAAAAAAAAAH");
  EXPECT_EQ(core::base64_encode(first.event.value_xdr), "AAAAAQ==");
  EXPECT_FALSE(intake.batches[0][1].event.in_successful_call);
  EXPECT_EQ(intake.callers[0].actor, "jwt:relay");
  EXPECT_EQ(intake.callers[0].action, "chain.ingest");
}

TEST_F(ContractEventsTest, EverythingWrongIsNamedAtOnce) {
  expect_bad_fields(send({{"events", {Json::object(), 7}}, {"more", 1}}),
                    {"more", "events[0].ledger", "events[0].eventId", "events[0].ledgerHash", "events[0].txHash",
                     "events[0].contractId", "events[0].happenedAt", "events[0].txIndex", "events[0].operationIndex",
                     "events[0].eventIndex", "events[0].topics", "events[0].value", "events[1]"});
  EXPECT_TRUE(intake.batches.empty());
}

TEST_F(ContractEventsTest, EachFieldIsStrict) {
  const std::vector<std::pair<std::string, std::vector<Json>>> wrong = {
      {"eventId",
       {nullptr, 7, "", "429496729600-0", "0000000429496729600-00000000000", "0000000429496729600:0000000000",
        "000000042949672960a-0000000000", "9999999999999999999-0000000000", "9223372036854775808-0000000000",
        event(101)["eventId"]}},
      {"ledger", {nullptr, 0, -1, 1.5, "100", 4'294'967'296}},
      {"ledgerHash", {nullptr, "", std::string(63, 'a'), std::string(64, 'g'), 5}},
      {"txHash", {nullptr, std::string(66, 'a')}},
      {"contractId", {nullptr, "C", other_contract, std::string(core::sample_sender)}},
      {"happenedAt", {nullptr, 1'774'776'687, "2026-03-29", "2026-03-29T09:31:27+02:00", "yesterday"}},
      {"txIndex", {nullptr, -1, "1", 4'294'967'296}},
      {"operationIndex", {nullptr, 0.5}},
      {"eventIndex", {nullptr, Json::array()}},
      {"inSuccessfulContractCall", {"true", 1}},
      {"topics", {nullptr, "AAAAAQ==", Json::object()}},
      {"value", {nullptr, 7, "created", Json{{"u64", 7}}}},
      {"ledgerhash", {std::string(64, 'a')}},
  };
  for (const auto& [name, values] : wrong) {
    for (const Json& value : values) {
      SCOPED_TRACE(name + ": " + value.dump());
      expect_bad_fields(send_events({event(), changed(event(), name, value)}), {"events[1]." + name});
    }
  }
  expect_bad_fields(send_events({changed(event(), "topics", {"AAAAAQ==", 7, "created"})}),
                    {"events[0].topics[1]", "events[0].topics[2]"});
  EXPECT_TRUE(intake.batches.empty());
}

TEST_F(ContractEventsTest, AContractThatIsNotFollowedIsNamed) {
  const net::Response response = send_events({changed(event(), "contractId", other_contract)});
  EXPECT_NE(body_text(response).find(other_contract), std::string::npos);
  bench.context.contracts = {"*"};
  EXPECT_EQ(send_events({changed(event(), "contractId", other_contract)}).status, 200u);
}

TEST_F(ContractEventsTest, AnEventHasAHundredTopicsAtMost) {
  const Json topics(100, "void");
  EXPECT_EQ(send_events({changed(event(), "topics", topics)}).status, 200u);
  expect_bad_fields(send_events({changed(event(), "topics", Json(101, "void"))}), {"events[0].topics"});
  expect_bad_fields(send_events({changed(event(), "topics", Json(30'000, 7))}), {"events[0].topics"});
}

TEST_F(ContractEventsTest, NoLedgerClosesInTheFuture) {
  const auto at = [this](core::UnixMillis ms) {
    return changed(event(), "happenedAt",
                   core::format_rfc3339(static_cast<core::UnixSeconds>((bench.clock.now() + ms) / 1'000)));
  };
  EXPECT_EQ(send_events({at(60'000)}).status, 200u) << "clocks differ";
  expect_bad_fields(send_events({at(61'000)}), {"events[0].happenedAt"});
  expect_bad_fields(send_events({changed(event(), "happenedAt", "9999-12-31T23:59:59Z")}), {"events[0].happenedAt"});
}

TEST_F(ContractEventsTest, EventsOfABatchAgreeWithEachOther) {
  expect_bad_fields(send_events({event(), changed(event(100, 1), "ledgerHash", std::string(64, 'f')),
                                 changed(event(100, 2), "happenedAt", "2026-03-29T10:00:00Z")}),
                    {"events[1].ledgerHash", "events[2].happenedAt"});
  expect_bad_fields(send_events({event(101), changed(event(100), "happenedAt", event(101)["happenedAt"])}),
                    {"events[0].happenedAt"});
  expect_bad_fields(send_events({event(), changed(event(), "value", "AAAAAwAAAAE=")}), {"events[1].eventId"});
  EXPECT_TRUE(intake.batches.empty());
  EXPECT_EQ(send_events({event(), event()}).status, 200u) << "the same twice is a duplicate";
}

TEST_F(ContractEventsTest, ABatchHasOneToAHundredEvents) {
  Json events = Json::array();
  expect_bad_fields(send_events(events), {"events"});
  for (std::uint32_t i = 0; i < 100; ++i) events.push_back(event(100, i));
  EXPECT_EQ(send_events(events).status, 200u);
  events.push_back(event(100, 100));
  expect_problem(send_events(events), 413, "PAYLOAD_TOO_LARGE");
  EXPECT_EQ(intake.batches.size(), 1u);
}

TEST_F(ContractEventsTest, BodiesOfAnotherKindAreRefused) {
  for (const char* body : {"", "[]", "7", "{", R"({"events":{}})", R"({"events":7})", R"({})", "\xff"}) {
    EXPECT_EQ(send_text(body).status, 400u) << body;
  }
  const net::Response plain =
      bench.ask(path, {{"Authorization", "Bearer " + signed_token(R"({"scope":"indexer:write"})")}}, "POST", "{}");
  expect_problem(plain, 415, "UNSUPPORTED_MEDIA_TYPE");
}

TEST_F(ContractEventsTest, WhatTheLogContradictsIsNamed) {
  using Reason = ports::IntakeRefusal::Reason;
  intake.answer = ports::IntakeAnswer(
      tl::unexpected(ports::IntakeRefusal{Reason::contradiction, "no", {{1, "happenedAt", "doesn't fit."}}}));
  expect_bad_fields(send_events({event()}), {"events[1].happenedAt"});
  for (const Reason reason : {Reason::too_deep, Reason::foreign_log}) {
    intake.answer = ports::IntakeAnswer(tl::unexpected(ports::IntakeRefusal{reason, "the reason", {}}));
    EXPECT_EQ(expect_problem(send_events({event()}), 409, "CONFLICT")["detail"], "the reason");
  }
}

TEST_F(ContractEventsTest, WithoutADatabaseItIsToBeTriedAgain) {
  for (const auto failure : {ports::StoreFailure::busy, ports::StoreFailure::unavailable}) {
    intake.answer = tl::unexpected(failure);
    const net::Response response = send_events({event()});
    expect_problem(response, 503, "SERVICE_UNAVAILABLE");
    EXPECT_NE(header(response, "Retry-After"), "");
  }
}

TEST_F(ContractEventsTest, WhoReadsTheChainItselfTakesNoEvents) {
  bench.context.intake = nullptr;
  EXPECT_NE(
      expect_problem(send_events({event()}), 409, "CONFLICT")["detail"].get<std::string>().find("STELLAR_RPC_URL"),
      std::string::npos);
  bench.context.indexer = nullptr;
  EXPECT_NE(expect_problem(send_events({event()}), 409, "CONFLICT")["detail"].get<std::string>().find("CONTRACT_IDS"),
            std::string::npos);
}

TEST_F(ContractEventsTest, ItIsForWorkersAlone) {
  const std::string body = Json{{"events", {event()}}}.dump();
  expect_problem(bench.ask(path, {{"Content-Type", "application/json"}}, "POST", body), 401, "UNAUTHORIZED");
  const net::HeaderFields admin = {{"Authorization", "Bearer " + signed_token(R"({"scope":"admin streams:write"})")}};
  expect_problem(bench.ask(path, admin, "POST", body), 403, "FORBIDDEN");
  EXPECT_TRUE(intake.batches.empty());
}

}  // namespace
}  // namespace fluxora::api::test
