#include "memory_log_scan.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/snapshot_digest.hpp"

namespace fluxora::indexer::test {

ports::ScannedEntry MemoryLogScan::scanned(const core::LogEntry& entry) const {
  ports::ScannedEntry row;
  if (const auto why = unreadable.find(entry.seq); why != unreadable.end()) {
    row.entry.seq = entry.seq;
    row.unreadable = why->second;
    return row;
  }
  row.entry = entry;
  row.entry.stream.reset();
  const auto set = states.find(entry.seq);
  row.state = set != states.end() ? set->second : core::encode_stream_state(entry);
  return row;
}

ports::LogExtent MemoryLogScan::extent() {
  const std::uint64_t newest = store_.entries.empty() ? 0 : store_.entries.back().seq;
  return {epoch, oldest_seq, head_seq.value_or(newest), folds_chain, store_.checkpoint, pruned};
}

void MemoryLogScan::prune_below(std::uint64_t seq) {
  oldest_seq = seq;
  pruned = ports::PrunedPart{};
  for (const core::LogEntry& entry : store_.entries) {
    if (entry.seq < seq) pruned->ledger = std::max(pruned->ledger, entry.ledger.value_or(0));
  }
  for (const auto& [sequence, record] : store_.ledgers) {
    if (sequence <= pruned->ledger && record.digest) pruned->digest = *record.digest;
  }
  for (const auto& [id, left] : left_below(seq)) {
    pruned->states = core::snapshot_digest(pruned->states, id, left.last_seq, left.state);
  }
  store_.pruned_ledger = pruned->ledger;
}

void MemoryLogScan::refuse_pruned(std::uint64_t after_seq) const {
  if (after_seq + 1 < oldest_seq) throw std::logic_error("entries were asked for that were pruned");
}

std::map<std::string, ports::PrunedStream> MemoryLogScan::left_below(std::uint64_t seq) const {
  std::map<std::string, ports::PrunedStream> left;
  for (const core::LogEntry& entry : store_.entries) {
    if (entry.seq >= seq || entry.stream_id.empty()) continue;
    ports::PrunedStream& stream = left[entry.stream_id];
    stream.id = entry.stream_id;
    stream.last_seq = entry.seq;
    if (const auto state = scanned(entry).state) stream.state = state;
  }
  return left;
}

std::vector<ports::PrunedStream> MemoryLogScan::left_streams(std::uint64_t below_seq, const std::string& after_id,
                                                             std::size_t limit) {
  std::vector<ports::PrunedStream> page;
  for (auto& [id, stream] : left_below(below_seq)) {
    if (id > after_id && page.size() < limit) page.push_back(stream);
  }
  return page;
}

std::vector<ports::PrunedStream> MemoryLogScan::left_streams_of(const std::vector<std::string>& ids,
                                                                std::uint64_t below_seq) {
  std::vector<ports::PrunedStream> page;
  for (auto& [id, stream] : left_below(below_seq)) {
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) page.push_back(stream);
  }
  return page;
}

std::vector<ports::ScannedEntry> MemoryLogScan::entries(std::uint64_t after_seq, std::size_t limit, bool with_effects) {
  refuse_pruned(after_seq);
  std::vector<ports::ScannedEntry> page;
  for (const core::LogEntry& entry : store_.entries) {
    if (entry.seq <= after_seq || page.size() == limit) continue;
    page.push_back(scanned(entry));
    if (with_effects) continue;
    page.back().entry.change = "{}";
    page.back().entry.ledger_hash.reset();
    page.back().state.reset();
  }
  return page;
}

std::vector<ports::ScannedEntry> MemoryLogScan::entries_of(const std::vector<std::string>& streams,
                                                           std::uint64_t after_seq, std::size_t limit) {
  refuse_pruned(after_seq);
  std::vector<ports::ScannedEntry> page;
  for (const core::LogEntry& entry : store_.entries) {
    const bool wanted = std::find(streams.begin(), streams.end(), entry.stream_id) != streams.end();
    if (wanted && entry.seq > after_seq && page.size() < limit) page.push_back(scanned(entry));
  }
  return page;
}

