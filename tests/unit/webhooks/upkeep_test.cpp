#include "fluxora/webhooks/upkeep.hpp"

#include <chrono>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/ports/delivery_id.hpp"
#include "fluxora/ports/store_result.hpp"
#include "zero_random.hpp"

namespace fluxora::webhooks::test {
namespace {

using namespace std::chrono_literals;

/// What is asked of the store, and what it answers. From any thread.
struct StoreScript {
  std::mutex mutex;
  bool fails = false;
  std::vector<std::pair<std::optional<std::string>, bool>> configured;  ///< with what says that it starts
  ports::ConfiguredChange change = ports::ConfiguredChange::none;
  std::vector<std::pair<std::uint64_t, ports::DisableReason>> disabled;
  bool was_enabled = true;
  bool replays_fail = false;
  int replay_steps_left = 0;
  std::size_t replay_step = 0;
  std::size_t replay_most_waiting = 0;
  bool prune_fails = false;
  std::size_t prunable = 0;
  std::vector<core::UnixMillis> pruned_before;
  std::size_t most_waiting = 77;
  bool backlog_fails = false;
  int backlogs = 0;
  ports::DeliveryBacklog backlog;
  std::vector<ports::SealedSecret> secrets;
  int secret_pages = 0;
  int reseals_until_failure = -1;  ///< then one fails; negative: none does
  std::function<void()> before_reseal;
};

class FakeUpkeep final : public ports::WebhookUpkeep {
 public:
  explicit FakeUpkeep(StoreScript& script) : script_(script) {}

  ports::ConfiguredChange configure(const std::optional<ports::ConfiguredEndpoint>& endpoint, bool starts) override {
    const auto lock = call();
    script_.configured.emplace_back(endpoint ? std::optional(endpoint->url) : std::nullopt, starts);
    return script_.change;
  }
  bool disable(std::uint64_t endpoint, ports::DisableReason reason) override {
    const auto lock = call();
    script_.disabled.emplace_back(endpoint, reason);
    return script_.was_enabled;
  }
  bool advance_replay(std::size_t entries, std::size_t most_waiting) override {
    const auto lock = call();
    script_.replay_step = entries;
    script_.replay_most_waiting = most_waiting;
    if (script_.replays_fail) throw ports::StoreUnavailable("too slow");
    return script_.replay_steps_left > 0 && script_.replay_steps_left-- > 0;
  }
  std::size_t prune(core::UnixMillis before, std::size_t limit) override {
    const auto lock = call();
    script_.pruned_before.push_back(before);
    if (script_.prune_fails) throw ports::StoreUnavailable("too slow");
    const std::size_t removed = std::min(limit, script_.prunable);
    script_.prunable -= removed;
    return removed;
  }
  ports::DeliveryBacklog backlog(std::size_t most_waiting) override {
    const auto lock = call();
    EXPECT_EQ(most_waiting, script_.most_waiting);
    ++script_.backlogs;
    if (script_.backlog_fails) throw ports::StoreUnavailable("too slow");
    return script_.backlog;
  }
  std::vector<ports::SealedSecret> sealed_secrets(const std::optional<ports::SealedSecret>& after,
                                                  std::size_t limit) override {
    const auto lock = call();
    ++script_.secret_pages;
    const auto place = [](const ports::SealedSecret& secret) { return std::pair(secret.endpoint, secret.number); };
    std::vector<ports::SealedSecret> page;
    for (const ports::SealedSecret& secret : script_.secrets) {
      if (page.size() < limit && (!after || place(secret) > place(*after))) page.push_back(secret);
    }
    return page;
  }
  bool reseal(const ports::SealedSecret& secret, const core::Bytes& sealed) override {
    const auto lock = call();
    if (script_.reseals_until_failure-- == 0) throw ports::StoreUnavailable("gone");
    if (script_.before_reseal) std::exchange(script_.before_reseal, nullptr)();
    for (ports::SealedSecret& kept : script_.secrets) {
      if (kept.endpoint != secret.endpoint || kept.number != secret.number) continue;
      if (kept.sealed != secret.sealed) return false;
      kept.sealed = sealed;
      return true;
    }
    return false;
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
    if (!upkeep_)
      upkeep_ =
          std::make_unique<Upkeep>(options_, std::make_unique<FakeUpkeep>(script_), secrets_, clock_, random_, log_);
    return *upkeep_;
  }

