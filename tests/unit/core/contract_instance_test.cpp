#include "fluxora/core/contract_instance.hpp"

#include <string_view>

#include <gtest/gtest.h>

#include "fluxora/core/ledger_key.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

// As the official JavaScript SDK writes them. A stream contract's instance: Config, NextStreamId.
constexpr std::string_view stream_contract =
    "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAACAAAAEAAAAAEAAAABAAAADwAAAAZDb25maWcAAAAAABEAAAAB"
    "AAAAAgAAAA8AAAAFYWRtaW4AAAAAAAASAAAAAAAAAABVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVQAAAA8AAAAFdG9rZW4AAAAAAAAS"
    "AAAAAXBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwAAAAEAAAAAEAAAABAAAADwAAAAxOZXh0U3RyZWFtSWQAAAAFAAAAAAAAAAc=";
// The same with an account as its token; under vec[symbol Config, u32 1].
constexpr std::string_view token_is_an_account =
    "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAABAAAAEAAAAAEAAAABAAAADwAAAAZDb25maWcAAAAAABEAAAAB"
    "AAAAAgAAAA8AAAAFYWRtaW4AAAAAAAASAAAAAAAAAABVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVQAAAA8AAAAFdG9rZW4AAAAAAAAS"
    "AAAAAAAAAABVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVQ==";
constexpr std::string_view another_key =
    "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAABAAAAEAAAAAEAAAACAAAADwAAAAZDb25maWcAAAAAAAMAAAAB"
    "AAAAEQAAAAEAAAACAAAADwAAAAVhZG1pbgAAAAAAABIAAAAAAAAAAFVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVVAAAADwAAAAV0b2tl"
    "bgAAAAAAABIAAAABcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHA=";
// The Stellar asset contract's, and a token's of 8 decimals; decimals as a u64.
constexpr std::string_view stellar_asset =
    "AAAAEwAAAAEAAAABAAAAAQAAAA8AAAAITUVUQURBVEEAAAARAAAAAQAAAAIAAAAPAAAAB2RlY2ltYWwAAAAAAwAAAAcAAAAPAAAABG5hbWUAAAAO"
    "AAAABFVTREM=";
constexpr std::string_view token_of_8 =
    "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAABAAAADwAAAAhNRVRBREFUQQAAABEAAAABAAAAAwAAAA8AAAAH"
    "ZGVjaW1hbAAAAAADAAAACAAAAA8AAAAEbmFtZQAAAA4AAAAFRWlnaHQAAAAAAAAPAAAABnN5bWJvbAAAAAAADgAAAANFR1QA";
constexpr std::string_view token_of_a_u64 =
    "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAABAAAADwAAAAhNRVRBREFUQQAAABEAAAABAAAAAQAAAA8AAAAH"
    "ZGVjaW1hbAAAAAAFAAAAAAAAAAc=";
// Instances without an entry, and without storage.
constexpr std::string_view no_entry = "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAEAAAAA";
constexpr std::string_view no_storage = "AAAAEwAAAAAiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIgAAAAA=";

ScVal value_of(std::string_view base64) {
  auto value = decode_scval_base64(base64);
  EXPECT_TRUE(value) << base64;
  return value ? *std::move(value) : ScVal{};
}

TEST(ContractInstance, NamesTheContractsToken) {
  EXPECT_EQ(contract_token(value_of(stream_contract)), sample_token);
}

TEST(ContractInstance, ATokenThatIsNoContractIsNone) {
  EXPECT_EQ(contract_token(value_of(token_is_an_account)), std::nullopt);
}

TEST(ContractInstance, OnlyTheKeyOfTheConfigurationCounts) {
  for (const std::string_view other : {another_key, stellar_asset, no_entry, no_storage}) {
    EXPECT_EQ(contract_token(value_of(other)), std::nullopt) << other;
  }
  EXPECT_EQ(contract_token(ScVal{}), std::nullopt);
}

TEST(ContractInstance, TellsATokensDecimals) {
  EXPECT_EQ(token_decimals(value_of(stellar_asset)), 7u);
  EXPECT_EQ(token_decimals(value_of(token_of_8)), 8u);
}

TEST(ContractInstance, DecimalsThatAreNoneAreUnknown) {
  for (const std::string_view other : {token_of_a_u64, stream_contract, no_entry, no_storage}) {
    EXPECT_EQ(token_decimals(value_of(other)), std::nullopt) << other;
  }
}

TEST(ContractInstance, ItsKeyIsTheInstancesOwn) {
  // As the SDK writes it: persistent contract data of sample_contract, under LedgerKeyContractInstance.
  const auto expected = base64_decode("AAAABgAAAAHMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzAAAABQAAAAB");
  EXPECT_EQ(instance_ledger_key(sample_contract), *expected);
  EXPECT_EQ(instance_ledger_key(sample_sender), std::nullopt);
  EXPECT_EQ(instance_ledger_key(""), std::nullopt);
}

}  // namespace
}  // namespace fluxora::core
