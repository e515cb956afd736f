#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "fluxora/core/sha256.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

constexpr const char* api_id = "api-01890a5d-ac96-774b-bcce-b302099a8057";

class StreamWrites : public ::testing::Test {
 protected:
  StreamWrites() {
    core::Stream stream = core::sample_stream();
    stream.id = api_id;
    stream.source = core::StreamSource::api;
    bench_.writer.answer = ports::WriteAnswer(ports::WrittenStream{stream, "k3f9", 1'500, false});
    terms_ = {{"sender", core::sample_sender},
              {"recipient", core::sample_recipient},
              {"depositAmount", "10"},
              {"ratePerSecond", "3"}};
  }

  net::Response send(const std::string& method, const std::string& path, const Json& body,
                     net::HeaderFields headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    return bench_.ask(path, std::move(headers), method, body.dump());
  }
  net::Response create(net::HeaderFields headers = {}) {
    return send("POST", "/api/streams", terms_, std::move(headers));
  }
  net::Response set_status(const std::string& status, net::HeaderFields headers = {}) {
    return send("PATCH", std::string("/api/streams/") + api_id, {{"status", status}}, std::move(headers));
  }
  void refuse(ports::WriteRefusal refusal) { bench_.writer.answer = ports::WriteAnswer(tl::unexpected(refusal)); }

  ApiBench bench_;
  Json terms_;
};

TEST_F(StreamWrites, ACreationIsHandedOnWithItsDefaults) {
  create();
  ASSERT_EQ(bench_.writer.created.size(), 1u);
  const ports::StreamCreation& creation = bench_.writer.created[0];
  const auto now = static_cast<core::UnixSeconds>(bench_.clock.now() / 1000);
  EXPECT_TRUE(core::is_stream_id(creation.id)) << creation.id;
  EXPECT_EQ(creation.now, now);
  EXPECT_EQ(creation.terms.deposit, core::tokens(10));
  EXPECT_EQ(creation.terms.start_time, now);
  EXPECT_EQ(creation.terms.cliff_time, now);
  EXPECT_EQ(creation.terms.end_time, now + 4);
  EXPECT_FALSE(creation.idempotency);
}

TEST_F(StreamWrites, IdsDiffer) {
  create();
  create();
  ASSERT_EQ(bench_.writer.created.size(), 2u);
  EXPECT_NE(bench_.writer.created[0].id, bench_.writer.created[1].id);
}

TEST_F(StreamWrites, ACreationIsAnsweredWithTheStream) {
  const net::Response response = create();
  EXPECT_EQ(response.status, 201u);
  EXPECT_EQ(header(response, "Location"), std::string("/api/streams/") + api_id);
  EXPECT_EQ(header(response, "X-Fluxora-Version"), "40");
  EXPECT_EQ(header(response, "X-Fluxora-Cursor"), "k3f9-40");
  EXPECT_EQ(header(response, "ETag"), "\"k3f9-40-1500\"");
  EXPECT_EQ(header(response, "Idempotency-Replayed"), "");
  EXPECT_EQ(body_json(response).at("id"), api_id);
  bench_.writer.answer->value().replayed = true;
  EXPECT_EQ(header(create(), "Idempotency-Replayed"), "true");
}

TEST_F(StreamWrites, AKeyBelongsToItsCallerAndItsBytes) {
  create({{"Idempotency-Key", "a:b_c-1"}});
  ASSERT_TRUE(bench_.writer.created.at(0).idempotency);
  const ports::IdempotencyKey& key = *bench_.writer.created[0].idempotency;
  EXPECT_EQ(key.caller, "address:127.0.0.1");
  EXPECT_EQ(key.key, "a:b_c-1");
  EXPECT_EQ(key.body_hash, core::sha256(core::as_bytes(terms_.dump())));
  for (const std::string& text : {std::string(), std::string("a b"), std::string(129, 'x')}) {
    expect_bad_fields(create({{"Idempotency-Key", text}}), {"Idempotency-Key"});
  }
}

TEST_F(StreamWrites, WhatWasGoodWhenItFirstCameIsAnsweredAgain) {
  terms_["endTime"] = 1;
  bench_.writer.earlier = std::optional<ports::WriteAnswer>();
  expect_bad_fields(create({{"Idempotency-Key", "k"}}), {"endTime"});
  bench_.writer.earlier = std::optional(*bench_.writer.answer);
  EXPECT_EQ(create({{"Idempotency-Key", "k"}}).status, 201u);
  EXPECT_EQ(bench_.writer.looked_for.size(), 2u);
  expect_bad_fields(create(), {"endTime"});
  EXPECT_EQ(bench_.writer.looked_for.size(), 2u) << "without a key there is nothing to look for";
  EXPECT_TRUE(bench_.writer.created.empty());
}

TEST_F(StreamWrites, RefusalsHaveTheirStatus) {
  refuse(ports::WriteRefusal::key_reused);
  expect_problem(create(), 422, "VALIDATION_ERROR");
  refuse(ports::WriteRefusal::key_in_use);
  const net::Response running = create();
  expect_problem(running, 409, "CONFLICT");
  EXPECT_EQ(header(running, "Retry-After"), "1");
  refuse(ports::WriteRefusal::unknown_stream);
  expect_problem(set_status("paused"), 404, "NOT_FOUND");
  refuse(ports::WriteRefusal::final_stream);
  expect_problem(set_status("paused"), 409, "CONFLICT");
  refuse(ports::WriteRefusal::version_mismatch);
  expect_problem(set_status("paused"), 412, "PRECONDITION_FAILED");
  bench_.writer.answer = tl::unexpected(ports::StoreFailure::unavailable);
  const net::Response away = set_status("paused");
  expect_problem(away, 503, "SERVICE_UNAVAILABLE");
  EXPECT_NE(header(away, "Retry-After"), "");
}

TEST_F(StreamWrites, AChangeIsHandedOn) {
  set_status("paused");
  set_status("active");
  bench_.ask(std::string("/api/streams/") + api_id, {}, "DELETE");
  ASSERT_EQ(bench_.writer.changed.size(), 3u);
  EXPECT_EQ(bench_.writer.changed[0].action, ports::StreamAction::pause);
  EXPECT_EQ(bench_.writer.changed[1].action, ports::StreamAction::resume);
  EXPECT_EQ(bench_.writer.changed[2].action, ports::StreamAction::cancel);
  EXPECT_EQ(bench_.writer.changed[2].id, api_id);
  EXPECT_FALSE(bench_.writer.changed[2].only_if);
  expect_bad_fields(set_status("cancelled"), {"status"});
}

TEST_F(StreamWrites, EachWriteSaysWhoDoesIt) {
  const net::HeaderFields token = {
      {"Authorization", "Bearer " + signed_token(R"({"sub":"kim","scope":"streams:write"})")}};
  for (const auto& [headers, actor] : {std::pair(net::HeaderFields(), "address:127.0.0.1"), {token, "jwt:kim"}}) {
    bench_.writer.created.clear();
    bench_.writer.changed.clear();
    create(headers);
    set_status("paused", headers);
    bench_.ask(std::string("/api/streams/") + api_id, headers, "DELETE");
    ASSERT_EQ(bench_.writer.created.size(), 1u);
    ASSERT_EQ(bench_.writer.changed.size(), 2u);
    for (const ports::AuditRecord& by :
         {bench_.writer.created[0].by, bench_.writer.changed[0].by, bench_.writer.changed[1].by}) {
      EXPECT_EQ(by.actor, actor);
      EXPECT_EQ(by.address, "127.0.0.1");
      EXPECT_EQ(by.request_id, "request-7");
    }
  }
}

TEST_F(StreamWrites, IfMatchNamesVersions) {
  const auto versions = [this](const std::string& text) {
    set_status("paused", {{"If-Match", text}});
    return bench_.writer.changed.back().only_if;
  };
  EXPECT_FALSE(versions("*"));
  const auto named = versions("\"k3f9-40-1500\", W/\"k3f9-41-1\", \"other\", \"k3f9-42-7\"");
  ASSERT_TRUE(named && named->size() == 2);
  EXPECT_EQ(named->at(0).epoch, "k3f9");
  EXPECT_EQ(named->at(0).version, 40u);
  EXPECT_EQ(named->at(1).version, 42u);
  EXPECT_TRUE(versions("\"\"")->empty()) << "matches nothing";
  expect_bad_fields(set_status("paused", {{"If-Match", "x"}}), {"If-Match"});
}

TEST_F(StreamWrites, TheChainsStreamsAreTheChains) {
  const std::string path = "/api/streams/" + core::sample_stream().id;
  bench_.streams.answer = ports::StreamAnswer{core::sample_stream(), {"k3f9", 42, 1'000}};
  expect_problem(bench_.ask(path, {}, "DELETE"), 409, "CONFLICT");
  bench_.streams.answer = ports::StreamAnswer{std::nullopt, {"k3f9", 42, 1'000}};
  expect_problem(bench_.ask(path, {}, "DELETE"), 404, "NOT_FOUND");
  expect_problem(bench_.ask("/api/streams/x", {}, "DELETE"), 404, "NOT_FOUND");
  EXPECT_TRUE(bench_.writer.changed.empty());
}

TEST_F(StreamWrites, LookupAsksForEachIdOnce) {
  bench_.streams.answers = ports::StreamsAnswer{{core::sample_stream()}, {"k3f9", 42, 1'000}};
  const std::string id = core::sample_stream().id;
  const net::Response response = send("POST", "/api/streams/lookup", {{"ids", {api_id, id, "x", id}}});
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(bench_.streams.found, std::vector<std::string>({api_id, id}));
  const Json body = body_json(response);
  ASSERT_EQ(body.at("streams").size(), 1u);
  EXPECT_EQ(body.at("streams")[0].at("id"), id);
  EXPECT_EQ(body.at("missing"), Json::array({api_id, "x"}));
}

TEST_F(StreamWrites, AReadNeverSeesLessThanItAsksFor) {
  bench_.streams.answer = ports::StreamAnswer{core::sample_stream(), {"k3f9", 42, 1'000}};
  const std::string path = "/api/streams/" + core::sample_stream().id;
  EXPECT_EQ(bench_.ask(path, {{"X-Fluxora-Min-Version", "42"}}).status, 200u);
  const net::Response early = bench_.ask(path, {{"X-Fluxora-Min-Version", "43"}});
  expect_problem(early, 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(header(early, "Retry-After"), "1");
  expect_bad_fields(bench_.ask(path, {{"X-Fluxora-Min-Version", "x"}}), {"X-Fluxora-Min-Version"});
}

}  // namespace
}  // namespace fluxora::api::test
