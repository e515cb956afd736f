#include "fluxora/webhooks/lane_board.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "held_transport.hpp"

namespace fluxora::webhooks::test {
namespace {

using ports::AttemptEnd;
using ports::TransportFailure;

const std::string secret = "whsec_" + std::string(43, 'A') + "=";

class LaneBoardTest : public ::testing::Test {
 protected:
  LaneBoardTest() {
    options_.concurrency = 8;
    options_.endpoint_concurrency = 3;
  }

  LaneBoard& board() {
    if (!board_) board_ = std::make_unique<LaneBoard>(options_);
    return *board_;
  }

  static ports::ClaimedDelivery delivery(std::uint64_t endpoint, std::uint64_t seq, unsigned tries = 0) {
    ports::ClaimedDelivery delivery;
    delivery.seq = seq;
    delivery.id = ports::delivery_id(endpoint, "e1", seq);
    delivery.event = "stream.updated";
    delivery.body = std::make_shared<const std::string>("{}");
    delivery.attempts = tries;
    delivery.tries = tries;
    return delivery;
  }

  ports::EndpointTarget target(std::uint64_t endpoint) {
    ports::EndpointTarget target;
    target.id = endpoint;
    target.url = "https://receiver.example/" + std::to_string(endpoint) + path_;
    target.failing_since = failing_since_;
    return target;
  }

