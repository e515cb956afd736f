#include "fluxora/core/amount_sum.hpp"

#include <string>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

constexpr Amount most{int128_max};
constexpr Amount least{int128_min};

std::string sum_of(std::initializer_list<Amount> amounts) {
  AmountSum sum;
  for (const Amount amount : amounts) sum.add(amount);
  return sum.text();
}

// The texts of large sums were worked out with Python's integers.

TEST(AmountSum, WritesSevenDecimals) {
  EXPECT_EQ(AmountSum().text(), "0.0000000");
  EXPECT_EQ(sum_of({Amount{1}}), "0.0000001");
  EXPECT_EQ(sum_of({Amount{-1}}), "-0.0000001");
  EXPECT_EQ(sum_of({Amount{9'999'999}, Amount{1}}), "1.0000000");
  EXPECT_EQ(sum_of({Amount{-123'456'789}}), "-12.3456789");
  // A chunk of digits that is all zeros, and one with zeros in front.
  EXPECT_EQ(sum_of({Amount{Int128{10'000'000'000} * 1'000'000'000}}), "1000000000000.0000000");
  EXPECT_EQ(sum_of({Amount{Int128{10'000'000'000} * 1'000'000'000 + 5}}), "1000000000000.0000005");
}

TEST(AmountSum, GoesBeyondAnAmount) {
  EXPECT_EQ(sum_of({most}), "17014118346046923173168730371588.4105727");
  EXPECT_EQ(sum_of({least}), "-17014118346046923173168730371588.4105728");
  EXPECT_EQ(sum_of({most, most}), "34028236692093846346337460743176.8211454");
  EXPECT_EQ(sum_of({least, least}), "-34028236692093846346337460743176.8211456");
  EXPECT_EQ(sum_of({most, most, most, Amount{3}}), "51042355038140769519506191114765.2317184");
  EXPECT_EQ(sum_of({least, most}), "-0.0000001");
  EXPECT_EQ(sum_of({least, least, most, most, Amount{2}}), "0.0000000");
}

TEST(AmountSum, HoldsAnyNumberOfAmounts) {
  AmountSum sum(most);
  AmountSum negative(least);
  for (int doubled = 0; doubled < 62; ++doubled) {
    sum.add(sum);
    negative.add(negative);
  }
  EXPECT_EQ(sum.text(), "78463771692333509547947367790095830200818274453957.6926208");
  EXPECT_EQ(negative.text(), "-78463771692333509547947367790095830201279443055800.4314112");
  sum.add(negative);
  EXPECT_EQ(sum.text(), "-461168601842.7387904");
}

TEST(AmountSum, SubtractsWithItsSign) {
  EXPECT_EQ(difference(least, most).text(), "-34028236692093846346337460743176.8211455");
  EXPECT_EQ(difference(most, least).text(), "34028236692093846346337460743176.8211455");
  EXPECT_EQ(difference(Amount{5}, Amount{7}).text(), "-0.0000002");
  EXPECT_EQ(difference(Amount{-5}, Amount{-7}).text(), "0.0000002");
  EXPECT_EQ(difference(least, Amount{0}).text(), "-17014118346046923173168730371588.4105728");
  EXPECT_EQ(difference(Amount{0}, least).text(), "17014118346046923173168730371588.4105728");
}

}  // namespace
}  // namespace fluxora::core
