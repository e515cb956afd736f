#include "fluxora/core/json_writer.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

std::string json_string(std::string_view text) {
  std::string output;
  JsonWriter(output).string(text);
  return output;
}

TEST(JsonWriter, PutsTheCommas) {
  std::string output;
  JsonWriter json(output);
  json.begin_object();
  json.key("a").begin_array().end_array();
  json.key("b").begin_object().end_object();
  json.key("c").begin_array().boolean(true).boolean(false).null().begin_array().integer(-1).end_array();
  json.begin_object().key("d").string("x").key("e").raw("[1,2]").end_object().unsigned_integer(2).end_array();
  json.key("f").null();
  json.end_object();
  EXPECT_EQ(output, R"({"a":[],"b":{},"c":[true,false,null,[-1],{"d":"x","e":[1,2]},2],"f":null})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string output = "data: ";
  JsonWriter(output).begin_array().integer(1).integer(2).end_array();
  EXPECT_EQ(output, "data: [1,2]");
}

TEST(JsonWriter, WritesNumbersToTheirEnds) {
  std::string output;
  JsonWriter json(output);
  json.begin_array()
      .integer(std::numeric_limits<std::int64_t>::min())
      .integer(std::numeric_limits<std::int64_t>::max());
  json.unsigned_integer(std::numeric_limits<std::uint64_t>::max()).unsigned_integer(0).end_array();
  EXPECT_EQ(output, "[-9223372036854775808,9223372036854775807,18446744073709551615,0]");
}

TEST(JsonWriter, AmountsAreStringsAndTimesNumbersWhileExact) {
  std::string output;
  JsonWriter json(output);
  json.begin_array().amount(Amount{116}).amount(Amount{int128_min});
  json.unix_seconds(0).unix_seconds(9'007'199'254'740'991).unix_seconds(9'007'199'254'740'992);
  json.unix_seconds(std::numeric_limits<UnixSeconds>::max()).end_array();
  EXPECT_EQ(output, R"(["0.0000116","-17014118346046923173168730371588.4105728",0,9007199254740991,"9007199254740992",)"
                    R"("18446744073709551615"])");
}

TEST(JsonWriter, EscapesWhatRfc8259Demands) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("say \"hi\" \\ /"), R"("say \"hi\" \\ /")");
  EXPECT_EQ(json_string("\b\f\n\r\t"), R"("\b\f\n\r\t")");
  EXPECT_EQ(json_string(std::string_view("\0\x01\x0b\x1f\x7f", 5)), "\"\\u0000\\u0001\\u000b\\u001f\x7f\"");
  std::string output;
  JsonWriter(output).begin_object().key("a\"\n").integer(1).end_object();
  EXPECT_EQ(output, R"({"a\"\n":1})");
}

TEST(JsonWriter, EveryControlByteIsEscaped) {
  for (int byte = 0; byte < 0x20; ++byte) {
    const std::string text = json_string(std::string(1, static_cast<char>(byte)));
    EXPECT_EQ(text[1], '\\') << byte;
    for (const char c : text) EXPECT_GE(c, 0x20) << byte;
  }
}

TEST(JsonWriter, WhereAByteStandsDoesNotMatter) {
  for (int byte = 0; byte < 0x80; ++byte) {
    const std::string alone = json_string(std::string(1, static_cast<char>(byte)));
    const std::string shown = alone.substr(1, alone.size() - 2);
    for (std::size_t before = 0; before <= 17; ++before) {
      for (std::size_t after : {0u, 1u, 9u}) {
        const std::string left(before, ' ');
        const std::string right(after, '\x7f');
        EXPECT_EQ(json_string(left + static_cast<char>(byte) + right), '"' + left + shown + right + '"')
            << byte << " behind " << before;
      }
    }
  }
}

TEST(JsonWriter, KeepsUtf8) {
  for (const char* text : {"é", "✓", "🚀", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\xe2\x80\xa8"}) {
    EXPECT_EQ(json_string(text), "\"" + std::string(text) + "\"");
  }
}

TEST(JsonWriter, ReplacesWhatIsNotUtf8) {
  const std::string replacement = "\xef\xbf\xbd";
  const auto replaced = [&](std::string_view text, int count) {
    std::string expected = "\"a";
    for (int i = 0; i < count; ++i) expected += replacement;
    EXPECT_EQ(json_string("a" + std::string(text) + "z"), expected + "z\"")
        << testing::PrintToString(std::string(text));
  };
  replaced("\x80", 1);              // continuation alone
  replaced("\xff", 1);              // never a byte of UTF-8
  replaced("\xc3", 1);              // cut short by what follows
  replaced("\xc0\xaf", 2);          // overlong
  replaced("\xc1\xbf", 2);          //
  replaced("\xe0\x80\xaf", 3);      //
  replaced("\xf0\x80\x80\xaf", 4);  //
  replaced("\xed\xa0\x80", 3);      // surrogate
  replaced("\xf4\x90\x80\x80", 4);  // above U+10FFFF
  replaced("\xf5\x80\x80\x80", 4);  //
  replaced("\xe2\x9c", 1);          // a start of a good one is one character
  replaced("\xf0\x9f\x9a", 1);      //
  // What follows a cut one is read for itself.
  EXPECT_EQ(json_string("\xe2(\xa1"), "\"" + replacement + "(" + replacement + "\"");
  EXPECT_EQ(json_string("\xe2\""), "\"" + replacement + "\\\"\"");
  EXPECT_EQ(json_string("\xc3\xc3\xa9"), "\"" + replacement + "\xc3\xa9\"");
  // At the end of the text, too.
  EXPECT_EQ(json_string("\xf0\x9f"), "\"" + replacement + "\"");
}

}  // namespace
}  // namespace fluxora::core
