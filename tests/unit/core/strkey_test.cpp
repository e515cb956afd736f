#include "fluxora/core/strkey.hpp"

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

// The examples of SEP-23.
constexpr std::string_view account = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ";
constexpr std::string_view contract = "CA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUWDA";
constexpr std::string_view muxed = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ";
constexpr std::string_view pool = "LA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUPJN";
constexpr std::string_view balance = "BAAD6DBUX6J22DMZOHIEZTEQ64CVCHEDRKWZONFEUL5Q26QD7R76RGR4TU";

ErrorCode error_of(std::string_view text) {
  const Result<StrKey> result = decode_strkey(text);
  EXPECT_FALSE(result) << text;
  return result ? ErrorCode::decimal_invalid_type : result.error().code;
}

/// Base32 without any check: for texts that encode_strkey refuses to write.
std::string base32(const Bytes& raw) {
  std::string text;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : raw) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5) text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits >> (count - 5) & 31];
  }
  if (count > 0) text += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[bits << (5 - count) & 31];
  return text;
}

/// A text with a right checksum over any version and payload.
std::string sealed(std::uint8_t version, const Bytes& payload) {
  Bytes raw{version};
  raw.insert(raw.end(), payload.begin(), payload.end());
  std::uint32_t crc = 0;
  for (const std::uint8_t byte : raw) {
    crc ^= static_cast<std::uint32_t>(byte) << 8;
    for (int i = 0; i < 8; ++i) crc = ((crc << 1) ^ ((crc & 0x8000u) != 0 ? 0x1021u : 0u)) & 0xffffu;
  }
  raw.push_back(static_cast<std::uint8_t>(crc & 0xffu));
  raw.push_back(static_cast<std::uint8_t>(crc >> 8));
  return base32(raw);
}

Bytes signed_payload(std::size_t length, std::size_t padded, std::uint8_t padding = 0) {
  Bytes payload(32, 0x3f);
  for (int shift = 24; shift >= 0; shift -= 8) payload.push_back(static_cast<std::uint8_t>(length >> shift));
  for (std::size_t i = 0; i < padded; ++i) payload.push_back(i < length ? std::uint8_t{0xa5} : padding);
  return payload;
}

constexpr std::uint8_t byte_of(StrKeyVersion version) {
  return static_cast<std::uint8_t>(version);
}

TEST(StrKey, TellsPartiesAndContracts) {
  EXPECT_TRUE(is_stream_party(account));
  EXPECT_TRUE(is_stream_party(contract));
  EXPECT_FALSE(is_contract_id(account));
  EXPECT_TRUE(is_contract_id(contract));
  for (const std::string_view other : {muxed, pool, balance}) {
    EXPECT_TRUE(decode_strkey(other)) << other;
    EXPECT_FALSE(is_stream_party(other)) << other;
    EXPECT_FALSE(is_contract_id(other)) << other;
  }
  EXPECT_FALSE(is_stream_party(""));
}

TEST(StrKey, TheFirstLetterIsTheVersion) {
  const std::pair<StrKeyVersion, char> letters[] = {
      {StrKeyVersion::account, 'G'},          {StrKeyVersion::seed, 'S'},
      {StrKeyVersion::pre_auth_tx, 'T'},      {StrKeyVersion::hash_x, 'X'},
      {StrKeyVersion::contract, 'C'},         {StrKeyVersion::liquidity_pool, 'L'},
      {StrKeyVersion::muxed_account, 'M'},    {StrKeyVersion::signed_payload, 'P'},
      {StrKeyVersion::claimable_balance, 'B'}};
  for (const auto& [version, letter] : letters) {
    Bytes payload(32, 0);
    if (version == StrKeyVersion::muxed_account) payload.resize(40);
    if (version == StrKeyVersion::claimable_balance) payload.resize(33);
    if (version == StrKeyVersion::signed_payload) payload = signed_payload(29, 32);
    const Result<std::string> text = encode_strkey(version, payload);
    ASSERT_TRUE(text) << letter;
    EXPECT_EQ(text->front(), letter);
    EXPECT_EQ(*text, sealed(byte_of(version), payload));
    const Result<StrKey> decoded = decode_strkey(*text);
    ASSERT_TRUE(decoded) << letter;
    EXPECT_EQ(*decoded, (StrKey{version, payload}));
  }
}

