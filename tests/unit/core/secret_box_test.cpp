#include "fluxora/core/secret_box.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

constexpr std::string_view owner = "webhook_endpoint:12";
constexpr std::string_view secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

std::string key_text(std::uint8_t filling) {
  return base64_encode(Bytes(32, filling));
}

SecretBox box_of(const std::string& keys) {
  auto box = SecretBox::parse(keys);
  EXPECT_TRUE(box);
  return std::move(*box);
}

SecretBoxNonce nonce_of(std::uint8_t filling) {
  SecretBoxNonce nonce;
  nonce.fill(filling);
  return nonce;
}

TEST(SecretBox, OpensWhatItSealed) {
  const SecretBox box = box_of(key_text(1));
  EXPECT_EQ(box.open(box.seal(secret, owner, nonce_of(7)), owner), secret);
  EXPECT_EQ(box.open(box.seal("", owner, nonce_of(7)), owner), "");
  EXPECT_EQ(box.open(box.seal(secret, "", nonce_of(7)), ""), secret);
  const std::string zeros(3, '\0');
  EXPECT_EQ(box.open(box.seal(zeros, owner, nonce_of(7)), owner), zeros);
}

// What is kept in databases has to open for ever: the box is crypto_secretbox_easy of "me\0secret".
TEST(SecretBox, SealsInOneForm) {
  const SecretBox box = box_of(key_text(1));
  EXPECT_EQ(hex_encode(box.seal("secret", "me", nonce_of(7))),
            "010707070707070707070707070707070707070707070707072bfc4111521786e1d4ce25f81ec9291eb98d46c9b2dda9f75b");
}

TEST(SecretBox, SealedTextShowsNothingOfTheSecret) {
  const SecretBox box = box_of(key_text(1));
  const Bytes sealed = box.seal(secret, owner, nonce_of(7));
  const std::string text(sealed.begin(), sealed.end());
  EXPECT_EQ(text.find("whsec_"), std::string::npos);
  EXPECT_EQ(text.find("webhook"), std::string::npos);
  EXPECT_NE(box.seal(secret, owner, nonce_of(8)), sealed);
}

TEST(SecretBox, IsBoundToItsOwner) {
  const SecretBox box = box_of(key_text(1));
  const Bytes sealed = box.seal(secret, owner, nonce_of(7));
  for (const std::string_view other :
       {"", "webhook_endpoint:1", "webhook_endpoint:13", "webhook_endpoint:123", "webhook_endpoint:12w"}) {
    EXPECT_FALSE(box.open(sealed, other)) << other;
  }
  const std::string longer(1000, 'x');
  EXPECT_FALSE(box.open(sealed, longer));
}

TEST(SecretBox, RefusesEveryAlteredBit) {
  const SecretBox box = box_of(key_text(1));
  Bytes sealed = box.seal(secret, owner, nonce_of(7));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    const auto mask = static_cast<std::uint8_t>(1u << (bit % 8));
    sealed[bit / 8] ^= mask;
    EXPECT_FALSE(box.open(sealed, owner)) << "bit " << bit;
    sealed[bit / 8] ^= mask;
  }
  EXPECT_TRUE(box.open(sealed, owner));
}

TEST(SecretBox, RefusesEveryOtherLength) {
  const SecretBox box = box_of(key_text(1));
  Bytes sealed = box.seal(secret, owner, nonce_of(7));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(box.open(ByteView(sealed).first(size), owner)) << size;
  }
  sealed.push_back(0);
  EXPECT_FALSE(box.open(sealed, owner));
}

TEST(SecretBox, FirstKeySealsAndAllOpen) {
  const SecretBox former = box_of(key_text(1));
  const SecretBox both = box_of(key_text(2) + "," + key_text(1));
  const SecretBox present = box_of(key_text(2));
  const Bytes old = former.seal(secret, owner, nonce_of(7));
  EXPECT_EQ(both.open(old, owner), secret);
  EXPECT_FALSE(present.open(old, owner));
  const Bytes newer = both.seal(secret, owner, nonce_of(7));
  EXPECT_EQ(present.open(newer, owner), secret);
  EXPECT_FALSE(former.open(newer, owner));
}

TEST(SecretBox, TellsWhatIsSealedUnderTheFirstKey) {
  const SecretBox former = box_of(key_text(1));
  const SecretBox both = box_of(key_text(2) + "," + key_text(1));
  const Bytes old = former.seal(secret, owner, nonce_of(7));
  EXPECT_TRUE(former.is_of_first_key(old, owner));
  EXPECT_FALSE(former.is_of_first_key(old, "webhook_endpoint:13"));
  EXPECT_FALSE(former.is_of_first_key(ByteView(old).first(old.size() - 1), owner));
  EXPECT_FALSE(both.is_of_first_key(old, owner));
  EXPECT_TRUE(both.is_of_first_key(both.seal(secret, owner, nonce_of(7)), owner));
}

TEST(SecretBox, TakesOneToEightKeysOf32Bytes) {
  std::string eight = key_text(1);
  for (std::uint8_t i = 2; i <= 8; ++i) eight += "," + key_text(i);
  EXPECT_TRUE(SecretBox::parse(eight));
  EXPECT_FALSE(SecretBox::parse(eight + "," + key_text(9)));
}

TEST(SecretBox, RefusesTextsThatAreNoKeys) {
  const std::string key = key_text(255);  // "////…8="
  std::string unpadded = key;
  unpadded.pop_back();
  std::string loose_bits = key;
  loose_bits[42] = '9';
  std::string url_alphabet = key;
  url_alphabet[0] = '_';
  for (const std::string& text :
       {std::string(), std::string(","), key + ",", "," + key, key + ",," + key, key + ", " + key, " " + key,
        key + "\n", unpadded, loose_bits, url_alphabet, base64_encode(Bytes(31, 1)), base64_encode(Bytes(33, 1)),
        hex_encode(Bytes(32, 1)), key + ";" + key}) {
    EXPECT_FALSE(SecretBox::parse(text)) << text;
  }
}

TEST(SecretBox, MovesTakeTheKeysAlong) {
  SecretBox box = box_of(key_text(1));
  const Bytes sealed = box.seal(secret, owner, nonce_of(7));
  SecretBox moved(std::move(box));
  EXPECT_EQ(moved.open(sealed, owner), secret);
  SecretBox assigned = box_of(key_text(2));
  assigned = std::move(moved);
  EXPECT_EQ(assigned.open(sealed, owner), secret);
}

}  // namespace
}  // namespace fluxora::core
