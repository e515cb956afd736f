// GET /api/streams/{id}/proof, over fakes of what reads the streams and of the chain's storage.

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

using Storage = tl::expected<ports::StorageAnswer, ports::StorageFailure>;

class FakeStorage final : public ports::ContractStorage {
 public:
  void read(std::vector<core::Bytes> keys, ports::StorageReply reply) override {
    asked.push_back(std::move(keys));
    reply(answer);
  }

  Storage answer;
  std::vector<std::vector<core::Bytes>> asked;
};

class ProofTest : public ::testing::Test {
 protected:
  ProofTest() {
    bench_.streams.answer = ports::StreamAnswer{core::sample_stream(), {"k3f9", 42, 1'050}};
    bench_.context.contract_storage = &storage_;
    storage_.answer = ports::StorageAnswer{{ports::StorageEntry{{1, 2}, {3, 4, 5}, 77, 900}},
                                           {90, core::hash_of(0xab), core::hash_of(0xaa), 1'234}};
  }

  net::Response ask() { return bench_.ask("/api/streams/" + core::sample_stream().id + "/proof"); }

  ApiBench bench_;
  FakeStorage storage_;
};

TEST_F(ProofTest, ShowsTheStreamBesideTheContractsEntryAndItsLedger) {
  const net::Response response = ask();
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-42");
  EXPECT_EQ(header(response, "Cache-Control"), "no-store");
  const Json body = body_json(response);
  std::string stream;
  core::JsonWriter json(stream);
  write_stream_json(json, core::sample_stream(), 1'050);
  EXPECT_EQ(body["stream"], Json::parse(stream));
  EXPECT_EQ(body["entry"],
            (Json{{"key", "AQI="}, {"xdr", "AwQF"}, {"lastModifiedLedger", 77}, {"liveUntilLedger", 900}}));
  EXPECT_EQ(
      body["ledger"],
      (Json{{"sequence", 90}, {"hash", core::hex_encode(core::hash_of(0xab))}, {"closedAt", "1970-01-01T00:20:34Z"}}));
  EXPECT_EQ(body.size(), 3U);
  ASSERT_EQ(storage_.asked.size(), 1U);
  EXPECT_EQ(storage_.asked[0], std::vector<core::Bytes>{*core::stream_ledger_key(core::sample_stream().id)});
}

TEST_F(ProofTest, AnEntryWithoutAnEndShowsNone) {
  storage_.answer->entries[0]->live_until_ledger.reset();
  EXPECT_FALSE(body_json(ask())["entry"].contains("liveUntilLedger"));
}

TEST_F(ProofTest, WhatIsNotThereIs404AndSaysWhatIsMissing) {
  EXPECT_EQ(expect_problem(bench_.ask("/api/streams/x/proof"), 404, "NOT_FOUND")["detail"], "There is no such stream.");
  EXPECT_TRUE(storage_.asked.empty());
  storage_.answer->entries[0].reset();
  EXPECT_NE(expect_problem(ask(), 404, "NOT_FOUND")["detail"].get<std::string>().find("closed"), std::string::npos);

  core::Stream api = core::sample_stream();
  api.id = "api-0190163d-8694-739b-aea5-966c26f8ad91";
  api.source = core::StreamSource::api;
  bench_.streams.answer->stream = api;
  const Json problem = expect_problem(bench_.ask("/api/streams/" + api.id + "/proof"), 404, "NOT_FOUND");
  EXPECT_NE(problem["detail"].get<std::string>().find("stream of the API"), std::string::npos);
  EXPECT_EQ(storage_.asked.size(), 1U);

  bench_.streams.answer->stream.reset();
  EXPECT_EQ(expect_problem(ask(), 404, "NOT_FOUND")["detail"], "There is no such stream.");
  EXPECT_EQ(storage_.asked.size(), 1U);
}

TEST_F(ProofTest, WithoutAnAnswerOfTheChainsItIs503WithRetryAfter) {
  for (const auto failure : {ports::StorageFailure::busy, ports::StorageFailure::unavailable}) {
    storage_.answer = tl::unexpected(failure);
    const net::Response response = ask();
    expect_problem(response, 503, "SERVICE_UNAVAILABLE");
    EXPECT_EQ(header(response, "Retry-After"), failure == ports::StorageFailure::busy ? "1" : "5");
  }
  bench_.context.contract_storage = nullptr;
  const net::Response unconfigured = ask();
  expect_problem(unconfigured, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(unconfigured, "Retry-After"), "300");

  bench_.streams.answer = tl::unexpected(ports::StoreFailure::unavailable);
  EXPECT_EQ(header(ask(), "Retry-After"), "2");
}

TEST_F(ProofTest, ChecksItsParametersAndReadsNothingThatIsOlderThanAskedFor) {
  expect_bad_fields(bench_.ask("/api/streams/" + core::sample_stream().id + "/proof?at=5"), {"at"});
  const net::Response stale =
      bench_.ask("/api/streams/" + core::sample_stream().id + "/proof", {{"X-Fluxora-Min-Version", "43"}});
  expect_problem(stale, 503, "SERVICE_UNAVAILABLE");
  EXPECT_TRUE(storage_.asked.empty());
}

}  // namespace
}  // namespace fluxora::api::test
