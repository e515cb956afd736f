#include "histogram.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace fluxora::load {
namespace {

TEST(Histogram, of_nothing_is_zero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_EQ(histogram.quantile(0.5), 0U);
}

TEST(Histogram, knows_small_values_exactly) {
  Histogram histogram;
  for (int value = 1; value <= 50; ++value) histogram.record(value);
  EXPECT_EQ(histogram.quantile(0.5), 25U);
  EXPECT_EQ(histogram.quantile(0.98), 49U);
  EXPECT_EQ(histogram.quantile(1), 50U);
}

TEST(Histogram, takes_a_clock_that_went_back_for_no_time) {
  Histogram histogram;
  histogram.record(-5);
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.max(), 0U);
}

TEST(Histogram, is_never_below_the_true_quantile_and_at_most_a_64th_above) {
  std::mt19937_64 random(7);
  Histogram histogram;
  std::vector<std::uint64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(random() >> (1 + random() % 60));
    histogram.record(static_cast<std::int64_t>(values.back()));
  }
  std::sort(values.begin(), values.end());
  for (const double share : {0.01, 0.25, 0.5, 0.9, 0.99, 0.9999, 1.0}) {
    const std::uint64_t exact = values[static_cast<std::size_t>(std::ceil(share * 20'000)) - 1];
    EXPECT_GE(histogram.quantile(share), exact) << share;
    EXPECT_LE(histogram.quantile(share), exact + exact / 64) << share;
  }
  histogram.clear();
  EXPECT_EQ(histogram.count(), 0U);
}

}  // namespace
}  // namespace fluxora::load
