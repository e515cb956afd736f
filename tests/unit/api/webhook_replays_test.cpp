#include "fake_webhooks.hpp"

namespace fluxora::api::test {
namespace {

const std::string path = "/api/webhooks/replay";

ports::WebhookReplay sample_replay() {
  ports::WebhookReplay replay;
  replay.id = 4;
  replay.endpoint = 12;
  replay.epoch = "k3f9";
  replay.after_seq = 100;
  replay.through_seq = 1'100;
  replay.place = 350;
  replay.deliveries = 60;
  replay.created_at = 1'000;
  replay.updated_at = 2'000;
  return replay;
}

const std::string sample_json = R"({"id":"4","endpointId":"12","state":"running","after":"k3f9-100",
  "through":"k3f9-1100","place":"k3f9-350","done":250,"total":1000,"deliveries":60,"message":null,
  "createdAt":"1970-01-01T00:00:01.000Z","updatedAt":"1970-01-01T00:00:02.000Z","finishedAt":null})";

class WebhookReplaysTest : public WebhookBench {
 protected:
  WebhookReplaysTest() { webhooks_.replay_made = FakeWebhooks::Replay(sample_replay()); }

  net::Response start(const std::string& body) { return bench_.ask(path, manager_, "POST", body); }
  void refuse(ports::WebhookRefusal refusal) { webhooks_.replay_made = FakeWebhooks::Replay(tl::unexpected(refusal)); }
};

TEST_F(WebhookReplaysTest, NeedTheScope) {
  using Route = std::pair<std::string, std::string>;
  for (const auto& [method, target] : {Route("GET", ""), Route("POST", ""), Route("GET", "/4"), Route("DELETE", "/4"),
                                       Route("POST", "/4/pause"), Route("POST", "/4/resume")}) {
    expect_scope(method, path + target, "webhooks:manage");
  }
  EXPECT_TRUE(webhooks_.records.empty());
}

