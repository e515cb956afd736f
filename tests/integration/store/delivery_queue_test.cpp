// ports::DeliveryQueue over a real PostgreSQL, whose URL is in DATABASE_URL.
#include "fluxora/ports/delivery_queue.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "fake_log.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/ports/store_result.hpp"
#include "fluxora/store/store.hpp"
#include "rows.hpp"
#include "webhook_endpoints.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {
namespace {

using ports::AttemptEnd;
using ports::DisableEnd;
using ports::LaneKey;
using std::chrono::steady_clock;

constexpr std::int64_t hour_ms = 3'600'000;
constexpr std::chrono::seconds deadline{30};  // of what a broken queue would never do
const std::string epoch = "abcd1234";

StoreOptions options() {
  const char* url = std::getenv("DATABASE_URL");
  if (url == nullptr) throw std::runtime_error("DATABASE_URL isn't set");
  StoreOptions options;
  options.database_url = url;
  return options;
}

class DeliveryQueue : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fakes::FakeLog log;
    migrate(options(), log);
  }

  DeliveryQueue() : connection_(options().database_url) {
    run("TRUNCATE webhook_endpoints, webhook_former_secrets, webhook_messages, webhook_deliveries, webhook_lanes, "
        "webhook_dispatchers,"
        " webhook_attempts RESTART IDENTITY");
  }

  pqxx::result run(const std::string& sql) { return pqxx::nontransaction(connection_).exec(sql); }
  std::int64_t number(const std::string& sql) { return run(sql)[0][0].as<std::int64_t>(); }

  /// Endpoints 1 to `count`.
  void make_endpoints(unsigned count) {
    run("INSERT INTO webhook_endpoints (url, secret, since_epoch, since_seq) SELECT 'https://receiver.test/' || n,"
        " '\\x0102', 'e', 0 FROM generate_series(1, " +
        std::to_string(count) + ") AS n");
  }

  /// A delivery as appenders make it, due now, of so many bytes.
  void add(std::uint64_t endpoint, const std::string& lane, std::uint64_t seq, std::size_t size = 10) {
    add_with(connection_, endpoint, lane, seq, size);
  }
  static void add_with(pqxx::connection& connection, std::uint64_t endpoint, const std::string& lane, std::uint64_t seq,
                       std::size_t size = 10) {
    pqxx::work sql(connection);
    add_in(sql, endpoint, lane, seq, size);
    sql.commit();
  }
  static void add_in(pqxx::transaction_base& sql, std::uint64_t endpoint, const std::string& lane, std::uint64_t seq,
                     std::size_t size) {
    const std::string place = sql.quote(epoch) + ", " + std::to_string(seq);
    sql.exec("INSERT INTO webhook_messages (epoch, seq, event, stream_id, body, deliveries) VALUES (" + place +
             ", 'stream.updated', " + sql.quote(lane) + ", " + sql.quote(body_of(seq, size)) +
             ", 1) ON CONFLICT DO NOTHING");
    sql.exec("INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane) VALUES (" + std::to_string(endpoint) + ", " +
             place + ", " + sql.quote(lane) + ")");
    sql.exec(open_lanes_sql("SELECT " + std::to_string(endpoint) + "::bigint AS endpoint, " + sql.quote(epoch) +
                            "::text AS epoch, " + sql.quote(lane) + "::text AS lane"));
  }
  static std::string body_of(std::uint64_t seq, std::size_t size) {
    std::string body = "body " + std::to_string(seq) + " ";
    body.resize(size, 'x');
    return body;
  }

  static std::unique_ptr<ports::DeliveryQueue> make_queue() { return make_delivery_queue(options()); }

  static ports::Claim claim(ports::DeliveryQueue& queue, std::size_t lanes = 100, std::size_t an_endpoint = 100,
                            std::vector<ports::EndpointRoom> rooms = {}) {
    return queue.claim({lanes, an_endpoint, std::move(rooms)});
  }

  /// What the lanes are: "endpoint/lane:seq,seq".
  static std::vector<std::string> names(const ports::Claim& claim) {
    std::vector<std::string> names;
    for (const ports::ClaimedLane& lane : claim.lanes) {
      std::string name = std::to_string(lane.key.endpoint) + "/" + lane.key.lane + ":";
      for (const ports::ClaimedDelivery& delivery : lane.deliveries) {
        name += (name.back() == ':' ? "" : ",") + std::to_string(delivery.seq);
      }
      names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  using Names = std::vector<std::string>;

  static ports::AttemptRecord attempt(const LaneKey& lane, const ports::ClaimedDelivery& delivery, AttemptEnd end) {
    ports::AttemptRecord record;
    record.lane = lane;
    record.seq = delivery.seq;
    record.number = delivery.attempts + 1;
    record.end = end;
    record.at = 1'000;
    record.duration_ms = 12;
    record.status = end == AttemptEnd::delivered ? 200U : 500U;
    record.response = "how it begins";
    return record;
  }

  /// All that was claimed ends that way, and its lanes are given back.
  static ports::DispatchRecord all(const ports::Claim& claim, AttemptEnd end, std::int64_t pause_ms = 0) {
    ports::DispatchRecord record;
    for (const ports::ClaimedLane& lane : claim.lanes) {
      for (const ports::ClaimedDelivery& delivery : lane.deliveries) {
        record.attempts.push_back(attempt(lane.key, delivery, end));
      }
      record.releases.push_back({lane.key, pause_ms});
    }
    return record;
  }

  /// "seq:state:attempts:tries" of every delivery.
  std::string deliveries() {
    return run("SELECT coalesce(string_agg(concat_ws(':', seq, state, attempts, tries), ' ' ORDER BY endpoint, seq), "
               "'')"
               " FROM webhook_deliveries")[0][0]
        .c_str();
  }

  pqxx::connection connection_;
};

TEST_F(DeliveryQueue, GivesWhatIsDueWithAllThatIsNeededToSendIt) {
  make_endpoints(2);
  run("UPDATE webhook_endpoints SET failing_since_ms = 55 WHERE id = 2;"
      "INSERT INTO webhook_former_secrets (endpoint, secret, until_ms) VALUES (2, '\\x03', 77), (2, '\\x04', 66);"
      "UPDATE webhook_endpoints SET secret = NULL WHERE id = 1");
  add(1, "a", 5);
  add(2, "a", 5);
  add(2, "", 6);
  run("UPDATE webhook_deliveries SET attempts = 4, tries = 3 WHERE seq = 6");
  const auto queue = make_queue();
  const ports::Claim claimed = claim(*queue);
  EXPECT_FALSE(claimed.lost_former);
  EXPECT_EQ(names(claimed), (Names{"1/a:5", "2/:6", "2/a:5"}));
  std::map<std::pair<std::uint64_t, std::uint64_t>, const ports::ClaimedDelivery*> by_place;
  for (const ports::ClaimedLane& lane : claimed.lanes) {
    EXPECT_EQ(lane.key.epoch, epoch);
    by_place[{lane.key.endpoint, lane.deliveries.at(0).seq}] = &lane.deliveries.at(0);
  }
  const ports::ClaimedDelivery& first = *by_place.at({1, 5});
  EXPECT_EQ(first.id, "wd_1_abcd1234_5");
  EXPECT_EQ(first.event, "stream.updated");
  EXPECT_EQ(*first.body, body_of(5, 10));
  EXPECT_EQ(first.attempts, 0U);
  EXPECT_EQ(first.body, by_place.at({2, 5})->body) << "one message, once in memory";
  EXPECT_EQ(by_place.at({2, 6})->attempts, 4U);
  EXPECT_EQ(by_place.at({2, 6})->tries, 3U);

  ASSERT_EQ(claimed.targets.size(), 2U);
  std::map<std::uint64_t, ports::EndpointTarget> targets;
  for (const ports::EndpointTarget& target : claimed.targets) targets[target.id] = target;
  EXPECT_EQ(targets.at(1).url, "https://receiver.test/1");
  EXPECT_EQ(targets.at(1).secret, std::nullopt);
  EXPECT_EQ(targets.at(1).failing_since, std::nullopt);
  EXPECT_EQ(targets.at(2).secret, (core::Bytes{1, 2}));
  EXPECT_EQ(targets.at(1).former_secrets, std::vector<ports::FormerSecret>{});
  EXPECT_EQ(targets.at(2).former_secrets, (std::vector<ports::FormerSecret>{{{4}, 66}, {{3}, 77}}));
  EXPECT_EQ(targets.at(2).failing_since, 55);
}

TEST_F(DeliveryQueue, ALanesDeliveriesComeInOrderAndBounded) {
  make_endpoints(2);
  for (std::uint64_t seq = 40; seq > 0; --seq) add(1, "a", seq);
  const std::size_t half = core::webhook_body_max / 2;
  for (std::uint64_t seq = 101; seq <= 104; ++seq) add(2, "large", seq, half);
  const auto queue = make_queue();
  const ports::Claim claimed = claim(*queue);
  EXPECT_EQ(names(claimed), (Names{"1/a:1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", "2/large:101,102"}));
  queue->record(all(claimed, AttemptEnd::delivered));
  EXPECT_EQ(names(claim(*queue)), (Names{"1/a:17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32", "2/large:103,104"}));
}

TEST_F(DeliveryQueue, EachLaneIsClaimedByOneAtATime) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto first = make_queue();
  const auto second = make_queue();
  const ports::Claim claimed = claim(*first);
  EXPECT_EQ(names(claimed), Names{"1/a:1"});
  add(1, "a", 2);
  add(1, "b", 3);
  EXPECT_EQ(names(claim(*second)), Names{"1/b:3"});
  EXPECT_EQ(names(claim(*first)), Names{}) << "nor again by the same";
  first->record(all(claimed, AttemptEnd::delivered));
  EXPECT_EQ(names(claim(*second)), Names{"1/a:2"});
}

