#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fluxora/core/log_fold.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {

/// Puts entries behind the log's end, one after another, and keeps what they make of the streams. It reads nothing: the
/// streams that entries are about must be given to it before.
class RecordBuilder {
 public:
  /// The log's end is locked at `head_seq`. `fold` false: entries change no stream.
  RecordBuilder(std::uint64_t head_seq, bool fold) : next_seq_(head_seq + 1), fold_(fold) {}

  /// How a stream stands; once each.
  void know(ports::StreamTail tail);
  [[nodiscard]] bool knows(const std::string& id) const { return last_seqs_.count(id) != 0; }
  [[nodiscard]] const core::Stream* find(const std::string& id) const { return log_.find(id); }
  /// All that it knows and that are there.
  [[nodiscard]] const std::unordered_map<std::string, core::Stream>& streams() const { return log_.streams(); }

  /// Appends an entry that has all but its place in the log, and the one that it may split off. The references that
  /// entries() gives hold until the next call.
  void append(core::LogEntry entry, const core::DecodedEvent& event);
  void append_own(core::LogEntry entry);
  /// Appends the entry that undoes one.
  void append_retraction(const core::LogEntry& undone, const std::optional<core::Stream>& before);

  [[nodiscard]] const std::vector<core::LogEntry>& entries() const { return record_.entries; }

  /// The record but for its ledgers and the checkpoint.
  [[nodiscard]] ports::IngestRecord finish() &&;

 private:
  void place(core::LogEntry& entry);
  void keep(core::LogEntry entry);

  core::LogFold log_;
  std::unordered_map<std::string, std::optional<std::uint64_t>> last_seqs_;
  std::unordered_set<std::string> changed_;
  std::uint64_t next_seq_;
  bool fold_;
  ports::IngestRecord record_;
};

}  // namespace fluxora::indexer
