#include "fluxora/core/jwt.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

constexpr UnixSeconds now = 1'750'000'000;
constexpr UnixSeconds last_second = std::numeric_limits<UnixSeconds>::max();

const HmacSha256Key& test_key() {
  static const HmacSha256Key key(as_bytes("0123456789abcdef0123456789abcdef"));
  return key;
}

/// Three parts, encoded and signed, whatever they say.
std::string make_token(std::string_view payload, std::string_view header = R"({"alg":"HS256","typ":"JWT"})") {
  const std::string content = base64url_encode(as_bytes(header)) + "." + base64url_encode(as_bytes(payload));
  return content + "." + base64url_encode(test_key().authenticate({as_bytes(content)}));
}

/// None: the token is good.
std::optional<ErrorCode> fault_of(std::string_view token, UnixSeconds at = now) {
  const auto claims = verify_jwt(token, test_key(), at);
  return claims ? std::nullopt : std::optional(claims.error().code);
}
std::optional<ErrorCode> payload_fault(std::string_view payload, UnixSeconds at = now) {
  return fault_of(make_token(payload), at);
}
std::optional<ErrorCode> header_fault(std::string_view header) {
  return fault_of(make_token("{}", header));
}
std::string claim(std::string_view name, std::string_view value) {
  return "{\"" + std::string(name) + "\":" + std::string(value) + "}";
}

TEST(Jwt, GivesTheClaims) {
  const auto claims = verify_jwt(
      make_token(R"({"sub":"ops","scope":"streams:write  webhooks:write ","exp":1750000001,"nbf":1750000000})"),
      test_key(), now);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->subject, "ops");
  EXPECT_EQ(claims->scopes, (std::vector<std::string>{"streams:write", "webhooks:write"}));
  EXPECT_EQ(claims->expires_at, now + 1);
  EXPECT_EQ(claims->not_before, now);
  EXPECT_TRUE(claims->has_scope("streams:write"));
  EXPECT_TRUE(claims->has_scope("webhooks:write"));
  EXPECT_FALSE(claims->has_scope("streams"));
  EXPECT_FALSE(claims->has_scope(""));
}

TEST(Jwt, NothingIsRequired) {
  const auto claims = verify_jwt(make_token("{}"), test_key(), last_second);
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->subject, "");
  EXPECT_TRUE(claims->scopes.empty());
  EXPECT_FALSE(claims->expires_at);
  EXPECT_FALSE(claims->not_before);
}

TEST(Jwt, OtherClaimsAreNotLookedAt) {
  EXPECT_EQ(payload_fault(R"({"iss":1,"aud":[null,{"a":{}}],"iat":"x","jti":true,"extra":false})"), std::nullopt);
}

TEST(Jws, GivesThePayloadWhateverItIs) {
  EXPECT_EQ(*verify_jws(make_token("not JSON"), test_key()), "not JSON");
  EXPECT_EQ(*verify_jws(make_token(""), test_key()), "");
}

TEST(Jws, SizeBound) {
  // Three base64url digits for two bytes, so that every size can be made.
  const std::string empty = make_token("");
  const std::string longest = make_token(std::string((jwt_size_max - empty.size()) * 3 / 4, 'a'));
  ASSERT_EQ(longest.size(), jwt_size_max);
  EXPECT_TRUE(verify_jws(longest, test_key()));
  EXPECT_EQ(verify_jws(longest + "a", test_key()).error().code, ErrorCode::jwt_too_long);
  EXPECT_EQ(verify_jws(std::string(jwt_size_max + 1, '.'), test_key()).error().code, ErrorCode::jwt_too_long);
}

TEST(Jws, ThreePartsOfBase64Url) {
  const std::string good = make_token("{}");
  const std::size_t first = good.find('.');
  const std::size_t last = good.rfind('.');
  EXPECT_EQ(fault_of(good), std::nullopt);
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a"), good.substr(0, last),
        good.substr(first + 1), good + ".", good + ".e30", "." + good, " " + good, good + " ", good + "=",
        "Bearer " + good, good.substr(0, first) + "=" + good.substr(first)}) {
    EXPECT_EQ(fault_of(bad), ErrorCode::jwt_malformed) << bad;
  }
}

