#include "scval_json_reader.hpp"

#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/scval.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::api::test {
namespace {

using Json = nlohmann::json;

/// The XDR as base64; what is wrong where there is none.
std::string read(const Json& json) {
  const auto result = read_scval(json);
  const auto* xdr = std::get_if<core::Bytes>(&result);
  return xdr != nullptr ? core::base64_encode(*xdr) : std::get<NotAnScVal>(result).why;
}

std::string read_text(const std::string& json) {
  return read(Json::parse(json));
}

bool is_read(const std::string& json) {
  return std::holds_alternative<core::Bytes>(read_scval(Json::parse(json)));
}

TEST(ScValJsonReader, Base64IsKeptAsItIs) {
  EXPECT_EQ(read("AAAAAwAAAAE="), "AAAAAwAAAAE=");
  EXPECT_EQ(read("AAAAAQ=="), "AAAAAQ==");
}

TEST(ScValJsonReader, EveryType) {
  EXPECT_EQ(read_text(R"("void")"), "AAAAAQ==");
  EXPECT_EQ(read_text(R"("ledger_key_contract_instance")"), "AAAAFA==");
  EXPECT_EQ(read_text(R"({"bool":true})"), "AAAAAAAAAAE=");
  EXPECT_EQ(read_text(R"({"u32":4294967295})"), "AAAAA/////8=");
  EXPECT_EQ(read_text(R"({"i32":-2147483648})"), "AAAABIAAAAA=");
  EXPECT_EQ(read_text(R"({"u64":"18446744073709551615"})"), "AAAABf//////////");
  EXPECT_EQ(read_text(R"({"i64":"-9223372036854775808"})"), "AAAABoAAAAAAAAAA");
  EXPECT_EQ(read_text(R"({"i128":"-1"})"), "AAAACv////////////////////8=");
  EXPECT_EQ(read_text(R"({"i256":"-1"})"), "AAAADP//////////////////////////////////////////");
  EXPECT_EQ(read_text(R"({"symbol":"created"})"), "AAAADwAAAAdjcmVhdGVkAA==");
  EXPECT_EQ(read_text(R"({"string":"a\\0\\xff\\\\"})"), "AAAADgAAAARhAP9c");
  EXPECT_EQ(read_text(R"({"vec":null})"), "AAAAEAAAAAA=");
  EXPECT_EQ(read_text(R"({"vec":[]})"), "AAAAEAAAAAEAAAAA");
  EXPECT_EQ(read_text(R"({"map":[{"key":"void","val":"void"}]})"), "AAAAEQAAAAEAAAABAAAAAQAAAAE=");
}

TEST(ScValJsonReader, IntegersToTheirEndsAndNoFurther) {
  const auto taken = [](const std::string& type, const std::string& digits) {
    return is_read("{\"" + type + "\":\"" + digits + "\"}");
  };
  EXPECT_TRUE(taken("u64", "0"));
  EXPECT_FALSE(taken("u64", "18446744073709551616"));
  EXPECT_FALSE(taken("u64", "-1"));
  EXPECT_TRUE(taken("i64", "9223372036854775807"));
  EXPECT_FALSE(taken("i64", "9223372036854775808"));
  EXPECT_FALSE(taken("i64", "-9223372036854775809"));
  EXPECT_TRUE(taken("u128", "340282366920938463463374607431768211455"));
  EXPECT_FALSE(taken("u128", "340282366920938463463374607431768211456"));
  EXPECT_TRUE(taken("i128", "-170141183460469231731687303715884105728"));
  EXPECT_FALSE(taken("i128", "-170141183460469231731687303715884105729"));
  EXPECT_FALSE(taken("i128", "170141183460469231731687303715884105728"));
  const std::string u256 = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  EXPECT_TRUE(taken("u256", u256));
  EXPECT_FALSE(taken("u256", "115792089237316195423570985008687907853269984665640564039457584007913129639936"));
  EXPECT_FALSE(taken("i256", u256));
  EXPECT_TRUE(taken("i256", "-57896044618658097711785492504343953926634992332820282019728792003956564819968"));
  EXPECT_FALSE(taken("i256", "-57896044618658097711785492504343953926634992332820282019728792003956564819969"));
  for (const char* digits : {"", "-", "-0", "00", "01", "+1", "1.0", "1e3", " 1", "0x1"}) {
    EXPECT_FALSE(taken("i128", digits)) << digits;
  }
}

TEST(ScValJsonReader, WhatHasLostItsTypeIsRefused) {
  for (const char* json : {"7",
                           "true",
                           "null",
                           "[]",
                           "{}",
                           "1.5",
                           R"("created")",
                           R"({"i128":5})",
                           R"({"u64":5})",
                           R"({"u32":"5"})",
                           R"({"u32":-1})",
                           R"({"u32":1.0})",
                           R"({"i32":2147483648})",
                           R"({"bool":1})",
                           R"({"bool":"true"})",
                           R"({"u64":"1","u32":1})",
                           R"({"U64":"1"})",
                           R"({"nonsense":1})",
                           R"({"void":null})",
                           R"({"symbol":7})",
                           R"({"i128":{"hi":0,"lo":5}})",
                           R"({"vec":[1]})",
                           R"({"vec":{}})",
                           R"({"vec":["x"]})",
                           R"({"map":[{"key":"void"}]})",
                           R"({"map":[["void","void"]]})",
                           R"({"map":[{"key":"void","val":"void","x":1}]})",
                           R"({"map":{}})",
                           R"({"bytes":"abc"})",
                           R"({"bytes":[1]})",
                           R"({"address":"GABC"})",
                           R"({"address":7})",
                           R"({"error":{"contract":"5"}})",
                           R"({"error":{"wasm_vm":5}})",
                           R"({"error":{"wasm_vm":"nonsense"}})",
                           R"({"error":{"nonsense":1}})",
                           R"({"error":1})",
                           R"({"ledger_key_nonce":"1"})",
                           R"({"contract_instance":{"executable":"nonsense","storage":null}})",
                           R"({"contract_instance":{"executable":{"wasm":"00"},"storage":null}})",
                           R"({"contract_instance":{"executable":"stellar_asset"}})"}) {
    EXPECT_FALSE(is_read(json)) << json;
  }
}

TEST(ScValJsonReader, WhatTheDecoderRefusesIsRefused) {
  EXPECT_EQ(read_text(R"({"symbol":"with space"})"), "is no ScVal: The XDR holds a value outside its type.");
  EXPECT_FALSE(is_read(R"({"symbol":"a_symbol_that_is_longer_than_32_x"})"));
  EXPECT_FALSE(is_read(R"({"string":"\u00fc"})")) << "SEP-51 escapes it";
  EXPECT_FALSE(is_read(R"({"string":"\\q"})"));
  EXPECT_FALSE(is_read(R"({"string":"\\x0"})"));
  // A seed is a StrKey, but no address.
  EXPECT_FALSE(is_read(R"({"address":"SBU2RRGLXH3E5CQHTD3ODLDF2BWDCYUSSBLLZ5GNW7JXHDIYKXZWHOKR"})"));
  for (const char* base64 :
       {"", "AAAAAwAAAAE", "AAAAAwAAAAE=AAAA", "AAAA", "AAAAFgAAAAN0YWcA", "AAAAAAAAAAI=", "$$$$"}) {
    EXPECT_FALSE(std::holds_alternative<core::Bytes>(read_scval(Json(base64)))) << base64;
  }
}

void expect_round_trips(const std::string& name) {
  const core::vectors::VectorCases file = core::vectors::read_lines(name);
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i));
    const std::string base64 = c["base64"];
    EXPECT_EQ(read(base64), base64);
    const auto value = core::decode_scval_base64(base64);
    ASSERT_TRUE(value);
    EXPECT_EQ(core::base64_encode(core::encode_scval(*value)), base64);
    // A null stands for a value that the reference encoder could not write.
    if (c.contains("json") && !c["json"].is_null()) {
      EXPECT_EQ(read(c["json"]), base64) << c["json"];
    }
  }
  file.report();
}

TEST(ScValJsonReader, RealValuesRoundTrip) {
  expect_round_trips("scval/real_pubnet_scvals.jsonl");
}

TEST(ScValJsonReader, EveryArmRoundTrips) {
  expect_round_trips("scval/generated_scvals.jsonl");
}

}  // namespace
}  // namespace fluxora::api::test
