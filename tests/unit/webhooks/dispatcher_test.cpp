#include "fluxora/webhooks/dispatcher.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "held_transport.hpp"
#include "memory_deliveries.hpp"
#include "zero_random.hpp"

namespace fluxora::webhooks::test {
namespace {

using namespace std::chrono_literals;
using ports::DeliveryState;
using ports::TransportFailure;

const std::string secret = "whsec_" + std::string(43, 'A') + "=";

/// Spans that note how they ended.
class FakeTracer final : public ports::Tracer {
 public:
  class FakeSpan final : public ports::Span {
   public:
    explicit FakeSpan(std::vector<std::string>& said) : said_(said) {}
    ~FakeSpan() override { said_.emplace_back("end"); }
    FakeSpan(const FakeSpan&) = delete;
    FakeSpan& operator=(const FakeSpan&) = delete;
    void set(std::string_view name, std::string_view value) override {
      said_.push_back(std::string(name) + "=" + std::string(value));
    }
    void set(std::string_view name, std::int64_t value) override {
      said_.push_back(std::string(name) + "=" + std::to_string(value));
    }
    void fail(std::string_view type) override { said_.push_back("fail " + std::string(type)); }
    [[nodiscard]] std::string traceparent() const override { return "00-11-22-01"; }

   private:
    std::vector<std::string>& said_;
  };

  std::unique_ptr<ports::Span> start(ports::SpanKind, std::string_view) override { return nullptr; }
  std::unique_ptr<ports::Span> start_part(ports::SpanKind, std::string_view) override { return nullptr; }
  std::unique_ptr<ports::Span> start_detached(ports::SpanKind kind, std::string_view,
                                              std::string_view parent) override {
    EXPECT_EQ(kind, ports::SpanKind::client);
    parents.emplace_back(parent);
    return std::make_unique<FakeSpan>(said);
  }

  std::vector<std::string> said;
  std::vector<std::string> parents;
};

class DispatcherTest : public ::testing::Test {
 protected:
  DispatcherTest() { options_.configured_secret = secret; }

  Dispatcher& dispatcher() {
    if (!dispatcher_) {
      dispatcher_ = std::make_unique<Dispatcher>(options_, deliveries_.make_queue(), transport_, nullptr, clock_,
                                                 random_, log_, tracer_);
    }
    return *dispatcher_;
  }

  void round() { dispatcher().round(); }
  DeliveryState state(std::uint64_t seq) { return deliveries_.delivery(1, "a", seq).state; }

  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  ZeroRandom random_;
  HeldTransport transport_;
  MemoryDeliveries deliveries_{clock_};
  DispatcherOptions options_;
  ports::Tracer* tracer_ = nullptr;
  std::unique_ptr<Dispatcher> dispatcher_;
};

TEST_F(DispatcherTest, DeliversWhatWaits) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  round();
  ASSERT_EQ(transport_.held.size(), 1u);
  EXPECT_EQ(transport_.held.front().request.url, "https://receiver.example/hook");
  EXPECT_EQ(transport_.held.front().id(), "wd_1_e1_5");
  transport_.answer(200);
  EXPECT_EQ(dispatcher().statistics().results_waiting, 1u);
  round();
  EXPECT_EQ(state(5), DeliveryState::delivered);
  EXPECT_EQ(deliveries_.lane(1, "a"), nullptr);
  const auto counts = dispatcher().statistics();
  EXPECT_EQ(counts.attempts[0], 1u);
  EXPECT_EQ(counts.results_waiting, 0u);
  EXPECT_EQ(counts.claimed_lanes, 0u);
}

TEST_F(DispatcherTest, GoesOnWithTheNextOfALaneWithoutTheDatabase) {
  deliveries_.add_endpoint(1);
  for (const std::uint64_t seq : {5u, 7u, 9u}) deliveries_.add(1, "a", seq);
  round();
  for (const char* id : {"wd_1_e1_5", "wd_1_e1_7", "wd_1_e1_9"}) {
    ASSERT_EQ(transport_.held.size(), 1u);
    EXPECT_EQ(transport_.held.front().id(), id);
    transport_.answer(200);
  }
  round();
  EXPECT_EQ(state(9), DeliveryState::delivered);
}

TEST_F(DispatcherTest, TriesAgainInItsTimeAndThenMakesADeadLetter) {
  options_.schedule = *core::RetrySchedule::parse("5s,60s");
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "a", 6);
  for (int attempt = 1; attempt <= 3; ++attempt) {
    round();
    ASSERT_EQ(transport_.held.size(), 1u) << attempt;
    transport_.answer(500);
    round();
    EXPECT_EQ(transport_.held.size(), attempt == 3 ? 1u : 0u);
    clock_.advance(attempt == 1 ? 6s : 72s);
  }
  EXPECT_EQ(state(5), DeliveryState::dead);
  EXPECT_EQ(deliveries_.delivery(1, "a", 5).attempts, 3u);
  const auto lines = log_.lines("webhook_dead_letter");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].level, ports::LogLevel::warn);
  EXPECT_EQ(lines[0].fields.at("delivery"), "wd_1_e1_5");
  EXPECT_EQ(lines[0].fields.at("attempts"), "3");
  EXPECT_EQ(lines[0].fields.at("status"), "500");
  // The lane goes on.
  EXPECT_EQ(transport_.held.front().id(), "wd_1_e1_6");
}

