#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "fluxora/core/strkey.hpp"
#include "vectors/vector_files.hpp"

namespace fluxora::core::vectors {
namespace {

constexpr const char* file_name = "strkey/strkey_vectors.json";

/// The official SDK's name of a version.
std::optional<StrKeyVersion> version_of(const std::string& type) {
  if (type == "ed25519PublicKey") return StrKeyVersion::account;
  if (type == "ed25519SecretSeed") return StrKeyVersion::seed;
  if (type == "med25519PublicKey") return StrKeyVersion::muxed_account;
  if (type == "preAuthTx") return StrKeyVersion::pre_auth_tx;
  if (type == "sha256Hash") return StrKeyVersion::hash_x;
  if (type == "signedPayload") return StrKeyVersion::signed_payload;
  if (type == "contract") return StrKeyVersion::contract;
  if (type == "liquidityPool") return StrKeyVersion::liquidity_pool;
  if (type == "claimableBalance") return StrKeyVersion::claimable_balance;
  return std::nullopt;
}

void check_valid(const Json& c) {
  const auto strkey = text(c, "strkey");
  ASSERT_TRUE(strkey);
  const Result<StrKey> decoded = decode_strkey(*strkey);
  ASSERT_TRUE(decoded) << error_name(decoded.error().code);
  if (const auto version = units(c, "version")) {
    EXPECT_TRUE(*version == static_cast<int>(decoded->version));
  }
  if (const auto type = text(c, "type")) {
    EXPECT_EQ(decoded->version, version_of(*type));
  }
  if (const auto payload = text(c, "payloadHex")) {
    EXPECT_EQ(hex_encode(decoded->payload), *payload);
  }
  if (const auto id = units(c, "id"); id && decoded->version == StrKeyVersion::muxed_account) {
    std::uint64_t number = 0;
    for (std::size_t i = 32; i < decoded->payload.size(); ++i) number = number << 8 | decoded->payload[i];
    EXPECT_EQ(number, static_cast<std::uint64_t>(*id));
  }
  const Result<std::string> encoded = encode_strkey(decoded->version, decoded->payload);
  ASSERT_TRUE(encoded);
  EXPECT_EQ(*encoded, *strkey);
  const bool is_contract = decoded->version == StrKeyVersion::contract;
  EXPECT_EQ(is_contract_id(*strkey), is_contract);
  EXPECT_EQ(is_stream_party(*strkey), is_contract || decoded->version == StrKeyVersion::account);
}

void check_invalid(const Json& c) {
  const auto strkey = text(c, "strkey");
  ASSERT_TRUE(strkey);
  EXPECT_FALSE(decode_strkey(*strkey));
  EXPECT_FALSE(is_stream_party(*strkey));
  EXPECT_FALSE(is_contract_id(*strkey));
}

template <class Check>
void check_all(const VectorCases& file, Check check) {
  for (std::size_t i = 0; i < file.cases.size(); ++i) {
    SCOPED_TRACE(file.place(i) + ": " + file.cases[i].dump());
    check(file.cases[i]);
  }
  file.report();
}

TEST(StrKeyVectors, Sep23Valid) {
  const VectorCases file = read_list(file_name, "sep23_valid");
  REQUIRE_VECTORS(file);
  check_all(file, check_valid);
}

TEST(StrKeyVectors, Sep23Invalid) {
  const VectorCases file = read_list(file_name, "sep23_invalid");
  REQUIRE_VECTORS(file);
  check_all(file, check_invalid);
}

TEST(StrKeyVectors, GeneratedValid) {
  const VectorCases file = read_list(file_name, "generated_valid");
  REQUIRE_VECTORS(file);
  check_all(file, check_valid);
}

TEST(StrKeyVectors, MutatedInvalid) {
  const VectorCases file = read_list(file_name, "mutated_invalid");
  REQUIRE_VECTORS(file);
  check_all(file, check_invalid);
}

}  // namespace
}  // namespace fluxora::core::vectors
