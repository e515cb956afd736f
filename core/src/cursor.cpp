#include "fluxora/core/cursor.hpp"

#include <algorithm>
#include <limits>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core {

std::string format_cursor(const Cursor& cursor) {
  return cursor.epoch + "-" + format_u64(cursor.seq);
}

Result<Cursor> parse_cursor(std::string_view text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || dash == 0 || dash > epoch_max_length) return ErrorCode::cursor_invalid;

  const std::string_view epoch = text.substr(0, dash);
  const bool plain =
      std::all_of(epoch.begin(), epoch.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
  if (!plain) return ErrorCode::cursor_invalid;

  const auto seq = parse_u64(text.substr(dash + 1));
  // PostgreSQL holds seq as a signed 64-bit integer.
  if (!seq || *seq > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return Error{ErrorCode::cursor_invalid, dash + 1};
  }
  return Cursor{std::string(epoch), *seq};
}

std::string_view resume_name(Resume resume) noexcept {
  switch (resume) {
    case Resume::resumed: return "resumed";
    case Resume::gap: return "gap";
    case Resume::epoch_changed: return "epoch_changed";
    case Resume::live: break;
  }
  return "live";
}

ResumeDecision decide_resume(const Cursor* cursor, const LogExtent& log) noexcept {
  ResumeDecision decision;
  decision.after_seq = log.head_seq;
  if (cursor == nullptr) return decision;
  if (cursor->epoch != log.epoch || cursor->seq > log.head_seq) {
    decision.outcome = Resume::epoch_changed;
    return decision;
  }
  if (cursor->seq + 1 < log.oldest_seq) {
    decision.outcome = Resume::gap;
    decision.gap_from = cursor->seq + 1;
    decision.gap_to = log.oldest_seq - 1;
    decision.after_seq = decision.gap_to;
    return decision;
  }
  decision.outcome = Resume::resumed;
  decision.after_seq = cursor->seq;
  return decision;
}

}  // namespace fluxora::core