  void add(ports::Claim claim) {
    std::set<std::uint64_t> ids;
    for (const auto& lane : claim.lanes) ids.insert(lane.key.endpoint);
    for (const std::uint64_t id : ids) claim.targets.push_back(target(id));
    std::vector<std::shared_ptr<const EndpointSigner>> signers;
    for (const auto& to : claim.targets) {
      signers.push_back(has_secret_ ? EndpointSigner::open(to, nullptr, secret) : nullptr);
    }
    board().add(std::move(claim), signers, now_, now_ + 5'000);
  }

  void add(std::uint64_t endpoint, const std::string& lane, const std::vector<std::uint64_t>& seqs,
           unsigned tries = 0) {
    ports::Claim claim;
    claim.lanes.push_back({{endpoint, "e1", lane}, {}});
    for (const std::uint64_t seq : seqs) claim.lanes.back().deliveries.push_back(delivery(endpoint, seq, tries));
    add(std::move(claim));
  }

  void add_lanes(std::uint64_t endpoint, int count, unsigned tries = 0) {
    for (int i = 0; i < count; ++i) {
      add(endpoint, "lane" + std::to_string(i), {static_cast<std::uint64_t>(100 + i)}, tries);
    }
  }

  /// It gets all that it may at once.
  void prove(std::uint64_t endpoint) {
    for (unsigned i = 0; i < options_.endpoint_concurrency; ++i) {
      add(endpoint, "proof", {1});
      answer(next(), 200);
    }
    static_cast<void>(board().take_record());
  }

  std::vector<LaneBoard::Job> next_all() {
    std::vector<LaneBoard::Job> jobs;
    while (auto job = board().next(now_)) jobs.push_back(std::move(*job));
    return jobs;
  }

  LaneBoard::Job next() {
    auto job = board().next(now_);
    if (!job) throw std::logic_error("nothing to send");
    return std::move(*job);
  }

  LaneBoard::Ended answer(const LaneBoard::Job& job, unsigned status,
                          std::optional<std::int64_t> retry_after_ms = std::nullopt) {
    ports::WebhookAnswer answer = HeldTransport::with_status(status);
    answer.retry_after_ms = retry_after_ms;
    return board().answered(job, answer, now_, 20);
  }
  LaneBoard::Ended fail(const LaneBoard::Job& job, TransportFailure failure = TransportFailure::timed_out) {
    return board().answered(job, HeldTransport::failing(failure), now_, 20);
  }

  std::size_t room(std::uint64_t endpoint) {
    const ports::ClaimWish wish = board().wish(now_);
    for (const ports::EndpointRoom& room : wish.rooms) {
      if (room.endpoint == endpoint) return room.lanes;
    }
    return wish.lanes_an_endpoint;
  }

  DispatcherOptions options_;
  std::unique_ptr<LaneBoard> board_;
  core::UnixMillis now_ = 1'800'000'000'000;
  std::optional<core::UnixMillis> failing_since_;
  bool has_secret_ = true;
  std::string path_;
};

TEST_F(LaneBoardTest, SendsALaneOneAfterAnother) {
  add(1, "a", {5, 7});
  const auto first = next();
  EXPECT_EQ(first.delivery().seq, 5u);
  EXPECT_FALSE(board().next(now_));
  EXPECT_EQ(answer(first, 204).outcome, AttemptOutcome::delivered);
  const auto second = next();
  EXPECT_EQ(second.delivery().seq, 7u);
  answer(second, 200);
  const auto record = board().take_record();
  ASSERT_EQ(record.attempts.size(), 2u);
  EXPECT_EQ(record.attempts[0].seq, 5u);
  EXPECT_EQ(record.attempts[0].number, 1u);
  EXPECT_EQ(record.attempts[0].status, 204u);
  EXPECT_EQ(record.attempts[0].end, AttemptEnd::delivered);
  ASSERT_EQ(record.releases.size(), 1u);
  EXPECT_EQ(record.releases[0].pause_ms, 0);
  EXPECT_FALSE(board().has_record());
}

TEST_F(LaneBoardTest, GivesALaneBackWithItsNextTimeWhenADeliveryFails) {
  add(1, "a", {5, 7});
  EXPECT_EQ(answer(next(), 500).outcome, AttemptOutcome::retry);
  EXPECT_FALSE(board().next(now_));
  const auto record = board().take_record();
  ASSERT_EQ(record.attempts.size(), 1u);
  EXPECT_EQ(record.attempts[0].end, AttemptEnd::retry);
  ASSERT_EQ(record.releases.size(), 1u);
  EXPECT_GE(record.releases[0].pause_ms, 4'000);
  EXPECT_LE(record.releases[0].pause_ms, 6'000);
}

TEST_F(LaneBoardTest, DoesntMoveARetryWhenItIsDecidedAnew) {
  add(1, "a", {5});
  answer(next(), 500);
  const auto pause = board().take_record().releases.at(0).pause_ms;
  board_.reset();
  add(1, "a", {5});
  answer(next(), 500);
  EXPECT_EQ(board().take_record().releases.at(0).pause_ms, pause);
}

TEST_F(LaneBoardTest, TellsHowAnAttemptWithoutAnAnswerFailed) {
  add(1, "a", {5}, 3);
  ports::WebhookAnswer answer = HeldTransport::failing(TransportFailure::connect_failed);
  answer.detail = "connection refused";
  board().answered(next(), answer, now_, 0);
  const auto attempt = board().take_record().attempts.at(0);
  EXPECT_EQ(attempt.number, 4u);
  EXPECT_EQ(attempt.status, std::nullopt);
  EXPECT_EQ(attempt.error, "connect_failed");
  EXPECT_EQ(attempt.detail, "connection refused");
  EXPECT_EQ(attempt.at, now_);
}

TEST_F(LaneBoardTest, MakesADeadLetterOfTheLastTryAndLetsTheLaneGoOn) {
  add(1, "a", {5, 7}, 9);
  EXPECT_EQ(answer(next(), 500).outcome, AttemptOutcome::dead);
  // What follows is sent once the death is recorded, so that nobody tries the dead one behind it.
  EXPECT_FALSE(board().next(now_));
  const auto record = board().take_record();
  EXPECT_EQ(record.attempts.at(0).end, AttemptEnd::dead);
  EXPECT_EQ(record.releases.at(0).pause_ms, 0);
}

TEST_F(LaneBoardTest, TakesRedirectsForFailures) {
  for (const unsigned status : {100u, 199u, 301u, 302u, 308u, 400u, 404u}) {
    board_.reset();
    add(1, "a", {5});
    EXPECT_EQ(answer(next(), status).outcome, AttemptOutcome::retry) << status;
  }
  for (const unsigned status : {200u, 202u, 299u}) {
    board_.reset();
    add(1, "a", {5});
    EXPECT_EQ(answer(next(), status).outcome, AttemptOutcome::delivered) << status;
  }
}

TEST_F(LaneBoardTest, KeepsToWhatMayBeInFlight) {
  for (std::uint64_t endpoint = 1; endpoint <= 4; ++endpoint) add_lanes(endpoint, 5);
  const auto jobs = next_all();
  EXPECT_EQ(jobs.size(), 8u);
  std::map<std::uint64_t, int> each;
  for (const auto& job : jobs) ++each[job.key().endpoint];
  EXPECT_EQ(each, (std::map<std::uint64_t, int>{{1, 2}, {2, 2}, {3, 2}, {4, 2}}));
  EXPECT_EQ(board().in_flight(), 8u);
  answer(jobs[0], 200);
  EXPECT_EQ(next_all().size(), 1u);
}

TEST_F(LaneBoardTest, KeepsToWhatAnEndpointTakesAtOnce) {
  prove(1);
  add_lanes(1, 5);
  const auto jobs = next_all();
  EXPECT_EQ(jobs.size(), 3u);
  answer(jobs[1], 200);
  EXPECT_EQ(next_all().size(), 1u);
}

TEST_F(LaneBoardTest, TrustsAnEndpointWithMoreAtOnceAsItAnswers) {
  add_lanes(1, 8);
  const auto first = next_all();
  EXPECT_EQ(first.size(), LaneBoard::first_requests);
  answer(first[0], 404);
  const auto second = next_all();
  EXPECT_EQ(second.size(), 2u);
  fail(second[0]);
  EXPECT_TRUE(next_all().empty());
  fail(second[1]);
  EXPECT_TRUE(next_all().empty());
  fail(first[1]);
  EXPECT_EQ(next_all().size(), 1u);
}

TEST_F(LaneBoardTest, CancelledRequestsCountAsNotMade) {
  add(1, "a", {5});
  EXPECT_EQ(fail(next(), TransportFailure::cancelled).outcome, AttemptOutcome::cancelled);
  const auto record = board().take_record();
  EXPECT_TRUE(record.attempts.empty());
  EXPECT_TRUE(record.turns.empty());
  EXPECT_EQ(record.releases.at(0).pause_ms, 0);
}

TEST_F(LaneBoardTest, HonoursRetryAfterOf429And503ForTheLaneAndTheEndpoint) {
  for (const unsigned status : {429u, 503u}) {
    board_.reset();
    add(1, "a", {5});
    add(1, "b", {6});
    const auto job = next();
    const auto ended = answer(job, status, 90'000);
    EXPECT_TRUE(ended.circuit_opened);
    EXPECT_FALSE(board().next(now_));
    auto releases = board().take_record().releases;
    ASSERT_EQ(releases.size(), 2u);
    for (const auto& release : releases) EXPECT_GE(release.pause_ms, 90'000);
    EXPECT_EQ(room(1), 0u);
    now_ += 90'000;
    EXPECT_EQ(room(1), 1u);
  }
}

TEST_F(LaneBoardTest, DoesntLeaveAnEndpointAloneForMoreThanAnHour) {
  add(1, "a", {5});
  answer(next(), 429, 86'400'000);
  EXPECT_GE(board().take_record().releases.at(0).pause_ms, 86'400'000);
  now_ += 3'600'000;
  EXPECT_EQ(room(1), 1u);
}

TEST_F(LaneBoardTest, DoesntHonourRetryAfterOfOtherAnswers) {
  add(1, "a", {5});
  answer(next(), 404, 90'000);
  EXPECT_LE(board().take_record().releases.at(0).pause_ms, 6'000);
}

class OpenCircuit : public LaneBoardTest {
 protected:
  /// Ten failures in a row.
  void open() {
    for (int i = 0; i < 10; ++i) {
      add(1, "lane" + std::to_string(i), {5});
      opened_ = fail(next());
    }
  }
  LaneBoard::Ended opened_;
};

TEST_F(OpenCircuit, LeavesAnEndpointAloneThatDoesntAnswer) {
  open();
  EXPECT_TRUE(opened_.circuit_opened);
  EXPECT_GE(opened_.circuit_ms, 4'000);
  EXPECT_EQ(room(1), 0u);
  EXPECT_EQ(board().statistics().circuits_open, 1u);
  static_cast<void>(board().take_record());
  // What was claimed meanwhile is given back, untried.
  add(1, "other", {9});
  EXPECT_FALSE(board().next(now_));
  const auto record = board().take_record();
  EXPECT_TRUE(record.attempts.empty());
  EXPECT_GT(record.releases.at(0).pause_ms, 0);
}

TEST_F(OpenCircuit, CountsFailuresInARowAlsoWhereItHasNothingBetweenThem) {
  for (int i = 0; i < 10; ++i) {
    add(1, "a", {5});
    opened_ = fail(next());
    static_cast<void>(board().take_record());
    static_cast<void>(board().wish(now_));
    now_ += 60'000;
  }
  EXPECT_TRUE(opened_.circuit_opened);
}

TEST_F(OpenCircuit, DoesntConcernAnotherAddress) {
  open();
  path_ = "/other";
  now_ += 6'200;
  EXPECT_EQ(room(1), 1u);
  add_lanes(1, 3);
  EXPECT_EQ(next_all().size(), LaneBoard::first_requests);
  EXPECT_EQ(board().statistics().circuits_open, 0u);
}

TEST_F(OpenCircuit, DoesntConcernOthers) {
  open();
  add(2, "a", {5});
  EXPECT_EQ(next().key().endpoint, 2u);
}

TEST_F(OpenCircuit, TriesOneThingAtATimeThenClosesWithASuccess) {
  open();
  now_ += 6'200;
  EXPECT_EQ(room(1), 1u);
  add(1, "a", {5});
  add(1, "b", {6});
  const auto trial = next();
  EXPECT_TRUE(trial.is_trial);
  EXPECT_FALSE(board().next(now_));
  EXPECT_EQ(room(1), 0u);
  EXPECT_TRUE(answer(trial, 200).circuit_closed);
  EXPECT_GT(room(1), 1u);
  EXPECT_EQ(board().statistics().circuits_open, 0u);
}

TEST_F(OpenCircuit, StaysOpenForLongerWhenTheTrialFails) {
  open();
  now_ += 6'200;
  EXPECT_EQ(room(1), 1u);
  add(1, "a", {5});
  const auto again = fail(next());
  EXPECT_FALSE(again.circuit_opened);
  EXPECT_GT(again.circuit_ms, opened_.circuit_ms);
  EXPECT_EQ(room(1), 0u);
}

TEST_F(OpenCircuit, GoesOnToTryWhenATrialIsCancelled) {
  open();
  now_ += 6'200;
  EXPECT_EQ(room(1), 1u);
  add(1, "a", {5});
  fail(next(), TransportFailure::cancelled);
  EXPECT_EQ(room(1), 1u);
}

TEST_F(OpenCircuit, IsForgottenSomeTimeAfterNothingWaitsForIt) {
  open();
  static_cast<void>(board().take_record());
  now_ += 6'200;
  EXPECT_EQ(room(1), 1u);
  now_ += LaneBoard::circuit_kept_ms + 1;
  EXPECT_EQ(room(1), 4u);
  EXPECT_EQ(board().statistics().circuits_open, 0u);
}

TEST_F(LaneBoardTest, CountsRequestsThatWereOnTheirWayWhenTheCircuitOpenedOnce) {
  options_.concurrency = 16;
  options_.endpoint_concurrency = 16;
  prove(1);
  add_lanes(1, 16);
  const auto jobs = next_all();
  EXPECT_EQ(jobs.size(), 16u);
  std::int64_t longest = 0;
  for (const auto& job : jobs) longest = std::max(longest, fail(job).circuit_ms);
  EXPECT_LE(longest, 6'200);
}

TEST_F(LaneBoardTest, DoesntTakeRefusalsForAnEndpointThatIsAway) {
  for (int i = 0; i < 20; ++i) {
    add(1, "lane" + std::to_string(i), {5});
    EXPECT_FALSE(answer(next(), 404).circuit_opened);
  }
}

TEST_F(LaneBoardTest, DisablesAnEndpointThatIsGone) {
  prove(1);
  add(1, "a", {5});
  add(1, "b", {6});
  add(1, "c", {7, 8});
  const auto jobs = std::vector{next(), next(), next()};
  add(1, "d", {9});
  EXPECT_EQ(answer(jobs[0], 410).outcome, AttemptOutcome::retry);
  ASSERT_TRUE(board().next_disabling());
  EXPECT_EQ(board().next_disabling()->endpoint, 1u);
  EXPECT_EQ(board().next_disabling()->reason, ports::DisableReason::gone);
  EXPECT_EQ(room(1), 0u);
  EXPECT_FALSE(board().next(now_));
  // What was on its way ends, and nothing follows it, also not once the database knows.
  board().disabled(true);
  EXPECT_FALSE(board().next_disabling());
  EXPECT_EQ(answer(jobs[2], 200).outcome, AttemptOutcome::delivered);
  EXPECT_FALSE(board().next(now_));
  answer(jobs[1], 410);
  EXPECT_EQ(board().take_record().releases.size(), 4u);
  EXPECT_EQ(board().statistics().claimed_lanes, 0u);
  EXPECT_EQ(board().statistics().endpoints_disabled[0], 1u);
}

TEST_F(LaneBoardTest, GivesBackWhatIsClaimedForAnEndpointThatIsBeingDisabled) {
  add(1, "a", {5});
  answer(next(), 410);
  static_cast<void>(board().take_record());
  add(1, "b", {6});
  EXPECT_FALSE(board().next(now_));
  EXPECT_EQ(board().take_record().releases.size(), 1u);
  board().disabled(true);
  // Somebody enabled it again.
  add(1, "b", {6});
  EXPECT_TRUE(board().next(now_));
}

TEST_F(LaneBoardTest, DoesntCountAnEndpointThatWasDisabledAlready) {
  add(1, "a", {5});
  answer(next(), 410);
  board().disabled(false);
  EXPECT_FALSE(board().next_disabling());
  EXPECT_EQ(board().statistics().endpoints_disabled[0], 0u);
}

TEST_F(LaneBoardTest, TakesWhatAFormerAddressAnswersForNothing) {
  add(1, "a", {5});
  add(1, "b", {6});
  const auto gone = next();
  const auto failed = next();
  path_ = "/other";
  add(1, "c", {7});
  EXPECT_EQ(answer(gone, 410).outcome, AttemptOutcome::retry);
  EXPECT_FALSE(board().next_disabling());
  fail(failed);
  EXPECT_TRUE(board().take_record().turns.empty());
  const auto job = next();
  EXPECT_EQ(job.url(), "https://receiver.example/1/other");
  answer(job, 410);
  ASSERT_TRUE(board().next_disabling());
  EXPECT_EQ(board().next_disabling()->url, "https://receiver.example/1/other");
}

TEST_F(LaneBoardTest, DoesntDisableForWhatAFormerAddressHasFailed) {
  failing_since_ = now_ - options_.disable_after_ms;
  add(1, "a", {5});
  const auto job = next();
  path_ = "/other";
  failing_since_ = std::nullopt;
  add(1, "b", {6});
  answer(job, 500);
  EXPECT_FALSE(board().next_disabling());
}

TEST_F(LaneBoardTest, RemembersSinceWhenAnEndpointFails) {
  add(1, "a", {5});
  add(1, "b", {6});
  const auto first = next();
  const auto second = next();
  const auto since = now_;
  now_ += 100;
  answer(first, 400);
  now_ += 100;
  answer(second, 400);
  const auto record = board().take_record();
  ASSERT_EQ(record.turns.size(), 1u);
  EXPECT_EQ(record.turns[0].failing_since, since);
  failing_since_ = since;
  add(1, "a", {5});
  answer(next(), 200);
  const auto turns = board().take_record().turns;
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns[0].failing_since, std::nullopt);
}

TEST_F(LaneBoardTest, DisablesAnEndpointThatHasTakenNothingForFiveDays) {
  failing_since_ = now_ - options_.disable_after_ms + 1;
  add(1, "a", {5});
  answer(next(), 500);
  EXPECT_FALSE(board().next_disabling());
  failing_since_ = now_ - options_.disable_after_ms;
  static_cast<void>(board().take_record());
  add(1, "a", {5});
  answer(next(), 500);
  ASSERT_TRUE(board().next_disabling());
  EXPECT_EQ(board().next_disabling()->reason, ports::DisableReason::failing);
}

TEST_F(LaneBoardTest, BelievesItsOwnTurnUntilItIsRecorded) {
  add(1, "a", {5});
  answer(next(), 500);
  // The database doesn't know of it yet.
  add(1, "b", {6});
  answer(next(), 200);
  const auto turns = board().take_record().turns;
  ASSERT_EQ(turns.size(), 1u);
  EXPECT_EQ(turns[0].failing_since, std::nullopt);
}

TEST_F(LaneBoardTest, BeginsNothingOnceItsClaimsMayBeOver) {
  add(1, "a", {5});
  now_ += 5'000;
  EXPECT_FALSE(board().next(now_));
  now_ -= 5'001;  // the clock went back: who knows how long
  EXPECT_FALSE(board().next(now_));
  now_ += 1;
  EXPECT_TRUE(board().next(now_));
}

TEST_F(LaneBoardTest, AsksAgainForWhatItKnowsForTooLong) {
  add(1, "a", {5, 6});
  add(1, "b", {7});
  const auto first = next();
  const auto second = next();
  answer(second, 200);
  now_ += Dispatcher::claim_fresh_ms;
  add({});
  answer(first, 200);
  EXPECT_FALSE(board().next(now_));
  EXPECT_EQ(board().take_record().releases.size(), 2u);
  EXPECT_EQ(board().statistics().claimed_lanes, 0u);
}

TEST_F(LaneBoardTest, DropsWhatItHadWhenItsClaimsAreLost) {
  add(1, "a", {5, 6});
  add(1, "b", {7});
  const auto old = next();
  answer(next(), 200);
  add(1, "c", {8});
  ports::Claim claim;
  claim.lost_former = true;
  claim.lanes.push_back({{1, "e1", "a"}, {delivery(1, 5)}});
  add(std::move(claim));
  EXPECT_FALSE(board().has_record());
  EXPECT_EQ(answer(old, 200).outcome, AttemptOutcome::disowned);
  EXPECT_FALSE(board().has_record());
  const auto again = next();
  EXPECT_EQ(again.delivery().seq, 5u);
  EXPECT_FALSE(board().next(now_));
  EXPECT_EQ(board().statistics().claims_lost, 1u);
  EXPECT_EQ(board().statistics().claimed_lanes, 1u);
}

TEST_F(LaneBoardTest, SendsNothingWithoutASecret) {
  has_secret_ = false;
  add(1, "a", {5});
  EXPECT_FALSE(board().next(now_));
  const auto record = board().take_record();
  EXPECT_TRUE(record.attempts.empty());
  EXPECT_EQ(record.releases.at(0).pause_ms, LaneBoard::unsendable_pause_ms);
  EXPECT_EQ(room(1), 0u);
  EXPECT_EQ(board().statistics().secrets_unreadable, 1u);
  now_ += LaneBoard::unsendable_pause_ms;
  has_secret_ = true;
  EXPECT_GT(room(1), 0u);
  add(1, "a", {5});
  EXPECT_TRUE(board().next(now_));
}

TEST_F(LaneBoardTest, PutsOffWhatCantBeMadeARequestOf) {
  options_.endpoint_concurrency = 1;
  add(1, "a", {5});
  add(1, "b", {6});
  const auto job = next();
  EXPECT_FALSE(board().next(now_));
  board().unsendable(job);
  const auto record = board().take_record();
  EXPECT_TRUE(record.attempts.empty());
  ASSERT_EQ(record.releases.size(), 1u);
  EXPECT_EQ(record.releases[0].pause_ms, LaneBoard::unsendable_pause_ms);
  EXPECT_EQ(board().in_flight(), 0u);
  // Its others aren't held up.
  EXPECT_EQ(next().delivery().seq, 6u);
}

TEST_F(LaneBoardTest, AsksForAsManyLanesAsItMayHold) {
  EXPECT_EQ(board().wish(now_).lanes, 64u);
  EXPECT_EQ(board().wish(now_).lanes_an_endpoint, 4u);
  add_lanes(1, 3);
  EXPECT_EQ(board().wish(now_).lanes, 61u);
  EXPECT_EQ(room(1), 1u);
}

TEST_F(LaneBoardTest, HoldsNoMoreOfAnEndpointThatSaysNothingThanItMayBeAskedFor) {
  prove(1);
  EXPECT_EQ(room(1), 6u);
  add(1, "a", {5});
  fail(next());
  EXPECT_EQ(room(1), 2u);
  add(1, "b", {6});
  add(1, "c", {7});
  EXPECT_EQ(next_all().size(), 1u);
  EXPECT_EQ(room(1), 0u);
  static_cast<void>(board().take_record());
  // What it hasn't room for is others' when it is asked for again.
  now_ += Dispatcher::claim_fresh_ms;
  static_cast<void>(board().wish(now_));
  const auto releases = board().take_record().releases;
  ASSERT_EQ(releases.size(), 1u);
  EXPECT_EQ(releases[0].lane.lane, "c");
  EXPECT_EQ(releases[0].pause_ms, 0);
}

TEST_F(LaneBoardTest, AsksForMoreOfAnEndpointThatIsQuick) {
  add_lanes(1, 6);
  for (int i = 0; i < 6; ++i) answer(next(), 200);
  EXPECT_EQ(room(1), 12u);
  EXPECT_EQ(room(1), 4u);  // nothing since: as one of which nothing is known
}

TEST_F(LaneBoardTest, AsksForNothingWhenItIsClosed) {
  add(1, "a", {5, 6});
  const auto job = next();
  board().close();
  EXPECT_EQ(board().wish(now_).lanes, 0u);
  EXPECT_EQ(answer(job, 200).outcome, AttemptOutcome::delivered);
  EXPECT_FALSE(board().next(now_));
}

TEST_F(LaneBoardTest, CountsAnswersAndHowLongTheyTook) {
  add_lanes(1, 3);
  answer(next(), 204);
  answer(next(), 302);
  fail(next(), TransportFailure::protocol_failed);
  const auto counts = board().statistics();
  const auto of = [&](std::string_view kind) {
    return counts.answers[static_cast<std::size_t>(std::find(answer_kinds.begin(), answer_kinds.end(), kind) -
                                                   answer_kinds.begin())];
  };
  EXPECT_EQ(of("2xx"), 1u);
  EXPECT_EQ(of("3xx"), 1u);
  EXPECT_EQ(of("protocol_failed"), 1u);
  EXPECT_EQ(counts.durations.counts[2], 3u);
  EXPECT_EQ(counts.durations.sum_ms, 9u);
  EXPECT_EQ(counts.attempts[0], 1u);
  EXPECT_EQ(counts.attempts[1], 2u);
  EXPECT_EQ(counts.results_waiting, 3u);
}

TEST_F(LaneBoardTest, ForgetsEndpointsOfWhichItHasNothing) {
  for (std::uint64_t endpoint = 1; endpoint <= 1'000; ++endpoint) {
    add(endpoint, "a", {5});
    answer(next(), 200);
    static_cast<void>(board().take_record());
  }
  static_cast<void>(board().wish(now_));
  EXPECT_TRUE(board().wish(now_).rooms.empty());
}

}  // namespace
}  // namespace fluxora::webhooks::test
