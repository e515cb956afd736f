#include "entity_tag.hpp"

#include <gtest/gtest.h>

namespace fluxora::api {
namespace {

using Tags = std::vector<std::string_view>;

TEST(EntityTag, OfAStream) {
  EXPECT_EQ(stream_etag("k3f9", 42, 1774776687), "\"k3f9-42-1774776687\"");
}

TEST(EntityTags, AreReadAsRfc9110HasThem) {
  EXPECT_EQ(entity_tags("\"a\""), Tags({"\"a\""}));
  EXPECT_EQ(entity_tags("\"\""), Tags({"\"\""}));
  EXPECT_EQ(entity_tags(" W/\"a,b\" ,, \"c\","), Tags({"W/\"a,b\"", "\"c\""}));
}

TEST(EntityTags, AreNotReadIntoOtherTexts) {
  for (const std::string_view text :
       {"", " ", ",", "a", "\"a", "\"a\" \"b\"", "\"a\"b", "w/\"a\"", "\"a b\"", "*", "W/"}) {
    EXPECT_FALSE(entity_tags(text)) << text;
  }
}

TEST(IfNoneMatch, IsAListThatMayComeOnSeveralLines) {
  net::Request request;
  request.headers = {{"If-None-Match", "\"a\", W/\"b\""}, {"Accept", "\"d\""}, {"if-none-match", "\"c\""}};
  for (const std::string_view tag : {"\"a\"", "\"b\"", "\"c\""}) EXPECT_TRUE(if_none_match_names(request, tag)) << tag;
  EXPECT_FALSE(if_none_match_names(request, "\"d\""));
  EXPECT_FALSE(if_none_match_names({}, "\"a\""));
}

}  // namespace
}  // namespace fluxora::api
