#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/scval.hpp"
#include "fluxora/core/scval_json.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

/// Base64 XDR as SEP-51 JSON; {"error_name": …} where it can't be decoded.
Json decoded_json(const Json& base64) {
  if (!base64.is_string()) return {{"error_name", "not a string"}};
  const Result<ScVal> value = decode_scval_base64(base64.get_ref<const std::string&>());
  if (!value) return {{"error_name", error_name(value.error().code)}};
  std::string json;
  JsonWriter writer(json);
  write_scval_json(writer, *value);
  return Json::parse(json, nullptr, false);
}

bool is_error(const Json& json) {
  return json.is_discarded() || json.contains("error_name");
}

void check_events(const VectorCases& file) {
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i) + ": " + text(c, "name").value_or(""));
    ASSERT_TRUE(has(c, "topic") && has(c, "value"));
    Json topics = Json::array();
    for (const Json& topic : *c.find("topic")) {
      topics.push_back(decoded_json(topic));
      EXPECT_FALSE(is_error(topics.back())) << topics.back();
    }
    const Json value = decoded_json(*c.find("value"));
    EXPECT_FALSE(is_error(value)) << value;
    if (const auto expected = c.find("topicJson"); expected != c.end()) {
      EXPECT_EQ(topics, *expected);
    }
    if (const auto expected = c.find("valueJson"); expected != c.end()) {
      EXPECT_EQ(value, *expected);
    }
  }
  file.report();
}

TEST(EventVectors, HostEvents) {
  const VectorCases file = read_lines("contract-events/host_events.jsonl");
  REQUIRE_VECTORS(file);
  check_events(file);
}

TEST(EventVectors, GeneratedEvents) {
  const VectorCases file = read_lines("contract-events/generated_events.jsonl");
  REQUIRE_VECTORS(file);
  check_events(file);
}

}  // namespace
}  // namespace fluxora::core::vectors
