// ports::Webhooks and ports::WebhookUpkeep over a real PostgreSQL, whose URL is in DATABASE_URL.
#include "fluxora/ports/webhooks.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "fake_log.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/webhook_upkeep.hpp"
#include "fluxora/store/store.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {
namespace {

using ports::WebhookOutcome;
using ports::WebhookRefusal;
using ports::WebhookReplayState;

constexpr std::uint64_t entries = 500;
constexpr core::UnixMillis far_future = 4'000'000'000'000;

constexpr std::chrono::seconds deadline{30};  // of what would never end

StoreOptions options() {
  const char* url = std::getenv("DATABASE_URL");
  if (url == nullptr) throw std::runtime_error("DATABASE_URL isn't set");
  StoreOptions options;
  options.database_url = url;
  return options;
}

ports::AuditRecord operator_record() {
  ports::AuditRecord by;
  by.actor = "key:1";
  return by;
}

class Webhooks : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fakes::FakeLog log;
    migrate(options(), log);
  }

  Webhooks() : connection_(options().database_url) {
    run("TRUNCATE webhook_endpoints, webhook_former_secrets, webhook_messages, webhook_deliveries, webhook_lanes, "
        "webhook_dispatchers,"
        " webhook_attempts, webhook_replays, events RESTART IDENTITY");
    run("CREATE TABLE IF NOT EXISTS events_of_test PARTITION OF events DEFAULT");
    run("INSERT INTO events (seq, event, kind, stream_id, event_id, closed_at, in_successful_call, topics, value, "
        "change)"
        " SELECT n, CASE WHEN n % 2 = 0 THEN 'stream.updated' ELSE 'stream.created' END, 'x', 'stream-' || n % 7,"
        " 'event-' || n, 1700000000 + n, true, '\\x00000000', '\\x', '{}' FROM generate_series(1, " +
        std::to_string(entries) + ") AS n");
    run("UPDATE log_head SET oldest_seq = 1, seq = " + std::to_string(entries));
    epoch_ = run("SELECT epoch FROM log_head")[0][0].c_str();
  }

  pqxx::result run(const std::string& sql) { return pqxx::nontransaction(connection_).exec(sql); }
  std::int64_t number(const std::string& sql) { return run(sql)[0][0].as<std::int64_t>(); }

  /// What the store replies to a call.
  template <class T>
  static T answer(const std::function<void(ports::Reply<T>)>& call) {
    std::promise<ports::StoreResult<T>> replied;
    auto future = replied.get_future();
    call([&](ports::StoreResult<T> result) { replied.set_value(std::move(result)); });
    auto result = future.get();
    if (!result) throw std::runtime_error("the store has no answer");
    return std::move(*result);
  }

  ports::Webhooks& webhooks() {
    if (!store_) store_ = std::make_unique<Store>(options(), log_);
    return store_->webhooks();
  }

  /// Ends every other session of this database: the server counts what a session has read at the latest when it ends.
  /// Ours hands in what it did until now, TRUNCATE's reading of a table for its new indexes among it.
  void end_others() {
    run("SELECT pg_stat_force_next_flush()");
    upkeep_.reset();
    store_.reset();
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                  " AND backend_type = 'client backend'") > 1) {
      if (std::chrono::steady_clock::now() > end) throw std::runtime_error("another session doesn't end");
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  std::uint64_t create(ports::WebhookFilter filter = {}) {
    return answer<WebhookOutcome<ports::WebhookEndpoint>>([&](auto reply) {
             webhooks().create(
                 {"https://receiver.test/", "", std::move(filter), true}, [](std::uint64_t) { return core::Bytes{1}; },
                 operator_record(), reply);
           })
        ->id;
  }
  WebhookOutcome<ports::WebhookEndpoint> enable(std::uint64_t id, bool enabled) {
    ports::WebhookEndpointChange change;
    change.enabled = enabled;
    return answer<WebhookOutcome<ports::WebhookEndpoint>>(
        [&](auto reply) { webhooks().change(id, change, operator_record(), reply); });
  }
  WebhookOutcome<bool> remove(std::uint64_t id) {
    return answer<WebhookOutcome<bool>>([&](auto reply) { webhooks().remove(id, operator_record(), reply); });
  }
  /// Until when a former secret signs, then.
  std::optional<core::UnixMillis> rotate(std::uint64_t id, std::uint8_t secret,
                                         std::optional<core::UnixMillis> former_until) {
    return answer<WebhookOutcome<ports::WebhookEndpoint>>([&](auto reply) {
             webhooks().rotate(id, {core::Bytes{secret}, former_until}, operator_record(), reply);
           })
        ->previous_secret_until;
  }
  /// Of all endpoints, each with the present one first and the oldest one last.
  std::string secrets() {
    return run("SELECT coalesce(string_agg(get_byte(secret, 0)::text, ' ' ORDER BY endpoint, number DESC), '') FROM"
               " (SELECT id AS endpoint, 1000000 AS number, secret FROM webhook_endpoints WHERE secret IS NOT NULL"
               " UNION ALL SELECT endpoint, number, secret FROM webhook_former_secrets) s")[0][0]
        .c_str();
  }
  WebhookOutcome<ports::WebhookDelivery> redeliver(std::uint64_t endpoint, std::uint64_t seq) {
    return answer<WebhookOutcome<ports::WebhookDelivery>>(
        [&](auto reply) { webhooks().redeliver({endpoint, epoch_, seq}, operator_record(), reply); });
  }
  WebhookOutcome<ports::WebhookReplay> replay(std::uint64_t endpoint, std::uint64_t after) {
    return answer<WebhookOutcome<ports::WebhookReplay>>([&](auto reply) {
      webhooks().start_replay(endpoint, {epoch_, after}, std::nullopt, operator_record(), reply);
    });
  }
  ports::WebhookReplay replay_now(std::uint64_t id) {
    return *answer<std::optional<ports::WebhookReplay>>([&](auto reply) { webhooks().replay(id, reply); });
  }
  std::string configured_state() {
    return run("SELECT url || ' ' || enabled || ' ' || disabled_reason FROM webhook_endpoints WHERE configured")[0][0]
        .c_str();
  }

  /// Everything that waits has its lane and the other way round; messages count their deliveries, and each has one.
  void expect_sound() {
    EXPECT_EQ(number("SELECT count(*) FROM (SELECT DISTINCT endpoint, epoch, lane FROM webhook_deliveries"
                     " WHERE state = 0) waiting FULL JOIN webhook_lanes l USING (endpoint, epoch, lane)"
                     " WHERE waiting.endpoint IS NULL OR l.endpoint IS NULL"),
              0);
    EXPECT_EQ(number("SELECT count(*) FROM webhook_messages m FULL JOIN (SELECT epoch, seq, count(*) AS made FROM"
                     " webhook_deliveries GROUP BY epoch, seq) d USING (epoch, seq)"
                     " WHERE m.deliveries IS DISTINCT FROM d.made"),
              0);
    EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE (state = 0) <> (finished_at_ms IS NULL)"), 0);
  }

  fakes::FakeLog log_;
  pqxx::connection connection_;
  std::unique_ptr<Store> store_;  // opened by webhooks()
  std::unique_ptr<ports::WebhookUpkeep> upkeep_ = make_webhook_upkeep(options());
  std::string epoch_;
};

