#include "fluxora/indexer/rollback.hpp"

#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "record_builder.hpp"

namespace fluxora::indexer {
namespace {

/// What each of the entries, newest first, found of its stream; null: none.
std::vector<const core::Stream*> states_found(const std::vector<core::LogEntry>& entries,
                                              const std::unordered_map<std::string, core::Stream>& at_first) {
  std::vector<const core::Stream*> found(entries.size(), nullptr);
  std::unordered_map<std::string_view, const core::Stream*> latest;
  for (const auto& [id, stream] : at_first) latest[id] = &stream;
  for (std::size_t i = entries.size(); i-- > 0;) {
    const core::LogEntry& entry = entries[i];
    if (entry.stream_id.empty()) continue;
    const core::Stream*& state = latest[entry.stream_id];
    found[i] = state;
    if (entry.stream) state = &*entry.stream;
  }
  return found;
}

/// The oldest entry of each stream among those.
std::vector<ports::EntryPlace> oldest_places(const std::vector<core::LogEntry>& entries) {
  std::unordered_map<std::string, std::uint64_t> oldest;
  for (const core::LogEntry& entry : entries) {
    if (!entry.stream_id.empty()) oldest[entry.stream_id] = entry.seq;
  }
  std::vector<ports::EntryPlace> places;
  places.reserve(oldest.size());
  for (const auto& [id, seq] : oldest) places.push_back({id, seq});
  return places;
}

}  // namespace

std::size_t roll_back(const std::optional<ports::Checkpoint>& to, ports::IngestTransaction& transaction) {
  const std::uint32_t floor = to ? to->ledger : 0;
  RecordBuilder builder(transaction.lock_log(), /*fold=*/true);
  const std::vector<core::LogEntry> entries = transaction.entries_above(floor);
  const std::vector<ports::EntryPlace> places = oldest_places(entries);

  std::vector<std::string> ids;
  for (const ports::EntryPlace& place : places) ids.push_back(place.stream_id);
  for (ports::StreamTail& tail : transaction.streams(ids)) builder.know(std::move(tail));
  std::unordered_map<std::string, core::Stream> at_first;
  for (core::Stream& stream : transaction.states_before(places)) at_first.emplace(stream.id, stream);

  const std::vector<const core::Stream*> found = states_found(entries, at_first);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    builder.append_retraction(entries[i], found[i] != nullptr ? std::optional(*found[i]) : std::nullopt);
  }
  ports::IngestRecord record = std::move(builder).finish();
  record.forget_above = floor;
  record.checkpoint = to;
  transaction.commit(record);
  return entries.size();
}

}  // namespace fluxora::indexer
