#include "fluxora/core/snapshot_digest.hpp"

#include <gtest/gtest.h>

#include "fluxora/core/sha256.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

TEST(SnapshotDigest, IsTheHashOfTheDocumentedBytes) {
  Bytes bytes(32, 0xaa);  // the hash before it
  bytes.insert(bytes.end(), {0, 0, 0, 3, 'C', '-', '7', 0});
  bytes.insert(bytes.end(), {0, 0, 0, 0, 0, 0, 1, 2});  // its newest pruned entry
  bytes.insert(bytes.end(), {0, 0, 0, 1});              // there is a state
  bytes.insert(bytes.end(), {0, 0, 0, 5, 1, 2, 3, 4, 5, 0, 0, 0});
  EXPECT_EQ(snapshot_digest(hash_of(0xaa), "C-7", 0x102, Bytes{1, 2, 3, 4, 5}), sha256(bytes));
}

TEST(SnapshotDigest, NoStateIsNotAStateOfNoBytes) {
  const Hash unfolded = snapshot_digest(hash_of(0), "C-7", 2, std::nullopt);
  EXPECT_NE(unfolded, snapshot_digest(hash_of(0), "C-7", 2, Bytes{}));
  EXPECT_NE(unfolded, snapshot_digest(hash_of(1), "C-7", 2, std::nullopt));
  EXPECT_NE(unfolded, snapshot_digest(hash_of(0), "C-7", 3, std::nullopt));
  EXPECT_NE(unfolded, snapshot_digest(hash_of(0), "C-8", 2, std::nullopt));
}

}  // namespace
}  // namespace fluxora::core
