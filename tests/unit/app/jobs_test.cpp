#include "jobs.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "fake_clock.hpp"

namespace fluxora::app::test {
namespace {

/// Keeps what is reported of job 7, and says whether it may go on.
class FakeQueue final : public ports::JobQueue {
 public:
  std::optional<ports::Job> take(const std::string&) override { return std::nullopt; }
  std::optional<ports::Job> take_or_start(const ports::NewJob&) override { return std::nullopt; }
  bool report(std::uint64_t id, const ports::JobPlace& place) override {
    EXPECT_EQ(id, 7u);
    places.push_back(place);
    return go_on;
  }
  void begun(std::uint64_t, const ports::NewJob&) override {}
  void leave(std::uint64_t, ports::JobState, const std::string&) override {}
  std::optional<ports::Job> find(std::uint64_t) override { return std::nullopt; }

  std::vector<ports::JobPlace> places;
  bool go_on = true;
};

class Shown final : public ports::JobProgress {
 public:
  bool reached(std::uint64_t, std::uint64_t, std::uint64_t) override {
    ++steps;
    return go_on;
  }
  int steps = 0;
  bool go_on = true;
};

class JobReportTest : public ::testing::Test {
 protected:
  bool reached(std::uint64_t done) { return report_.reached(done, 100, done * 10); }

  FakeQueue queue_;
  fakes::FakeClock clock_;
  Shown shown_;
  JobReport report_{7, queue_, clock_, &shown_};
};

TEST_F(JobReportTest, KeepsTheFirstPlaceAndThenTwoASecond) {
  for (std::uint64_t done = 1; done <= 10; ++done) {
    EXPECT_TRUE(reached(done));
    clock_.advance(std::chrono::milliseconds(100));
  }
  ASSERT_EQ(queue_.places.size(), 2u);
  EXPECT_EQ(queue_.places[0].done, 1u);
  EXPECT_EQ(queue_.places[1].done, 6u);
  EXPECT_EQ(queue_.places[1].total, 100u);
  EXPECT_EQ(queue_.places[1].rows, 60u);
  EXPECT_EQ(queue_.places[1].rows_per_second, 100u);
  EXPECT_EQ(queue_.places[1].remaining_ms, 9'400);
  EXPECT_EQ(shown_.steps, 10);
}

TEST_F(JobReportTest, KeepsTheEndHoweverSoonItComes) {
  EXPECT_TRUE(reached(99));
  EXPECT_TRUE(reached(100));
  ASSERT_EQ(queue_.places.size(), 2u);
  EXPECT_EQ(queue_.places.back().done, 100u);
}

TEST_F(JobReportTest, StopsWhenItsRowSaysSo) {
  EXPECT_TRUE(reached(1));
  queue_.go_on = false;
  EXPECT_TRUE(reached(2)) << "the row wasn't looked at yet";
  clock_.advance(std::chrono::milliseconds(500));
  EXPECT_FALSE(reached(3));
}

TEST_F(JobReportTest, StopsAtOnceWhenWhoShowsItSaysSoAndKeepsThePlace) {
  EXPECT_TRUE(reached(1));
  shown_.go_on = false;
  EXPECT_FALSE(reached(2));
  EXPECT_EQ(queue_.places.back().done, 2u);
}

TEST_F(JobReportTest, StopsWhenTheProcessEnds) {
  bool ending = false;
  JobReport report(7, queue_, clock_, nullptr, [&](const ports::JobPlace&) { return !ending; });
  EXPECT_TRUE(report.reached(1, 2, 3));
  ending = true;
  EXPECT_FALSE(report.reached(1, 2, 3));
}

}  // namespace
}  // namespace fluxora::app::test
