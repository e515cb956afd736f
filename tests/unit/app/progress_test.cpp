#include "progress.hpp"

#include <gtest/gtest.h>

namespace fluxora::app {
namespace {

TEST(JobPace, IsCountedFromWhereTheJobStarted) {
  JobPace pace;
  pace.at({500, 1'000, 40'000}, 10'000);
  EXPECT_EQ(pace.rows_per_second(), 0U);
  EXPECT_EQ(pace.remaining_ms(), std::nullopt);
  pace.at({600, 1'000, 60'000}, 12'000);
  EXPECT_EQ(pace.rows_per_second(), 10'000U);
  EXPECT_EQ(pace.remaining_ms(), 8'000);
  EXPECT_EQ(pace.percent(), 60U);
  pace.at({1'000, 1'000, 80'000}, 14'000);
  EXPECT_EQ(pace.remaining_ms(), 0);
  EXPECT_EQ(pace.percent(), 100U);
}

TEST(JobPace, WithoutATotalHasNoEnd) {
  JobPace pace;
  pace.at({0, 0, 0}, 0);
  pace.at({10, 0, 10}, 1'000);
  EXPECT_EQ(pace.remaining_ms(), std::nullopt);
  EXPECT_EQ(pace.percent(), 0U);
  EXPECT_EQ(pace.rows_per_second(), 10U);
}

TEST(JobPace, AClockThatGoesBackGivesNoNonsense) {
  JobPace pace;
  pace.at({0, 10, 0}, 5'000);
  pace.at({5, 10, 5}, 3'000);
  EXPECT_EQ(pace.rows_per_second(), 0U);
  EXPECT_EQ(pace.remaining_ms(), std::nullopt);
}

JobPace halfway() {
  JobPace pace;
  pace.at({0, 2'000'000, 0}, 0);
  pace.at({1'000'000, 2'000'000, 1'234'567}, 3'723'000);
  return pace;
}

TEST(Progress, IsABarForATerminal) {
  EXPECT_EQ(progress_bar("rebuild", halfway()),
            "rebuild [############............]  50 %  1,234,567 rows  331 rows/s  1:02:03 left");
  JobPace begun;
  begun.at({0, 10, 0}, 0);
  EXPECT_EQ(progress_bar("verify", begun), "verify [........................]   0 %  0 rows  0 rows/s");
}

TEST(Progress, IsALineForWhateverReadsLines) {
  EXPECT_EQ(progress_json("rebuild", halfway()),
            R"({"job":"rebuild","done":1000000,"total":2000000,"rows":1234567,"rowsPerSecond":331,)"
            R"("remainingMs":3723000})");
  JobPace begun;
  begun.at({0, 0, 0}, 0);
  EXPECT_EQ(progress_json("replay", begun),
            R"({"job":"replay","done":0,"total":0,"rows":0,"rowsPerSecond":0,"remainingMs":null})");
}

}  // namespace
}  // namespace fluxora::app