TEST_F(Webhooks, ReplayGoesOnStepByStepAndMakesWhatIsOverWaitAgain) {
  const std::uint64_t id = create({{core::EventName::stream_updated}, "", "", ""});
  const std::uint64_t job = replay(id, 100)->id;
  EXPECT_EQ(replay(id, 100).error(), WebhookRefusal::already_running);
  ASSERT_TRUE(upkeep_->advance_replay(150, entries));
  EXPECT_EQ(replay_now(job).place, 250u);
  EXPECT_EQ(replay_now(job).deliveries, 75u);
  EXPECT_FALSE(upkeep_->advance_replay(150, 75)) << "as many wait as may";
  while (upkeep_->advance_replay(150, entries)) {
  }
  EXPECT_EQ(replay_now(job).state, WebhookReplayState::done);
  EXPECT_EQ(replay_now(job).place, entries);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE state = 0 AND seq % 2 = 0"), 200);
  expect_sound();

  run("UPDATE webhook_deliveries SET state = 1, finished_at_ms = 1, attempts = 2, tries = 2 WHERE seq <= 400");
  run("DELETE FROM webhook_lanes WHERE NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint ="
      " webhook_lanes.endpoint AND d.epoch = webhook_lanes.epoch AND d.lane = webhook_lanes.lane AND d.state = 0)");
  const std::string body_before = run("SELECT body FROM webhook_messages WHERE seq = 102")[0][0].c_str();
  run("UPDATE webhook_messages SET body = body || ' '");  // not as it would be made today
  const std::uint64_t again = replay(id, 0)->id;
  while (upkeep_->advance_replay(150, entries)) {
  }
  EXPECT_EQ(replay_now(again).deliveries, 200u) << "150 that were over, and 50 that never were";
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE state = 0 AND tries = 0"), 250);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE attempts = 2"), 150);
  EXPECT_EQ(run("SELECT body FROM webhook_messages WHERE seq = 102")[0][0].c_str(), body_before + " ");
  expect_sound();
}

