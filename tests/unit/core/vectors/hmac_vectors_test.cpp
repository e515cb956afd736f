#include <algorithm>

#include <gtest/gtest.h>

#include "fluxora/core/hmac_sha256.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

/// True when the tag is the start of the code that key and message have: some cases have tags of 16 bytes.
bool tag_fits(const Json& c) {
  const auto key = hex_decode(text(c, "key").value_or("none"));
  const auto message = hex_decode(text(c, "msg").value_or("none"));
  const auto tag = hex_decode(text(c, "tag").value_or("none"));
  EXPECT_TRUE(key && message && tag);
  if (!key || !message || !tag || tag->empty()) return false;
  const Hash code = HmacSha256Key(*key).authenticate({*message});
  EXPECT_LE(tag->size(), code.size());
  return equal_in_constant_time(ByteView(code).first(std::min(tag->size(), code.size())), *tag);
}

TEST(HmacVectors, Rfc4231) {
  const VectorCases file = read_array("hmac/rfc4231_hmac_sha256.json");
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) EXPECT_TRUE(tag_fits(file.cases[i])) << file.place(i);
  file.report();
}

TEST(HmacVectors, Wycheproof) {
  const VectorCases groups = read_list("hmac/hmac_sha256_test.json", "testGroups");
  REQUIRE_VECTORS(groups);
  VectorCases all;
  all.name = "hmac/hmac_sha256_test.json";
  for (const Json& group : groups.cases) {
    for (const Json& c : group.value("tests", Json::array())) {
      SCOPED_TRACE(all.place(all.cases.size()) + ": " + c.dump());
      all.cases.push_back(c);
      EXPECT_EQ(text(c, "tag").value_or("").size() * 4, group.value("tagSize", 0u));
      EXPECT_EQ(tag_fits(c), text(c, "result") == "valid");
    }
  }
  EXPECT_FALSE(all.cases.empty());
  all.report();
}

}  // namespace
}  // namespace fluxora::core::vectors