TEST_F(DeliveryQueue, EndpointsHaveTheirTurns) {
  make_endpoints(4);
  for (std::uint64_t seq = 1; seq <= 50; ++seq) add(1, "a" + std::to_string(100 + seq), seq);
  add(2, "b", 60);
  add(4, "d", 61);
  const auto queue = make_queue();
  EXPECT_EQ(names(claim(*queue, 3, 2)), (Names{"1/a101:1", "1/a102:2", "2/b:60"}));
  EXPECT_EQ(names(claim(*queue, 3, 2)), (Names{"1/a103:3", "1/a104:4", "4/d:61"}));
  add(2, "c", 62);
  EXPECT_EQ(names(claim(*queue, 1, 2)), Names{"2/c:62"}) << "whoever comes behind the last one that was served";
  EXPECT_EQ(names(claim(*queue, 1, 2)), Names{"1/a105:5"});
}

TEST_F(DeliveryQueue, EndpointsWithoutRoomAreJumpedOver) {
  make_endpoints(5);
  for (std::uint64_t endpoint = 1; endpoint <= 5; ++endpoint) {
    for (std::uint64_t n = 1; n <= 3; ++n) add(endpoint, "s" + std::to_string(n), endpoint * 10 + n);
  }
  run("UPDATE webhook_endpoints SET enabled = false WHERE id = 2; UPDATE webhook_endpoints SET deleted_at_ms = 1"
      " WHERE id = 3");
  const auto queue = make_queue();
  EXPECT_EQ(names(claim(*queue, 100, 2, {{1, 0}, {4, 1}, {99, 7}})), (Names{"4/s1:41", "5/s1:51", "5/s2:52"}));
}

