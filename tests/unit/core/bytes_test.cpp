#include "fluxora/core/bytes.hpp"

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

std::string text_of(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  const Bytes bytes{0x00, 0x7f, 0xab, 0xff};
  EXPECT_EQ(hex_encode(bytes), "007fabff");
  EXPECT_EQ(*hex_decode("007fabff"), bytes);
  EXPECT_EQ(*hex_decode("007FaBfF"), bytes);
  EXPECT_EQ(hex_encode({}), "");
  EXPECT_TRUE(hex_decode("")->empty());
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (const char* text : {"0", "abc", "0g", "g0", "0x", " 0", "0\xc3"}) {
    const auto result = hex_decode(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::hex_invalid);
  }
  EXPECT_EQ(hex_decode("00zz").error().offset, 2u);
  EXPECT_EQ(hex_decode("000z").error().offset, 3u);
}

TEST(Hex, HashIsExactly64Characters) {
  const std::string text = std::string(62, '0') + "0F";
  ASSERT_TRUE(hash_from_hex(text));
  EXPECT_EQ((*hash_from_hex(text))[31], 0x0f);
  for (const std::string& bad : {text + "00", text.substr(2), text.substr(1), std::string(), std::string(64, 'x')}) {
    ASSERT_FALSE(hash_from_hex(bad)) << bad;
    EXPECT_EQ(hash_from_hex(bad).error().code, ErrorCode::hex_invalid);
  }
}

// RFC 4648 section 10.
TEST(Base64, Rfc4648Examples) {
  const std::pair<const char*, const char*> examples[] = {{"", ""},
                                                          {"f", "Zg=="},
                                                          {"fo", "Zm8="},
                                                          {"foo", "Zm9v"},
                                                          {"foob", "Zm9vYg=="},
                                                          {"fooba", "Zm9vYmE="},
                                                          {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(base64_encode(as_bytes(plain)), encoded);
    const auto decoded = base64_decode(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(text_of(*decoded), plain);
  }
}

TEST(Base64, EveryByteComesBack) {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
    EXPECT_EQ(*base64_decode(base64_encode(bytes)), bytes);
  }
  EXPECT_EQ(base64_encode(Bytes{0xfb, 0xff, 0xbf}), "+/+/");
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  const char* bad[] = {
      "Zg",   "Zg=",      "Zm8",      "Zm9vYg",                // padding missing
      "Zh==", "Zm9=",     "Zm9vZ1==",                          // unused bits set
      "Z===", "====",     "=",        "Zg==Zg==", "Zm8=Zg==",  // padding where none can be
      "Zg=v", "Zm9v====", "Zm9v=",                             //
      "Zm 9", "Zm9v\n",   " Zm9v",    "Zm9v Zm9",              // white space
      "Zm9-", "Zm9_",     "Zm9\x80",                           // other alphabets
  };
  for (const char* text : bad) {
    const auto result = base64_decode(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::base64_invalid);
  }
  EXPECT_EQ(base64_decode("Zm9vZm9*").error().offset, 7u);
  EXPECT_FALSE(base64_decode(std::string_view("Zm\0v", 4)));
}

TEST(Base64, IntoMemoryOfExactlyTheSize) {
  std::array<std::uint8_t, 4> out{};
  EXPECT_TRUE(base64_decode_exactly("Zm9vYg==", out));
  EXPECT_EQ(std::string(out.begin(), out.end()), "foob");
  for (const char* text : {"Zm9v", "Zm9vYmE=", "Zm9vYg", "Zm9vYh==", "Zm9v*g==", ""}) {
    EXPECT_FALSE(base64_decode_exactly(text, out)) << text;
  }
  EXPECT_TRUE(base64_decode_exactly("", {}));
  EXPECT_FALSE(base64_decode_exactly("Zg==", {}));
}

TEST(Base64, SizeBeforeDecoding) {
  EXPECT_EQ(base64_decoded_size(""), 0u);
  EXPECT_EQ(base64_decoded_size("Zg=="), 1u);
  EXPECT_EQ(base64_decoded_size("Zm8="), 2u);
  EXPECT_EQ(base64_decoded_size("Zm9v"), 3u);
  EXPECT_EQ(base64_decoded_size("Zm9vYmE="), 5u);
  EXPECT_EQ(base64_decoded_size("Zm9vYmE"), 0u);
}

// RFC 4648 section 10, and section 5's alphabet.
TEST(Base64Url, ExamplesWithoutPadding) {
  const std::pair<const char*, const char*> examples[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}};
  for (const auto& [plain, encoded] : examples) {
    EXPECT_EQ(base64url_encode(as_bytes(plain)), encoded);
    const auto decoded = base64url_decode(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(text_of(*decoded), plain);
  }
}

TEST(Base64Url, EveryByteComesBack) {
  Bytes bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
    EXPECT_EQ(*base64url_decode(base64url_encode(bytes)), bytes);
  }
}

TEST(Base64Url, RefusesWhatIsNotCanonical) {
  const char* bad[] = {
      "Zg==", "Zm8=",   "=",     "Zm9v=",     // padding
      "Zh",   "Zm9",                          // unused bits set
      "Z",    "Zm9vZ",                        // six bits are no byte
      "Zm+v", "Zm/v",   "Zm9v.", "Zm9\x80",   // other alphabets
      "Zm 9", "Zm9v\n", " Zm9v", "Zm9v Zm9",  // white space
  };
  for (const char* text : bad) {
    const auto result = base64url_decode(text);
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code, ErrorCode::base64_invalid);
  }
  EXPECT_EQ(base64url_decode("Zm9vZm9*").error().offset, 7u);
  EXPECT_EQ(base64url_decode("Zm9vZh").error().offset, 5u);
}

}  // namespace
}  // namespace fluxora::core
