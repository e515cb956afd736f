#include "query.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api_bench.hpp"
#include "stream_samples.hpp"

namespace fluxora::api::test {
namespace {

std::vector<std::string> messages(QueryParameters&& parameters) {
  std::vector<std::string> texts;
  for (const FieldProblem& problem : std::move(parameters).problems()) {
    EXPECT_EQ(problem.code, "VALIDATION_ERROR");
    texts.push_back(problem.field + " " + problem.message);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(QueryParameters, WithoutAnyNothingIsWrong) {
  const net::Request request = ApiBench::request("/x");
  QueryParameters parameters(request);
  EXPECT_EQ(parameters.text("a"), std::nullopt);
  EXPECT_EQ(parameters.number("b", 1, 5), std::nullopt);
  EXPECT_EQ(parameters.boolean("c"), std::nullopt);
  EXPECT_EQ(parameters.address("d"), std::nullopt);
  EXPECT_EQ(parameters.cursor("e"), std::nullopt);
  EXPECT_EQ(messages(std::move(parameters)), Texts{});
}

TEST(QueryParameters, AnEmptyTextIsGiven) {
  const net::Request request = ApiBench::request("/x?a=&b");
  QueryParameters parameters(request);
  EXPECT_EQ(parameters.text("a"), "");
  EXPECT_EQ(parameters.text("b"), "");
  EXPECT_EQ(messages(std::move(parameters)), Texts{});
}

TEST(QueryParameters, WhatNobodyAsksForIsUnknown) {
  const net::Request request = ApiBench::request("/x?a=1&z=2&A=3");
  QueryParameters parameters(request);
  EXPECT_EQ(parameters.text("a"), "1");
  EXPECT_EQ(messages(std::move(parameters)), (Texts{"z is not a parameter of this resource, which takes a.",
                                                    "A is not a parameter of this resource, which takes a."}));
}

TEST(QueryParameters, WhatIsUnknownIsToldWhatThereIs) {
  const net::Request request = ApiBench::request("/x?z=2");
  EXPECT_EQ(messages(QueryParameters(request)), Texts{"z is not a parameter of this resource, which takes none."});
  QueryParameters three(request);
  for (const char* name : {"a", "b", "c"}) three.text(name);
  EXPECT_EQ(messages(std::move(three)), Texts{"z is not a parameter of this resource, which takes a, b and c."});
}

TEST(QueryParameters, OfManyUnknownOnesSomeAreNamedAndNoneAtLength) {
  std::string target = "/x?" + std::string(63, 'n') + "\xc3\xa9\xc3\xa9";  // the 64th byte begins a character of two
  for (int i = 0; i < 100; ++i) target += "&n" + std::to_string(i);
  const net::Request request = ApiBench::request(target);
  const Texts told = messages(QueryParameters(request));
  ASSERT_EQ(told.size(), max_unknown_named);
  EXPECT_EQ(told[0], std::string(63, 'n') + "… is not a parameter of this resource, which takes none.");
}

TEST(QueryParameters, WhatComesTwiceIsRefused) {
  const net::Request request = ApiBench::request("/x?limit=1&limit=1");
  QueryParameters parameters(request);
  EXPECT_EQ(parameters.number("limit", 1, 5), std::nullopt);
  EXPECT_EQ(messages(std::move(parameters)), Texts{"limit is given more than once."});
}

TEST(QueryParameters, NumbersAreWholeAndWithinTheirBounds) {
  for (const std::string text : {"1", "5", "05", "100"}) {
    const net::Request request = ApiBench::request("/x?n=" + text);
    QueryParameters parameters(request);
    EXPECT_EQ(parameters.number("n", 1, 100), std::stoull(text));
    EXPECT_EQ(messages(std::move(parameters)), Texts{});
  }
  for (const std::string text :
       {"", "0", "101", "-1", "+1", "1.0", "1e1", " 1", "1 ", "0x1", "one", "18446744073709551616"}) {
    const net::Request request = ApiBench::request("/x?n=" + text);
    QueryParameters parameters(request);
    EXPECT_EQ(parameters.number("n", 1, 100), std::nullopt) << text;
    EXPECT_EQ(messages(std::move(parameters)), Texts{"n must be a whole number from 1 to 100."}) << text;
  }
}

TEST(QueryParameters, BooleansAreTrueOrFalse) {
  for (const bool value : {true, false}) {
    const net::Request request = ApiBench::request(value ? "/x?b=true" : "/x?b=false");
    QueryParameters parameters(request);
    EXPECT_EQ(parameters.boolean("b"), value);
    EXPECT_EQ(messages(std::move(parameters)), Texts{});
  }
  for (const std::string text : {"", "1", "yes", "TRUE", "true "}) {
    const net::Request request = ApiBench::request("/x?b=" + text);
    QueryParameters parameters(request);
    EXPECT_NE(parameters.boolean("b"), true) << text;
    EXPECT_EQ(messages(std::move(parameters)), Texts{"b must be true or false."}) << text;
  }
}

TEST(QueryParameters, AddressesAreAccountsOrContracts) {
  for (const std::string_view text : {core::sample_sender, core::sample_contract}) {
    const net::Request request = ApiBench::request("/x?a=" + std::string(text));
    QueryParameters parameters(request);
    EXPECT_EQ(parameters.address("a"), std::string(text));
    EXPECT_EQ(messages(std::move(parameters)), Texts{});
  }
  std::string misspelt(core::sample_sender);
  misspelt[10] = misspelt[10] == 'A' ? 'B' : 'A';
  for (const std::string& text : {std::string(), misspelt, std::string("me")}) {
    const net::Request request = ApiBench::request("/x?a=" + text);
    QueryParameters parameters(request);
    EXPECT_EQ(parameters.address("a"), std::nullopt) << text;
    EXPECT_EQ(messages(std::move(parameters)), Texts{"a must be a Stellar address, G… or C…."}) << text;
  }
}

TEST(QueryParameters, CursorsAreTheLogs) {
  const net::Request request = ApiBench::request("/x?after=k3f9-1042");
  QueryParameters parameters(request);
  EXPECT_EQ(parameters.cursor("after"), (core::Cursor{"k3f9", 1'042}));
  EXPECT_EQ(messages(std::move(parameters)), Texts{});
  const net::Request bad = ApiBench::request("/x?after=1042");
  QueryParameters refused(bad);
  EXPECT_EQ(refused.cursor("after"), std::nullopt);
  EXPECT_EQ(messages(std::move(refused)), Texts{"after must be a cursor that this service gave."});
}

TEST(QueryParameters, EverythingThatIsWrongIsToldAtOnce) {
  const net::Request request = ApiBench::request("/x?n=0&b=1&a=me&z=1");
  QueryParameters parameters(request);
  parameters.number("n", 1, 5);
  parameters.boolean("b");
  parameters.address("a");
  EXPECT_EQ(messages(std::move(parameters)).size(), 4u);
}

}  // namespace
}  // namespace fluxora::api::test
