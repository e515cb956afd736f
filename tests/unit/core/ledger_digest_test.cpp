#include "fluxora/core/ledger_digest.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/sha256.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

/// An event with topics of three bytes and of one, and a value of four.
struct Event {
  std::string id = "e1";
  std::string contract = "C1";
  std::vector<Bytes> topics = {{1, 2, 3}, {4}};
  Bytes value = {5, 6, 7, 8};

  [[nodiscard]] ChainRecord record() const { return {id, contract, topics, value}; }
};

std::string digest(const std::vector<ChainRecord>& events) {
  return hex_encode(ledger_digest(hash_of(0), 7, hash_of(0xaa), events));
}

TEST(LedgerDigest, IsTheHashOfTheDocumentedBytes) {
  Bytes bytes(32, 0);                       // the digest before it
  bytes.insert(bytes.end(), {0, 0, 0, 7});  // the ledger
  bytes.insert(bytes.end(), 32, 0xaa);      // its hash
  bytes.insert(bytes.end(), {0, 0, 0, 2, 'e', '1', 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 2, 'C', '1', 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 2});  // topics
  bytes.insert(bytes.end(), {0, 0, 0, 3, 1, 2, 3, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 1, 4, 0, 0, 0});
  bytes.insert(bytes.end(), {0, 0, 0, 4, 5, 6, 7, 8});  // the value
  const Event event;
  EXPECT_EQ(digest({event.record()}), hex_encode(sha256(bytes)));
}

TEST(LedgerDigest, DependsOnEverythingThatTheChainSaid) {
  const Event first;
  Event second;
  second.id = "e2";
  const std::vector<ChainRecord> both = {first.record(), second.record()};
  const std::string base = digest(both);
  EXPECT_NE(digest({second.record(), first.record()}), base);
  EXPECT_NE(digest({first.record()}), base);
  Event other = second;
  other.value.back() ^= 1;
  EXPECT_NE(digest({first.record(), other.record()}), base);
  other = second;
  other.topics.pop_back();
  EXPECT_NE(digest({first.record(), other.record()}), base);
  other = second;
  other.contract = "C2";
  EXPECT_NE(digest({first.record(), other.record()}), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(1), 7, hash_of(0xaa), both)), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(0), 8, hash_of(0xaa), both)), base);
  EXPECT_NE(hex_encode(ledger_digest(hash_of(0), 7, hash_of(0xab), both)), base);
}

}  // namespace
}  // namespace fluxora::core