TEST_F(DeliveryQueue, AsksForNothingWhereNothingIsWanted) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto queue = make_queue();
  EXPECT_TRUE(claim(*queue, 0).lanes.empty());
  EXPECT_EQ(number("SELECT count(*) FROM webhook_dispatchers WHERE alive_until_ms > 0"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes WHERE claimed_by IS NULL"), 1);
}

TEST_F(DeliveryQueue, WhatWasDeliveredIsDoneAndItsLaneGone) {
  make_endpoints(1);
  add(1, "a", 1);
  add(1, "b", 2);
  const auto queue = make_queue();
  queue->record(all(claim(*queue), AttemptEnd::delivered));
  EXPECT_EQ(deliveries(), "1:1:1:1 2:1:1:1");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE finished_at_ms > 0"), 2);
  const pqxx::row row =
      run("SELECT endpoint, epoch, seq, number, at_ms, duration_ms, status, error, detail, response"
          " FROM webhook_attempts WHERE seq = 1")[0];
  EXPECT_EQ(row[0].as<int>(), 1);
  EXPECT_EQ(row[1].c_str(), epoch);
  EXPECT_EQ(row[3].as<int>(), 1);
  EXPECT_EQ(row[4].as<int>(), 1'000);
  EXPECT_EQ(row[5].as<int>(), 12);
  EXPECT_EQ(row[6].as<int>(), 200);
  EXPECT_STREQ(row[9].c_str(), "how it begins");
}

TEST_F(DeliveryQueue, AFailedOneWaitsForItsTimeAndHoldsUpItsLaneAlone) {
  make_endpoints(1);
  add(1, "a", 1);
  add(1, "b", 3);
  const auto queue = make_queue();
  const ports::Claim claimed = claim(*queue);
  add(1, "a", 2);
  queue->record(all(claimed, AttemptEnd::retry, hour_ms));
  EXPECT_EQ(deliveries(), "1:0:1:1 2:0:0:0 3:0:1:1");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE finished_at_ms IS NOT NULL"), 0);
  // By the database's clock.
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes WHERE resting AND due_at_ms BETWEEN " + now_ms + " + " +
                   std::to_string(hour_ms) + " - 60000 AND " + now_ms + " + " + std::to_string(hour_ms)),
            2);
  add(1, "c", 4);
  EXPECT_EQ(names(claim(*queue)), Names{"1/c:4"});
  // Its time has come.
  run("UPDATE webhook_lanes SET due_at_ms = 1 WHERE lane = 'a'");
  const ports::Claim again = claim(*queue);
  ASSERT_EQ(names(again), Names{"1/a:1,2"});
  EXPECT_EQ(again.lanes[0].deliveries[0].attempts, 1U);
  EXPECT_EQ(again.lanes[0].deliveries[0].tries, 1U);
}