TEST_F(Webhooks, EnablingWakesWhatRests) {
  const std::uint64_t id = create();
  static_cast<void>(replay(id, 0));
  while (upkeep_->advance_replay(150, entries)) {
  }
  ASSERT_TRUE(enable(id, false));
  const auto queue = make_delivery_queue(options());
  EXPECT_TRUE(queue->claim({100, 100, {}}).lanes.empty());
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes WHERE resting"), 7);
  ASSERT_TRUE(enable(id, true));
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes WHERE resting"), 0);
  EXPECT_EQ(queue->claim({100, 100, {}}).lanes.size(), 7U);
}

TEST_F(Webhooks, TestsHaveNumbersThatDontComeAgain) {
  const std::uint64_t id = create();
  const auto test = [&] {
    run("ALTER SEQUENCE webhook_tests RESTART");  // as a restore takes it back
    const auto made = answer<WebhookOutcome<ports::WebhookDelivery>>(
        [&](auto reply) { webhooks().test(id, "{}", operator_record(), reply); });
    return ports::parse_delivery_id(made->id)->seq;
  };
  const std::uint64_t first = test();
  std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_LT(first, test());
}

TEST_F(Webhooks, ReplayEndsWithItsLogAndWithItsEndpoint) {
  const std::uint64_t id = create();
  const std::uint64_t job = replay(id, 0)->id;
  run("UPDATE log_head SET epoch = 'other'");
  EXPECT_TRUE(upkeep_->advance_replay(10, entries));
  EXPECT_EQ(replay_now(job).state, WebhookReplayState::failed);
  EXPECT_EQ(replay(id, 0).error(), WebhookRefusal::other_epoch);
  run("UPDATE log_head SET epoch = '" + epoch_ + "'");
  EXPECT_EQ(replay(id, entries + 1).error(), WebhookRefusal::beyond_head);
  const std::uint64_t next = replay(id, 0)->id;
  EXPECT_TRUE(remove(id));
  EXPECT_FALSE(upkeep_->advance_replay(10, entries));
  EXPECT_EQ(replay_now(next).state, WebhookReplayState::cancelled);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries"), 0);
}

TEST_F(Webhooks, ReplayOfWhatWasPrunedIsRefusedOrEnds) {
  const std::uint64_t id = create();
  const std::uint64_t job = replay(id, 0)->id;
  EXPECT_TRUE(upkeep_->advance_replay(10, entries));
  EXPECT_EQ(replay_now(job).place, 10U);
  run("UPDATE log_head SET oldest_seq = 11");
  EXPECT_TRUE(upkeep_->advance_replay(10, entries));
  EXPECT_EQ(replay_now(job).place, 20U) << "what it still comes to is there";
  run("UPDATE log_head SET oldest_seq = 22");
  EXPECT_TRUE(upkeep_->advance_replay(10, entries));
  EXPECT_EQ(replay_now(job).state, WebhookReplayState::failed);
  EXPECT_EQ(replay_now(job).message,
            "Entries were pruned before their turn: start another replay after " + epoch_ + "-21");
  EXPECT_EQ(replay(id, 20).error(), WebhookRefusal::pruned);
  EXPECT_EQ(replay(id, 21)->place, 21U);
}

