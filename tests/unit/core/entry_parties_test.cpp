#include "fluxora/core/entry_parties.hpp"

#include <gtest/gtest.h>

#include "fluxora/core/reducer.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

LogEntry entry_that_leaves(const Stream& stream) {
  LogEntry entry;
  entry.stream_id = stream.id;
  entry.stream = stream;
  return entry;
}

TEST(EntryParties, AreTheStreamsAfterTheEntry) {
  const LogEntry entry = entry_that_leaves(sample_stream());
  const EntryParties parties = entry_parties(entry);
  EXPECT_EQ(parties.sender, sample_sender);
  EXPECT_EQ(parties.recipient, sample_recipient);
  EXPECT_EQ(parties.former_sender, "");
  EXPECT_EQ(parties.former_recipient, "");
}

TEST(EntryParties, OfATransferHasWhomItIsTakenFrom) {
  const Stream before = sample_stream();
  Stream after = before;
  after.recipient = sample_delegate;
  LogEntry entry = entry_that_leaves(after);
  entry.change = describe_change(before, after);
  EntryParties parties = entry_parties(entry);
  EXPECT_EQ(parties.recipient, sample_delegate);
  EXPECT_EQ(parties.former_recipient, sample_recipient);
  EXPECT_EQ(parties.sender, sample_sender);
  EXPECT_EQ(parties.former_sender, "");

  after.sender = sample_contract;
  after.token = sample_token;
  entry = entry_that_leaves(after);
  entry.change = describe_change(before, after);
  parties = entry_parties(entry);
  EXPECT_EQ(parties.sender, sample_contract);
  EXPECT_EQ(parties.former_sender, sample_sender);
  EXPECT_EQ(parties.former_recipient, sample_recipient);
}

TEST(EntryParties, OfAChangeOfOtherFieldsHasNoFormerOnes) {
  const Stream before = sample_stream();
  Stream after = before;
  after.token = sample_token;
  after.status = StreamStatus::paused;
  LogEntry entry = entry_that_leaves(after);
  entry.change = describe_change(before, after);
  const EntryParties parties = entry_parties(entry);
  EXPECT_EQ(parties.recipient, sample_recipient);
  EXPECT_EQ(parties.former_sender, "");
  EXPECT_EQ(parties.former_recipient, "");
}

TEST(EntryParties, OfARetractionThatLeavesNoStreamAreThoseWhoHadIt) {
  LogEntry entry;
  entry.stream_id = sample_stream().id;
  entry.retracts = 40;
  entry.change = describe_removal(sample_stream());
  const EntryParties parties = entry_parties(entry);
  EXPECT_EQ(parties.sender, "");
  EXPECT_EQ(parties.recipient, "");
  EXPECT_EQ(parties.former_sender, sample_sender);
  EXPECT_EQ(parties.former_recipient, sample_recipient);
}

TEST(EntryParties, OfAnEntryThatWasNotFoldedAreNone) {
  LogEntry entry;
  entry.stream_id = sample_stream().id;
  const EntryParties parties = entry_parties(entry);
  EXPECT_EQ(parties.sender, "");
  EXPECT_EQ(parties.recipient, "");
  EXPECT_EQ(parties.former_sender, "");
  EXPECT_EQ(parties.former_recipient, "");
}

}  // namespace
}  // namespace fluxora::core
