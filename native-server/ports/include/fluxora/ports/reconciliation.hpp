#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/store_result.hpp"

/// Streams compared with the contract's storage: what is found, and how far that is. SPEC sections 3 and 9.
namespace fluxora::ports {

/// What the three (the stream's row, the log's last state of it, the contract's entry) may say against each other.
enum class DifferenceKind : std::uint8_t {
  table_differs_from_log,     ///< the row isn't what the log's entries make of it; a rebuild mends it
  log_differs_from_contract,  ///< an observation has entered the log, so it no longer differs
  changed_without_event,      ///< the entry was written later than the stream's last event says
  entry_missing,              ///< there is no entry of a stream that wasn't closed
  entry_unreadable,           ///< the entry is no stream's
};
inline constexpr std::array<DifferenceKind, 5> difference_kinds = {
    DifferenceKind::table_differs_from_log, DifferenceKind::log_differs_from_contract,
    DifferenceKind::changed_without_event, DifferenceKind::entry_missing, DifferenceKind::entry_unreadable};
[[nodiscard]] inline std::string_view difference_name(DifferenceKind kind) noexcept;

struct Difference {
  std::string stream_id;
  DifferenceKind kind = DifferenceKind::table_differs_from_log;
  std::uint32_t ledger = 0;   ///< the checkpoint at which it was found
  std::string fields = "{}";  ///< a JSON object: by field what is held and what is right, as in an entry's `change`
};

/// One pass over all streams of the followed contracts.
struct AuditPass {
  core::UnixMillis started_at = 0;
  std::uint64_t streams = 0;      ///< compared so far
  std::uint64_t differences = 0;  ///< found so far
};

/// Where the audit is. Kept with what it finds, so that whoever leads next goes on from there.
struct AuditState {
  std::optional<AuditPass> pass;  ///< under way
  std::string after;              ///< the last stream that it has compared
  std::optional<AuditPass> last_pass;
  core::UnixMillis last_completed_at = 0;  ///< of last_pass
};

struct FoundDifference {
  std::uint64_t position = 0;  ///< ascending as they are found
  core::UnixMillis found_at = 0;
  Difference difference;
};

struct ReconciliationPage {
  AuditState state;
  std::uint64_t waiting = 0;                 ///< streams whose entry is still to be read
  std::vector<FoundDifference> differences;  ///< newest first
  bool has_more = false;
};

/// What the audit has found, for whoever asks.
class Reconciliation {
 public:
  virtual ~Reconciliation() = default;
  /// The newest `limit` differences below the position `before`.
  virtual void read(std::optional<std::uint64_t> before, std::size_t limit, Reply<ReconciliationPage> reply) = 0;
};

inline std::string_view difference_name(DifferenceKind kind) noexcept {
  switch (kind) {
    case DifferenceKind::log_differs_from_contract: return "log_differs_from_contract";
    case DifferenceKind::changed_without_event: return "changed_without_event";
    case DifferenceKind::entry_missing: return "entry_missing";
    case DifferenceKind::entry_unreadable: return "entry_unreadable";
    case DifferenceKind::table_differs_from_log: break;
  }
  return "table_differs_from_log";
}

}  // namespace fluxora::ports