TEST_F(Webhooks, ConfiguredEndpointFollowsTheConfiguration) {
  using ports::ConfiguredChange;
  const auto version = [this] { return number("SELECT webhooks_version FROM log_head"); };
  const auto configure = [this](const char* url, bool starts = true) {
    return upkeep_->configure(url != nullptr ? std::optional(ports::ConfiguredEndpoint{url}) : std::nullopt, starts);
  };
  const char* const one = "https://one.test/";
  const char* const two = "https://two.test/";
  EXPECT_EQ(configure(nullptr), ConfiguredChange::none);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_endpoints"), 0);
  EXPECT_EQ(configure(one), ConfiguredChange::made);
  EXPECT_EQ(configured_state(), "https://one.test/ true ");
  const std::int64_t made = version();
  EXPECT_EQ(configure(one), ConfiguredChange::none);
  EXPECT_EQ(configure(nullptr), ConfiguredChange::none) << "another instance has it";
  EXPECT_EQ(configure(two, false), ConfiguredChange::none) << "one that started later has another URL";
  EXPECT_EQ(version(), made) << "nothing has changed";
  run("UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'gone'");
  EXPECT_EQ(configure(one), ConfiguredChange::none);
  EXPECT_EQ(configured_state(), "https://one.test/ false gone") << "a new start is no reason to ask again";
  EXPECT_TRUE(enable(1, true));
  EXPECT_EQ(enable(1, false).error(), WebhookRefusal::configured);
  EXPECT_EQ(configure(two), ConfiguredChange::moved);
  EXPECT_EQ(configured_state(), "https://two.test/ true ");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_endpoints"), 1);
}

TEST_F(Webhooks, ConfiguredEndpointIsDisabledWhenNobodyHasItForTenMinutes) {
  using ports::ConfiguredChange;
  const ports::ConfiguredEndpoint one{"https://one.test/"};
  const auto said_ago = [this](const std::string& ms) {
    run("UPDATE webhook_endpoints SET configured_at_ms = (extract(epoch FROM clock_timestamp()) * 1000)::bigint - " +
        ms);
  };
  EXPECT_EQ(upkeep_->configure(one, true), ConfiguredChange::made);
  const std::int64_t version = number("SELECT webhooks_version FROM log_head");
  said_ago("590000");
  EXPECT_EQ(upkeep_->configure(std::nullopt, false), ConfiguredChange::none);
  EXPECT_EQ(upkeep_->configure(one, false), ConfiguredChange::none);
  const std::int64_t said = number("SELECT configured_at_ms FROM webhook_endpoints");
  EXPECT_GT(said, number("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint - 300000"));
  EXPECT_EQ(upkeep_->configure(one, false), ConfiguredChange::none);
  EXPECT_EQ(number("SELECT configured_at_ms FROM webhook_endpoints"), said) << "once a minute is enough";
  EXPECT_EQ(number("SELECT webhooks_version FROM log_head"), version) << "nobody who appends has to look again";
  said_ago("600001");
  EXPECT_EQ(upkeep_->configure(std::nullopt, false), ConfiguredChange::disabled);
  EXPECT_EQ(configured_state(), "https://one.test/ false configuration");
  EXPECT_EQ(enable(1, true).error(), WebhookRefusal::configured);
  EXPECT_EQ(upkeep_->configure(std::nullopt, false), ConfiguredChange::none);
  EXPECT_EQ(upkeep_->configure(one, false), ConfiguredChange::enabled) << "an instance that has it all the time";
  EXPECT_EQ(configured_state(), "https://one.test/ true ");
  run("UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'gone', since_seq = 7");
  said_ago("600001");
  EXPECT_EQ(upkeep_->configure(std::nullopt, false), ConfiguredChange::disabled);
  EXPECT_EQ(configured_state(), "https://one.test/ false configuration");
  EXPECT_EQ(number("SELECT since_seq FROM webhook_endpoints"), 7) << "it has heard of nothing since";
}

