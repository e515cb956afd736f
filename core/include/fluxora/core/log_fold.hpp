#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "fluxora/core/chain_tip.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::core {

/// What an entry of whatever kind but a retraction makes of its stream; pure. `before` is null where that isn't held.
/// `topics` and `value` are the entry's, empty for one of time. SPEC sections 3 and 4.
/// Errors: those of fold, observation_unreadable. After an error the stream is what it was.
Result<FoldResult> fold_entry(const Stream* before, EventName event, const ScVec& topics, const ScVal& value,
                              const EventPlace& place);

/// Folds the entries of a log in their order. The indexer folds new entries with it, a rebuild old ones. SPEC sections
/// 3 and 4.
class LogFold {
 public:
  /// A stream as it stands before what is folded next.
  void put(Stream stream);
  /// Null: not held.
  [[nodiscard]] const Stream* find(const std::string& id) const;
  [[nodiscard]] const std::unordered_map<std::string, Stream>& streams() const noexcept { return streams_; }

  /// Folds an entry that is no retraction: sets its `stream` and `change` and moves the stream. An entry that can't be
  /// folded, of a failed call, or of no stream has neither. Gives the entry of the stream that a delegation splits off,
  /// which comes right behind.
  std::optional<LogEntry> fold(LogEntry& entry);
  /// The same for a contract event that is decoded already.
  std::optional<LogEntry> fold(LogEntry& entry, const DecodedEvent& event);

  /// Undoes an entry by one at `seq`: moves the stream back to what it was `before` it, and gives the new entry but for
  /// its prev_seq. Entries are undone newest first. `before` is none where the stream wasn't held; it doesn't matter
  /// for an entry that changed nothing (not folded, or of time). The stream after it is in the entry, none where there
  /// is none any more.
  LogEntry retract(const LogEntry& undone, const std::optional<Stream>& before, std::uint64_t seq);

 private:
  /// What was folded becomes the log's and the entry's.
  std::optional<LogEntry> take(LogEntry& entry, const Stream* before, Result<FoldResult> folded);

  std::unordered_map<std::string, Stream> streams_;
};

/// The entry that a ledger's close makes when it passes a stream's cliff or end; `seq` and `prev_seq` are the caller's
/// to set, LogFold the rest. `event` is stream_cliff_reached or stream_ended, `at` the time that was passed.
[[nodiscard]] LogEntry make_time_entry(EventName event, std::string_view stream_id, UnixSeconds at,
                                       const LedgerHeader& ledger);

}  // namespace fluxora::core
