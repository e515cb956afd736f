#include "fluxora/core/hmac_sha256.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

// RFC 4231 section 4.3 (test case 2).
constexpr std::string_view key_text = "Jefe";
constexpr std::string_view message = "what do ya want for nothing?";
constexpr std::string_view code = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";

TEST(HmacSha256, KnownCode) {
  EXPECT_EQ(hex_encode(HmacSha256Key(as_bytes(key_text)).authenticate({as_bytes(message)})), code);
}

TEST(HmacSha256, PartsAreOneMessageHoweverItIsCut) {
  const HmacSha256Key key(as_bytes(key_text));
  for (std::size_t cut = 0; cut <= message.size(); ++cut) {
    const auto parts = {as_bytes(message.substr(0, cut)), ByteView(), as_bytes(message.substr(cut))};
    EXPECT_EQ(hex_encode(key.authenticate(parts)), code);
  }
}

TEST(HmacSha256, KeyIsGoodForManyMessages) {
  const HmacSha256Key key(as_bytes(key_text));
  const Hash first = key.authenticate({as_bytes("a")});
  EXPECT_NE(key.authenticate({as_bytes("b")}), first);
  EXPECT_EQ(key.authenticate({as_bytes("a")}), first);
}

TEST(HmacSha256, EmptyKeyAndEmptyMessage) {
  constexpr std::string_view empty_code = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad";
  EXPECT_EQ(hex_encode(HmacSha256Key({}).authenticate({})), empty_code);
  EXPECT_EQ(hex_encode(HmacSha256Key({}).authenticate({ByteView()})), empty_code);
}

TEST(HmacSha256, MovedKeyIsTheSameKey) {
  HmacSha256Key first(as_bytes(key_text));
  HmacSha256Key second(std::move(first));
  EXPECT_EQ(hex_encode(second.authenticate({as_bytes(message)})), code);
  HmacSha256Key third(as_bytes("other"));
  third = std::move(second);
  EXPECT_EQ(hex_encode(third.authenticate({as_bytes(message)})), code);
  HmacSha256Key& same = third;
  third = std::move(same);
  EXPECT_EQ(hex_encode(third.authenticate({as_bytes(message)})), code);
}

/// Memory that a key is made in, so that it can be looked at.
struct KeyMemory {
  alignas(HmacSha256Key) std::array<unsigned char, sizeof(HmacSha256Key)> bytes{};

  HmacSha256Key* make() { return new (bytes.data()) HmacSha256Key(as_bytes(key_text)); }
  [[nodiscard]] bool is_zero() const {
    const volatile unsigned char* at = bytes.data();
    return std::all_of(at, at + bytes.size(), [](unsigned char byte) { return byte == 0; });
  }
};

TEST(HmacSha256, MovedFromAndDestroyedKeysAreZero) {
  KeyMemory memory;
  HmacSha256Key* key = memory.make();
  EXPECT_FALSE(memory.is_zero());
  HmacSha256Key moved(std::move(*key));
  EXPECT_TRUE(memory.is_zero());
  *key = std::move(moved);
  EXPECT_FALSE(memory.is_zero());
  moved = std::move(*key);
  EXPECT_TRUE(memory.is_zero());

  KeyMemory other;
  HmacSha256Key* destroyed = other.make();
  EXPECT_FALSE(other.is_zero());
  destroyed->~HmacSha256Key();
  EXPECT_TRUE(other.is_zero());
}

TEST(ConstantTime, ComparesBytesAndLength) {
  const Bytes bytes{1, 2, 3};
  EXPECT_TRUE(equal_in_constant_time(bytes, Bytes{1, 2, 3}));
  EXPECT_TRUE(equal_in_constant_time({}, {}));
  EXPECT_FALSE(equal_in_constant_time(bytes, Bytes{1, 2}));
  EXPECT_FALSE(equal_in_constant_time(bytes, Bytes{1, 2, 3, 0}));
  EXPECT_FALSE(equal_in_constant_time(bytes, Bytes{0x81, 2, 3}));
  EXPECT_FALSE(equal_in_constant_time(bytes, Bytes{1, 2, 2}));
  EXPECT_FALSE(equal_in_constant_time(bytes, {}));
}

TEST(Wipe, LeavesZeros) {
  Bytes bytes{1, 2, 3};
  wipe(std::span(bytes).first(2));
  EXPECT_EQ(bytes, (Bytes{0, 0, 3}));
  std::string text = "secret";
  wipe(text);
  EXPECT_EQ(text, std::string(6, '\0'));
  std::string empty;
  wipe(empty);
  EXPECT_EQ(empty, "");
}

}  // namespace
}  // namespace fluxora::core
