#include "readable_text.hpp"

#include <gtest/gtest.h>

namespace fluxora::outbound {
namespace {

constexpr std::size_t plenty = 1'000;

TEST(ReadableText, Utf8StaysAsItIs) {
  EXPECT_EQ(readable_text("", plenty), "");
  EXPECT_EQ(readable_text("plain ~ text", plenty), "plain ~ text");
  EXPECT_EQ(readable_text("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", plenty),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(ReadableText, ControlCharactersAreReplaced) {
  EXPECT_EQ(readable_text(std::string_view("a\0b\nc\r\td\x1b[31m\x7f", 14), plenty), "a b c  d [31m ");
  EXPECT_EQ(readable_text("a\xc2\x9b"
                          "31m\xc2\xa0",
                          plenty),
            "a\xef\xbf\xbd"
            "31m\xc2\xa0");
}

TEST(ReadableText, WhatIsNotUtf8IsReplaced) {
  for (const char* bad : {"\x80", "\xff", "\xc0", "\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xed"}) {
    EXPECT_EQ(readable_text(bad, plenty), "\xef\xbf\xbd") << bad;
    EXPECT_EQ(readable_text(std::string("a") + bad + "b", plenty),
              "a\xef\xbf\xbd"
              "b")
        << bad;
  }
}

TEST(ReadableText, EndsWithAWholeCharacter) {
  EXPECT_EQ(readable_text("abc", 2), "ab");
  EXPECT_EQ(readable_text("ab\xe2\x82\xac", 4), "ab");
  EXPECT_EQ(readable_text("ab\xe2\x82\xac", 5), "ab\xe2\x82\xac");
  EXPECT_EQ(readable_text("a\xff", 3), "a");
}

// A text that was cut at readable_from() bytes gives what the whole of it gives.
TEST(ReadableText, WhatIsBehindDoesNotMatter) {
  for (const std::string_view character :
       {"a", "\xc3\xbc", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xff", "\xc2\x9b", "\n"}) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
      std::string text(shift, 'x');
      for (int i = 0; i < 40; ++i) text += character;
      constexpr std::size_t most = 30;
      EXPECT_EQ(readable_text(text.substr(0, readable_from(most)), most), readable_text(text, most));
    }
  }
}

}  // namespace
}  // namespace fluxora::outbound