TEST_F(DispatcherTest, DisablesAnEndpointThatIsGone) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  round();
  transport_.answer(410);
  round();
  EXPECT_FALSE(deliveries_.endpoints.at(1).enabled);
  EXPECT_EQ(deliveries_.endpoints.at(1).disabled_reason, "gone");
  EXPECT_EQ(state(5), DeliveryState::waiting);
  const auto lines = log_.lines("webhook_endpoint_disabled");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].fields.at("endpoint"), "1");
  EXPECT_EQ(lines[0].fields.at("reason"), "gone");
  clock_.advance(10s);
  round();
  EXPECT_TRUE(transport_.held.empty());
  EXPECT_EQ(dispatcher().statistics().endpoints_disabled[0], 1u);
}

TEST_F(DispatcherTest, DisablesAnEndpointAfterFiveDaysOfFailures) {
  options_.schedule = *core::RetrySchedule::parse("1d,1d,1d,1d,1d,1d,1d,1d");
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  int days = 0;
  for (; deliveries_.endpoints.at(1).enabled && days < 10; ++days) {
    round();
    if (!transport_.held.empty()) transport_.answer(500);
    round();
    clock_.advance(24h);
  }
  EXPECT_EQ(deliveries_.endpoints.at(1).disabled_reason, "failing");
  EXPECT_GE(days, 5);
  EXPECT_LE(days, 7);
  EXPECT_EQ(log_.lines("webhook_endpoint_disabled").at(0).fields.at("reason"), "failing");
}

TEST_F(DispatcherTest, TellsOnlyOfEndpointsThatItHasDisabled) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  round();
  transport_.answer(410);
  deliveries_.disable(1, "operator");
  round();
  EXPECT_EQ(deliveries_.endpoints.at(1).disabled_reason, "operator");
  EXPECT_TRUE(log_.lines("webhook_endpoint_disabled").empty());
}

TEST_F(DispatcherTest, DoesntDisableWhatIsAtAnotherAddressByNow) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  round();
  deliveries_.endpoints.at(1).target.url = "https://receiver.example/other";
  transport_.answer(410);
  round();
  EXPECT_TRUE(deliveries_.endpoints.at(1).enabled);
  clock_.advance(6s);
  round();
  ASSERT_EQ(transport_.held.size(), 1u);
  EXPECT_EQ(transport_.held.front().request.url, "https://receiver.example/other");
}

TEST_F(DispatcherTest, GoesOnWithOthersWhereItCantDisableNow) {
  for (const std::uint64_t endpoint : {1U, 2U}) {
    deliveries_.add_endpoint(endpoint);
    deliveries_.add(endpoint, "a", 4 + endpoint);
  }
  round();
  deliveries_.may_disable = false;
  transport_.answer(410);
  round();
  EXPECT_EQ(deliveries_.disable_calls, 1u);
  // Neither asked again all the time, nor sent to meanwhile.
  deliveries_.add(2, "b", 7);
  round();
  EXPECT_EQ(deliveries_.disable_calls, 1u);
  EXPECT_EQ(transport_.held.size(), 2u);
  EXPECT_EQ(transport_.held.back().id(), "wd_2_e1_7");
  deliveries_.may_disable = true;
  clock_.advance(1s);
  round();
  EXPECT_EQ(deliveries_.endpoints.at(1).disabled_reason, "gone");
}

