#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// A position in one log: `<epoch>-<seq>`, opaque to clients. SPEC section 4.
struct Cursor {
  std::string epoch;      ///< 1 to 16 of [a-z0-9]
  std::uint64_t seq = 0;  ///< 0 is before the first entry

  friend bool operator==(const Cursor&, const Cursor&) = default;
};

inline constexpr std::size_t epoch_max_length = 16;

[[nodiscard]] std::string format_cursor(const Cursor& cursor);

/// Errors: cursor_invalid (other forms, leading zeros, a seq that doesn't fit i64).
Result<Cursor> parse_cursor(std::string_view text);

/// How a feed goes on for a client that shows a cursor. The same on every feed.
enum class Resume : std::uint8_t {
  live,           ///< no cursor was given: from now on
  resumed,        ///< everything since the cursor follows
  gap,            ///< entries after the cursor were pruned: goes on from the oldest kept
  epoch_changed,  ///< another log, or a position that this log has never reached: fetch state again
};
[[nodiscard]] std::string_view resume_name(Resume resume) noexcept;

/// What of the log there is: entries oldest_seq..head_seq, none when oldest_seq is above head_seq.
struct LogExtent {
  std::string_view epoch;
  std::uint64_t oldest_seq = 1;
  std::uint64_t head_seq = 0;
};

struct ResumeDecision {
  Resume outcome = Resume::live;
  std::uint64_t after_seq = 0;  ///< send entries above this one
  std::uint64_t gap_from = 0;   ///< the pruned entries, both ends included; only for gap
  std::uint64_t gap_to = 0;
};

/// `cursor` null: live. Never fails.
[[nodiscard]] ResumeDecision decide_resume(const Cursor* cursor, const LogExtent& log) noexcept;

}  // namespace fluxora::core