TEST_F(DeliveryQueue, ADeadOneLetsTheNextPass) {
  make_endpoints(1);
  add(1, "a", 1);
  add(1, "a", 2);
  const auto queue = make_queue();
  const ports::Claim claimed = claim(*queue);
  ports::DispatchRecord record;
  const LaneKey lane = claimed.lanes.at(0).key;
  record.attempts.push_back(attempt(lane, claimed.lanes[0].deliveries.at(0), AttemptEnd::dead));
  record.releases.push_back({lane, 0});
  queue->record(record);
  EXPECT_EQ(deliveries(), "1:2:1:1 2:0:0:0");
  EXPECT_EQ(names(claim(*queue)), Names{"1/a:2"});
}

TEST_F(DeliveryQueue, AttemptsKeepWhateverAReceiverSays) {
  make_endpoints(1);
  add(1, R"(odd "lane", {with} \ all,)", 1);
  const auto queue = make_queue();
  ports::DispatchRecord record = all(claim(*queue), AttemptEnd::retry);
  record.attempts.at(0).status.reset();
  record.attempts[0].error = "protocol_failed";
  record.attempts[0].detail = R"(it's "odd", \ {NULL})";
  record.attempts[0].response = std::string("zero\0 byte, ü\t\n", 16);
  queue->record(record);
  const pqxx::row row = run("SELECT status, error, detail, response FROM webhook_attempts")[0];
  EXPECT_TRUE(row[0].is_null());
  EXPECT_STREQ(row[1].c_str(), "protocol_failed");
  EXPECT_EQ(row[2].c_str(), record.attempts[0].detail);
  EXPECT_STREQ(row[3].c_str(), "zero\xef\xbf\xbd byte, ü\t\n");
  EXPECT_EQ(claim(*queue).lanes.size(), 1U);
}