  fakes::FakeClock clock_{1'800'000'000'000};
  fakes::FakeLog log_;
  ZeroRandom random_;
  const core::SecretBox* secrets_ = nullptr;
  StoreScript script_;
  UpkeepOptions options_;
  std::unique_ptr<Upkeep> upkeep_;
};

using Configured = std::vector<std::pair<std::optional<std::string>, bool>>;

TEST_F(UpkeepTest, SaysEveryMinuteThatItHasTheConfiguredEndpoint) {
  options_.configured = ports::ConfiguredEndpoint{"https://receiver.example"};
  script_.fails = true;
  EXPECT_FALSE(upkeep().round());
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(log_.lines("webhook_upkeep_unavailable").size(), 1u);
  EXPECT_EQ(upkeep().statistics().failures, 2u);
  script_.fails = false;
  upkeep().round();
  upkeep().round();
  EXPECT_EQ(script_.configured, (Configured{{"https://receiver.example", true}}));
  EXPECT_EQ(log_.lines("webhook_upkeep_available").size(), 1u);
  clock_.advance(59s);
  upkeep().round();
  EXPECT_EQ(script_.configured.size(), 1u);
  clock_.advance(1s);
  upkeep().round();
  EXPECT_EQ(script_.configured.size(), 2u);
  EXPECT_EQ(script_.configured.back(), (std::pair(std::optional<std::string>("https://receiver.example"), false)));
}

TEST_F(UpkeepTest, LooksForAnEndpointThatNobodyHasOnceEverybodyHadTheTimeToSayIt) {
  upkeep().round();
  clock_.advance(599s);
  upkeep().round();
  EXPECT_EQ(script_.configured, Configured{});
  clock_.advance(1s);
  upkeep().round();
  upkeep().round();
  ASSERT_EQ(script_.configured.size(), 1u);
  EXPECT_EQ(script_.configured[0].first, std::nullopt);
  clock_.advance(60s);
  upkeep().round();
  EXPECT_EQ(script_.configured.size(), 2u);
}

TEST_F(UpkeepTest, TellsWhatBecomesOfTheConfiguredEndpoint) {
  using ports::ConfiguredChange;
  options_.configured = ports::ConfiguredEndpoint{"https://receiver.example/?key=planted"};
  upkeep().round();
  EXPECT_TRUE(log_.lines("webhook_configured_endpoint").empty());
  for (const auto change :
       {ConfiguredChange::made, ConfiguredChange::moved, ConfiguredChange::enabled, ConfiguredChange::disabled}) {
    script_.change = change;
    clock_.advance(60s);
    upkeep().round();
    const auto lines = log_.lines("webhook_configured_endpoint");
    ASSERT_EQ(lines.size(), static_cast<std::size_t>(change));
    EXPECT_EQ(lines.back().level, change == ConfiguredChange::disabled ? ports::LogLevel::warn : ports::LogLevel::info);
    EXPECT_EQ(lines.back().message.find("planted"), std::string::npos);
  }
}

TEST_F(UpkeepTest, BringsReplaysOnUntilThereIsNothingMore) {
  options_.most_waiting = 1'000'000;
  script_.most_waiting = 1'000'000;
  script_.replay_steps_left = 25;
  EXPECT_TRUE(upkeep().round());
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(script_.replay_step, 500u);
  EXPECT_EQ(script_.replay_most_waiting, 10'000u);
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

TEST_F(UpkeepTest, WhatFailsKeepsNothingElseAndIsntTriedAgainAtOnce) {
  script_.prunable = 5;
  script_.replay_steps_left = 3;
  script_.backlog_fails = true;
  upkeep().round();
  upkeep().round();
  EXPECT_EQ(script_.backlogs, 1);
  EXPECT_EQ(upkeep().statistics().pruned_deliveries, 5u);
  EXPECT_EQ(upkeep().statistics().replay_steps, 3u);
  EXPECT_EQ(upkeep().statistics().failures, 1u);

  script_.backlog_fails = false;
  script_.prune_fails = script_.replays_fail = true;
  clock_.advance(60s);
  upkeep().round();
  upkeep().round();
  EXPECT_EQ(script_.backlogs, 2);
  EXPECT_EQ(script_.pruned_before.size(), 2u);
  EXPECT_TRUE(upkeep().statistics().backlog);
}

TEST_F(UpkeepTest, KeepsReplaysWellBelowTheBound) {
  upkeep().round();
  EXPECT_EQ(script_.replay_most_waiting, 38u);
  EXPECT_EQ(script_.replay_step, 38u);
}

TEST_F(UpkeepTest, DisablesEndpointsForWhichTooMuchWaitsAndEverMore) {
  const auto read = [&](std::vector<ports::OverfullEndpoint> overfull) {
    script_.disabled.clear();
    script_.backlog.overfull = std::move(overfull);
    clock_.advance(10s);
    upkeep().round();
    std::vector<std::uint64_t> told;
    for (const auto& [endpoint, reason] : script_.disabled) {
      EXPECT_EQ(reason, ports::DisableReason::backlog);
      told.push_back(endpoint);
    }
    return told;
  };
  using Told = std::vector<std::uint64_t>;
  EXPECT_EQ(read({{3, 100}, {9, 100}, {11, 769}}), Told{}) << "they may be getting on with it";
  EXPECT_EQ(read({{3, 101}, {9, 99}, {11, 769}}), Told{3});
  EXPECT_EQ(read({{3, 150}, {9, 100}, {11, 700}}), Told{9}) << "3 was enabled again since";
  EXPECT_EQ(read({{3, 150}}), Told{});
  EXPECT_EQ(read({}), Told{});
  EXPECT_EQ(read({{3, 160}}), Told{}) << "in between it had less than the bound";
  EXPECT_EQ(read({{3, 161}}), Told{3});
  EXPECT_EQ(read({{3, 770}}), Told{3}) << "ten times the bound: nobody counts further";
  const auto lines = log_.lines("webhook_endpoint_disabled");
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[1].level, ports::LogLevel::warn);
  EXPECT_EQ(lines[1].fields.at("endpoint"), "9");
  EXPECT_EQ(lines[1].fields.at("reason"), "backlog");
  EXPECT_EQ(upkeep().statistics().overfull_disabled, 4u);
  script_.was_enabled = false;
  EXPECT_EQ(read({{3, 770}}), Told{3});
  EXPECT_EQ(upkeep().statistics().overfull_disabled, 4u) << "somebody else has done it";
  EXPECT_EQ(log_.lines("webhook_endpoint_disabled").size(), 4u);
}

/// Endpoints' secrets under a key that isn't the first any more.
class UpkeepSecretsTest : public UpkeepTest {
 protected:
  UpkeepSecretsTest() { secrets_ = &box_; }

  static core::SecretBox box_of(const std::string& keys) { return std::move(*core::SecretBox::parse(keys)); }
  static std::string key_text(std::uint8_t filling) { return core::base64_encode(core::Bytes(32, filling)); }
  static core::Bytes sealed_by(const core::SecretBox& box, std::uint64_t endpoint) {
    return box.seal("whsec_" + std::to_string(endpoint), ports::webhook_secret_owner(endpoint), {});
  }
  void keep(std::uint64_t endpoint, std::uint64_t number, const core::SecretBox& by) {
    script_.secrets.push_back({endpoint, number, sealed_by(by, endpoint)});
  }
  void expect_resealed() {
    for (const ports::SealedSecret& secret : script_.secrets) {
      EXPECT_EQ(newest_.open(secret.sealed, ports::webhook_secret_owner(secret.endpoint)),
                "whsec_" + std::to_string(secret.endpoint));
    }
  }
  std::vector<std::pair<std::string, std::string>> told() {
    std::vector<std::pair<std::string, std::string>> counts;
    for (const auto& line : log_.lines("webhook_secrets_resealed")) {
      counts.emplace_back(line.fields.at("resealed"), line.fields.at("unreadable"));
    }
    return counts;
  }
  using Counts = std::vector<std::pair<std::string, std::string>>;

  const core::SecretBox former_ = box_of(key_text(1));
  const core::SecretBox newest_ = box_of(key_text(2));
  const core::SecretBox box_ = box_of(key_text(2) + "," + key_text(1));
};

TEST_F(UpkeepSecretsTest, AreSealedUnderTheFirstKeyOnceAProcess) {
  for (std::uint64_t endpoint = 1; endpoint <= 700; ++endpoint) {
    keep(endpoint, 0, endpoint % 7 == 0 ? box_ : former_);
    if (endpoint == 300) keep(endpoint, 9, former_);
  }
  EXPECT_TRUE(upkeep().round());
  EXPECT_EQ(told(), Counts{});
  EXPECT_FALSE(upkeep().round());
  expect_resealed();
  EXPECT_EQ(told(), (Counts{{"601", "0"}}));
  EXPECT_EQ(log_.lines("webhook_secrets_resealed")[0].level, ports::LogLevel::info);
  upkeep().round();
  EXPECT_EQ(script_.secret_pages, 2);
}

TEST_F(UpkeepSecretsTest, ThatNoKeyOpensAreCountedAndStay) {
  keep(1, 0, former_);
  keep(2, 0, box_of(key_text(3)));
  const core::Bytes unreadable = script_.secrets[1].sealed;
  script_.reseals_until_failure = 0;
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(upkeep().statistics().failures, 1u);
  EXPECT_FALSE(upkeep().round());
  EXPECT_EQ(told(), (Counts{{"1", "1"}}));
  EXPECT_EQ(log_.lines("webhook_secrets_resealed")[0].level, ports::LogLevel::warn);
  EXPECT_EQ(script_.secrets[1].sealed, unreadable);
}

TEST_F(UpkeepSecretsTest, ThatARotationMovedAreLookedForAgain) {
  keep(1, 0, former_);
  script_.before_reseal = [this] {
    script_.secrets.push_back({1, 1, script_.secrets[0].sealed});
    script_.secrets[0].sealed = sealed_by(box_, 1);
  };
  while (upkeep().round()) {
  }
  expect_resealed();
  EXPECT_EQ(told(), (Counts{{"1", "0"}}));
}

TEST_F(UpkeepSecretsTest, AreLeftAloneWithoutKeys) {
  secrets_ = nullptr;
  keep(1, 0, former_);
  upkeep().round();
  EXPECT_EQ(script_.secret_pages, 0);
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
