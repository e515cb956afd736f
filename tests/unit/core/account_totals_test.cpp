#include "fluxora/core/account_totals.hpp"

#include <string>

#include <gtest/gtest.h>

#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

const std::string alice(sample_sender);
const std::string bob(sample_recipient);

TEST(AccountTotals, AddUpWhatTheAccountSendsAndReceives) {
  Stream first = sample_stream();  // a token a second from 1,000 to 2,000
  first.withdrawn = tokens(200);
  Stream second = sample_stream();
  second.sender = bob;
  second.recipient = alice;
  second.deposit = tokens(50);
  second.status = StreamStatus::cancelled;
  second.cancelled_at = 1'010;
  second.settled = tokens(4);

  AccountTotals totals;
  totals.add(first, alice, 1'500);
  totals.add(second, alice, 1'600);

  ASSERT_EQ(totals.as_sender.size(), 1U);
  const StreamTotals& sent = totals.as_sender.at(std::nullopt);
  EXPECT_EQ(sent.streams, 1U);
  EXPECT_EQ(sent.deposit.text(), "1000.0000000");
  EXPECT_EQ(sent.streamed.text(), "500.0000000");
  EXPECT_EQ(sent.withdrawn.text(), "200.0000000");
  EXPECT_EQ(sent.settled.text(), "0.0000000");
  EXPECT_EQ(sent.withdrawable.text(), "300.0000000");
  EXPECT_EQ(sent.remaining.text(), "800.0000000");

  ASSERT_EQ(totals.as_recipient.size(), 1U);
  const StreamTotals& received = totals.as_recipient.at(std::nullopt);
  EXPECT_EQ(received.deposit.text(), "50.0000000");
  EXPECT_EQ(received.streamed.text(), "10.0000000");
  EXPECT_EQ(received.settled.text(), "4.0000000");
  EXPECT_EQ(received.withdrawable.text(), "6.0000000");
  EXPECT_EQ(received.remaining.text(), "6.0000000");
  EXPECT_EQ(totals.as_of, 1'600U);
}

TEST(AccountTotals, KeepTokensApart) {
  Stream with_token = sample_stream();
  with_token.token = sample_token;
  AccountTotals totals;
  totals.add(sample_stream(), alice, 1'500);
  totals.add(with_token, alice, 1'500);
  totals.add(with_token, alice, 1'500);
  ASSERT_EQ(totals.as_sender.size(), 2U);
  EXPECT_EQ(totals.as_sender.at(std::nullopt).streams, 1U);
  EXPECT_EQ(totals.as_sender.at(std::string(sample_token)).streams, 2U);
  EXPECT_EQ(totals.as_sender.at(std::string(sample_token)).deposit.text(), "2000.0000000");
}

TEST(AccountTotals, CountByTheStatusThatIsShown) {
  AccountTotals totals;
  totals.add(sample_stream(), bob, 999);
  for (const StreamStatus status : {StreamStatus::active, StreamStatus::paused, StreamStatus::completed,
                                    StreamStatus::cancelled, StreamStatus::cancelled}) {
    Stream stream = sample_stream();
    stream.status = status;
    totals.add(stream, bob, 1'000);
  }
  EXPECT_EQ(totals.as_recipient.at(std::nullopt).by_status, (std::array<std::uint64_t, 5>{1, 1, 1, 1, 2}));
  EXPECT_EQ(totals.as_recipient.at(std::nullopt).streams, 6U);
}

TEST(AccountTotals, CountAStreamToOneselfOnBothSides) {
  Stream stream = sample_stream();
  stream.recipient = alice;
  AccountTotals totals;
  totals.add(stream, alice, 1'500);
  EXPECT_EQ(totals.as_sender.at(std::nullopt).streams, 1U);
  EXPECT_EQ(totals.as_recipient.at(std::nullopt).streams, 1U);
}

TEST(AccountTotals, LeaveTheStreamsOfOthersOut) {
  AccountTotals totals;
  totals.add(sample_stream(), sample_delegate, 1'500);
  EXPECT_TRUE(totals.as_sender.empty());
  EXPECT_TRUE(totals.as_recipient.empty());
  EXPECT_EQ(totals.as_of, 0U);
}

TEST(AccountTotals, AreExactBeyondAnAmount) {
  Stream stream = sample_stream();
  stream.deposit = Amount{int128_max};
  AccountTotals totals;
  for (int i = 0; i < 3; ++i) totals.add(stream, bob, 2'000);
  // 3 × (2^127 - 1), by Python's integers.
  EXPECT_EQ(totals.as_recipient.at(std::nullopt).deposit.text(), "51042355038140769519506191114765.2317181");
}

}  // namespace
}  // namespace fluxora::core
