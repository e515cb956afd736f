#include "fluxora/core/statement.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "fluxora/core/decimal.hpp"
#include "stream_samples.hpp"

namespace fluxora::core {
namespace {

const std::string alice(sample_sender);
const std::string bob(sample_recipient);
const std::string carol(sample_delegate);

struct State {
  UnixSeconds since;
  Stream stream;
};

std::vector<StatementLine> statement(const std::string& account, UnixSeconds from, UnixSeconds to,
                                     const std::vector<State>& states) {
  StatementFold fold(account, from, to);
  std::vector<StatementLine> lines;
  for (const State& state : states) fold.add(state.since, state.stream, lines);
  fold.finish(lines);
  return lines;
}

/// sender|recipient from..to: deposit streamed withdrawn settled remaining, before → after, status
std::string text(const StatementLine& line) {
  const auto balance = [](const StatementBalance& amounts) {
    std::string all;
    for (const Amount amount :
         {amounts.deposit, amounts.streamed, amounts.withdrawn, amounts.settled, amounts.remaining}) {
      all += format_units(amount.units / units_per_one) + " ";
    }
    return all;
  };
  return std::string(role_name(line.role)) + " " + format_u64(line.span_from) + ".." + format_u64(line.span_to) + ": " +
         balance(line.opening) + "-> " + balance(line.closing) + std::string(line.status);
}

// The sample is a token a second from 1,000 to 2,000, created at 900: what it has streamed can be read off the clock.

TEST(Statement, OfAStreamThatWasThereAllTheTimeHasOneLine) {
  const auto lines = statement(bob, 1'100, 1'400, {{900, sample_stream()}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(text(lines[0]), "recipient 1100..1400: 1000 100 0 0 1000 -> 1000 400 0 0 1000 active");
  EXPECT_EQ(lines[0].stream_id, sample_stream().id);
  EXPECT_EQ(lines[0].counterparty, alice);
  EXPECT_EQ(lines[0].token, std::nullopt);
  const StatementChange change = change_of(lines[0]);
  EXPECT_EQ(change.streamed.text(), "300.0000000");
  EXPECT_EQ(change.deposit.text(), "0.0000000");
}

TEST(Statement, OpensACreationWithZeros) {
  const auto lines = statement(alice, 500, 1'250, {{900, sample_stream()}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(text(lines[0]), "sender 900..1250: 0 0 0 0 0 -> 1000 250 0 0 1000 active");
  EXPECT_EQ(change_of(lines[0]).deposit.text(), "1000.0000000");
}

TEST(Statement, ShowsWhatEntriesChangedWithinIt) {
  Stream withdrawn = sample_stream();
  withdrawn.withdrawn = tokens(80);
  Stream refunded = withdrawn;
  refunded.deposit = tokens(700);
  refunded.end_time = 1'700;
  const auto lines = statement(bob, 1'000, 3'000, {{900, sample_stream()}, {1'100, withdrawn}, {1'200, refunded}});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(text(lines[0]), "recipient 1000..3000: 1000 0 0 0 1000 -> 700 700 80 0 620 active");
  EXPECT_EQ(change_of(lines[0]).deposit.text(), "-300.0000000");
}

TEST(Statement, EndsAndBeginsWithATransfer) {
  Stream paid = sample_stream();
  paid.withdrawn = tokens(100);
  Stream transferred = paid;
  transferred.recipient = carol;
  const std::vector<State> states = {{900, sample_stream()}, {1'200, paid}, {1'300, transferred}};
  const auto bobs = statement(bob, 1'000, 1'600, states);
  ASSERT_EQ(bobs.size(), 1U);
  EXPECT_EQ(text(bobs[0]), "recipient 1000..1300: 1000 0 0 0 1000 -> 1000 300 100 0 900 active");
  const auto carols = statement(carol, 1'000, 1'600, states);
  ASSERT_EQ(carols.size(), 1U);
  EXPECT_EQ(text(carols[0]), "recipient 1300..1600: 1000 300 100 0 900 -> 1000 600 100 0 900 active");
  // Alice's counterparty changed.
  const auto alices = statement(alice, 1'000, 1'600, states);
  ASSERT_EQ(alices.size(), 2U);
  EXPECT_EQ(text(alices[0]), "sender 1000..1300: 1000 0 0 0 1000 -> 1000 300 100 0 900 active");
  EXPECT_EQ(alices[0].counterparty, bob);
  EXPECT_EQ(text(alices[1]), "sender 1300..1600: 1000 300 100 0 900 -> 1000 600 100 0 900 active");
  EXPECT_EQ(alices[1].counterparty, carol);
}

TEST(Statement, LosesNothingWhereOneLedgerHasSeveralEntries) {
  // Withdrawn by bob, given to carol, withdrawn by her, given back: all at 1,300.
  Stream by_bob = sample_stream();
  by_bob.withdrawn = tokens(100);
  Stream to_carol = by_bob;
  to_carol.recipient = carol;
  Stream by_carol = to_carol;
  by_carol.withdrawn = tokens(150);
  Stream back = by_carol;
  back.recipient = bob;
  const std::vector<State> states = {
      {900, sample_stream()}, {1'300, by_bob}, {1'300, to_carol}, {1'300, by_carol}, {1'300, back}};
  const auto bobs = statement(bob, 1'000, 1'500, states);
  ASSERT_EQ(bobs.size(), 2U);
  EXPECT_EQ(text(bobs[0]), "recipient 1000..1300: 1000 0 0 0 1000 -> 1000 300 100 0 900 active");
  EXPECT_EQ(text(bobs[1]), "recipient 1300..1500: 1000 300 150 0 850 -> 1000 500 150 0 850 active");
  const auto carols = statement(carol, 1'000, 1'500, states);
  ASSERT_EQ(carols.size(), 1U);
  EXPECT_EQ(text(carols[0]), "recipient 1300..1300: 1000 300 100 0 900 -> 1000 300 150 0 850 active");
}

TEST(Statement, OfFollowingPeriodsFitsTogether) {
  Stream withdrawn = sample_stream();
  withdrawn.withdrawn = tokens(80);
  const std::vector<State> states = {{900, sample_stream()}, {1'200, withdrawn}};
  for (const UnixSeconds middle : {1'199U, 1'200U, 1'201U}) {
    const auto first = statement(bob, 1'000, middle, states);
    const auto second = statement(bob, middle, 1'500, states);
    ASSERT_EQ(first.size(), 1U);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(first[0].closing, second[0].opening) << middle;
  }
}

TEST(Statement, HasNoLineForWhatWasNeverTheAccounts) {
  Stream given_away = sample_stream();
  given_away.recipient = carol;
  EXPECT_TRUE(statement(carol, 1'000, 2'000, {{900, sample_stream()}}).empty());
  EXPECT_TRUE(statement(bob, 500, 899, {{900, sample_stream()}}).empty()) << "created after it";
  EXPECT_TRUE(statement(bob, 1'000, 2'000, {{900, sample_stream()}, {950, given_away}}).empty()) << "given away before";
  EXPECT_TRUE(statement(carol, 1'000, 2'000, {{900, sample_stream()}, {2'001, given_away}}).empty()) << "not yet";
}

TEST(Statement, TakesALogWhoseTimesStepBackAsStandingStill) {
  Stream to_carol = sample_stream();
  to_carol.recipient = carol;
  const auto lines =
      statement(bob, 1'000, 1'500, {{900, sample_stream()}, {1'300, to_carol}, {1'200, sample_stream()}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(text(lines[0]), "recipient 1000..1300: 1000 0 0 0 1000 -> 1000 300 0 0 1000 active");
  EXPECT_EQ(text(lines[1]), "recipient 1300..1500: 1000 300 0 0 1000 -> 1000 500 0 0 1000 active");
}

TEST(Statement, HasBothRolesOfAStreamToOneself) {
  Stream stream = sample_stream();
  stream.recipient = alice;
  const auto lines = statement(alice, 1'000, 1'100, {{900, stream}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].role, Role::sender);
  EXPECT_EQ(lines[1].role, Role::recipient);
}

TEST(Statement, GoesOnWithTheNextStream) {
  Stream other = sample_stream();
  other.id = chain_stream_id(sample_contract, 8);
  other.token = sample_token;
  const auto lines = statement(bob, 1'000, 1'100, {{900, sample_stream()}, {950, other}, {1'050, other}});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].stream_id, sample_stream().id);
  EXPECT_EQ(lines[1].stream_id, other.id);
  EXPECT_EQ(text(lines[1]), "recipient 1000..1100: 1000 0 0 0 1000 -> 1000 100 0 0 1000 active");

  StatementTotalsByToken totals;
  for (const StatementLine& line : lines) add_line(totals, line);
  add_line(totals, lines[1]);
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals.at({std::nullopt, Role::recipient}).lines, 1U);
  EXPECT_EQ((totals.at({std::string(sample_token), Role::recipient}).lines), 2U);
  EXPECT_EQ((totals.at({std::string(sample_token), Role::recipient}).change.streamed.text()), "200.0000000");
}

TEST(Statement, ShowsTheStatusAtTheSpansEnd) {
  Stream cancelled = sample_stream();
  cancelled.status = StreamStatus::cancelled;
  cancelled.cancelled_at = 1'200;
  cancelled.settled = tokens(50);
  EXPECT_EQ(text(statement(bob, 950, 990, {{900, sample_stream()}})[0]),
            "recipient 950..990: 1000 0 0 0 1000 -> 1000 0 0 0 1000 scheduled");
  EXPECT_EQ(text(statement(bob, 950, 1'500, {{900, sample_stream()}, {1'200, cancelled}})[0]),
            "recipient 950..1500: 1000 0 0 0 1000 -> 1000 200 0 50 150 cancelled");
}

TEST(Statement, IsExactWhereADifferenceIsNoAmount) {
  Stream huge = sample_stream();
  huge.deposit = Amount{int128_max};
  Stream negative = huge;
  negative.deposit = Amount{int128_min};
  const auto lines = statement(bob, 1'000, 1'500, {{900, huge}, {1'200, negative}});
  // -2^127 - (2^127 - 1), by Python's integers.
  EXPECT_EQ(change_of(lines.at(0)).deposit.text(), "-34028236692093846346337460743176.8211455");
}

}  // namespace
}  // namespace fluxora::core
