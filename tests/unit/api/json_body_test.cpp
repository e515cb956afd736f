#include "json_body.hpp"

#include <string>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "json_fields.hpp"

namespace fluxora::api::test {
namespace {

std::variant<Json, net::Response> read(const std::string& body, const std::string& type = "application/json") {
  net::Request request = ApiBench::request("/x", {{"Content-Type", type}}, "POST");
  request.body = body;
  return read_json_object(request);
}

std::string nested(std::size_t depth) {
  std::string text = "{\"a\":";
  for (std::size_t i = 1; i < depth; ++i) text += '[';
  for (std::size_t i = 1; i < depth; ++i) text += ']';
  return text + "}";
}

TEST(JsonBody, IsAnObject) {
  const auto body = read(R"({"a":[1,"x",null],"b":{"c":true}})");
  ASSERT_TRUE(std::holds_alternative<Json>(body));
  EXPECT_EQ(std::get<Json>(body), Json::parse(R"({"a":[1,"x",null],"b":{"c":true}})"));
  EXPECT_TRUE(std::holds_alternative<Json>(read(nested(20).replace(5, 0, "")))) << "twenty levels";
}

TEST(JsonBody, ShowsALongNameWithoutABrokenCharacter) {
  const std::string name = "a" + [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "é";
    return text;
  }();
  const auto body = read("{\"" + name + "\":1,\"" + name + "\":2}");
  ASSERT_TRUE(std::holds_alternative<net::Response>(body));
  const Json problem = expect_problem(std::get<net::Response>(body), 400, "VALIDATION_ERROR");
  EXPECT_NE(problem.at("detail").get<std::string>().find(name.substr(0, 63) + "…"), std::string::npos);
}

TEST(JsonBody, IsRefusedForWhatIsWrongWithIt) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "first mistake"},
      {"{\"a\":1}x", "first mistake"},
      {"{\"a\":\"\xff\"}", "UTF-8"},
      {"{\"a\":1e999}", "out of range"},
      {R"({"a":"\u0000"})", "NUL"},
      {R"({"\u0000":1})", "NUL"},
      {R"({"a":1,"a":1})", "twice"},
      {R"({"b":[{"a":1,"a":1}]})", "twice"},
      {nested(21), "20 levels"},
      {"[]", "object"},
      {"null", "object"},
  };
  for (const auto& [text, why] : cases) {
    const auto body = read(text);
    ASSERT_TRUE(std::holds_alternative<net::Response>(body)) << text;
    const Json problem = expect_problem(std::get<net::Response>(body), 400, "VALIDATION_ERROR");
    EXPECT_NE(problem.at("detail").get<std::string>().find(why), std::string::npos) << problem;
  }
}

TEST(JsonBody, IsOfOneMediaType) {
  for (const std::string type : {"application/json", "APPLICATION/json ; charset=UTF-8", "application/json;"}) {
    EXPECT_TRUE(std::holds_alternative<Json>(read("{}", type))) << type;
  }
  for (const std::string type : {"", "text/json", "application/json5", "application/json; charset=latin1"}) {
    const auto body = read("{}", type);
    ASSERT_TRUE(std::holds_alternative<net::Response>(body)) << type;
    expect_problem(std::get<net::Response>(body), 415, "UNSUPPORTED_MEDIA_TYPE");
  }
}

TEST(JsonFields, NamesUnknownMembersUpToABound) {
  Json object = Json::object();
  for (int i = 0; i < 1'000; ++i) object[std::string(100, 'x') + std::to_string(i)] = 0;
  const auto problems = JsonFields(object).problems();
  EXPECT_EQ(problems.size(), 20u);
  EXPECT_LT(problems[0].field.size(), 80u);
}

TEST(JsonFields, ReadsSecondsAsTheyAreWritten) {
  const Json object = Json::parse(R"({"a":9007199254740991,"b":"18446744073709551615","c":null,"d":9007199254740992,)"
                                  R"("e":-1,"f":1.0,"g":"","h":"+1","i":"18446744073709551616"})");
  JsonFields fields(object);
  EXPECT_EQ(fields.seconds("a"), 9007199254740991u);
  EXPECT_EQ(fields.seconds("b"), 18446744073709551615u);
  EXPECT_EQ(fields.seconds("c"), std::nullopt);
  EXPECT_EQ(fields.seconds("missing"), std::nullopt);
  for (const std::string name : {"a", "b", "c", "missing"}) EXPECT_FALSE(fields.has_problem(name)) << name;
  for (const std::string_view name : {"d", "e", "f", "g", "h", "i"}) {
    EXPECT_EQ(fields.seconds(name), std::nullopt) << name;
    EXPECT_TRUE(fields.has_problem(name)) << name;
  }
}

}  // namespace
}  // namespace fluxora::api::test
