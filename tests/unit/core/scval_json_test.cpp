#include "fluxora/core/scval_json.hpp"

#include <limits>
#include <utility>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

std::string json_of(const ScVal& value) {
  std::string output;
  JsonWriter json(output);
  write_scval_json(json, value);
  return output;
}

ScVal make(ScValType type, ScVal::Data data = {}) {
  return {type, std::move(data)};
}

TEST(ScValJson, VoidArmsAreTheirNames) {
  EXPECT_EQ(json_of(make(ScValType::void_)), R"("void")");
  EXPECT_EQ(json_of(make(ScValType::ledger_key_contract_instance)), R"("ledger_key_contract_instance")");
}

TEST(ScValJson, Scalars) {
  EXPECT_EQ(json_of(make(ScValType::boolean, true)), R"({"bool":true})");
  EXPECT_EQ(json_of(make(ScValType::u32, std::uint32_t{4294967295})), R"({"u32":4294967295})");
  EXPECT_EQ(json_of(make(ScValType::i32, std::int32_t{-2147483647 - 1})), R"({"i32":-2147483648})");
  EXPECT_EQ(json_of(make(ScValType::u64, ~std::uint64_t{0})), R"({"u64":"18446744073709551615"})");
  EXPECT_EQ(json_of(make(ScValType::i64, std::numeric_limits<std::int64_t>::min())),
            R"({"i64":"-9223372036854775808"})");
  EXPECT_EQ(json_of(make(ScValType::timepoint, std::uint64_t{1})), R"({"timepoint":"1"})");
  EXPECT_EQ(json_of(make(ScValType::duration, std::uint64_t{0})), R"({"duration":"0"})");
  EXPECT_EQ(json_of(make(ScValType::ledger_key_nonce, std::int64_t{-1})), R"({"ledger_key_nonce":{"nonce":"-1"}})");
  EXPECT_EQ(json_of(make(ScValType::bytes, Bytes{0x00, 0xfe})), R"({"bytes":"00fe"})");
  EXPECT_EQ(json_of(make(ScValType::bytes, Bytes{})), R"({"bytes":""})");
  EXPECT_EQ(json_of(make(ScValType::address, ScAddress{"GABC"})), R"({"address":"GABC"})");
}

TEST(ScValJson, WideNumbersToTheirEnds) {
  EXPECT_EQ(json_of(make(ScValType::u128, ~UInt128{0})), R"({"u128":"340282366920938463463374607431768211455"})");
  EXPECT_EQ(json_of(make(ScValType::u128, UInt128{0})), R"({"u128":"0"})");
  EXPECT_EQ(json_of(make(ScValType::i128, int128_min)), R"({"i128":"-170141183460469231731687303715884105728"})");
  EXPECT_EQ(json_of(make(ScValType::i128, int128_max)), R"({"i128":"170141183460469231731687303715884105727"})");

  const auto wide = [](ScValType type, std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d) {
    return json_of(make(type, Sc256{{a, b, c, d}}));
  };
  constexpr std::uint64_t ones = ~std::uint64_t{0};
  constexpr std::uint64_t top = std::uint64_t{1} << 63;
  EXPECT_EQ(wide(ScValType::u256, ones, ones, ones, ones),
            R"({"u256":"115792089237316195423570985008687907853269984665640564039457584007913129639935"})");
  EXPECT_EQ(wide(ScValType::i256, ones, ones, ones, ones), R"({"i256":"-1"})");
  EXPECT_EQ(wide(ScValType::i256, top, 0, 0, 0),
            R"({"i256":"-57896044618658097711785492504343953926634992332820282019728792003956564819968"})");
  EXPECT_EQ(wide(ScValType::i256, top - 1, ones, ones, ones),
            R"({"i256":"57896044618658097711785492504343953926634992332820282019728792003956564819967"})");
  EXPECT_EQ(wide(ScValType::i256, ones, ones, ones, 0), R"({"i256":"-18446744073709551616"})");
  EXPECT_EQ(wide(ScValType::u256, 0, 0, 0, 10'000'000'000'000'000'000u), R"({"u256":"10000000000000000000"})");
  EXPECT_EQ(wide(ScValType::u256, 0, 0, 0, 9'999'999'999'999'999'999u), R"({"u256":"9999999999999999999"})");
  // 10^38: two whole words of zeros below a one.
  EXPECT_EQ(wide(ScValType::u256, 0, 0, 0x4b3b4ca85a86c47a, 0x098a224000000000),
            R"({"u256":"100000000000000000000000000000000000000"})");
}

