// Cursors: one text a position, and an honest outcome for whatever position a client shows.
#include <string_view>

#include "fluxora/core/cursor.hpp"
#include "fuzzer/FuzzedDataProvider.h"
#include "require.hpp"

using namespace fluxora;
using fuzz::require;

namespace {

void check_text(std::string_view text) {
  const auto cursor = core::parse_cursor(text);
  if (!cursor) {
    require(cursor.error().offset <= text.size(), "an error lies in the text");
    return;
  }
  require(core::format_cursor(*cursor) == text, "parse, then format gives the text");
}

void check_resume(const core::Cursor& cursor, const core::LogExtent& log) {
  const core::ResumeDecision decision = core::decide_resume(&cursor, log);
  require(decision.outcome != core::Resume::live, "a cursor is answered");
  require(decision.after_seq <= log.head_seq, "nothing is sent that isn't there");
  const bool known = cursor.epoch == log.epoch && cursor.seq <= log.head_seq;
  require(known != (decision.outcome == core::Resume::epoch_changed), "another log is told");
  if (decision.outcome == core::Resume::resumed) {
    require(decision.after_seq == cursor.seq, "resumed: from the cursor on");
    require(cursor.seq >= log.head_seq || cursor.seq + 1 >= log.oldest_seq, "resumed: everything follows");
  }
  if (decision.outcome == core::Resume::gap) {
    require(decision.gap_from == cursor.seq + 1, "a gap begins behind the cursor");
    require(decision.gap_to + 1 == log.oldest_seq && decision.after_seq == decision.gap_to,
            "a gap ends where the log begins");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_text(std::string_view(reinterpret_cast<const char*>(data), size));

  FuzzedDataProvider input(data, size);
  const auto head = input.ConsumeIntegral<std::uint64_t>() >> 1;
  // An empty log's oldest entry is the one that comes next.
  const auto oldest = input.ConsumeIntegralInRange<std::uint64_t>(1, head + 1);
  const auto seq = input.ConsumeBool() ? input.ConsumeIntegralInRange<std::uint64_t>(0, head)
                                       : input.ConsumeIntegral<std::uint64_t>() >> 1;
  const core::LogExtent log{"k3f9", oldest, head};
  check_resume(core::Cursor{input.ConsumeBool() ? "k3f9" : "other", seq}, log);
  return 0;
}