TEST_F(DeliveryQueue, ARecordThatIsGivenTwiceCountsOnce) {
  make_endpoints(1);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) add(1, "a", seq);
  const auto queue = make_queue();
  const ports::Claim claimed = claim(*queue);
  // The lane stays ours: its first was delivered, its second is on its way.
  ports::DispatchRecord record;
  record.attempts.push_back(attempt(claimed.lanes.at(0).key, claimed.lanes[0].deliveries.at(0), AttemptEnd::delivered));
  queue->record(record);
  queue->record(record);
  EXPECT_EQ(deliveries(), "1:1:1:1 2:0:0:0 3:0:0:0");
  record.attempts[0] = attempt(claimed.lanes[0].key, claimed.lanes[0].deliveries.at(1), AttemptEnd::retry);
  record.releases.push_back({claimed.lanes[0].key, hour_ms});
  queue->record(record);
  queue->record(record);
  EXPECT_EQ(deliveries(), "1:1:1:1 2:0:1:1 3:0:0:0");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_attempts"), 2);
}

TEST_F(DeliveryQueue, WhatIsNotOursIsLeftOut) {
  make_endpoints(1);
  add(1, "a", 1);
  add(1, "b", 2);
  const auto first = make_queue();
  const ports::Claim claimed = claim(*first);
  run("UPDATE webhook_lanes SET claimed_by = NULL WHERE lane = 'a'");
  const auto second = make_queue();
  EXPECT_EQ(names(claim(*second)), Names{"1/a:1"});
  first->record(all(claimed, AttemptEnd::delivered));
  EXPECT_EQ(deliveries(), "1:0:0:0 2:1:1:1");
  EXPECT_EQ(number("SELECT count(*) FROM webhook_attempts"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes WHERE lane = 'a' AND claimed_by IS NOT NULL"), 1);
}

TEST_F(DeliveryQueue, WhatADeadDispatcherHeldIsAnyones) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto first = make_queue();
  const ports::Claim claimed = claim(*first);
  ASSERT_EQ(names(claimed), Names{"1/a:1"});
  EXPECT_TRUE(claim(*make_queue()).lanes.empty()) << "it lives";
  run("UPDATE webhook_dispatchers SET alive_until_ms = 1 WHERE id = (SELECT claimed_by FROM webhook_lanes)");
  const auto second = make_queue();
  EXPECT_EQ(names(claim(*second)), Names{"1/a:1"});
  first->record(all(claimed, AttemptEnd::delivered));
  EXPECT_EQ(deliveries(), "1:0:0:0");
  // It learns it with its next life sign, once.
  const auto end = steady_clock::now() + deadline;
  while (!claim(*first).lost_former) {
    ASSERT_LT(steady_clock::now(), end);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_FALSE(claim(*first).lost_former);
  add(1, "b", 2);
  EXPECT_EQ(names(claim(*first)), Names{"1/b:2"});
}

TEST_F(DeliveryQueue, AClaimWhoseAnswerIsLostIsNobodys) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto queue = make_queue();
  EXPECT_EQ(names(claim(*queue)), Names{"1/a:1"});
  add(1, "b", 2);
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxora-webhooks'"
      " AND datname = current_database()");
  EXPECT_THROW(claim(*queue), ports::StoreUnavailable);
  const ports::Claim again = claim(*queue);
  EXPECT_TRUE(again.lost_former);
  EXPECT_EQ(names(again), (Names{"1/a:1", "1/b:2"})) << "what it held, too: it can't tell one from the other";
}