TEST_F(WebhookReplaysTest, OneIsStartedAndSaysHowFarItIs) {
  const net::Response response = start(R"({"endpointId":"12","after":"k3f9-100","through":"k3f9-1100"})");
  EXPECT_EQ(response.status, 202u) << body_text(response);
  EXPECT_EQ(header(response, "Location"), path + "/4");
  EXPECT_EQ(body_json(response), Json::parse(sample_json));
  EXPECT_EQ(start(R"({"endpointId":"12","after":"k3f9-0"})").status, 202u);
  ASSERT_EQ(webhooks_.started.size(), 2u);
  EXPECT_EQ(webhooks_.started[0].endpoint, 12u);
  EXPECT_EQ(webhooks_.started[0].after, (core::Cursor{"k3f9", 100}));
  EXPECT_EQ(webhooks_.started[0].through, (core::Cursor{"k3f9", 1'100}));
  EXPECT_EQ(webhooks_.started[1].through, std::nullopt);
  EXPECT_EQ(webhooks_.records[0].actor, "jwt:kim");
  EXPECT_EQ(wakes_, 2);
}

TEST_F(WebhookReplaysTest, EverythingWrongIsNamedAtOnce) {
  expect_bad_fields(start("{}"), {"endpointId", "after"});
  expect_bad_fields(start(R"({"endpointId":"x","after":"100","through":1,"x":1})"),
                    {"endpointId", "after", "through", "x"});
  expect_bad_fields(start(R"({"endpointId":"12","after":"k3f9-100","through":"k3f9-99"})"), {"through"});
  expect_bad_fields(start(R"({"endpointId":"12","after":"k3f9-100","through":"abcd-200"})"), {"through"});
  EXPECT_TRUE(webhooks_.started.empty());
}

TEST_F(WebhookReplaysTest, WhatTheStoreRefusesNamesTheField) {
  const auto refused_field = [&](const std::string& body) {
    const Json told = expect_problem(start(body), 409, "CONFLICT");
    EXPECT_NE(told["detail"].get<std::string>().find("epoch_changed"), std::string::npos) << told;
    return told["errors"][0]["field"].get<std::string>();
  };
  const std::string open = R"({"endpointId":"12","after":"k3f9-100"})";
  const std::string closed = R"({"endpointId":"12","after":"k3f9-100","through":"k3f9-1100"})";
  refuse(ports::WebhookRefusal::other_epoch);
  EXPECT_EQ(refused_field(closed), "after");
  refuse(ports::WebhookRefusal::beyond_head);
  EXPECT_EQ(refused_field(closed), "through");
  EXPECT_EQ(refused_field(open), "after");
  refuse(ports::WebhookRefusal::unknown);
  expect_bad_fields(start(open), {"endpointId"});
  for (const auto refusal : {ports::WebhookRefusal::already_running, ports::WebhookRefusal::disabled}) {
    refuse(refusal);
    expect_problem(start(open), 409, "CONFLICT");
  }
  webhooks_.replay_made = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(start(open), 503, "SERVICE_UNAVAILABLE");
  EXPECT_EQ(wakes_, 0);
}

TEST_F(WebhookReplaysTest, OfEntriesThatWerePrunedNameWhereToBegin) {
  const std::string open = R"({"endpointId":"12","after":"k3f9-100"})";
  refuse(ports::WebhookRefusal::pruned);
  bench_.events.log_head = ports::LogHead{"k3f9", 501, 1'042};
  const Json told = expect_problem(start(open), 409, "CONFLICT");
  EXPECT_EQ(told["detail"], "gap: after lies before entries that were pruned: begin after k3f9-500.");
  EXPECT_EQ(told["errors"][0]["field"], "after");
  bench_.events.log_head = tl::unexpected(ports::StoreFailure::unavailable);
  expect_problem(start(open), 503, "SERVICE_UNAVAILABLE");
}

TEST_F(WebhookReplaysTest, AreListedAndShown) {
  webhooks_.all_replays = ports::WebhookReplayPage{{sample_replay()}, false};
  EXPECT_EQ(body_json(bench_.ask(path + "?limit=5", manager_)),
            Json::parse(R"({"replays":[)" + sample_json + R"(],"has_more":false,"next_cursor":null})"));
  ASSERT_EQ(webhooks_.replay_queries.size(), 1u);
  EXPECT_EQ(webhooks_.replay_queries[0].limit, 5u);
  EXPECT_EQ(webhooks_.replay_queries[0].endpoint, std::nullopt);
  EXPECT_EQ(webhooks_.replay_queries[0].before, std::nullopt);
  expect_bad_fields(bench_.ask(path + "?limit=0&cursor=x&endpointId=y&z=1", manager_),
                    {"endpointId", "limit", "cursor", "z"});
  ports::WebhookReplay failed = sample_replay();
  failed.state = ports::WebhookReplayState::failed;
  failed.message = "The log is another one.";
  failed.finished_at = 3'000;
  webhooks_.known_replay = std::optional(failed);
  const Json shown = body_json(bench_.ask(path + "/4", manager_));
  EXPECT_EQ(shown["state"], "failed");
  EXPECT_EQ(shown["message"], "The log is another one.");
  EXPECT_EQ(shown["finishedAt"], "1970-01-01T00:00:03.000Z");
  webhooks_.known_replay = std::optional<ports::WebhookReplay>();
  expect_problem(bench_.ask(path + "/5", manager_), 404, "NOT_FOUND");
  expect_problem(bench_.ask(path + "/x", manager_), 404, "NOT_FOUND");
  EXPECT_EQ(webhooks_.found, (std::vector<std::uint64_t>{4, 5}));
}

TEST_F(WebhookReplaysTest, AreListedInPagesThatGoWithTheirEndpoint) {
  webhooks_.all_replays = ports::WebhookReplayPage{{sample_replay()}, true};
  const Json page = body_json(bench_.ask(path + "?endpointId=12&limit=1", manager_));
  EXPECT_EQ(page["has_more"], true);
  const std::string cursor = page["next_cursor"];
  EXPECT_EQ(bench_.ask(path + "?endpointId=12&cursor=" + cursor, manager_).status, 200u);
  ASSERT_EQ(webhooks_.replay_queries.size(), 2u);
  EXPECT_EQ(webhooks_.replay_queries[1].endpoint, 12u);
  EXPECT_EQ(webhooks_.replay_queries[1].before, 4u);
  EXPECT_EQ(webhooks_.replay_queries[1].limit, 20u);
  for (const std::string& other : {"?cursor=" + cursor, "?endpointId=13&cursor=" + cursor}) {
    expect_bad_fields(bench_.ask(path + other, manager_), {"cursor"});
  }
  EXPECT_EQ(webhooks_.replay_queries.size(), 2u);
}

TEST_F(WebhookReplaysTest, ArePausedResumedAndCancelled) {
  using Action = ports::Webhooks::ReplayAction;
  for (const auto& [method, target, action] :
       {std::tuple("POST", "/4/pause", Action::pause), std::tuple("POST", "/4/resume", Action::resume),
        std::tuple("DELETE", "/4", Action::cancel)}) {
    const net::Response response = bench_.ask(path + target, manager_, method);
    EXPECT_EQ(response.status, 200u);
    EXPECT_EQ(body_json(response), Json::parse(sample_json));
    EXPECT_EQ(webhooks_.steered.back(), std::pair(std::uint64_t{4}, action));
  }
  EXPECT_EQ(wakes_, 3);
  refuse(ports::WebhookRefusal::wrong_state);
  expect_problem(bench_.ask(path + "/4/pause", manager_, "POST"), 409, "CONFLICT");
  refuse(ports::WebhookRefusal::unknown);
  expect_problem(bench_.ask(path + "/4", manager_, "DELETE"), 404, "NOT_FOUND");
  expect_problem(bench_.ask(path + "/x", manager_, "DELETE"), 404, "NOT_FOUND");
  EXPECT_EQ(webhooks_.steered.size(), 5u);
}

}  // namespace
}  // namespace fluxora::api::test
