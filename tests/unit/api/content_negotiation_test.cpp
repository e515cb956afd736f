#include "content_negotiation.hpp"

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

net::Request with(const std::string& header, const std::vector<std::string>& lines) {
  net::Request request;
  for (const std::string& line : lines) request.headers.emplace_back(header, line);
  return request;
}

unsigned csv_quality(const std::vector<std::string>& accept_lines) {
  return accepted_quality(with("accept", accept_lines), "text", "csv");
}

unsigned br_quality(const std::vector<std::string>& lines) {
  return accepted_coding_quality(with("accept-encoding", lines), "br");
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

TEST(ContentCoding, NoneIsLikedUnlessNamed) {
  EXPECT_EQ(br_quality({}), 0U);
  EXPECT_EQ(br_quality({""}), 0U);
  EXPECT_EQ(br_quality({"gzip, deflate"}), 0U);
  EXPECT_EQ(br_quality({"gzip, deflate, br, zstd"}), 1'000U);
  EXPECT_EQ(accepted_coding_quality(with("Accept", {"br"}), "br"), 0U) << "another header";
}

TEST(ContentCoding, ItsOwnNameCountsOverTheStar) {
  EXPECT_EQ(br_quality({"*"}), 1'000U);
  EXPECT_EQ(br_quality({"*;q=0.5, gzip"}), 500U);
  EXPECT_EQ(br_quality({"*, br;q=0"}), 0U);
  EXPECT_EQ(br_quality({"BR ; Q=0.25", "*;q=1"}), 250U) << "lines are one list";
  EXPECT_EQ(accepted_coding_quality(with("Accept-Encoding", {"gzip;q=0.5, *;q=0"}), "identity"), 0U);
  EXPECT_EQ(accepted_coding_quality(with("Accept-Encoding", {"identity;q=0.7, *;q=0"}), "identity"), 700U);
}

TEST(ContentCoding, WhatCannotBeReadIsPassedOver) {
  for (const char* bad : {"br;q=2", "br;q=", "br;q=0.1234", "br;q=a", "b r", ",,;"}) {
    EXPECT_EQ(br_quality({std::string(bad) + ", *;q=0.3"}), 300U) << bad;
  }
}

}  // namespace
}  // namespace fluxora::api