TEST_F(DeliveryQueue, ARecordCanBeGivenAgainAfterAnOutage) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto queue = make_queue();
  const ports::DispatchRecord record = all(claim(*queue), AttemptEnd::delivered);
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxora-webhooks'"
      " AND datname = current_database()");
  EXPECT_THROW(queue->record(record), ports::StoreUnavailable);
  queue->record(record);
  EXPECT_EQ(deliveries(), "1:1:1:1");
  EXPECT_FALSE(claim(*queue).lost_former);
}

TEST_F(DeliveryQueue, LeavingGivesAllBack) {
  make_endpoints(1);
  add(1, "a", 1);
  add(1, "b", 2);
  const auto queue = make_queue();
  EXPECT_EQ(claim(*queue).lanes.size(), 2U);
  queue->leave();
  EXPECT_EQ(number("SELECT count(*) FROM webhook_dispatchers"), 0);
  EXPECT_EQ(names(claim(*make_queue())), (Names{"1/a:1", "1/b:2"}));
  queue->leave();
}

TEST_F(DeliveryQueue, ADisabledEndpointGetsNothingAndLosesNothing) {
  make_endpoints(2);
  add(1, "a", 1);
  add(2, "a", 1);
  run("UPDATE log_head SET epoch = 'here', seq = 41");
  const std::int64_t version = number("SELECT webhooks_version FROM log_head");
  const auto queue = make_queue();
  EXPECT_EQ(queue->disable(1, "https://receiver.test/old", ports::DisableReason::gone), DisableEnd::not_enabled);
  EXPECT_EQ(queue->disable(1, "https://receiver.test/1", ports::DisableReason::gone), DisableEnd::done);
  EXPECT_EQ(number("SELECT webhooks_version FROM log_head"), version + 1);
  const pqxx::row row =
      run("SELECT enabled, disabled_reason, since_epoch, since_seq, disabled_at_ms IS NOT NULL"
          " FROM webhook_endpoints WHERE id = 1")[0];
  EXPECT_FALSE(row[0].as<bool>());
  EXPECT_STREQ(row[1].c_str(), "gone");
  EXPECT_STREQ(row[2].c_str(), "here");
  EXPECT_EQ(row[3].as<int>(), 41);
  EXPECT_TRUE(row[4].as<bool>());
  EXPECT_EQ(names(claim(*queue)), Names{"2/a:1"});
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE state = 0"), 2);
  EXPECT_EQ(queue->disable(1, "https://receiver.test/1", ports::DisableReason::failing), DisableEnd::not_enabled)
      << "it was already";
  EXPECT_EQ(queue->disable(99, "https://receiver.test/99", ports::DisableReason::failing), DisableEnd::not_enabled);
  EXPECT_EQ(number("SELECT webhooks_version FROM log_head"), version + 1);
}

TEST_F(DeliveryQueue, DisablingDoesntWaitForLongForWhoeverAppends) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto queue = make_queue();
  {
    pqxx::work appender(connection_);
    appender.exec("SELECT FROM log_head FOR UPDATE");
    EXPECT_EQ(queue->disable(1, "https://receiver.test/1", ports::DisableReason::gone), DisableEnd::not_now);
    EXPECT_EQ(names(claim(*queue)), Names{"1/a:1"}) << "the connection is as it was";
  }
  EXPECT_EQ(number("SELECT count(*) FROM webhook_endpoints WHERE enabled"), 1);
  EXPECT_EQ(queue->disable(1, "https://receiver.test/1", ports::DisableReason::gone), DisableEnd::done);
}