TEST(ScValJson, StringsAreEscapedTwice) {
  EXPECT_EQ(json_of(make(ScValType::string, std::string("plain ~"))), R"({"string":"plain ~"})");
  EXPECT_EQ(json_of(make(ScValType::string, std::string("\0\t\n\r\\\"", 6))), R"({"string":"\\0\\t\\n\\r\\\\\""})");
  EXPECT_EQ(json_of(make(ScValType::string, std::string("\x01\x1f\x7f\x80\xff"))),
            R"({"string":"\\x01\\x1f\\x7f\\x80\\xff"})");
  EXPECT_EQ(json_of(make(ScValType::string, std::string("é"))), R"({"string":"\\xc3\\xa9"})");
  EXPECT_EQ(json_of(make(ScValType::symbol, std::string("rate_upd"))), R"({"symbol":"rate_upd"})");
}

TEST(ScValJson, Errors) {
  EXPECT_EQ(json_of(make(ScValType::error, ScError{0, 7})), R"({"error":{"contract":7}})");
  EXPECT_EQ(json_of(make(ScValType::error, ScError{1, 0})), R"({"error":{"wasm_vm":"arith_domain"}})");
  EXPECT_EQ(json_of(make(ScValType::error, ScError{4, 7})), R"({"error":{"object":"internal_error"}})");
  EXPECT_EQ(json_of(make(ScValType::error, ScError{9, 9})), R"({"error":{"auth":"unexpected_size"}})");
  // Not from a decoder, but a text all the same.
  EXPECT_EQ(json_of(make(ScValType::error, ScError{10, 11})), R"({"error":{"10":"11"}})");
}

TEST(ScValJson, Containers) {
  EXPECT_EQ(json_of(make(ScValType::vec, std::optional<ScVec>())), R"({"vec":null})");
  EXPECT_EQ(json_of(make(ScValType::map, std::optional<ScMap>())), R"({"map":null})");
  EXPECT_EQ(json_of(make(ScValType::vec, std::optional(ScVec{}))), R"({"vec":[]})");
  const ScMap entries{
      {make(ScValType::symbol, std::string("a")), make(ScValType::void_)},
      {make(ScValType::u32, std::uint32_t{1}),
       make(ScValType::vec, std::optional(ScVec{make(ScValType::boolean, false), make(ScValType::void_)}))}};
  const std::string map =
      R"([{"key":{"symbol":"a"},"val":"void"},{"key":{"u32":1},"val":{"vec":[{"bool":false},"void"]}}])";
  EXPECT_EQ(json_of(make(ScValType::map, std::optional(entries))), R"({"map":)" + map + "}");
  EXPECT_EQ(json_of(make(ScValType::contract_instance, ScContractInstance{std::nullopt, entries})),
            R"({"contract_instance":{"executable":"stellar_asset","storage":)" + map + "}}");
  EXPECT_EQ(json_of(make(ScValType::contract_instance, ScContractInstance{Hash{0xab}, std::nullopt})),
            R"({"contract_instance":{"executable":{"wasm":"ab)" + std::string(62, '0') + R"("},"storage":null}})");
}

TEST(ScValJson, StandsAmongOtherValues) {
  std::string output;
  JsonWriter json(output);
  json.begin_array();
  write_scval_json(json, make(ScValType::void_));
  write_scval_json(json, make(ScValType::boolean, true));
  write_scval_json(json, make(ScValType::vec, std::optional(ScVec{})));
  json.end_array();
  EXPECT_EQ(output, R"(["void",{"bool":true},{"vec":[]}])");
}

}  // namespace
}  // namespace fluxora::core