TEST_F(Webhooks, UpkeepDisablesAnEndpointOnce) {
  EXPECT_EQ(upkeep_->configure(ports::ConfiguredEndpoint{"https://one.test/"}, true), ports::ConfiguredChange::made);
  EXPECT_TRUE(upkeep_->disable(1, ports::DisableReason::backlog));
  EXPECT_EQ(configured_state(), "https://one.test/ false backlog");
  EXPECT_FALSE(upkeep_->disable(1, ports::DisableReason::backlog));
  EXPECT_FALSE(upkeep_->disable(99, ports::DisableReason::backlog));
}

TEST_F(Webhooks, FormerSecretsSignUntilTheirOwnEndsAFewAtMost) {
  const std::uint64_t id = create();  // whose secret is 1
  EXPECT_EQ(*rotate(id, 2, far_future), far_future);
  EXPECT_EQ(*rotate(id, 3, far_future - 1), far_future) << "the end of the last of them";
  EXPECT_EQ(secrets(), "3 2 1");
  for (const std::uint8_t secret : {std::uint8_t{4}, std::uint8_t{5}})
    EXPECT_EQ(rotate(id, secret, far_future), far_future);
  EXPECT_EQ(secrets(), "5 4 3 2 1");
  EXPECT_EQ(rotate(id, 6, far_future), far_future);
  EXPECT_EQ(secrets(), "6 5 4 3 2") << "a fifth former one drops the oldest";
  run("UPDATE webhook_former_secrets SET until_ms = 5 WHERE secret IN ('\\x03', '\\x05')");
  EXPECT_EQ(rotate(id, 7, far_future), far_future);
  EXPECT_EQ(secrets(), "7 6 4 2") << "what is over takes no place";
  run("UPDATE webhook_former_secrets SET until_ms = 5 WHERE secret = '\\x04'");
  upkeep_->prune(0, 10);
  EXPECT_EQ(secrets(), "7 6 2");
  EXPECT_EQ(rotate(id, 8, std::nullopt), std::nullopt);
  EXPECT_EQ(secrets(), "8");
  EXPECT_EQ(rotate(id, 9, far_future), far_future);
  EXPECT_TRUE(remove(id));
  EXPECT_EQ(secrets(), "");
}