TEST_F(DispatcherTest, RecordsWhenTheDatabaseIsBack) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "a", 6);
  round();
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::before; };
  transport_.answer(200);
  round();
  transport_.answer(200);
  round();
  EXPECT_EQ(log_.lines("webhook_queue_unavailable").size(), 1u);
  EXPECT_EQ(dispatcher().statistics().queue_failures, 2u);
  EXPECT_EQ(dispatcher().statistics().queue_error, "no database");
  EXPECT_EQ(dispatcher().statistics().results_waiting, 2u);
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::none; };
  round();
  round();
  EXPECT_EQ(state(5), DeliveryState::delivered);
  EXPECT_EQ(state(6), DeliveryState::delivered);
  EXPECT_EQ(deliveries_.attempts.size(), 2u);
  EXPECT_EQ(log_.lines("webhook_queue_available").size(), 1u);
  EXPECT_EQ(dispatcher().statistics().queue_error, "");
}

TEST_F(DispatcherTest, CountsAnAttemptOnceWhoseRecordsAnswerWasLost) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  round();
  transport_.answer(200);
  int calls = 0;
  deliveries_.next_fault = [&] {
    return calls++ == 0 ? MemoryDeliveries::Fault::after : MemoryDeliveries::Fault::none;
  };
  round();
  round();
  EXPECT_EQ(deliveries_.attempts.size(), 1u);
  EXPECT_EQ(deliveries_.delivery(1, "a", 5).attempts, 1u);
}

TEST_F(DispatcherTest, BeginsNothingWhileTheDatabaseIsAwayForTooLong) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "a", 6);
  round();
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::before; };
  clock_.advance(9s);
  transport_.answer(200);
  round();
  EXPECT_TRUE(transport_.held.empty());
}

TEST_F(DispatcherTest, BeginsNothingAfterACallThatFailedUntilAClaimTellsWhatIsOurs) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "a", 6);
  round();
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::after; };
  round();
  transport_.answer(200);
  EXPECT_TRUE(transport_.held.empty());
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::none; };
  round();
  EXPECT_EQ(transport_.held.size(), 1u);
}

TEST_F(DispatcherTest, LosesWhatItClaimedWhenItIsSilentForTooLong) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "b", 6);
  round();
  transport_.answer(200);
  clock_.advance(11s);
  round();
  EXPECT_EQ(log_.lines("webhook_claims_lost").size(), 1u);
  EXPECT_EQ(dispatcher().statistics().claims_lost, 1u);
  EXPECT_EQ(state(5), DeliveryState::waiting);
  // Both are claimed anew; what was in flight counts for nobody.
  EXPECT_EQ(transport_.held.size(), 3u);
  transport_.answer(200);
  round();
  EXPECT_EQ(deliveries_.delivery(1, "b", 6).state, DeliveryState::waiting);
  EXPECT_EQ(dispatcher().statistics().attempts[static_cast<std::size_t>(AttemptOutcome::disowned)], 1u);
}

TEST_F(DispatcherTest, SendsNothingWithoutASecretAndSaysSoOnce) {
  options_.configured_secret.clear();
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  for (int minute = 0; minute < 5; ++minute) {
    round();
    round();
    clock_.advance(61s);
  }
  EXPECT_EQ(transport_.sent, 0u);
  EXPECT_EQ(log_.lines("webhook_secret_unreadable").size(), 1u);
  EXPECT_EQ(log_.lines("webhook_secret_unreadable")[0].level, ports::LogLevel::error);
  EXPECT_EQ(deliveries_.delivery(1, "a", 5).attempts, 0u);
  EXPECT_GE(dispatcher().statistics().secrets_unreadable, 2u);
}

TEST_F(DispatcherTest, TellsOfACircuitThatOpensAndCloses) {
  options_.endpoint_concurrency = 10;
  deliveries_.add_endpoint(1);
  for (std::uint64_t i = 0; i < 10; ++i) deliveries_.add(1, "lane" + std::to_string(i), i + 1);
  while (transport_.sent < 10) {
    round();
    ASSERT_FALSE(transport_.held.empty());
    while (!transport_.held.empty()) transport_.answer(HeldTransport::failing(TransportFailure::timed_out));
  }
  ASSERT_EQ(log_.lines("webhook_circuit_opened").size(), 1u);
  EXPECT_EQ(log_.lines("webhook_circuit_opened")[0].fields.at("error"), "timed_out");
  round();
  clock_.advance(10s);
  round();
  ASSERT_EQ(transport_.held.size(), 1u);
  transport_.answer(200);
  EXPECT_EQ(log_.lines("webhook_circuit_closed").size(), 1u);
}