std::vector<std::uint64_t> MemoryLogScan::retracted(std::uint64_t first, std::uint64_t last) {
  std::set<std::uint64_t> seqs;
  for (const core::LogEntry& entry : store_.entries) {
    if (entry.retracts && *entry.retracts >= first && *entry.retracts <= last) seqs.insert(*entry.retracts);
  }
  return {seqs.begin(), seqs.end()};
}

std::vector<std::string> MemoryLogScan::split_relatives(const std::vector<std::string>& streams) {
  const auto wanted = [&](const std::string& id) {
    return std::find(streams.begin(), streams.end(), id) != streams.end();
  };
  std::vector<std::string> relatives;
  for (std::size_t i = 1; i < store_.entries.size(); ++i) {
    const core::LogEntry& parent = store_.entries[i - 1];
    const core::LogEntry& child = store_.entries[i];
    if (parent.seq < oldest_seq || parent.event_id != child.event_id || child.event != core::EventName::stream_created)
      continue;
    if (wanted(parent.stream_id)) relatives.push_back(child.stream_id);
    if (wanted(child.stream_id)) relatives.push_back(parent.stream_id);
  }
  return relatives;
}

std::vector<ports::ScannedLedger> MemoryLogScan::ledgers(std::optional<std::uint32_t> after, std::size_t limit) {
  std::vector<ports::ScannedLedger> page;
  for (const auto& [sequence, record] : store_.ledgers) {
    if ((after && sequence <= *after) || page.size() == limit) continue;
    page.push_back({sequence, record.header.hash, record.digest});
  }
  return page;
}

std::vector<ports::ScannedStream> MemoryLogScan::streams(const std::string& after_id, std::size_t limit) {
  std::vector<ports::ScannedStream> page;
  for (const auto& [id, stream] : store_.streams) {
    if (id > after_id && page.size() < limit) page.push_back({id, columns_of(stream)});
  }
  return page;
}

std::vector<ports::ScannedStream> MemoryLogScan::streams_of(const std::vector<std::string>& ids) {
  std::vector<ports::ScannedStream> rows;
  for (const std::string& id : ids) {
    if (const auto held = store_.streams.find(id); held != store_.streams.end()) {
      rows.push_back({id, columns_of(held->second)});
    }
  }
  return rows;
}

const std::vector<std::string>& MemoryLogScan::stream_columns() const {
  static const std::vector<std::string> names = {"id", "deposit", "withdrawn", "version", "all"};
  return names;
}

ports::StreamColumns MemoryLogScan::columns_of(const core::Stream& stream) const {
  return {stream.id, core::format_units(stream.deposit.units), core::format_units(stream.withdrawn.units),
          std::to_string(stream.version), core::hex_encode(core::encode_stream(stream))};
}

void MemoryRebuildStore::load(const std::function<void(core::Stream)>& take) {
  for (const auto& [id, stream] : kept_streams) {
    if (stream) take(*stream);
  }
}

void MemoryRebuildStore::save(const ports::RebuildPlace& place, const std::vector<ports::RebuiltStream>& changed) {
  kept_place = place;
  for (const auto& [id, stream] : changed) kept_streams[id] = stream;
}

void MemoryRebuildStore::forget_place() {
  kept_place.reset();
  kept_streams.clear();
}

class MemoryRebuildStore::End final : public ports::RebuildEnd {
 public:
  explicit End(MemoryRebuildStore& rebuild) : rebuild_(rebuild) {}
  ports::LogScan& log() override { return rebuild_.scan; }
  void commit(const std::vector<ports::RebuiltStream>& streams) override {
    for (const auto& [id, stream] : streams) {
      if (stream) {
        rebuild_.store_.streams[id] = *stream;
      } else {
        rebuild_.store_.streams.erase(id);
      }
    }
    rebuild_.written = streams;
    rebuild_.forget_place();
  }

 private:
  MemoryRebuildStore& rebuild_;
};

std::unique_ptr<ports::RebuildEnd> MemoryRebuildStore::lock_end() {
  if (busy_times > 0) {
    --busy_times;
    return nullptr;
  }
  if (before_locking) before_locking();
  return std::make_unique<End>(*this);
}

}  // namespace fluxora::indexer::test
