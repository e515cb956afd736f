#include "openapi.hpp"

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "docs_page.hpp"

namespace fluxora::api::test {
namespace {

using Ordered = nlohmann::ordered_json;
using Names = std::set<std::string>;

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
  return text;
}

Names described_operations(const Ordered& description) {
  Names names;
  for (const auto& [path, item] : description["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      if (operation.is_object()) names.insert(upper(method) + " " + path);
    }
  }
  return names;
}

/// Calls `visit` with every object within.
template <class Visit>
void for_each_object(const Ordered& value, const Visit& visit) {
  if (value.is_object()) visit(value);
  if (!value.is_structured()) return;
  for (const Ordered& inner : value) for_each_object(inner, visit);
}

Names matches(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  Names found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) found.insert((*at)[1]);
  return found;
}

class OpenApiTest : public testing::Test {
 protected:
  ApiBench bench_;
  const Ordered description_ = openapi_description("1.2.3", "https://api.example/");
};

TEST_F(OpenApiTest, DescribesTheRoutesThatThereAreAndNoOthers) {
  Names routes;
  for (const auto& [method, pattern] : bench_.router->routes()) routes.insert(method + " " + pattern);
  EXPECT_EQ(described_operations(description_), routes);
}

TEST_F(OpenApiTest, SaysWhichVersionItIsAndWhereTheServiceIs) {
  EXPECT_EQ(description_["openapi"], "3.1.0");
  EXPECT_EQ(description_["info"]["version"], "1.2.3");
  EXPECT_EQ(description_["servers"], Ordered::parse(R"([{"url":"https://api.example"}])"));
  EXPECT_EQ(openapi_description("1.2.3", "")["servers"], Ordered::parse(R"([{"url":"/"}])"));
}

TEST_F(OpenApiTest, EveryReferenceLeadsSomewhere) {
  std::size_t references = 0;
  for_each_object(description_, [&](const Ordered& object) {
    const auto ref = object.find("$ref");
    if (ref == object.end()) return;
    ++references;
    const std::string target = ref->get<std::string>();
    ASSERT_TRUE(target.starts_with("#/components/")) << target;
    EXPECT_TRUE(description_.contains(Ordered::json_pointer(target.substr(1)))) << target;
  });
  EXPECT_GT(references, 100u);
}

TEST_F(OpenApiTest, ObjectsHaveNoMembersThatArentDescribed) {
  for_each_object(description_["components"]["schemas"], [](const Ordered& schema) {
    if (!schema.contains("properties") || !schema["properties"].is_object() || !schema.contains("type")) return;
    EXPECT_TRUE(schema.contains("additionalProperties") && schema["additionalProperties"] == false) << schema.dump();
  });
}

TEST_F(OpenApiTest, IsServedAndKeptByItsTag) {
  const net::Response response = bench_.ask("/openapi.json");
  EXPECT_EQ(response.status, 200u);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
  EXPECT_EQ(Ordered::parse(body_text(response)), description_);
  const std::string etag = header(response, "ETag");
  EXPECT_EQ(etag.size(), 66u);
  const net::Response again = bench_.ask("/openapi.json", {{"If-None-Match", "\"x\", W/" + etag}});
  EXPECT_EQ(again.status, 304u);
  EXPECT_EQ(header(again, "ETag"), etag);
  EXPECT_EQ(body_text(again), "");
  EXPECT_EQ(bench_.ask("/openapi.json", {{"If-None-Match", "\"x\""}}).status, 200u);
  expect_bad_fields(bench_.ask("/openapi.json?pretty=1"), {"pretty"});
}

TEST_F(OpenApiTest, ThePageHasEveryOperationAndSchemaAndItsLinksLeadThere) {
  const net::Response response = bench_.ask("/docs");
  EXPECT_EQ(response.content_type, "text/html; charset=utf-8");
  const std::string page = body_text(response);
  const Names anchors = matches(page, " id=\"([^\"]+)\"");
  for (const std::string& target : matches(page, "href=\"#([^\"]+)\"")) EXPECT_TRUE(anchors.contains(target)) << target;
  std::size_t operations = 0;
  for_each_object(description_, [&](const Ordered& object) {
    const auto id = object.find("operationId");
    if (id == object.end() || !id->is_string()) return;
    ++operations;
    EXPECT_TRUE(anchors.contains(id->get<std::string>())) << *id;
  });
  EXPECT_GE(operations, described_operations(description_).size());
  for (const auto& [name, unused] : description_["components"]["schemas"].items()) {
    EXPECT_TRUE(anchors.contains("schemas-" + name)) << name;
  }
}

TEST_F(OpenApiTest, ThePageNeedsNoScriptAndNothingFromElsewhere) {
  const std::string page = docs_page(description_);
  EXPECT_TRUE(matches(page, "(<script|<img|<iframe|@import|url\\()").empty());
  EXPECT_TRUE(matches(page, "(?:href|src)=\"((?!data:)[a-z]+:[^\"]*)\"").empty());
}

TEST_F(OpenApiTest, WhatIsDescribedIsTextToThePage) {
  Ordered description = description_;
  description["paths"]["/"]["get"]["summary"] = "<script>alert(1)</script> `<b>`";
  const std::string page = docs_page(description);
  EXPECT_EQ(page.find("<script"), std::string::npos);
  EXPECT_NE(page.find("&lt;script&gt;alert(1)&lt;/script&gt; <code>&lt;b&gt;</code>"), std::string::npos);
}

}  // namespace
}  // namespace fluxora::api::test