TEST_F(DispatcherTest, TracesEachAttempt) {
  FakeTracer tracer;
  tracer_ = &tracer;
  deliveries_.add_endpoint(1, "https://receiver.example/hook?token=hidden");
  deliveries_.add(1, "a", 5);
  round();
  EXPECT_EQ(transport_.held.front().header("traceparent"), "00-11-22-01");
  EXPECT_EQ(tracer.parents, std::vector<std::string>{"00-33-44-01"});
  transport_.answer(503);
  EXPECT_EQ(tracer.said, (std::vector<std::string>{"http.request.method=POST", "fluxora.webhook.endpoint=1",
                                                   "fluxora.webhook.delivery=wd_1_e1_5", "fluxora.webhook.attempt=1",
                                                   "http.response.status_code=503", "fail 503", "end"}));
}

TEST_F(DispatcherTest, NeverLogsSecretsBodiesOrSignatures) {
  options_.schedule = *core::RetrySchedule::parse("1s");
  deliveries_.add_endpoint(1, "https://receiver.example/hook?token=hidden");
  deliveries_.add(1, "a", 5);
  std::vector<std::string> signatures;
  for (int i = 0; i < 2; ++i) {
    round();
    signatures.push_back(transport_.held.front().header("x-fluxora-signature"));
    signatures.push_back(transport_.held.front().header("webhook-signature"));
    transport_.answer(i == 0 ? 503 : 410);
    round();
    clock_.advance(2s);
  }
  ASSERT_FALSE(log_.lines().empty());
  for (const auto& line : log_.lines()) {
    std::string all = line.message;
    for (const auto& [name, value] : line.fields) all += " " + value;
    for (const std::string& hidden : signatures) EXPECT_EQ(all.find(hidden), std::string::npos);
    EXPECT_EQ(all.find("hidden"), std::string::npos);
    EXPECT_EQ(all.find("whsec_"), std::string::npos);
  }
}

TEST_F(DispatcherTest, StopsWithoutAThreadAndGivesBackWhatItHas) {
  deliveries_.add_endpoint(1);
  for (std::uint64_t i = 0; i < 12; ++i) deliveries_.add(1, "lane" + std::to_string(i), i + 1);
  round();
  transport_.answer(200);
  dispatcher().stop(0ms);
  EXPECT_EQ(deliveries_.delivery(1, "lane0", 1).state, DeliveryState::delivered);
  for (const auto& [key, lane] : deliveries_.lanes) EXPECT_FALSE(lane.claimed_by) << key.lane;
  // What was in flight ends for nobody.
  const std::size_t sent = transport_.sent;
  while (!transport_.held.empty()) transport_.answer(200);
  EXPECT_EQ(transport_.sent, sent);
}

TEST_F(DispatcherTest, IsGoneForAnswersThatComeAfterItsEnd) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 5);
  deliveries_.add(1, "a", 6);
  round();
  dispatcher_.reset();
  transport_.answer(200);
  EXPECT_TRUE(transport_.held.empty());
  EXPECT_TRUE(deliveries_.attempts.empty());
}

/// Answers at once, on a thread of its own.
class AnsweringTransport final : public ports::WebhookTransport {
 public:
  AnsweringTransport() : thread_([this] { run(); }) {}
  ~AnsweringTransport() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  AnsweringTransport(const AnsweringTransport&) = delete;
  AnsweringTransport& operator=(const AnsweringTransport&) = delete;

  void send(ports::WebhookRequest, std::function<void(ports::WebhookAnswer)> done) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
    }
    changed_.notify_one();
  }

  std::atomic<bool> holds = false;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      changed_.wait_for(lock, 10ms, [this] { return ending_ || !waiting_.empty(); });
      auto now = holds ? decltype(waiting_){} : std::exchange(waiting_, {});
      lock.unlock();
      for (auto& done : now) done(HeldTransport::with_status(200));
      now.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::function<void(ports::WebhookAnswer)>> waiting_;
  bool ending_ = false;
  std::thread thread_;
};

