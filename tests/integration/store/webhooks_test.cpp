// ports::Webhooks and ports::WebhookUpkeep over a real PostgreSQL, whose URL is in DATABASE_URL.
#include "fluxora/ports/webhooks.hpp"

#include <atomic>
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

namespace fluxora::store {
namespace {

using ports::WebhookOutcome;
using ports::WebhookRefusal;
using ports::WebhookReplayState;

constexpr std::uint64_t entries = 500;
constexpr core::UnixMillis far_future = 4'000'000'000'000;

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

  Webhooks() : connection_(options().database_url), store_(options(), log_) {
    run("TRUNCATE webhook_endpoints, webhook_messages, webhook_deliveries, webhook_lanes, webhook_dispatchers,"
        " webhook_attempts, webhook_replays, events RESTART IDENTITY");
    run("INSERT INTO events (seq, event, kind, stream_id, event_id, closed_at, in_successful_call, topics, value, "
        "change)"
        " SELECT n, CASE WHEN n % 2 = 0 THEN 'stream.updated' ELSE 'stream.created' END, 'x', 'stream-' || n % 7,"
        " 'event-' || n, 1700000000 + n, true, '\\x00000000', '\\x', '{}' FROM generate_series(1, " +
        std::to_string(entries) + ") AS n");
    run("UPDATE log_head SET seq = " + std::to_string(entries));
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

  ports::Webhooks& webhooks() { return store_.webhooks(); }

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
  Store store_;
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

TEST_F(Webhooks, ConfiguredEndpointFollowsTheConfiguration) {
  const auto version = [this] { return number("SELECT webhooks_version FROM log_head"); };
  upkeep_->configure(std::nullopt);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_endpoints"), 0);
  upkeep_->configure(ports::ConfiguredEndpoint{"https://one.test/"});
  EXPECT_EQ(configured_state(), "https://one.test/ true ");
  const std::int64_t made = version();
  upkeep_->configure(ports::ConfiguredEndpoint{"https://one.test/"});
  EXPECT_EQ(version(), made) << "nothing has changed";
  run("UPDATE webhook_endpoints SET enabled = false, disabled_reason = 'gone'");
  upkeep_->configure(ports::ConfiguredEndpoint{"https://one.test/"});
  EXPECT_EQ(configured_state(), "https://one.test/ false gone") << "a new start is no reason to ask again";
  EXPECT_TRUE(enable(1, true));
  EXPECT_EQ(enable(1, false).error(), WebhookRefusal::configured);
  upkeep_->configure(std::nullopt);
  EXPECT_EQ(configured_state(), "https://one.test/ false configuration");
  EXPECT_EQ(enable(1, true).error(), WebhookRefusal::configured);
  upkeep_->configure(ports::ConfiguredEndpoint{"https://two.test/"});
  EXPECT_EQ(configured_state(), "https://two.test/ true ");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_endpoints"), 1);
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
  EXPECT_EQ(backlog.overfull, std::vector<std::uint64_t>{one});
  EXPECT_EQ(backlog.endpoints_enabled, 2u);
  EXPECT_TRUE(upkeep_->backlog(entries).overfull.empty());
  EXPECT_TRUE(enable(one, false));
  const ports::DeliveryBacklog without = upkeep_->backlog(entries - 1);
  EXPECT_TRUE(without.overfull.empty()) << "nothing more comes to it";
  EXPECT_EQ(without.endpoints_disabled, 1u);
  EXPECT_GT(without.oldest_waiting, 5);
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

// Dispatchers, operators, replays, pruning and endpoints that come and go, all at once: whatever the order, no lock is
// waited for in a circle, nothing waits without a lane, and nothing is there without what belongs to it.
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
    const Worker workers[] = {{400, dispatch(1)}, {400, dispatch(2)},  {150, operate(3)},
                              {150, operate(4)},  {200, look_after()}, {200, look_after()}};
  }
  expect_sound();
  EXPECT_GT(done, 0U);
  EXPECT_GT(number("SELECT count(*) FROM webhook_replays WHERE deliveries > 0"), 0);
  EXPECT_TRUE(log_.lines("database_error").empty());
}

}  // namespace
}  // namespace fluxora::store
