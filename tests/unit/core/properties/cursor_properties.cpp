#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "fluxora/core/cursor.hpp"

namespace fluxora::core::properties {
namespace {

constexpr std::uint64_t last_seq = std::numeric_limits<std::int64_t>::max();

rc::Gen<std::string> any_epoch() {
  const auto letter = rc::gen::elementOf(std::string("abcdefghijklmnopqrstuvwxyz0123456789"));
  return rc::gen::mapcat(rc::gen::inRange<std::size_t>(1, epoch_max_length + 1),
                         [letter](std::size_t size) { return rc::gen::container<std::string>(size, letter); });
}

rc::Gen<std::uint64_t> any_seq() {
  return rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 100),
                        rc::gen::inRange<std::uint64_t>(last_seq - 100, last_seq),
                        rc::gen::map(rc::gen::arbitrary<std::uint64_t>(), [](auto seq) { return seq >> 1; }));
}

RC_GTEST_PROP(CursorProperties, ParseReversesFormat, ()) {
  const Cursor cursor{*any_epoch(), *any_seq()};
  const auto read = parse_cursor(format_cursor(cursor));
  RC_ASSERT(read.ok());
  RC_ASSERT(*read == cursor);
}

RC_GTEST_PROP(CursorProperties, EachPositionHasOneText, ()) {
  std::string text = format_cursor({*any_epoch(), *any_seq()});
  const auto place = *rc::gen::inRange<std::size_t>(0, text.size());
  text[place] = *rc::gen::arbitrary<char>();
  const auto read = parse_cursor(text);
  if (read) RC_ASSERT(format_cursor(*read) == text);
}

// Whatever is asked for, what follows the answer and what it says is lost are together all that is after the cursor.
RC_GTEST_PROP(CursorProperties, NothingIsSkippedSilently, ()) {
  const std::string epoch = *any_epoch();
  const std::uint64_t head = *any_seq();
  const std::uint64_t oldest = 1 + *any_seq() % (head + 1);
  const Cursor cursor{*rc::gen::element(epoch, *any_epoch()), *any_seq() % (last_seq / 2 + head / 2 + 1)};
  const ResumeDecision decision = decide_resume(&cursor, {epoch, oldest, head});

  if (cursor.epoch != epoch || cursor.seq > head) {
    RC_ASSERT(decision.outcome == Resume::epoch_changed);
    return;
  }
  if (decision.outcome == Resume::gap) {
    RC_ASSERT(decision.gap_from == cursor.seq + 1);
    RC_ASSERT(decision.gap_to == decision.after_seq);
    RC_ASSERT(decision.gap_to + 1 == oldest);
    RC_ASSERT(decision.gap_from <= decision.gap_to);
  } else {
    RC_ASSERT(decision.outcome == Resume::resumed);
    RC_ASSERT(decision.after_seq == cursor.seq);
    RC_ASSERT(cursor.seq + 1 >= oldest);
  }
}

}  // namespace
}  // namespace fluxora::core::properties