TEST_F(DeliveryQueue, LanesOfDisabledEndpointsRestUntilItIsEnabled) {
  make_endpoints(3);
  for (std::uint64_t seq = 1; seq <= 3; ++seq) {
    for (std::uint64_t endpoint = 1; endpoint <= 3; ++endpoint) add(endpoint, "s" + std::to_string(seq), seq);
  }
  run("UPDATE webhook_endpoints SET enabled = false WHERE id = 1; UPDATE webhook_endpoints SET deleted_at_ms = 1"
      " WHERE id = 3");
  const auto queue = make_queue();
  EXPECT_EQ(names(claim(*queue)), (Names{"2/s1:1", "2/s2:2", "2/s3:3"}));
  const auto resting = [&] {
    return std::string(run("SELECT string_agg(endpoint || ':' || lane, ' ' ORDER BY endpoint, lane)"
                           " FROM webhook_lanes WHERE resting AND due_at_ms > " +
                           now_ms)[0][0]
                           .c_str());
  };
  EXPECT_EQ(resting(), "1:s1 1:s2 1:s3 3:s1 3:s2 3:s3");
  run("UPDATE webhook_endpoints SET enabled = true WHERE id = 1");
  wake_lanes(connection_, 1);
  EXPECT_EQ(resting(), "3:s1 3:s2 3:s3");
  EXPECT_EQ(names(claim(*queue)), (Names{"1/s1:1", "1/s2:2", "1/s3:3"}));
}

TEST_F(DeliveryQueue, LanesOfAnEndpointThatIsJustBeingEnabledDontRest) {
  make_endpoints(1);
  add(1, "a", 1);
  run("UPDATE webhook_endpoints SET enabled = false");
  {
    pqxx::work enabling(connection_);
    enabling.exec("UPDATE webhook_endpoints SET enabled = true");
    EXPECT_EQ(names(claim(*make_queue())), Names{});
    EXPECT_EQ(enabling.exec("SELECT count(*) FROM webhook_lanes WHERE resting")[0][0].as<int>(), 0);
    enabling.commit();
  }
  EXPECT_EQ(names(claim(*make_queue())), Names{"1/a:1"});
}

TEST_F(DeliveryQueue, DispatchersHaveNumbersThatDontComeAgain) {
  make_endpoints(1);
  const auto id = [&] {
    const auto queue = make_queue();
    claim(*queue);
    return number("DELETE FROM webhook_dispatchers RETURNING id");
  };
  // Not of a sequence, which a restore takes back.
  std::set<std::int64_t> ids;
  for (int i = 0; i < 8; ++i) ids.insert(id());
  EXPECT_EQ(ids.size(), 8U);
  EXPECT_GT(*ids.begin(), 1'000'000);
  EXPECT_EQ(number("SELECT count(*) FROM pg_attribute WHERE attrelid = 'webhook_dispatchers'::regclass"
                   " AND attidentity <> ''"),
            0);
}

TEST_F(DeliveryQueue, RemembersSinceWhenAnEndpointFails) {
  make_endpoints(2);
  const auto queue = make_queue();
  const auto since = [&] {
    return std::string(run("SELECT string_agg(coalesce(failing_since_ms::text, '-'), ' ' ORDER BY id)"
                           " FROM webhook_endpoints")[0][0]
                           .c_str());
  };
  ports::DispatchRecord record;
  record.turns = {{2, 700}, {1, 500}};
  queue->record(record);
  EXPECT_EQ(since(), "500 700");
  record.turns = {{2, 600}, {1, 900}};
  queue->record(record);
  EXPECT_EQ(since(), "500 600") << "another dispatcher saw its first failure";
  record.turns = {{1, std::nullopt}};
  queue->record(record);
  EXPECT_EQ(since(), "- 600");
}

