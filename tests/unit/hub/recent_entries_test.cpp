#include "fluxora/hub/recent_entries.hpp"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include "memory_event_log.hpp"

namespace fluxora::hub::test {
namespace {

class RecentEntriesTest : public ::testing::Test {
 protected:
  std::shared_ptr<const PublishedBatch> next_batch(std::size_t count) {
    const auto batch = std::make_shared<PublishedBatch>("e1", log_.extent.head_seq);
    log_.append_many(count);
    for (std::uint64_t seq = batch->after_seq + 1; seq <= log_.extent.head_seq; ++seq) batch->add(log_.entry(seq));
    return batch;
  }
  static std::vector<std::uint64_t> seqs(const RecentEntries& recent, std::uint64_t after, std::uint64_t up_to) {
    std::vector<std::uint64_t> found;
    EXPECT_TRUE(recent.visit(after, up_to, [&](const PublishedEntry& entry) {
      found.push_back(entry.keys().seq);
      return true;
    }));
    return found;
  }
  MemoryEventLog log_;
};

TEST_F(RecentEntriesTest, HasWhatCameInOrder) {
  RecentEntries recent(0, {});
  EXPECT_TRUE(recent.reaches_back_to(0));
  EXPECT_EQ(seqs(recent, 0, 100), std::vector<std::uint64_t>{});
  recent.push(next_batch(2));
  recent.push(next_batch(3));
  EXPECT_EQ(seqs(recent, 0, 100), (std::vector<std::uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(seqs(recent, 1, 4), (std::vector<std::uint64_t>{2, 3, 4}));
  EXPECT_EQ(seqs(recent, 2, 3), (std::vector<std::uint64_t>{3}));
  EXPECT_EQ(seqs(recent, 5, 9), std::vector<std::uint64_t>{});
}

TEST_F(RecentEntriesTest, ForgetsTheOldestByNumber) {
  RecentEntries recent(0, {4, 1'000'000});
  recent.push(next_batch(2));
  recent.push(next_batch(2));
  EXPECT_TRUE(recent.reaches_back_to(0));
  recent.push(next_batch(1));
  EXPECT_FALSE(recent.reaches_back_to(1));
  EXPECT_TRUE(recent.reaches_back_to(2));
  EXPECT_EQ(seqs(recent, 2, 9), (std::vector<std::uint64_t>{3, 4, 5}));
}

TEST_F(RecentEntriesTest, ForgetsTheOldestByBytes) {
  const auto first = next_batch(1);
  RecentEntries recent(0, {100, first->weight * 2});
  recent.push(first);
  recent.push(next_batch(1));
  EXPECT_TRUE(recent.reaches_back_to(0));
  recent.push(next_batch(1));
  EXPECT_FALSE(recent.reaches_back_to(0));
  EXPECT_TRUE(recent.reaches_back_to(1));
}

TEST_F(RecentEntriesTest, MayKeepNothing) {
  RecentEntries recent(0, {2, 1'000'000});
  recent.push(next_batch(3));
  EXPECT_FALSE(recent.reaches_back_to(2));
  EXPECT_TRUE(recent.reaches_back_to(3));
  EXPECT_EQ(seqs(recent, 3, 9), std::vector<std::uint64_t>{});
}

TEST_F(RecentEntriesTest, StopsWhereItIsTold) {
  RecentEntries recent(0, {});
  recent.push(next_batch(5));
  int visits = 0;
  EXPECT_FALSE(recent.visit(0, 5, [&](const PublishedEntry&) { return ++visits < 3; }));
  EXPECT_EQ(visits, 3);
}

}  // namespace
}  // namespace fluxora::hub::test
