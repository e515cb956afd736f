#include "fluxora/webhooks/upkeep.hpp"

#include <chrono>
#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::webhooks::test {
namespace {

using namespace std::chrono_literals;

/// What is asked of the store, and what it answers. From any thread.
struct StoreScript {
  std::mutex mutex;
  bool fails = false;
  std::vector<std::optional<std::string>> configured;
  int replay_steps_left = 0;
  std::size_t prunable = 0;
  std::vector<core::UnixMillis> pruned_before;
  int backlogs = 0;
  ports::DeliveryBacklog backlog;
};

class FakeUpkeep final : public ports::WebhookUpkeep {
 public:
  explicit FakeUpkeep(StoreScript& script) : script_(script) {}

  void configure(const std::optional<ports::ConfiguredEndpoint>& endpoint) override {
    const auto lock = call();
    script_.configured.push_back(endpoint ? std::optional(endpoint->url) : std::nullopt);
  }
  bool advance_replay(std::size_t entries, std::size_t most_waiting) override {
    const auto lock = call();
    EXPECT_EQ(entries, 500u);
    EXPECT_EQ(most_waiting, 10'000u);
    return script_.replay_steps_left > 0 && script_.replay_steps_left-- > 0;
  }
  std::size_t prune(core::UnixMillis before, std::size_t limit) override {
    const auto lock = call();
    script_.pruned_before.push_back(before);
    const std::size_t removed = std::min(limit, script_.prunable);
    script_.prunable -= removed;
    return removed;
  }
  ports::DeliveryBacklog backlog(std::size_t most_waiting) override {
    const auto lock = call();
    EXPECT_EQ(most_waiting, 77u);
    ++script_.backlogs;
    return script_.backlog;
  }

 private:
  std::unique_lock<std::mutex> call() {
    std::unique_lock lock(script_.mutex);
    if (script_.fails) throw ports::StoreUnavailable("no database");
    return lock;
  }
  StoreScript& script_;
};

class UpkeepTest : public ::testing::Test {
 protected:
  UpkeepTest() {
    options_.most_waiting = 77;
    options_.retention_ms = 5'000'000;
  }
  Upkeep& upkeep() {
    if (!upkeep_) upkeep_ = std::make_unique<Upkeep>(options_, std::make_unique<FakeUpkeep>(script_), clock_, log_);
    return *upkeep_;
  }

  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  StoreScript script_;
  UpkeepOptions options_;
  std::unique_ptr<Upkeep> upkeep_;
};

TEST_F(UpkeepTest, ConfiguresTheEndpointOnceAsSoonAsTheDatabaseIsThere) {
  options_.configured = ports::ConfiguredEndpoint{"https://receiver.example"};
  script_.fails = true;
  EXPECT_FALSE(upkeep().round());
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(log_.lines("webhook_upkeep_unavailable").size(), 1u);
  EXPECT_EQ(upkeep().statistics().failures, 2u);
  script_.fails = false;
  upkeep().round();
  upkeep().round();
  EXPECT_EQ(script_.configured, (std::vector<std::optional<std::string>>{"https://receiver.example"}));
  EXPECT_EQ(log_.lines("webhook_upkeep_available").size(), 1u);
}

TEST_F(UpkeepTest, SaysThatNoEndpointIsConfigured) {
  upkeep().round();
  EXPECT_EQ(script_.configured, (std::vector<std::optional<std::string>>{std::nullopt}));
}

TEST_F(UpkeepTest, BringsReplaysOnUntilThereIsNothingMore) {
  script_.replay_steps_left = 25;
  EXPECT_TRUE(upkeep().round());
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(upkeep().statistics().replay_steps, 25u);
}

TEST_F(UpkeepTest, RemovesWhatIsKeptForLongEnough) {
  script_.prunable = 25'000;
  EXPECT_TRUE(upkeep().round());
  EXPECT_EQ(upkeep().statistics().pruned_deliveries, 20'000u);
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(upkeep().statistics().pruned_deliveries, 25'000u);
  for (const core::UnixMillis before : script_.pruned_before) EXPECT_EQ(before, clock_.now() - 5'000'000);
  const std::size_t calls = script_.pruned_before.size();
  upkeep().round();
  EXPECT_EQ(script_.pruned_before.size(), calls);
  clock_.advance(60s);
  upkeep().round();
  EXPECT_EQ(script_.pruned_before.size(), calls + 1);
}

TEST_F(UpkeepTest, ReadsTheBacklogEveryTenSeconds) {
  EXPECT_FALSE(upkeep().statistics().backlog);
  script_.backlog.waiting = 12;
  upkeep().round();
  upkeep().round();
  EXPECT_EQ(script_.backlogs, 1);
  EXPECT_EQ(upkeep().statistics().backlog->waiting, 12u);
  clock_.advance(10s);
  upkeep().round();
  EXPECT_EQ(script_.backlogs, 2);
}

TEST_F(UpkeepTest, TellsOfEndpointsForWhichTooMuchWaits) {
  std::vector<std::uint64_t> told;
  options_.on_overfull = [&](std::uint64_t endpoint) { told.push_back(endpoint); };
  script_.backlog.overfull = {3, 9};
  upkeep().round();
  EXPECT_EQ(told, (std::vector<std::uint64_t>{3, 9}));
}

TEST_F(UpkeepTest, ItsThreadIsWokenAndEnds) {
  upkeep().start();
  {
    const std::lock_guard lock(script_.mutex);
    script_.replay_steps_left = 30;
  }
  upkeep().wake();
  for (int i = 0; i < 10'000 && upkeep().statistics().replay_steps < 30; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_EQ(upkeep().statistics().replay_steps, 30u);
  upkeep().stop();
}

}  // namespace
}  // namespace fluxora::webhooks::test
