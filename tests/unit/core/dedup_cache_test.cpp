#include "fluxora/core/dedup_cache.hpp"

#include <string>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

TEST(DedupCache, AKeyIsNewOnce) {
  DedupCache cache(3);
  EXPECT_FALSE(cache.contains("a"));
  EXPECT_TRUE(cache.insert("a"));
  EXPECT_TRUE(cache.contains("a"));
  EXPECT_FALSE(cache.insert("a"));
  EXPECT_EQ(cache.size(), 1u);
}

TEST(DedupCache, TheOneNotSeenForLongestGoesFirst) {
  DedupCache cache(3);
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_TRUE(cache.insert(key));
  EXPECT_EQ(cache.size(), 3u);
  EXPECT_FALSE(cache.contains("a"));
  EXPECT_TRUE(cache.insert("e"));
  EXPECT_FALSE(cache.contains("b"));
  for (const char* key : {"c", "d", "e"}) EXPECT_TRUE(cache.contains(key)) << key;
}

TEST(DedupCache, SeenAgainAKeyIsYoungAgain) {
  DedupCache cache(3);
  for (const char* key : {"a", "b", "c"}) cache.insert(key);
  EXPECT_FALSE(cache.insert("a"));
  EXPECT_FALSE(cache.insert("a")) << "the newest one stays it";
  EXPECT_TRUE(cache.insert("d"));
  EXPECT_TRUE(cache.contains("a"));
  EXPECT_FALSE(cache.contains("b"));
}

TEST(DedupCache, AskingLeavesTheAgeAsItIs) {
  DedupCache cache(2);
  cache.insert("a");
  cache.insert("b");
  EXPECT_TRUE(cache.contains("a"));
  cache.insert("c");
  EXPECT_FALSE(cache.contains("a"));
}

TEST(DedupCache, AnErasedKeyIsNewAgain) {
  DedupCache cache(2);
  EXPECT_FALSE(cache.erase("a"));
  cache.insert("a");
  cache.insert("b");
  EXPECT_TRUE(cache.erase("a"));
  EXPECT_FALSE(cache.erase("a"));
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_TRUE(cache.insert("a"));
  EXPECT_TRUE(cache.contains("b")) << "it had made room";
}

TEST(DedupCache, ClearedItRemembersNothing) {
  DedupCache cache(2);
  cache.insert("a");
  cache.clear();
  EXPECT_EQ(cache.size(), 0u);
  EXPECT_FALSE(cache.contains("a"));
  EXPECT_TRUE(cache.insert("a"));
}

TEST(DedupCache, OneKeyAtATime) {
  for (const std::size_t capacity : {0u, 1u}) {
    DedupCache cache(capacity);
    EXPECT_TRUE(cache.insert("a"));
    EXPECT_FALSE(cache.insert("a"));
    EXPECT_TRUE(cache.insert("b"));
    EXPECT_TRUE(cache.insert("a"));
    EXPECT_EQ(cache.size(), 1u);
  }
}

TEST(DedupCache, AnyBytesAreAKey) {
  DedupCache cache(3);
  EXPECT_TRUE(cache.insert(""));
  EXPECT_TRUE(cache.insert(std::string(1, '\0')));
  EXPECT_TRUE(cache.insert(std::string(2, '\0')));
  EXPECT_FALSE(cache.insert(""));
  EXPECT_EQ(cache.size(), 3u);
}

TEST(DedupCache, KeysOutliveWhatTheyWereGivenAs) {
  DedupCache cache(2);
  std::string text = "k";
  cache.insert(text);
  text[0] = 'x';
  EXPECT_TRUE(cache.contains("k"));
  EXPECT_FALSE(cache.contains("x"));
}

TEST(DedupCache, TenThousandKeys) {
  // SPEC section 6's figure.
  constexpr int capacity = 10'000;
  DedupCache cache(capacity);
  for (int i = 0; i < 2 * capacity; ++i) ASSERT_TRUE(cache.insert("event-" + std::to_string(i)));
  EXPECT_EQ(cache.size(), 10'000u);
  for (int i = 0; i < capacity; ++i) ASSERT_FALSE(cache.contains("event-" + std::to_string(i)));
  for (int i = capacity; i < 2 * capacity; ++i) ASSERT_FALSE(cache.insert("event-" + std::to_string(i)));
}

TEST(DedupCache, MovesWithItsKeys) {
  static_assert(!std::is_copy_constructible_v<DedupCache> && !std::is_copy_assignable_v<DedupCache>);
  DedupCache first(2);
  first.insert("a");  // as short as a string may be that is kept in place
  first.insert("b");
  DedupCache second(std::move(first));
  EXPECT_FALSE(second.insert("a"));
  EXPECT_TRUE(second.insert("c"));
  EXPECT_FALSE(second.contains("b"));

  DedupCache third(1);
  third.insert("z");
  third = std::move(second);
  EXPECT_FALSE(third.contains("z"));
  EXPECT_TRUE(third.erase("a"));
  EXPECT_FALSE(third.insert("c"));
  EXPECT_TRUE(third.insert("d"));
  EXPECT_EQ(third.size(), 2u);
}

}  // namespace
}  // namespace fluxora::core
