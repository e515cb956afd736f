#include "fluxora/indexer/rollback.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "log_change.hpp"

namespace fluxora::indexer {
namespace {

/// Entries of time leave a stream as it is.
bool changes_its_stream(const core::LogEntry& entry) {
  return entry.stream && entry.event != core::EventName::stream_cliff_reached &&
         entry.event != core::EventName::stream_ended;
}

/// What each of the entries, newest first, found of its stream; null: none. Of those alone that change theirs.
std::vector<const core::Stream*> states_found(const std::vector<core::LogEntry>& entries,
                                              const std::unordered_map<std::string, core::Stream>& at_first) {
  std::vector<const core::Stream*> found(entries.size(), nullptr);
  std::unordered_map<std::string_view, const core::Stream*> latest;
  for (const auto& [id, stream] : at_first) latest[id] = &stream;
  for (std::size_t i = entries.size(); i-- > 0;) {
    const core::LogEntry& entry = entries[i];
    if (!changes_its_stream(entry)) continue;
    const core::Stream*& state = latest[entry.stream_id];
    found[i] = state;
    state = &*entry.stream;
  }
  return found;
}

/// The oldest entry of each stream among those that changes it. What lies behind that in the log goes with it; behind
/// one that changes nothing an observation of an earlier ledger may stand, and stay.
std::vector<ports::EntryPlace> oldest_changes(const std::vector<core::LogEntry>& entries) {
  std::unordered_map<std::string, std::uint64_t> oldest;
  for (const core::LogEntry& entry : entries) {
    if (changes_its_stream(entry)) oldest[entry.stream_id] = entry.seq;
  }
  std::vector<ports::EntryPlace> places;
  places.reserve(oldest.size());
  for (const auto& [id, seq] : oldest) places.push_back({id, seq});
  return places;
}

}  // namespace

std::size_t LogChange::undo_above(std::uint32_t ledger) {
  RecordBuilder& appending = builder();  // from here on the log's end is locked
  const std::vector<core::LogEntry> entries = transaction_.entries_above(ledger);

  std::unordered_set<std::string> ids;
  for (const core::LogEntry& entry : entries) {
    if (!entry.stream_id.empty()) ids.insert(entry.stream_id);
  }
  for (ports::StreamTail& tail : transaction_.streams({ids.begin(), ids.end()})) appending.know(std::move(tail));
  std::unordered_map<std::string, core::Stream> at_first;
  for (core::Stream& stream : transaction_.states_before(oldest_changes(entries))) {
    at_first.emplace(stream.id, stream);
  }

  const std::vector<const core::Stream*> found = states_found(entries, at_first);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    appending.append_retraction(entries[i], found[i] != nullptr ? std::optional(*found[i]) : std::nullopt);
  }
  // An observation that is undone has to be made again; and a stream that isn't closed after all has an entry again.
  for (const core::LogEntry& entry : entries) {
    const bool closed = entry.kind == "closed" && entry.stream;
    if (closed || entry.event == core::EventName::stream_observed) want_observation(entry.stream_id, ledger);
  }
  has_undone_ = true;
  return entries.size();
}

std::size_t roll_back(const std::optional<ports::Checkpoint>& to, ports::IngestTransaction& transaction) {
  const std::uint32_t floor = to ? to->ledger : 0;
  LogChange change(/*fold=*/true, transaction);
  const std::size_t undone = change.undo_above(floor);
  change.forget_above(floor);
  change.commit(to);
  return undone;
}

}  // namespace fluxora::indexer