TEST_F(DeliveryQueue, ALaneThatIsFilledWhileItIsGivenBackStays) {
  make_endpoints(1);
  add(1, "a", 1);
  const auto queue = make_queue();
  const ports::DispatchRecord record = all(claim(*queue), AttemptEnd::delivered);
  std::future<void> recorded;
  {
    pqxx::work appender(connection_);
    add_in(appender, 1, "a", 2, 10);
    recorded = std::async(std::launch::async, [&] { queue->record(record); });
    pqxx::connection watching(options().database_url);
    const auto end = steady_clock::now() + deadline;
    const auto is_waiting = [&] {
      return !pqxx::nontransaction(watching)
                  .exec(
                      "SELECT FROM pg_stat_activity WHERE application_name = 'fluxora-webhooks'"
                      " AND datname = current_database() AND wait_event_type = 'Lock'")
                  .empty();
    };
    while (!is_waiting()) {
      ASSERT_LT(steady_clock::now(), end) << "the lane's lock keeps it";
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    appender.commit();
  }
  recorded.get();
  EXPECT_EQ(deliveries(), "1:1:1:1 2:0:0:0");
  EXPECT_EQ(names(claim(*queue)), Names{"1/a:2"});
}

TEST_F(DeliveryQueue, ALaneInWhichNothingWaitsIsRemoved) {
  make_endpoints(1);
  add(1, "a", 1);
  run("UPDATE webhook_deliveries SET state = 3");
  const auto queue = make_queue();
  EXPECT_TRUE(claim(*queue).lanes.empty());
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes"), 0);
}

/// Several dispatchers and an appender at once: each delivery is claimed once, and a lane's in their order.
TEST_F(DeliveryQueue, ManyDispatchersShareTheWork) {
  constexpr std::uint64_t lanes = 40;
  constexpr std::uint64_t rounds = 25;
  constexpr std::uint64_t total = lanes * rounds;
  make_endpoints(5);
  const auto end = steady_clock::now() + deadline;
  std::atomic<std::uint64_t> delivered{0};
  const auto dispatch = [&] {
    std::vector<std::pair<std::string, std::uint64_t>> seen;
    const auto queue = make_queue();
    while (delivered < total && steady_clock::now() < end) {
      const ports::Claim claimed = claim(*queue, 10, 3);
      if (claimed.lanes.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      for (const ports::ClaimedLane& lane : claimed.lanes) {
        for (const ports::ClaimedDelivery& delivery : lane.deliveries) seen.emplace_back(lane.key.lane, delivery.seq);
      }
      queue->record(all(claimed, AttemptEnd::delivered));
      for (const ports::ClaimedLane& lane : claimed.lanes) delivered += lane.deliveries.size();
    }
    queue->leave();
    return seen;
  };
  std::vector<std::future<std::vector<std::pair<std::string, std::uint64_t>>>> dispatchers;
  for (int i = 0; i < 4; ++i) dispatchers.push_back(std::async(std::launch::async, dispatch));
  for (std::uint64_t seq = 1; seq <= total; ++seq) {
    const std::uint64_t lane = seq % lanes;
    add(1 + lane % 5, "s" + std::to_string(lane), seq);
  }
  std::set<std::uint64_t> all_seen;
  for (auto& dispatcher : dispatchers) {
    std::map<std::string, std::uint64_t> last;
    for (const auto& [lane, seq] : dispatcher.get()) {
      EXPECT_LT(std::exchange(last[lane], seq), seq) << "in order";
      EXPECT_TRUE(all_seen.insert(seq).second) << "once";
    }
  }
  EXPECT_EQ(all_seen.size(), total);
  EXPECT_EQ(number("SELECT count(*) FROM webhook_deliveries WHERE state = 1 AND attempts = 1"), std::int64_t{total});
  EXPECT_EQ(number("SELECT count(*) FROM webhook_lanes"), 0);
}

}  // namespace
}  // namespace fluxora::store
