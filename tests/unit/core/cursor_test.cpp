#include "fluxora/core/cursor.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace fluxora::core {
namespace {

TEST(Cursor, IsWrittenAsEpochAndSeq) {
  EXPECT_EQ(format_cursor({"k3f9", 1042}), "k3f9-1042");
  EXPECT_EQ(format_cursor({"a", 0}), "a-0");
  EXPECT_EQ(format_cursor({"0123456789abcdef", 9'223'372'036'854'775'807u}), "0123456789abcdef-9223372036854775807");
}

TEST(Cursor, IsReadAsItIsWritten) {
  for (const Cursor& cursor : {Cursor{"k3f9", 1042}, Cursor{"a", 0}, Cursor{"7", 7}, Cursor{"zzzzzzzzzzzzzzzz", 10},
                               Cursor{"0", 9'223'372'036'854'775'807u}}) {
    const auto read = parse_cursor(format_cursor(cursor));
    ASSERT_TRUE(read) << format_cursor(cursor);
    EXPECT_EQ(*read, cursor);
  }
}

TEST(Cursor, OtherFormsAreRefused) {
  constexpr std::string_view forms[] = {
      // no epoch, no seq, neither
      "", "-", "-1", "k3f9", "k3f9-", "1042",
      // epochs of other characters or too long
      "K3f9-1", "k_3-1", "k 3-1", " k3f9-1", "\xc3\xa9-1", "01234567890abcdef-1",
      // numbers of other forms
      "k3f9-01", "k3f9-00", "k3f9-+1", "k3f9--1", "k3f9-1-2", "k3f9-1 ", "k3f9- 1", "k3f9-1.0", "k3f9-0x1", "k3f9-a",
      // past what PostgreSQL's bigint and then what 64 bits hold
      "k3f9-9223372036854775808", "k3f9-18446744073709551615", "k3f9-18446744073709551616",
      "k3f9-100000000000000000000000"};
  for (const std::string_view text : forms) {
    const auto read = parse_cursor(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::cursor_invalid) << text;
  }
  EXPECT_FALSE(parse_cursor(std::string_view("k3\0-1", 5)));
  EXPECT_FALSE(parse_cursor(std::string_view("k3f9-1\0", 7)));
}

TEST(Cursor, ErrorsNameTheirPlace) {
  const auto read = parse_cursor("k3f9-01");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().offset, 5u);
}

TEST(Resume, NamesAreTheSpecs) {
  EXPECT_EQ(resume_name(Resume::live), "live");
  EXPECT_EQ(resume_name(Resume::resumed), "resumed");
  EXPECT_EQ(resume_name(Resume::gap), "gap");
  EXPECT_EQ(resume_name(Resume::epoch_changed), "epoch_changed");
}

void expect_decision(const ResumeDecision& decision, Resume outcome, std::uint64_t after_seq,
                     std::uint64_t gap_from = 0, std::uint64_t gap_to = 0) {
  EXPECT_EQ(resume_name(decision.outcome), resume_name(outcome));
  EXPECT_EQ(decision.after_seq, after_seq);
  EXPECT_EQ(decision.gap_from, gap_from);
  EXPECT_EQ(decision.gap_to, gap_to);
}

ResumeDecision decide(std::string_view epoch, std::uint64_t seq, const LogExtent& log) {
  const Cursor cursor{std::string(epoch), seq};
  return decide_resume(&cursor, log);
}

TEST(Resume, WithoutACursorFromNowOn) {
  expect_decision(decide_resume(nullptr, {"e1", 1, 100}), Resume::live, 100);
  expect_decision(decide_resume(nullptr, {"e1", 1, 0}), Resume::live, 0);
  expect_decision(decide_resume(nullptr, {"e1", 101, 100}), Resume::live, 100);
}

TEST(Resume, EverythingSinceTheCursorFollows) {
  const LogExtent whole{"e1", 1, 100};
  expect_decision(decide("e1", 0, whole), Resume::resumed, 0);
  expect_decision(decide("e1", 1, whole), Resume::resumed, 1);
  expect_decision(decide("e1", 99, whole), Resume::resumed, 99);
  expect_decision(decide("e1", 100, whole), Resume::resumed, 100);
}

TEST(Resume, AGapNamesWhatWasPruned) {
  const LogExtent pruned{"e1", 41, 100};
  expect_decision(decide("e1", 0, pruned), Resume::gap, 40, 1, 40);
  expect_decision(decide("e1", 38, pruned), Resume::gap, 40, 39, 40);
  expect_decision(decide("e1", 39, pruned), Resume::gap, 40, 40, 40);
  // The client has seen the last of the pruned entries.
  expect_decision(decide("e1", 40, pruned), Resume::resumed, 40);
  expect_decision(decide("e1", 41, pruned), Resume::resumed, 41);
}

TEST(Resume, APositionThatTheLogNeverReachedIsAnotherLog) {
  const LogExtent log{"e1", 1, 100};
  expect_decision(decide("e1", 101, log), Resume::epoch_changed, 100);
  expect_decision(decide("e1", std::numeric_limits<std::uint64_t>::max(), log), Resume::epoch_changed, 100);
  expect_decision(decide("e1", std::numeric_limits<std::uint64_t>::max(), {"e1", 41, 100}), Resume::epoch_changed, 100);
}

TEST(Resume, AnotherEpochIsAnotherLogWhateverItsSeq) {
  for (const std::uint64_t seq : {0u, 50u, 100u, 101u}) {
    expect_decision(decide("e2", seq, {"e1", 1, 100}), Resume::epoch_changed, 100);
    expect_decision(decide("e2", seq, {"e1", 41, 100}), Resume::epoch_changed, 100);
  }
  expect_decision(decide("e", 1, {"e1", 1, 100}), Resume::epoch_changed, 100);
  expect_decision(decide("e11", 1, {"e1", 1, 100}), Resume::epoch_changed, 100);
}

TEST(Resume, AnEmptyLog) {
  const LogExtent nothing_yet{"e1", 1, 0};
  expect_decision(decide("e1", 0, nothing_yet), Resume::resumed, 0);
  expect_decision(decide("e1", 1, nothing_yet), Resume::epoch_changed, 0);
}

TEST(Resume, ALogOfWhichEverythingWasPruned) {
  const LogExtent nothing_kept{"e1", 101, 100};
  expect_decision(decide("e1", 100, nothing_kept), Resume::resumed, 100);
  expect_decision(decide("e1", 99, nothing_kept), Resume::gap, 100, 100, 100);
  expect_decision(decide("e1", 0, nothing_kept), Resume::gap, 100, 1, 100);
  expect_decision(decide("e1", 101, nothing_kept), Resume::epoch_changed, 100);
}

}  // namespace
}  // namespace fluxora::core