TEST(StrKey, NamesWhatIsWrong) {
  EXPECT_EQ(error_of(""), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of("G"), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of("GA"), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of("GAAAAAAAACGC6"), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(std::string(account) + "A"), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(account.substr(0, 54)), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(std::string(1'000'000, 'A')), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(std::string(166, 'A')), ErrorCode::strkey_invalid_length);

  std::string changed(account);
  changed[20] = '1';
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_invalid_character);
  EXPECT_EQ(decode_strkey(changed).error().offset, 20u);
  changed = account;
  changed[0] = 'g';
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_invalid_character);
  EXPECT_EQ(error_of(std::string(muxed.substr(0, 69)) + "==="), ErrorCode::strkey_invalid_character);

  EXPECT_EQ(error_of("MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUR"),
            ErrorCode::strkey_not_canonical);
  changed = account;
  changed[0] = 'A';
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_unknown_version);
  changed = account;
  changed[1] = 'Q';  // the version byte's low bits
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_unknown_version);
  changed = account;
  changed[0] = 'C';
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_invalid_checksum);
  changed = account;
  changed.back() = 'A';
  EXPECT_EQ(error_of(changed), ErrorCode::strkey_invalid_checksum);
}

TEST(StrKey, EveryChangedCharacterIsNoticed) {
  for (const std::string_view good : {account, contract, muxed, pool, balance}) {
    for (std::size_t i = 0; i < good.size(); ++i) {
      for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")) {
        if (c == good[i]) continue;
        std::string changed(good);
        changed[i] = c;
        ASSERT_FALSE(decode_strkey(changed)) << changed;
      }
    }
  }
}

TEST(StrKey, PayloadSizesAreTheVersions) {
  for (const std::size_t size : {0u, 1u, 31u, 33u, 34u, 40u}) {
    const Bytes payload(size, 7);
    EXPECT_EQ(error_of(sealed(byte_of(StrKeyVersion::account), payload)), ErrorCode::strkey_invalid_length) << size;
    const Result<std::string> text = encode_strkey(StrKeyVersion::account, payload);
    ASSERT_FALSE(text) << size;
    EXPECT_EQ(text.error().code, ErrorCode::strkey_invalid_payload);
  }
  EXPECT_EQ(error_of(sealed(byte_of(StrKeyVersion::muxed_account), Bytes(32))), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(sealed(byte_of(StrKeyVersion::claimable_balance), Bytes(32))), ErrorCode::strkey_invalid_length);
}

TEST(StrKey, ClaimableBalanceBeginsWithZero) {
  Bytes payload(33, 0);
  payload[0] = 1;
  EXPECT_EQ(error_of(sealed(byte_of(StrKeyVersion::claimable_balance), payload)), ErrorCode::strkey_invalid_payload);
  EXPECT_FALSE(encode_strkey(StrKeyVersion::claimable_balance, payload));
}

TEST(StrKey, SignedPayloadLengthsAndPaddingAgree) {
  constexpr std::uint8_t version = byte_of(StrKeyVersion::signed_payload);
  for (const auto& [length, padded] : {std::pair<std::size_t, std::size_t>{1, 4}, {4, 4}, {5, 8}, {29, 32}, {64, 64}}) {
    EXPECT_TRUE(decode_strkey(sealed(version, signed_payload(length, padded)))) << length;
    EXPECT_TRUE(encode_strkey(StrKeyVersion::signed_payload, signed_payload(length, padded))) << length;
  }
  EXPECT_EQ(error_of(sealed(version, signed_payload(5, 4))), ErrorCode::strkey_invalid_payload);
  EXPECT_EQ(error_of(sealed(version, signed_payload(4, 8))), ErrorCode::strkey_invalid_payload);
  EXPECT_EQ(error_of(sealed(version, signed_payload(0, 4))), ErrorCode::strkey_invalid_payload);
  EXPECT_EQ(error_of(sealed(version, signed_payload(0xffffffff, 64))), ErrorCode::strkey_invalid_payload);
  EXPECT_EQ(error_of(sealed(version, signed_payload(0, 0))), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(sealed(version, signed_payload(3, 3))), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(sealed(version, signed_payload(65, 68))), ErrorCode::strkey_invalid_length);
  EXPECT_EQ(error_of(sealed(version, signed_payload(29, 32, 1))), ErrorCode::strkey_not_canonical);
  EXPECT_FALSE(encode_strkey(StrKeyVersion::signed_payload, signed_payload(29, 32, 1)));
}

TEST(StrKey, AVersionThatIsNoneIsNotWritten) {
  EXPECT_FALSE(encode_strkey(static_cast<StrKeyVersion>(0), Bytes(32)));
}

}  // namespace
}  // namespace fluxora::core
