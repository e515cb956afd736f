#include "fluxora/hub/topic.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "memory_event_log.hpp"
#include "session_bench.hpp"

namespace fluxora::hub::test {
namespace {

TEST(Topic, EverythingIsEveryEntrys) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  log.append(0, "", "");
  EXPECT_TRUE(matches(everything, log.entry(1)));
  EXPECT_TRUE(matches(everything, log.entry(2)));
}

TEST(Topic, AStreamsTopicHasItsEntriesWhetherTheyWereFoldedOrNot) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  core::LogEntry unfolded = log.entry(1);
  unfolded.stream.reset();
  EXPECT_TRUE(matches(of_stream(1), log.entry(1)));
  EXPECT_TRUE(matches(of_stream(1), unfolded));
  EXPECT_FALSE(matches(of_stream(2), log.entry(1)));
  // A prefix is another stream: 1 and 11.
  EXPECT_FALSE(matches(of_stream(11), log.entry(1)));
}

TEST(Topic, APartysTopicHasTheEntriesThatLeaveItsStreamsSo) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  log.append(0, "", "");
  EXPECT_TRUE(matches(to_recipient("GR"), log.entry(1)));
  EXPECT_TRUE(matches(from_sender("GS"), log.entry(1)));
  EXPECT_FALSE(matches(to_recipient("GS"), log.entry(1)));
  EXPECT_FALSE(matches(from_sender("GR"), log.entry(1)));
  EXPECT_FALSE(matches(to_recipient("GR"), log.entry(2)));
  EXPECT_FALSE(matches(from_sender("GS"), log.entry(2)));
}

TEST(Topic, AnEntryOfNoStreamHasNoStreamsTopic) {
  MemoryEventLog log;
  log.append(0, "", "");
  EXPECT_FALSE(matches(of_stream(1), log.entry(1)));
}

TEST(Topic, KeysAreEqualForEqualTopicsOnly) {
  const Topic topics[] = {everything,
                          {Topic::Kind::stream, "x"},
                          {Topic::Kind::recipient, "x"},
                          {Topic::Kind::sender, "x"},
                          {Topic::Kind::stream, "y"},
                          {Topic::Kind::stream, "*"}};
  std::set<std::string> keys;
  for (const Topic& topic : topics) {
    EXPECT_EQ(topic_key(topic), topic_key(Topic(topic)));
    keys.insert(topic_key(topic));
  }
  EXPECT_EQ(keys.size(), std::size(topics));
}

}  // namespace
}  // namespace fluxora::hub::test