TEST(Jws, PayloadIsDecodedAfterTheSignatureIsGood) {
  const std::string header = base64url_encode(as_bytes(R"({"alg":"HS256"})"));
  for (const std::string payload : {"e30=", "e3", "e31", "e 0"}) {
    const std::string content = header + "." + payload;
    const Hash code = test_key().authenticate({as_bytes(content)});
    EXPECT_EQ(fault_of(content + "." + base64url_encode(code)), ErrorCode::jwt_malformed) << payload;
    EXPECT_EQ(fault_of(content + "." + base64url_encode(Hash{})), ErrorCode::jwt_signature_mismatch) << payload;
  }
}

TEST(Jws, SignatureIsTheWholeCode) {
  const std::string good = make_token("{}");
  const std::string content = good.substr(0, good.rfind('.'));
  const Hash code = test_key().authenticate({as_bytes(content)});
  for (std::size_t i = 0; i < code.size(); ++i) {
    Hash flipped = code;
    flipped[i] = static_cast<std::uint8_t>(flipped[i] ^ 1);
    EXPECT_EQ(fault_of(content + "." + base64url_encode(flipped)), ErrorCode::jwt_signature_mismatch);
    EXPECT_EQ(fault_of(content + "." + base64url_encode(ByteView(code).first(i))), ErrorCode::jwt_signature_mismatch);
  }
  Bytes longer(code.begin(), code.end());
  longer.push_back(0);
  EXPECT_EQ(fault_of(content + "." + base64url_encode(longer)), ErrorCode::jwt_signature_mismatch);
  EXPECT_EQ(verify_jws(good, HmacSha256Key(as_bytes("other"))).error().code, ErrorCode::jwt_signature_mismatch);
}

TEST(Jws, AlgorithmIsHs256AndNothingElse) {
  EXPECT_EQ(header_fault(R"({"alg":"HS256"})"), std::nullopt);
  EXPECT_EQ(header_fault(R"({"alg":"\u0048S256"})"), std::nullopt);
  for (const char* header :
       {"{}", R"({"typ":"JWT"})", R"({"ALG":"HS256"})", R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":""})",
        R"({"alg":"hs256"})", R"({"alg":"HS256 "})", R"({"alg":"HS256\u0000"})", R"({"alg":"HS384"})",
        R"({"alg":"RS256"})", R"({"alg":null})", R"({"alg":256})", R"({"alg":["HS256"]})", R"({"alg":{"HS256":1}})"}) {
    EXPECT_EQ(header_fault(header), ErrorCode::jwt_algorithm_refused) << header;
  }
  // Refused for the algorithm, whatever is wrong with the signature.
  EXPECT_EQ(fault_of(base64url_encode(as_bytes(R"({"alg":"none"})")) + ".e30."), ErrorCode::jwt_algorithm_refused);
}

TEST(Jws, HeaderIsOneJsonObject) {
  for (const char* header : {"", "[]", "null", "\"alg\"", "{", "{\"alg\":\"HS256\"", "{\"alg\":\"HS256\"}x",
                             "\xef\xbb\xbf{\"alg\":\"HS256\"}", R"({"alg":"HS256","alg":"none"})",
                             R"({"alg":"HS256","\u0061lg":"HS256"})", R"({"alg":"HS256","jwk":{"k":1,"k":1}})"}) {
    EXPECT_EQ(header_fault(header), ErrorCode::jwt_malformed) << header;
  }
}

