#include "media_range.hpp"

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

unsigned csv_quality(const std::vector<std::string>& accept_lines) {
  net::Request request;
  for (const std::string& line : accept_lines) request.headers.emplace_back("accept", line);
  return accepted_quality(request, "text", "csv");
}

TEST(MediaRange, EverythingIsAcceptedWithoutAccept) {
  EXPECT_EQ(csv_quality({}), 1'000U);
}

TEST(MediaRange, TheMostSpecificRangeCounts) {
  EXPECT_EQ(csv_quality({"text/csv"}), 1'000U);
  EXPECT_EQ(csv_quality({"Text/CSV ; charset=utf-8 ; Q=0.5"}), 500U);
  EXPECT_EQ(csv_quality({"*/*;q=0.1, text/*;q=0.25, application/json"}), 250U);
  EXPECT_EQ(csv_quality({"text/csv;q=0.125, text/*, */*"}), 125U);
  EXPECT_EQ(csv_quality({"text/*", "text/csv;q=0"}), 0U) << "lines are one list";
  EXPECT_EQ(csv_quality({"application/json"}), 0U);
  EXPECT_EQ(csv_quality({""}), 0U);
}

TEST(MediaRange, WhatCannotBeReadIsPassedOver) {
  for (const char* bad :
       {"text/csv;q=2", "text/csv;q=1.5", "text/csv;q=", "text/csv;q=0.1234", "text/csv;q=a", ",,;"}) {
    EXPECT_EQ(csv_quality({std::string(bad) + ", */*;q=0.3"}), 300U) << bad;
  }
}

}  // namespace
}  // namespace fluxora::api
