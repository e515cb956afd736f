#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// What the indexer calls an operator for. SPEC section 9.
enum class AlarmKind : std::uint8_t {
  stalled,        ///< no successful sync for longer than the threshold; stays until its end and an acknowledgement
  network_reset,  ///< the chain was far below our checkpoint for long; nothing is indexed until it is acknowledged
  other_network,  ///< the RPC or Horizon serves another network than the log is of; the same
  retention,      ///< what is indexed next is about to leave the RPC's window; goes by itself
};

/// Their names, in the database, the API and the metrics.
inline constexpr std::array<std::pair<AlarmKind, std::string_view>, 4> alarm_names = {
    {{AlarmKind::stalled, "stalled"},
     {AlarmKind::network_reset, "network_reset"},
     {AlarmKind::other_network, "other_network"},
     {AlarmKind::retention, "retention"}}};

[[nodiscard]] constexpr std::string_view alarm_name(AlarmKind kind) {
  return alarm_names[static_cast<std::size_t>(kind)].second;
}

/// True for alarms that an operator has to decide about before anything is indexed.
[[nodiscard]] constexpr bool halts_indexing(AlarmKind kind) {
  return kind == AlarmKind::network_reset || kind == AlarmKind::other_network;
}

struct IndexerAlarm {
  std::uint64_t id = 0;
  AlarmKind kind = AlarmKind::stalled;
  std::string epoch;   ///< of the log that it was raised for
  std::string reason;  ///< for an operator
  core::UnixMillis raised_at = 0;
  std::optional<core::UnixMillis> cleared_at;  ///< none: its cause goes on
  std::optional<core::UnixMillis> acknowledged_at;
  std::string acknowledged_by;  ///< as the audit log names actors

  friend bool operator==(const IndexerAlarm&, const IndexerAlarm&) = default;
};

/// Most alarms that can stand at a time: one of each kind and epoch, and older epochs' matter no more.
inline constexpr std::size_t max_standing_alarms = 16;

/// The indexer's alarms as operators work with them, on whichever instance.
class IndexerAlarms {
 public:
  virtual ~IndexerAlarms() = default;
  /// The newest, at most `limit`, newest first, whether they stand or not.
  virtual void list(std::size_t limit, Reply<std::vector<IndexerAlarm>> reply) = 0;
  /// Gives the alarm as it is then, none where there is no such alarm. One that was acknowledged before stays as it is.
  /// An alarm that halts indexing is cleared by it: the indexer looks again. The audit log's record is of the same
  /// transaction; `by` names who and from where, action and target are filled in.
  virtual void acknowledge(std::uint64_t id, AuditRecord by, Reply<std::optional<IndexerAlarm>> reply) = 0;
};

}  // namespace fluxora::ports
