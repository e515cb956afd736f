#include "fluxora/hub/topic.hpp"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/hub/topic_index.hpp"
#include "memory_event_log.hpp"
#include "session_bench.hpp"

namespace fluxora::hub::test {
namespace {

TEST(Topic, EverythingIsEveryEntrys) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  log.append(0, "", "");
  EXPECT_TRUE(matches(everything, keys_of(log.entry(1))));
  EXPECT_TRUE(matches(everything, keys_of(log.entry(2))));
}

TEST(Topic, AStreamsTopicHasItsEntriesWhetherTheyWereFoldedOrNot) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  core::LogEntry unfolded = log.entry(1);
  unfolded.stream.reset();
  EXPECT_TRUE(matches(of_stream(1), keys_of(log.entry(1))));
  EXPECT_TRUE(matches(of_stream(1), keys_of(unfolded)));
  EXPECT_FALSE(matches(of_stream(2), keys_of(log.entry(1))));
  // A prefix is another stream: 1 and 11.
  EXPECT_FALSE(matches(of_stream(11), keys_of(log.entry(1))));
}

TEST(Topic, APartysTopicHasTheEntriesThatLeaveItsStreamsSo) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  log.append(0, "", "");
  EXPECT_TRUE(matches(to_recipient("GR"), keys_of(log.entry(1))));
  EXPECT_TRUE(matches(from_sender("GS"), keys_of(log.entry(1))));
  EXPECT_FALSE(matches(to_recipient("GS"), keys_of(log.entry(1))));
  EXPECT_FALSE(matches(from_sender("GR"), keys_of(log.entry(1))));
  EXPECT_FALSE(matches(to_recipient("GR"), keys_of(log.entry(2))));
  EXPECT_FALSE(matches(from_sender("GS"), keys_of(log.entry(2))));
}

TEST(Topic, AnEntryOfNoStreamHasNoStreamsTopic) {
  MemoryEventLog log;
  log.append(0, "", "");
  EXPECT_FALSE(matches(of_stream(1), keys_of(log.entry(1))));
}

TEST(Topic, APartysTopicHasTheEntriesThatTakeAStreamAway) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  core::LogEntry entry = log.entry(1);
  entry.change = R"({"sender":["GOLD","GS"],"recipient":["GWAS","GR"]})";
  const EntryKeys keys = keys_of(entry);
  EXPECT_TRUE(matches(to_recipient("GR"), keys));
  EXPECT_TRUE(matches(to_recipient("GWAS"), keys));
  EXPECT_TRUE(matches(from_sender("GS"), keys));
  EXPECT_TRUE(matches(from_sender("GOLD"), keys));
  EXPECT_FALSE(matches(to_recipient("GOLD"), keys));
  EXPECT_FALSE(matches(from_sender("GWAS"), keys));
}

TEST(Topic, AnEventsNameSelectsFurther) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  Topic topic = of_stream(1);
  topic.event = core::EventName::stream_updated;
  EXPECT_TRUE(matches(topic, keys_of(log.entry(1))));
  topic.event = core::EventName::stream_cancelled;
  EXPECT_FALSE(matches(topic, keys_of(log.entry(1))));
  topic = of_stream(2);
  topic.event = core::EventName::stream_updated;
  EXPECT_FALSE(matches(topic, keys_of(log.entry(1))));
}

/// Topics of every kind, no two equal.
std::vector<Topic> all_sorts() {
  std::vector<Topic> topics;
  for (const std::string value : {"x", "y", "*"}) {
    for (const auto kind : {Topic::Kind::stream, Topic::Kind::recipient, Topic::Kind::sender}) {
      topics.push_back({kind, value});
    }
  }
  topics.push_back(everything);
  const std::size_t of_any_event = topics.size();
  for (std::size_t i = 0; i < of_any_event; ++i) {
    for (const auto event : {core::EventName::stream_created, core::EventName::stream_updated}) {
      topics.push_back(topics[i]);
      topics.back().event = event;
    }
  }
  return topics;
}

TEST(TopicIndex, KeepsTopicsApart) {
  TopicIndex index;
  std::set<const TopicNode*> nodes;
  for (const Topic& topic : all_sorts()) {
    TopicNode& node = index.take(topic);
    EXPECT_EQ(*node.topic, topic);
    EXPECT_EQ(&index.take(Topic(topic)), &node) << "the same for an equal topic";
    nodes.insert(&node);
  }
  EXPECT_EQ(nodes.size(), all_sorts().size());
  for (const Topic& topic : all_sorts()) {
    TopicNode* node = index.find(topic);
    ASSERT_NE(node, nullptr);
    index.give_back(*node);
    EXPECT_EQ(index.find(topic), node) << "one user is left";
    index.give_back(*node);
    EXPECT_EQ(index.find(topic), nullptr);
  }
}

TEST(TopicIndex, FindsForAnEntryWhatItMatchesAndNothingElse) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  log.append(2, "GX", "GR");
  log.append(0, "", "");
  core::LogEntry given = log.entry(1);
  given.change = R"({"recipient":["GX","GR"]})";
  log.append(given);
  TopicIndex index;
  std::vector<Topic> topics = {everything,         of_stream(1),      of_stream(2),     to_recipient("GR"),
                               to_recipient("GX"), from_sender("GS"), from_sender("GX")};
  for (const auto event : {core::EventName::stream_updated, core::EventName::protocol_event}) {
    for (std::size_t i = 0; i < 7; ++i) {
      topics.push_back(topics[i]);
      topics.back().event = event;
    }
  }
  for (const Topic& topic : topics) EXPECT_EQ(index.take(topic).users, 1u);
  for (std::uint64_t seq = 1; seq <= log.extent.head_seq; ++seq) {
    const EntryKeys keys = keys_of(log.entry(seq));
    std::multiset<const TopicNode*> expected;
    for (const Topic& topic : topics) {
      if (matches(topic, keys)) expected.insert(index.find(topic));
    }
    std::multiset<const TopicNode*> found;
    index.for_each(keys, [&](const TopicNode& node) { found.insert(&node); });
    EXPECT_EQ(found, expected) << seq;
  }
}

TEST(TopicIndex, ANodeMayBeGivenBackWhileItIsVisited) {
  MemoryEventLog log;
  log.append(1, "GS", "GR");
  const EntryKeys keys = keys_of(log.entry(1));
  TopicIndex index;
  TopicNode& all = index.take(everything);
  TopicNode& stream = index.take(of_stream(1));
  int visits = 0;
  index.for_each(keys, [&](const TopicNode&) {
    if (++visits > 1) return;
    index.give_back(all);
    index.give_back(stream);
    EXPECT_EQ(&index.take(of_stream(1)), &stream) << "somebody else takes it at once";
  });
  EXPECT_EQ(index.find(everything), nullptr);
  EXPECT_EQ(index.find(of_stream(1)), &stream);
}

}  // namespace
}  // namespace fluxora::hub::test