TEST_F(Webhooks, SecretsAreListedByPagesAndSealedAnewAsLongAsTheyAreTheSame) {
  const std::uint64_t one = create();
  const std::uint64_t other = create();
  rotate(one, 2, far_future);
  rotate(one, 3, far_future);
  run("INSERT INTO webhook_endpoints (configured, url, since_epoch, since_seq) VALUES (true, 'https://c.test/', 'e', "
      "0)");
  std::vector<ports::SealedSecret> listed;
  for (auto page = upkeep_->sealed_secrets(std::nullopt, 3); !page.empty();
       page = upkeep_->sealed_secrets(listed.back(), 3)) {
    EXPECT_LE(page.size(), 3u);
    for (auto& secret : page) listed.push_back(std::move(secret));
  }
  ASSERT_EQ(listed.size(), 4u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(listed[i].endpoint, one);
  EXPECT_EQ(listed[0].number, 0u);
  EXPECT_EQ(listed[0].sealed, core::Bytes{3});
  EXPECT_EQ(listed[1].sealed, core::Bytes{1});
  EXPECT_EQ(listed[2].sealed, core::Bytes{2});
  EXPECT_EQ(listed[3].endpoint, other);
  EXPECT_TRUE(upkeep_->reseal(listed[0], {33}));
  EXPECT_TRUE(upkeep_->reseal(listed[1], {11}));
  EXPECT_FALSE(upkeep_->reseal(listed[1], {12})) << "it was sealed anew already";
  EXPECT_EQ(secrets(), "33 2 11 1");
  rotate(one, 4, far_future);
  EXPECT_FALSE(upkeep_->reseal({one, 0, {33}}, {34})) << "it is a former one by now";
  EXPECT_EQ(secrets(), "4 33 2 11 1");
}

TEST_F(Webhooks, PagesOfAllGoOnBehindOneThatIsGone) {
  const std::uint64_t id = create();
  EXPECT_TRUE(replay(id, entries - 5));
  while (upkeep_->advance_replay(entries, entries)) {
  }
  run("UPDATE webhook_deliveries SET state = 2, finished_at_ms = 7, created_at_ms = seq / 2; DELETE FROM "
      "webhook_lanes");
  ports::DeliveryQuery query;
  query.state = ports::DeliveryState::dead;
  query.limit = 2;
  const auto page = [&] {
    return answer<ports::DeliveryPage>([&](auto reply) { webhooks().deliveries(query, reply); });
  };
  std::vector<std::uint64_t> seqs;
  for (;;) {
    const ports::DeliveryPage shown = page();
    for (const auto& delivery : shown.deliveries) seqs.push_back(delivery.cursor->seq);
    if (!shown.has_more) break;
    query.after = {{id, epoch_, seqs.back()}, shown.deliveries.back().created_at};
    run("DELETE FROM webhook_deliveries WHERE seq = " + std::to_string(seqs.back()));
  }
  EXPECT_EQ(seqs, (std::vector<std::uint64_t>{entries, entries - 1, entries - 2, entries - 3, entries - 4}));
}

TEST_F(Webhooks, WhatWaitedForADeletedEndpointIsDueNoMore) {
  const std::uint64_t id = create();
  EXPECT_TRUE(replay(id, entries - 1));
  EXPECT_TRUE(upkeep_->advance_replay(entries, entries));
  const auto shown = [&] {
    return answer<std::optional<ports::WebhookDeliveryDetails>>(
               [&](auto reply) { webhooks().delivery({id, epoch_, entries}, reply); })
        ->delivery;
  };
  EXPECT_TRUE(shown().due_at);
  EXPECT_TRUE(remove(id));
  EXPECT_EQ(shown().state, ports::DeliveryState::cancelled);
  EXPECT_FALSE(shown().due_at);
  EXPECT_TRUE(shown().finished_at);
}

TEST_F(Webhooks, ReplaysAreListedByPagesOfAllOrOfAnEndpoint) {
  const std::uint64_t one = create();
  const std::uint64_t other = create();
  std::vector<std::uint64_t> jobs;
  for (const std::uint64_t endpoint : {one, other, one, one}) {
    jobs.push_back(replay(endpoint, 0)->id);
    run("UPDATE webhook_replays SET state = 'done'");
  }
  const auto listed = [&](ports::WebhookReplayQuery query) {
    std::vector<std::uint64_t> ids;
    const auto page = answer<ports::WebhookReplayPage>([&](auto reply) { webhooks().replays(query, reply); });
    for (const ports::WebhookReplay& job : page.replays) ids.push_back(job.id);
    return std::pair(ids, page.has_more);
  };
  using Page = std::pair<std::vector<std::uint64_t>, bool>;
  EXPECT_EQ(listed({std::nullopt, std::nullopt, 3}), (Page{{jobs[3], jobs[2], jobs[1]}, true}));
  EXPECT_EQ(listed({std::nullopt, jobs[1], 3}), (Page{{jobs[0]}, false}));
  EXPECT_EQ(listed({one, std::nullopt, 2}), (Page{{jobs[3], jobs[2]}, true}));
  EXPECT_EQ(listed({one, jobs[2], 1}), (Page{{jobs[0]}, false}));
}

TEST_F(Webhooks, BacklogCountsWhatWaits) {
  const std::uint64_t one = create();
  const std::uint64_t other = create({{core::EventName::stream_updated}, "", "", ""});
  EXPECT_TRUE(replay(one, 0));
  EXPECT_TRUE(replay(other, 0));
  EXPECT_EQ(upkeep_->backlog(1'000).replays_running, 2u);
  while (upkeep_->advance_replay(entries, entries + 1)) {
  }
  run("UPDATE webhook_deliveries SET created_at_ms = 5 WHERE seq = 1");
  const ports::DeliveryBacklog backlog = upkeep_->backlog(entries - 1);
  EXPECT_EQ(backlog.waiting, entries + entries / 2);
  EXPECT_EQ(backlog.overfull, (std::vector<ports::OverfullEndpoint>{{one, entries}}));
  EXPECT_EQ(backlog.endpoints_enabled, 2u);
  EXPECT_TRUE(upkeep_->backlog(entries).overfull.empty());
  EXPECT_TRUE(enable(one, false));
  const ports::DeliveryBacklog without = upkeep_->backlog(entries - 1);
  EXPECT_TRUE(without.overfull.empty()) << "nothing more comes to it";
  EXPECT_EQ(without.endpoints_disabled, 1u);
  EXPECT_GT(without.oldest_waiting, 5);
}

// By what the planner believes of such a table, it would read it from its beginning for each endpoint that has nothing.
TEST_F(Webhooks, WhatWaitsIsLookedForWhereItWaitsHoweverUnevenItIs) {
  for (int i = 0; i < 100; ++i) create();
  run("INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane) SELECT e, '" + epoch_ +
      "', n, 'stream-' || n % 1000 FROM generate_series(1, 2) AS e, generate_series(1, 100000) AS n");
  EXPECT_TRUE(replay(1, 0));
  EXPECT_TRUE(replay(50, 0));
  EXPECT_TRUE(enable(2, false));
  run("ANALYZE webhook_deliveries, webhook_endpoints, webhook_replays");
  const auto scans = [this] {
    return number("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'webhook_deliveries'");
  };
  const auto index_scans = [this](const std::string& index) {
    return number("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'webhook_deliveries_" + index + "'");
  };
  end_others();
  const std::int64_t before = scans();
  const std::int64_t by_key = index_scans("pkey");
  const std::int64_t by_waiting = index_scans("waiting");

  upkeep_ = make_webhook_upkeep(options());
  const ports::DeliveryBacklog backlog = upkeep_->backlog(50'000);
  EXPECT_EQ(backlog.waiting, 100'000 + ports::most_of_disabled_counted);
  EXPECT_EQ(backlog.overfull, (std::vector<ports::OverfullEndpoint>{{1, 100'000}}));
  EXPECT_EQ(upkeep_->backlog(9'000).overfull, (std::vector<ports::OverfullEndpoint>{{1, 90'000}})) << "counted so far";
  end_others();
  EXPECT_EQ(scans(), before) << "of the whole table";
  EXPECT_EQ(index_scans("pkey"), by_key) << "which has what is over, too";
  const std::int64_t by_waiting_then = index_scans("waiting");
  EXPECT_GT(by_waiting_then, by_waiting);

  upkeep_ = make_webhook_upkeep(options());
  EXPECT_TRUE(upkeep_->advance_replay(entries + 1, 1'000));
  EXPECT_EQ(replay_now(2).state, WebhookReplayState::done);
  EXPECT_FALSE(upkeep_->advance_replay(entries, 1'000)) << "enough waits";
  end_others();
  EXPECT_EQ(scans(), before) << "of the whole table";
  EXPECT_GT(index_scans("waiting"), by_waiting_then);
}

/// Rounds of one of those who work beside each other.
class Worker {
 public:
  Worker(unsigned rounds, std::function<void()> round)
      : thread_([rounds, round = std::move(round)] {
          for (unsigned i = 0; i < rounds; ++i) EXPECT_NO_THROW(round());
        }) {}
  ~Worker() { thread_.join(); }

 private:
  std::thread thread_;
};

// Dispatchers, appenders, operators, replays, pruning and endpoints that come and go, all at once: whatever the order,
// no lock is waited for in a circle, nothing waits without a lane, and nothing is there without what belongs to it.
TEST_F(Webhooks, EverybodyAtOnceLeavesThemSound) {
  for (int i = 0; i < 4; ++i) create();
  const auto dispatch = [](unsigned seed) {
    return [random = std::mt19937(seed), queue = std::shared_ptr(make_delivery_queue(options()))]() mutable {
      ports::ClaimWish wish;
      wish.lanes = 40;
      wish.lanes_an_endpoint = 10;
      ports::DispatchRecord record;
      for (const ports::ClaimedLane& lane : queue->claim(wish).lanes) {
        for (const ports::ClaimedDelivery& delivery : lane.deliveries) {
          ports::AttemptRecord attempt;
          attempt.lane = lane.key;
          attempt.seq = delivery.seq;
          attempt.number = delivery.attempts + 1;
          attempt.end = random() % 4 == 0 ? ports::AttemptEnd::dead : ports::AttemptEnd::delivered;
          record.attempts.push_back(std::move(attempt));
          if (random() % 6 == 0) break;
        }
        record.releases.push_back({lane.key, 0});
      }
      queue->record(record);
      if (random() % 40 == 0) {
        static_cast<void>(queue->disable(1 + random() % 8, "https://receiver.test/", ports::DisableReason::gone));
      }
    };
  };
  // As whoever appends to the log.
  const auto append = [](unsigned seed) {
    return [random = std::mt19937(seed), fan_out = std::make_shared<WebhookFanOut>(),
            connection = std::make_shared<pqxx::connection>(options().database_url)]() mutable {
      pqxx::work sql(*connection);
      const pqxx::row head = sql.exec("UPDATE log_head SET seq = seq + 3 RETURNING epoch, webhooks_version, seq")[0];
      fan_out->log_is_locked(head[0].c_str(), head[1].as<std::int64_t>());
      std::vector<core::LogEntry> added(3);
      for (std::uint64_t i = 0; i < added.size(); ++i) {
        added[i].seq = head[2].as<std::uint64_t>() - 2 + i;
        added[i].stream_id = "stream-" + std::to_string(random() % 7);
      }
      fan_out->write(sql, added, "");
      sql.commit();
    };
  };
  std::atomic<unsigned> done{0};  // of what operators ask for; the rest is refused
  const auto operate = [this, &done](unsigned seed) {
    return [this, &done, random = std::mt19937(seed)]() mutable {
      const auto count = [&done](bool was_done) { done += was_done ? 1U : 0U; };
      const std::uint64_t id = 1 + random() % 8;
      switch (random() % 6) {
        case 0: return count(replay(id, random() % entries).has_value());
        case 1: return count(enable(id, random() % 3 != 0).has_value());
        case 2: return count(remove(id).has_value());
        case 3: return count(create() > 0);
        case 4:
          return count(answer<WebhookOutcome<std::uint64_t>>([&](auto reply) {
                         webhooks().redeliver_dead(id, 50, operator_record(), reply);
                       }).has_value());
        default:
          for (int i = 0; i < 10; ++i) count(redeliver(id, 1 + random() % entries).has_value());
          return count(answer<WebhookOutcome<ports::WebhookDelivery>>([&](auto reply) {
                         webhooks().test(id, "{}", operator_record(), reply);
                       }).has_value());
      }
    };
  };
  const auto look_after = [] {
    return [upkeep = std::shared_ptr(make_webhook_upkeep(options()))] {
      upkeep->advance_replay(100, entries);
      upkeep->prune(far_future, 20);
      upkeep->backlog(100);
    };
  };
  {
    const Worker workers[] = {{400, dispatch(1)},  {400, dispatch(2)},  {150, operate(3)}, {150, operate(4)},
                              {200, look_after()}, {200, look_after()}, {150, append(5)},  {150, append(6)}};
  }
  expect_sound();
  EXPECT_GT(number("SELECT count(*) FROM webhook_messages WHERE seq > " + std::to_string(entries)), 0);
  EXPECT_GT(done, 0U);
  EXPECT_GT(number("SELECT count(*) FROM webhook_replays WHERE deliveries > 0"), 0);
  EXPECT_TRUE(log_.lines("database_error").empty());
}

}  // namespace
}  // namespace fluxora::store
