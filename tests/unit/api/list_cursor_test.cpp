#include "list_cursor.hpp"

#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/stream.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

const std::string filters = "-/-/-";

ListCursor position(std::uint64_t seq, std::uint64_t stream) {
  return {"k3f9", {seq, core::chain_stream_id(core::sample_contract, stream)}};
}

TEST(ListCursor, IsReadAsItWasMade) {
  for (const auto& place :
       {position(1'042, 7), position(0, 0),
        position(std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<std::uint64_t>::max()),
        ListCursor{"e2", {3, "api-0190a5f2-7b3c-7def-8a1b-0123456789ab"}}}) {
    for (const std::string& with : {filters, std::string("1/GA/GB"), std::string()}) {
      const std::string text = encode_list_cursor(place, with);
      const auto read = decode_list_cursor(text, with);
      ASSERT_TRUE(read) << text;
      EXPECT_EQ(read->epoch, place.epoch);
      EXPECT_EQ(read->position.created_seq, place.position.created_seq);
      EXPECT_EQ(read->position.id, place.position.id);
    }
  }
}

TEST(ListCursor, GoesIntoAUrlAsItIs) {
  for (std::uint64_t seq = 0; seq < 300; ++seq) {
    const std::string text = encode_list_cursor(position(seq, seq * 7), filters);
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos)
        << text;
  }
}

TEST(ListCursor, EveryOtherCharacterAnywhereIsRefused) {
  const std::string text = encode_list_cursor(position(1'042, 7), filters);
  const std::string others = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char other : others) {
      if (other == text[i]) continue;
      std::string altered = text;
      altered[i] = other;
      EXPECT_FALSE(decode_list_cursor(altered, filters)) << i << other;
    }
  }
}

TEST(ListCursor, AnyCharacterMoreOrLessIsRefused) {
  const std::string text = encode_list_cursor(position(1'042, 7), filters);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string shorter = text;
    shorter.erase(i, 1);
    EXPECT_FALSE(decode_list_cursor(shorter, filters)) << i;
    EXPECT_FALSE(decode_list_cursor(text.substr(0, i), filters)) << i;
  }
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (const char more : {'A', '0', '=', '/', ' '}) {
      std::string longer = text;
      longer.insert(i, 1, more);
      EXPECT_FALSE(decode_list_cursor(longer, filters)) << i << more;
    }
  }
}

TEST(ListCursor, GoesWithItsFiltersOnly) {
  const std::vector<std::string> all = {"-/-/-", "0/-/-", "1/-/-", "-/GA/-", "-/-/GA", "1/GA/GB", "1/GB/GA", ""};
  for (const std::string& made_with : all) {
    const std::string text = encode_list_cursor(position(1'042, 7), made_with);
    for (const std::string& used_with : all) {
      EXPECT_EQ(decode_list_cursor(text, used_with).has_value(), made_with == used_with) << made_with << used_with;
    }
  }
}

TEST(ListCursor, WhatWeNeverMadeIsRefused) {
  for (const std::string text : {"", "A", "AA", "====", "MS8xMDQy", "!!!!", "k3f9-1042"}) {
    EXPECT_FALSE(decode_list_cursor(text, filters)) << text;
  }
  EXPECT_FALSE(decode_list_cursor(std::string(100'000, 'A'), filters));
  // Ids that are none, with their right checksums.
  for (const std::string id : {"", "x", "api-1", "../../etc"}) {
    EXPECT_FALSE(decode_list_cursor(encode_list_cursor({"k3f9", {5, id}}, filters), filters)) << id;
  }
}

TEST(ListCursor, APlaceOfAnyListGoesWithItsFilters) {
  for (const std::string place : {"", "12", "wd_12_k3f9_1042", "a/b/c"}) {
    const std::string text = encode_place(place, "one list");
    EXPECT_EQ(decode_place(text, "one list"), place);
    EXPECT_EQ(decode_place(text, "another list"), std::nullopt);
    EXPECT_EQ(decode_list_cursor(text, "one list").has_value(), false);
  }
  EXPECT_EQ(decode_place("", "one list"), std::nullopt);
  EXPECT_EQ(decode_place("12", "one list"), std::nullopt);
}

}  // namespace
}  // namespace fluxora::api::test
