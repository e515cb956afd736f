#include "log_pruner.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"
#include "fake_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::app::test {
namespace {

using Progress = ports::LogRetention::Progress;
using std::chrono::milliseconds;

constexpr core::UnixSeconds day_s = 86'400;
constexpr core::UnixMillis hour_ms = 3'600'000;

/// Answers what the test has put into it, then that there is nothing to do.
struct Script {
  std::deque<ports::LogRetention::Step> steps;
  std::vector<core::UnixSeconds> asked;
  ports::LogSize size{5, 2, 4'096};
  bool is_away = false;
};

class ScriptedRetention final : public ports::LogRetention {
 public:
  explicit ScriptedRetention(Script& script) : script_(script) {}

  Step step(core::UnixSeconds before) override {
    if (script_.is_away) throw ports::StoreUnavailable("away");
    script_.asked.push_back(before);
    if (script_.steps.empty()) return {};
    const Step step = script_.steps.front();
    script_.steps.pop_front();
    return step;
  }
  ports::LogSize size() override {
    if (script_.is_away) throw ports::StoreUnavailable("away");
    return script_.size;
  }

 private:
  Script& script_;
};

class LogPrunerTest : public ::testing::Test {
 protected:
  LogPruner make(core::UnixSeconds keep_s) {
    return {{keep_s, milliseconds(hour_ms)}, std::make_unique<ScriptedRetention>(script_), clock_, log_};
  }

  Script script_;
  fakes::FakeClock clock_;
  fakes::FakeLog log_;
};

TEST_F(LogPrunerTest, OnlyLooksHowLargeTheLogIsWhereAllIsKept) {
  LogPruner pruner = make(0);
  EXPECT_EQ(pruner.look(), LogPruner::size_every);
  EXPECT_TRUE(script_.asked.empty());
  ASSERT_TRUE(pruner.statistics().size);
  EXPECT_EQ(pruner.statistics().size->bytes, 4'096u);
}

TEST_F(LogPrunerTest, PrunesUntilNothingIsLeftAndThenOnceAnHour) {
  script_.steps = {{Progress::more, {}}, {Progress::more, {}}, {Progress::pruned, {1, 501, 2, 40}}};
  LogPruner pruner = make(30 * day_s);
  EXPECT_EQ(pruner.look(), LogPruner::size_every);
  EXPECT_EQ(script_.asked, std::vector(4, static_cast<core::UnixSeconds>(clock_.now() / 1'000) - 30 * day_s));
  const auto lines = log_.lines("log_pruned");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].fields.at("from"), "1");
  EXPECT_EQ(lines[0].fields.at("to"), "500");
  EXPECT_EQ(lines[0].fields.at("partitions"), "2");
  EXPECT_EQ(lines[0].fields.at("keptRows"), "40");
  EXPECT_EQ(pruner.statistics().prunings, 1u);
  EXPECT_EQ(pruner.statistics().pruned_partitions, 2u);

  clock_.advance(milliseconds(hour_ms - 1));
  pruner.look();
  EXPECT_EQ(script_.asked.size(), 4u);
  clock_.advance(milliseconds(1));
  pruner.look();
  EXPECT_EQ(script_.asked.size(), 5u);
}

TEST_F(LogPrunerTest, TriesAgainSoonWhereSomebodyIsInTheWay) {
  script_.steps = {{Progress::more, {}}, {Progress::busy, {}}, {Progress::pruned, {1, 11, 1, 3}}};
  LogPruner pruner = make(30 * day_s);
  EXPECT_EQ(pruner.look(), LogPruner::busy_pause);
  clock_.advance(LogPruner::busy_pause);
  EXPECT_EQ(pruner.look(), LogPruner::size_every);
  const auto lines = log_.lines("log_pruned");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].fields.at("durationMs"), std::to_string(LogPruner::busy_pause.count()))
      << "from its first step on";
}

TEST_F(LogPrunerTest, LeavesItWhereTheProcessEnds) {
  script_.steps = {{Progress::more, {}}};
  LogPruner pruner = make(30 * day_s);
  clock_.end();
  pruner.look();
  EXPECT_TRUE(script_.asked.empty());
}

TEST_F(LogPrunerTest, TellsOnceThatTheDatabaseIsAwayAndOnceThatItIsBack) {
  script_.is_away = true;
  LogPruner pruner = make(30 * day_s);
  pruner.look();
  pruner.look();
  EXPECT_EQ(log_.lines("log_retention_unavailable").size(), 1u);
  EXPECT_EQ(pruner.statistics().failures, 2u);
  EXPECT_FALSE(pruner.statistics().size);
  script_.is_away = false;
  pruner.look();
  EXPECT_EQ(log_.lines("log_retention_available").size(), 1u);
  EXPECT_FALSE(script_.asked.empty()) << "what couldn't be looked at is still due";
}

}  // namespace
}  // namespace fluxora::app::test