/// A queue that may be looked at by the test's thread while the dispatcher's uses it.
class LockedQueue final : public ports::DeliveryQueue {
 public:
  LockedQueue(std::mutex& mutex, std::unique_ptr<ports::DeliveryQueue> queue)
      : mutex_(mutex), queue_(std::move(queue)) {}
  ports::Claim claim(const ports::ClaimWish& wish) override {
    const std::lock_guard lock(mutex_);
    return queue_->claim(wish);
  }
  void record(const ports::DispatchRecord& record) override {
    const std::lock_guard lock(mutex_);
    queue_->record(record);
  }
  ports::DisableEnd disable(std::uint64_t endpoint, const std::string& url, ports::DisableReason reason) override {
    const std::lock_guard lock(mutex_);
    return queue_->disable(endpoint, url, reason);
  }
  void leave() override {
    const std::lock_guard lock(mutex_);
    queue_->leave();
  }

 private:
  std::mutex& mutex_;
  std::unique_ptr<ports::DeliveryQueue> queue_;
};

class DispatcherThreadTest : public ::testing::Test {
 protected:
  template <class Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 10'000; ++i) {
      {
        const std::lock_guard lock(mutex_);
        if (condition()) return true;
      }
      std::this_thread::sleep_for(2ms);
    }
    return false;
  }
  static DispatcherOptions options() {
    DispatcherOptions options;
    options.configured_secret = secret;
    return options;
  }
  bool all_in(DeliveryState state) {
    return std::all_of(deliveries_.deliveries.begin(), deliveries_.deliveries.end(),
                       [state](const auto& delivery) { return delivery.second.state == state; });
  }

  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  ZeroRandom random_;
  std::mutex mutex_;
  MemoryDeliveries deliveries_{clock_};
  AnsweringTransport transport_;
  Dispatcher dispatcher_{options(),  std::make_unique<LockedQueue>(mutex_, deliveries_.make_queue()),
                         transport_, nullptr,
                         clock_,     random_,
                         log_,       nullptr};
};

TEST_F(DispatcherThreadTest, DeliversWhatComesAndEndsInOrder) {
  dispatcher_.start();
  {
    const std::lock_guard lock(mutex_);
    for (std::uint64_t endpoint = 1; endpoint <= 5; ++endpoint) {
      deliveries_.add_endpoint(endpoint);
      for (std::uint64_t seq = 1; seq <= 200; ++seq) {
        deliveries_.add(endpoint, "lane" + std::to_string(seq % 20), endpoint * 1'000 + seq);
      }
    }
  }
  dispatcher_.wake();
  EXPECT_TRUE(eventually([&] { return all_in(DeliveryState::delivered); }));
  dispatcher_.stop(10s);
  EXPECT_TRUE(deliveries_.lanes.empty());
  EXPECT_EQ(deliveries_.attempts.size(), 1'000u);
  EXPECT_EQ(dispatcher_.statistics().attempts[0], 1'000u);
}

TEST_F(DispatcherThreadTest, WaitsForWhatIsInFlightWhenItStops) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 1);
  deliveries_.add(1, "a", 2);
  transport_.holds = true;
  dispatcher_.start();
  EXPECT_TRUE(eventually([&] { return dispatcher_.statistics().in_flight == 1; }));
  auto stopped = std::async(std::launch::async, [&] { dispatcher_.stop(60s); });
  EXPECT_EQ(stopped.wait_for(30ms), std::future_status::timeout);
  transport_.holds = false;
  stopped.get();
  EXPECT_EQ(deliveries_.delivery(1, "a", 1).state, DeliveryState::delivered);
  EXPECT_EQ(deliveries_.delivery(1, "a", 2).state, DeliveryState::waiting);
  EXPECT_FALSE(deliveries_.lane(1, "a")->claimed_by);
}

TEST_F(DispatcherThreadTest, DoesntWaitForLongerThanItMay) {
  deliveries_.add_endpoint(1);
  deliveries_.add(1, "a", 1);
  transport_.holds = true;
  dispatcher_.start();
  EXPECT_TRUE(eventually([&] { return dispatcher_.statistics().in_flight == 1; }));
  dispatcher_.stop(20ms);
  EXPECT_EQ(deliveries_.delivery(1, "a", 1).attempts, 0u);
  EXPECT_FALSE(deliveries_.lane(1, "a")->claimed_by);
}

TEST_F(DispatcherThreadTest, EndsWhileTheDatabaseIsAway) {
  deliveries_.next_fault = [] { return MemoryDeliveries::Fault::before; };
  dispatcher_.start();
  EXPECT_TRUE(eventually([&] { return dispatcher_.statistics().queue_failures > 0; }));
  dispatcher_.stop(20ms);
  EXPECT_EQ(log_.lines("webhook_dispatcher_left").size(), 1u);
}

}  // namespace
}  // namespace fluxora::webhooks::test
