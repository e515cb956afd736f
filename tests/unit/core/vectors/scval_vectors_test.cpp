#include <array>
#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/scval.hpp"
#include "fluxora/core/scval_json.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

/// The official SDK's names, by discriminant.
constexpr std::array<const char*, 22> type_names{"scvBool",
                                                 "scvVoid",
                                                 "scvError",
                                                 "scvU32",
                                                 "scvI32",
                                                 "scvU64",
                                                 "scvI64",
                                                 "scvTimepoint",
                                                 "scvDuration",
                                                 "scvU128",
                                                 "scvI128",
                                                 "scvU256",
                                                 "scvI256",
                                                 "scvBytes",
                                                 "scvString",
                                                 "scvSymbol",
                                                 "scvVec",
                                                 "scvMap",
                                                 "scvAddress",
                                                 "scvContractInstance",
                                                 "scvLedgerKeyContractInstance",
                                                 "scvLedgerKeyNonce"};

void check_valid(const Json& c) {
  const auto base64 = text(c, "base64");
  ASSERT_TRUE(base64);
  const Result<ScVal> value = decode_scval_base64(*base64);
  ASSERT_TRUE(value) << error_name(value.error().code) << " at " << value.error().offset;
  if (const auto type = text(c, "type")) {
    EXPECT_EQ(type_names[static_cast<std::size_t>(value->type)], *type);
  }

  std::string json;
  JsonWriter writer(json);
  write_scval_json(writer, *value);
  const Json parsed = Json::parse(json, nullptr, false);
  EXPECT_FALSE(parsed.is_discarded()) << json;
  // A null stands for a value that the reference encoder could not write; void is "void".
  if (const auto expected = c.find("json"); expected != c.end() && !expected->is_null()) {
    EXPECT_EQ(parsed, *expected);
  }

  // No start of a value is a value, and nothing may follow one.
  Result<Bytes> xdr = base64_decode(*base64);
  ASSERT_TRUE(xdr);
  EXPECT_EQ(base64_encode(*xdr), *base64);
  EXPECT_EQ(encode_scval(*value), *xdr);
  EXPECT_FALSE(decode_scval(ByteView(*xdr).first(xdr->size() - 1)));
  EXPECT_FALSE(decode_scval(ByteView(*xdr).first(xdr->size() - 4)));
  xdr->insert(xdr->end(), 4, 0);
  EXPECT_FALSE(decode_scval(*xdr));
}

/// True when every decoder that the case names took it.
bool taken_by_all(const Json& c) {
  int verdicts = 0;
  for (const auto& [key, verdict] : c.items()) {
    if (key == "label" || key == "base64" || !verdict.is_string()) continue;
    const std::string& word = verdict.get_ref<const std::string&>();
    if (word == "rejects") return false;
    if (word == "ACCEPTS") ++verdicts;
  }
  return verdicts > 0;
}

TEST(ScValVectors, RealPubnet) {
  const VectorCases file = read_lines("scval/real_pubnet_scvals.jsonl");
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    SCOPED_TRACE(file.place(i));
    check_valid(file.cases[i]);
  }
  file.report();
}

TEST(ScValVectors, Generated) {
  const VectorCases file = read_lines("scval/generated_scvals.jsonl");
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    SCOPED_TRACE(file.place(i) + ": " + text(file.cases[i], "label").value_or(""));
    check_valid(file.cases[i]);
  }
  file.report();
}

TEST(ScValVectors, Invalid) {
  const VectorCases file = read_lines("scval/invalid_scvals.jsonl");
  REQUIRE_VECTORS(file);
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    const Json& c = file.cases[i];
    SCOPED_TRACE(file.place(i) + ": " + text(c, "label").value_or(""));
    const auto base64 = text(c, "base64");
    ASSERT_TRUE(base64);
    // Where the decoders differ, refuse: RFC 4506 has no bool but 0 and 1, and discriminant 22 is protocol 28's.
    EXPECT_EQ(decode_scval_base64(*base64).ok(), taken_by_all(c));
  }
  file.report();
}

}  // namespace
}  // namespace fluxora::core::vectors
