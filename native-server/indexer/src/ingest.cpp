#include "fluxora/indexer/ingest.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/reducer.hpp"

namespace fluxora::indexer {
namespace {

struct DecodedChainEvent {
  const ports::ChainEvent* event = nullptr;
  core::DecodedEvent decoded;
  std::string stream_id;  ///< empty for events that are no stream's
};

std::vector<DecodedChainEvent> decode_all(const std::vector<ports::ChainEvent>& events) {
  std::vector<DecodedChainEvent> all;
  all.reserve(events.size());
  for (const ports::ChainEvent& event : events) {
    DecodedChainEvent item{&event, core::decode_contract_event_xdr(event.topics_xdr, event.value_xdr), {}};
    if (item.decoded.stream_number) {
      item.stream_id = core::chain_stream_id(event.contract_id, *item.decoded.stream_number);
    }
    all.push_back(std::move(item));
  }
  return all;
}

/// The streams that a batch touches: as they were, and as the fold leaves them.
class TouchedStreams {
 public:
  TouchedStreams(const std::vector<DecodedChainEvent>& events, ports::IngestTransaction& transaction) {
    std::unordered_set<std::string> ids;
    for (const DecodedChainEvent& item : events) {
      if (!item.stream_id.empty()) ids.insert(item.stream_id);
      if (const auto* split = std::get_if<core::ShareDelegated>(&item.decoded.payload)) {
        ids.insert(core::chain_stream_id(item.event->contract_id, split->child_stream));
      }
    }
    for (ports::StreamTail& tail : transaction.streams({ids.begin(), ids.end()})) {
      streams_[tail.id] = {std::move(tail.stream), tail.last_seq, false};
    }
  }

  [[nodiscard]] const core::Stream* find(const std::string& id) const {
    const auto found = streams_.find(id);
    return found == streams_.end() || !found->second.stream ? nullptr : &*found->second.stream;
  }

  void put(const core::Stream& stream) {
    Touched& touched = streams_[stream.id];
    touched.stream = stream;
    touched.changed = true;
  }

  /// The stream's entry before this one; `seq` is the one before from now on.
  std::optional<std::uint64_t> advance(const std::string& id, std::uint64_t seq) {
    return std::exchange(streams_[id].last_seq, seq);
  }

  [[nodiscard]] std::vector<core::Stream> changed() && {
    std::vector<core::Stream> streams;
    for (auto& [id, touched] : streams_) {
      if (touched.changed) streams.push_back(std::move(*touched.stream));
    }
    return streams;
  }

 private:
  struct Touched {
    std::optional<core::Stream> stream;
    std::optional<std::uint64_t> last_seq;
    bool changed = false;
  };
  std::unordered_map<std::string, Touched> streams_;
};

core::LogEntry entry_of(const DecodedChainEvent& item, const core::Hash& ledger_hash, std::uint64_t seq) {
  const ports::ChainEvent& event = *item.event;
  core::LogEntry entry;
  entry.seq = seq;
  entry.event = core::event_name(item.decoded, event.in_successful_call);
  entry.kind = item.decoded.kind;
  entry.stream_id = item.stream_id;
  entry.event_id = event.event_id;
  entry.contract_id = event.contract_id;
  entry.ledger = event.ledger;
  entry.ledger_hash = ledger_hash;
  entry.tx_hash = event.tx_hash;
  entry.closed_at = event.closed_at;
  entry.in_successful_call = event.in_successful_call;
  entry.topics_xdr = event.topics_xdr;
  entry.value_xdr = event.value_xdr;
  return entry;
}

/// A stream that a delegation splits off gets an entry of its own, of the same event.
core::LogEntry child_entry(const core::LogEntry& parent, const core::Stream& child) {
  core::LogEntry entry = parent;
  entry.seq = parent.seq + 1;
  entry.event = core::EventName::stream_created;
  entry.stream_id = child.id;
  entry.change = "{}";
  entry.stream = child;
  return entry;
}

class RecordBuilder {
 public:
  RecordBuilder(TouchedStreams streams, std::uint64_t head_seq, bool fold)
      : streams_(std::move(streams)), next_seq_(head_seq + 1), fold_(fold) {}

  void add(const DecodedChainEvent& item, const core::Hash& ledger_hash) {
    core::LogEntry entry = entry_of(item, ledger_hash, next_seq_);
    std::optional<core::LogEntry> child;
    if (fold_ && item.event->in_successful_call && !item.stream_id.empty()) child = fold(item, entry);
    append(std::move(entry));
    if (child) append(std::move(*child));
  }

  [[nodiscard]] ports::IngestRecord finish() && {
    record_.streams = std::move(streams_).changed();
    return std::move(record_);
  }

 private:
  /// Folds the event into its stream and its entry; gives the entry of a stream that it splits off.
  std::optional<core::LogEntry> fold(const DecodedChainEvent& item, core::LogEntry& entry) {
    const core::Stream* before = streams_.find(item.stream_id);
    const ports::ChainEvent& event = *item.event;
    auto folded =
        core::fold(before, item.decoded, {event.contract_id, event.ledger, event.tx_hash, event.closed_at, entry.seq});
    // What can't be folded stays in the log, with no stream and its decoded payload to be seen.
    if (!folded || (folded->child && streams_.find(folded->child->id) != nullptr)) return std::nullopt;

    if (before != nullptr) entry.change = core::describe_change(*before, folded->stream);
    entry.stream = folded->stream;
    streams_.put(folded->stream);
    if (!folded->child) return std::nullopt;
    streams_.put(*folded->child);
    return child_entry(entry, *folded->child);
  }

  void append(core::LogEntry entry) {
    if (!entry.stream_id.empty()) entry.prev_seq = streams_.advance(entry.stream_id, entry.seq);
    next_seq_ = entry.seq + 1;
    record_.entries.push_back(std::move(entry));
  }

  TouchedStreams streams_;
  std::uint64_t next_seq_;
  bool fold_;
  ports::IngestRecord record_;
};

}  // namespace

IngestCounts ingest(const LedgerBatch& batch, bool fold, ports::IngestTransaction& transaction) {
  const std::vector<DecodedChainEvent> events = decode_all(batch.events);
  std::unordered_map<std::uint32_t, const ports::LedgerHeader*> headers;
  for (const ports::LedgerHeader& header : batch.headers) headers.emplace(header.sequence, &header);

  std::unordered_set<std::string> standing;
  if (!events.empty()) standing = transaction.standing_entries(batch.first, batch.last);
  TouchedStreams streams(events, transaction);

  IngestCounts counts;
  // From here on the log's end is locked: nothing but computing and writing follows.
  RecordBuilder builder(std::move(streams), events.empty() ? 0 : transaction.lock_log(), fold);
  for (const DecodedChainEvent& item : events) {
    const core::Hash& ledger_hash = headers.at(item.event->ledger)->hash;
    if (standing.contains(ports::entry_identity(ledger_hash, item.event->event_id, item.stream_id))) {
      ++counts.duplicates;
      continue;
    }
    builder.add(item, ledger_hash);
  }
  ports::IngestRecord record = std::move(builder).finish();
  record.ledgers = batch.headers;
  const ports::LedgerHeader& last = batch.headers.back();
  record.checkpoint = {last.sequence, last.hash, last.closed_at};
  transaction.commit(record);
  counts.inserted = record.entries.size();
  return counts;
}

}  // namespace fluxora::indexer
