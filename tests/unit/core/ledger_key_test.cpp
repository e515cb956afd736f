#include "fluxora/core/ledger_key.hpp"

#include <string>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

// As the official JavaScript SDK writes them: persistent contract data of sample_contract, under vec[Stream, number].
constexpr std::string_view key_of_7 =
    "AAAABgAAAAHMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzAAAABAAAAABAAAAAgAAAA8AAAAGU3RyZWFtAAAAAAAFAAAAAAAAAAcAAAAB";
constexpr std::string_view key_of_the_last =
    "AAAABgAAAAHMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzAAAABAAAAABAAAAAgAAAA8AAAAGU3RyZWFtAAAAAAAF//////////8AAAAB";
// What lies under the first of them: u32 5.
constexpr std::string_view entry_of_7 =
    "AAAABgAAAAAAAAABzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMwAAAAQAAAAAQAAAAIAAAAPAAAABlN0cmVhbQAAAAAABQAAAAAAAAAH"
    "AAAAAQAAAAMAAAAF";

Bytes bytes_of(std::string_view base64) {
  Result<Bytes> bytes = base64_decode(base64);
  EXPECT_TRUE(bytes);
  return bytes ? *std::move(bytes) : Bytes{};
}

ErrorCode error_of(ByteView key, ByteView entry) {
  const Result<ScVal> value = decode_contract_data(key, entry);
  EXPECT_FALSE(value);
  return value ? ErrorCode::decimal_invalid_type : value.error().code;
}

TEST(LedgerKey, IsTheOneThatTheContractStoresAStreamUnder) {
  EXPECT_EQ(stream_ledger_key(chain_stream_id(sample_contract, 7)), bytes_of(key_of_7));
  EXPECT_EQ(stream_ledger_key(chain_stream_id(sample_contract, 18'446'744'073'709'551'615u)),
            bytes_of(key_of_the_last));
}

TEST(LedgerKey, OnlyChainStreamsHaveOne) {
  const std::string contract(sample_contract);
  for (const std::string& text :
       {std::string(), std::string("api-0190163d-8694-739b-aea5-966c26f8ad91"), contract, contract + "-",
        contract + "-x", contract + "-18446744073709551616", std::string(sample_sender) + "-7"}) {
    EXPECT_FALSE(stream_ledger_key(text)) << text;
  }
}

TEST(LedgerKey, AnEntrysValueIsReadBehindItsKey) {
  const Result<ScVal> value = decode_contract_data(bytes_of(key_of_7), bytes_of(entry_of_7));
  ASSERT_TRUE(value);
  EXPECT_EQ(value->u32(), 5u);
}

TEST(LedgerKey, AnEntryOfAnotherKeyOrNoContractsDataIsRefused) {
  const Bytes key = bytes_of(key_of_7);
  const Bytes entry = bytes_of(entry_of_7);
  EXPECT_EQ(error_of(bytes_of(key_of_the_last), entry), ErrorCode::xdr_invalid_value);
  EXPECT_EQ(error_of({}, entry), ErrorCode::xdr_truncated);
  for (const std::size_t byte : {3u, 7u}) {  // the entry's type, its extension
    Bytes other = entry;
    ++other[byte];
    EXPECT_EQ(error_of(key, other), ErrorCode::xdr_invalid_value);
  }
  Bytes temporary = entry;
  temporary[temporary.size() - 9] = 0;  // the durability stands before the value
  EXPECT_EQ(error_of(key, temporary), ErrorCode::xdr_invalid_value);
  Bytes more = entry;
  more.insert(more.end(), 4, 0);
  EXPECT_EQ(error_of(key, more), ErrorCode::xdr_trailing_bytes);
}

TEST(LedgerKey, NoPieceOfAnEntryIsTakenForAWholeOne) {
  const Bytes key = bytes_of(key_of_7);
  const Bytes entry = bytes_of(entry_of_7);
  for (std::size_t size = 0; size < entry.size(); ++size) {
    EXPECT_FALSE(decode_contract_data(key, ByteView(entry).first(size))) << size;
  }
}

}  // namespace
}  // namespace fluxora::core
