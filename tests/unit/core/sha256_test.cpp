#include "fluxora/core/sha256.hpp"

#include <string>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

// FIPS 180-4's examples, as NIST publishes them.
TEST(Sha256, IsTheStandards) {
  EXPECT_EQ(hex_encode(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex_encode(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex_encode(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, TakesAnyLength) {
  EXPECT_EQ(hex_encode(sha256(as_bytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, CountsEveryByte) {
  EXPECT_NE(sha256(as_bytes(std::string(1, '\0'))), sha256({}));
  EXPECT_NE(sha256(as_bytes(std::string(64, 'a'))), sha256(as_bytes(std::string(65, 'a'))));
}

}  // namespace
}  // namespace fluxora::core