TEST(Jws, WhatTheHeaderSaysOfKeysIsIgnored) {
  EXPECT_EQ(header_fault(R"({"alg":"HS256","jku":"https://example.org/","jwk":{"kty":"oct","k":"AAAA"},"kid":7})"),
            std::nullopt);
}

TEST(Jws, CriticalExtensionsAreRefused) {
  EXPECT_EQ(header_fault(R"({"alg":"HS256","crit":["b64"],"b64":false})"), ErrorCode::jwt_malformed);
  EXPECT_EQ(header_fault(R"({"alg":"HS256","crit":[]})"), ErrorCode::jwt_malformed);
  EXPECT_EQ(header_fault(R"({"alg":"HS256","crit":null})"), ErrorCode::jwt_malformed);
}

TEST(Jwt, ClaimsOfOtherTypesAreInvalid) {
  for (const char* name : {"exp", "nbf"}) {
    for (const char* value : {"\"1750003600\"", "null", "true", "[]", "{}"}) {
      EXPECT_EQ(payload_fault(claim(name, value)), ErrorCode::jwt_claims_invalid) << name << value;
    }
  }
  for (const char* name : {"sub", "scope"}) {
    for (const char* value : {"1", "null", "false", "[\"a\"]", "{}"}) {
      EXPECT_EQ(payload_fault(claim(name, value)), ErrorCode::jwt_claims_invalid) << name << value;
    }
  }
  // Before the times.
  EXPECT_EQ(payload_fault(R"({"exp":1,"sub":1})"), ErrorCode::jwt_claims_invalid);
}

TEST(Jwt, TimesAreExact) {
  const std::string both = R"({"nbf":100,"exp":200})";
  EXPECT_EQ(payload_fault(both, 99), ErrorCode::jwt_not_yet_valid);
  EXPECT_EQ(payload_fault(both, 100), std::nullopt);
  EXPECT_EQ(payload_fault(both, 199), std::nullopt);
  EXPECT_EQ(payload_fault(both, 200), ErrorCode::jwt_expired);
  EXPECT_EQ(payload_fault(R"({"nbf":200,"exp":100})", 150), ErrorCode::jwt_expired);
}

TEST(Jwt, NumericDatesAreRoundedUp) {
  const std::pair<const char*, UnixSeconds> examples[] = {
      {"0", 0},
      {"0.0", 0},
      {"0e5", 0},
      {"0e999999999999999999999999", 0},
      {"0.000e-999999999999999999999999", 0},
      {"1", 1},
      {"1.0", 1},
      {"1.00000000000000000000000000000000000000000", 1},
      {"0.00000000000000000000000000000000000000001", 1},
      {"1.00000000000000000000000000000000000000001", 2},
      {"1750003600.5", 1'750'003'601},
      {"17500036005e-1", 1'750'003'601},
      {"17500036000E-1", 1'750'003'600},
      {"17500036000e-01", 1'750'003'600},
      {"1.7500036e9", 1'750'003'600},
      {"1.7500036E+9", 1'750'003'600},
      {"1.75000360001e9", 1'750'003'601},
      {"0.0000001e7", 1},
      {"0.00000011e7", 2},
      {"175e7", 1'750'000'000},
      {"5e-1", 1},
      {"1e-999999999999999999999999", 1},
      {"18446744073709551614", last_second - 1},
      {"18446744073709551614.5", last_second},
      {"18446744073709551615", last_second},
      {"18446744073709551615.5", last_second},
      {"18446744073709551616", last_second},
      {"99999999999999999999999999", last_second},
      {"99999999999999999999999999.9", last_second},
      {"1844674407370955161e1", last_second - 5},
      {"1844674407370955162e1", last_second},
      {"1e20", last_second},
      {"1e999999999999999999999999", last_second},
      {"-1", 0},
      {"-0", 0},
      {"-0.5", 0},
      {"-1e999", 0},
  };
  for (const auto& [written, expected] : examples) {
    const auto claims = verify_jwt(make_token(claim("nbf", written)), test_key(), last_second);
    ASSERT_TRUE(claims) << written;
    EXPECT_EQ(claims->not_before, expected) << written;
    // exp is read the same: the last good second is the one before.
    EXPECT_EQ(payload_fault(claim("exp", written), expected), ErrorCode::jwt_expired) << written;
    if (expected > 0) {
      EXPECT_EQ(payload_fault(claim("exp", written), expected - 1), std::nullopt) << written;
    }
  }
}

TEST(Jwt, NegativeTimesAreLongPast) {
  EXPECT_EQ(payload_fault(R"({"exp":-1})", 0), ErrorCode::jwt_expired);
  EXPECT_EQ(payload_fault(R"({"exp":-0.5})", 0), ErrorCode::jwt_expired);
  EXPECT_EQ(payload_fault(R"({"nbf":-1})", 0), std::nullopt);
}

TEST(Jwt, NumbersAsLongAsATokenAreRead) {
  const std::string zeros(90'000, '0');
  EXPECT_EQ(payload_fault(claim("nbf", "1" + zeros + "e-90000"), 0), ErrorCode::jwt_not_yet_valid);
  EXPECT_EQ(payload_fault(claim("nbf", "1" + zeros + "e-90000"), 1), std::nullopt);
  EXPECT_EQ(payload_fault(claim("nbf", "0." + zeros + "1e90001"), 0), ErrorCode::jwt_not_yet_valid);
  EXPECT_EQ(payload_fault(claim("nbf", "0." + zeros + "1e90001"), 1), std::nullopt);
}

TEST(Jwt, PayloadIsOneJsonObject) {
  for (const char* good : {"{}", " \t\r\n{ \t\r\n} \t\r\n", R"({"a":1})", "{ \"a\" : [ 1 , 2 ] , \"b\" : { } }",
                           R"({"":[]})", R"({"a":[[],{}],"b":[true,false,null]})"}) {
    EXPECT_EQ(payload_fault(good), std::nullopt) << good;
  }
  for (const char* bad : {"",
                          " ",
                          "[]",
                          "[1]",
                          "1",
                          "null",
                          "\"{}\"",
                          "{",
                          "}",
                          "{}{}",
                          "{},",
                          "{}x",
                          "{,}",
                          "{\"a\"}",
                          "{\"a\":}",
                          "{\"a\":1,}",
                          "{\"a\" 1}",
                          "{\"a\":1 \"b\":2}",
                          "{a:1}",
                          "{'a':1}",
                          "{\"a\":1",
                          "{\"a\":1,",
                          "{\"a\":[1,]}",
                          "{\"a\":[,1]}",
                          "{\"a\":[1 2]}",
                          "{\"a\":[1}",
                          "{\"a\":[",
                          "{\"a\":]}",
                          "{\"a\":tru}",
                          "{\"a\":True}",
                          "{\"a\":fals}",
                          "{\"a\":nul}",
                          "{\"a\":nullx}",
                          "{\"a\":NaN}",
                          "{\"a\":/*1*/1}",
                          "{1:1}",
                          "{null:1}",
                          "{\"a\":\xc2\xa0"
                          "1}",
                          "\xef\xbb\xbf{}",
                          "{\v}"}) {
    EXPECT_EQ(payload_fault(bad), ErrorCode::jwt_claims_invalid) << bad;
  }
  EXPECT_EQ(payload_fault(std::string_view("{}\0", 3)), ErrorCode::jwt_claims_invalid);
  EXPECT_EQ(payload_fault(std::string_view("{\0}", 3)), ErrorCode::jwt_claims_invalid);
}

TEST(Jwt, NumbersFollowTheGrammar) {
  for (const char* good : {"0", "-0", "10", "0.10", "1e0", "1E+00", "1e-9", "-1.5e3"}) {
    EXPECT_EQ(payload_fault(claim("a", good)), std::nullopt) << good;
  }
  for (const char* bad : {"01", "-", "+1", ".5", "1.", "1.e1", "1e", "1e+", "1e-", "1e1.5", "0x1", "--1", "-01", "1_0",
                          "Infinity", "-Infinity"}) {
    EXPECT_EQ(payload_fault(claim("a", bad)), ErrorCode::jwt_claims_invalid) << bad;
  }
}

std::string subject_of(std::string_view written) {
  const auto claims = verify_jwt(make_token(claim("sub", written)), test_key(), now);
  return claims ? claims->subject : "refused";
}

TEST(Jwt, StringsAreUnescaped) {
  EXPECT_EQ(subject_of(R"("a\"\\\/\b\f\n\r\tz")"), "a\"\\/\b\f\n\r\tz");
  EXPECT_EQ(subject_of(R"("\u0041\u00e9\u20AC\uD83D\uDE00\udbff\udfff")"),
            "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf4\x8f\xbf\xbf");
  EXPECT_EQ(subject_of(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(subject_of("\"\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\""), "\x7f\xc2\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf");
  EXPECT_EQ(subject_of(R"("\ud7ff\ue000")"), "\xed\x9f\xbf\xee\x80\x80");
}

TEST(Jwt, BadStringsAreRefused) {
  for (const char* bad : {R"("\)",
                          R"("\a")",
                          R"("\U0041")",
                          R"("\u")",
                          R"("\u004")",
                          R"("\u004g")",
                          R"("\u+041")",
                          R"("\u@041")",
                          R"("\ud800")",
                          R"("\udc00")",
                          R"("\ud800\ud800")",
                          R"("\ud800\ue000")",
                          R"("\ud800x")",
                          R"("\ud800\n")",
                          R"("\ud800\u12")",
                          R"("\udfff\ud800")",
                          "\"\n\"",
                          "\"\x1f\"",
                          "\"\x80\"",
                          "\"\xc0\x80\"",
                          "\"\xc3\"",
                          "\"\xe0\x80\x80\"",
                          "\"\xed\xa0\x80\"",
                          "\"\xf4\x90\x80\x80\"",
                          "\"\xff\"",
                          "\"a",
                          "a\""}) {
    EXPECT_EQ(subject_of(bad), "refused") << bad;
  }
  EXPECT_EQ(subject_of(std::string_view("\"\0\"", 3)), "refused");
}

TEST(Jwt, NoNameTwiceAtAnyDepth) {
  EXPECT_EQ(payload_fault(R"({"a":{"a":[{"a":1},{"a":1}]},"b":{"a":1}})"), std::nullopt);
  for (const char* bad :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"c":3,"a":1})", R"({"a":1,"\u0061":1})", R"({"":1,"":1})",
        R"({"x":{"a":1,"a":1}})", R"({"x":[{"y":{"a":1,"b":2,"a":1}}]})", R"({"exp":1,"exp":9999999999})",
        R"({"\u00e9":1,)"
        "\"\xc3\xa9\":1}",
        R"({"\ud83d\ude00":1,"\uD83D\uDE00":1})"}) {
    EXPECT_EQ(payload_fault(bad), ErrorCode::jwt_claims_invalid) << bad;
  }
}

std::string nested(std::size_t levels, const std::string& open, const std::string& close) {
  std::string text = "{\"a\":";
  for (std::size_t i = 0; i < levels; ++i) text += open;
  text += "1";
  for (std::size_t i = 0; i < levels; ++i) text += close;
  return text + "}";
}

TEST(Jwt, NestingIsBounded) {
  EXPECT_EQ(payload_fault(nested(19, "[", "]")), std::nullopt);
  EXPECT_EQ(payload_fault(nested(20, "[", "]")), ErrorCode::jwt_claims_invalid);
  EXPECT_EQ(payload_fault(nested(19, "{\"a\":", "}")), std::nullopt);
  EXPECT_EQ(payload_fault(nested(20, "{\"a\":", "}")), ErrorCode::jwt_claims_invalid);
  EXPECT_EQ(payload_fault("{\"a\":" + std::string(90'000, '[')), ErrorCode::jwt_claims_invalid);
}

TEST(Jwt, ManyMembersAreReadAndADuplicateAmongThemFound) {
  std::string members = "{\"0\":0";
  for (int i = 1; i < 9'000; ++i) members += ",\"" + std::to_string(i) + "\":0";
  EXPECT_EQ(payload_fault(members + "}"), std::nullopt);
  EXPECT_EQ(payload_fault(members + ",\"4711\":0}"), ErrorCode::jwt_claims_invalid);
}

}  // namespace
}  // namespace fluxora::core
