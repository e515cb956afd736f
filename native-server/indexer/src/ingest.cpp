#include "fluxora/indexer/ingest.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/ledger_digest.hpp"
#include "fluxora/core/reducer.hpp"
#include "record_builder.hpp"

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

/// The streams that a batch's events are about.
std::vector<std::string> touched_streams(const std::vector<DecodedChainEvent>& events) {
  std::unordered_set<std::string> ids;
  for (const DecodedChainEvent& item : events) {
    if (!item.stream_id.empty()) ids.insert(item.stream_id);
    if (const auto* split = std::get_if<core::ShareDelegated>(&item.decoded.payload)) {
      ids.insert(core::chain_stream_id(item.event->contract_id, split->child_stream));
    }
  }
  return {ids.begin(), ids.end()};
}

core::LogEntry entry_of(const DecodedChainEvent& item, const core::Hash& ledger_hash) {
  const ports::ChainEvent& event = *item.event;
  core::LogEntry entry;
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

/// The cliffs and ends that the batch's ledgers may pass. A ledger makes entries of those at or before its close time
/// that no earlier one has passed; what its own events change is passed behind them.
class TimeQueue {
 public:
  TimeQueue(core::UnixSeconds after, core::UnixSeconds through) : after_(after), through_(through) {}

  /// A stream as the batch finds it.
  void found(const core::Stream& stream) {
    if (has_cliff(stream) && stream.cliff_time > after_) add(stream.cliff_time, cliff, stream.id);
    if (stream.end_time > after_) add(stream.end_time, end, stream.id);
  }
  /// A stream that an event has made or changed: what it moved may be passed already.
  void changed(const core::Stream* before, const core::Stream& after) {
    const bool new_cliff = before == nullptr || before->cliff_time != after.cliff_time;
    if (new_cliff && has_cliff(after)) add(after.cliff_time, cliff, after.id);
    if (before == nullptr || before->end_time != after.end_time) add(after.end_time, end, after.id);
  }

  void pass(const core::LedgerHeader& ledger, RecordBuilder& builder) {
    while (!times_.empty() && std::get<0>(*times_.begin()) <= ledger.closed_at) {
      const auto [at, event, id] = *times_.begin();
      times_.erase(times_.begin());
      const core::Stream* stream = builder.find(id);
      // It may have been cancelled or moved since.
      if (stream == nullptr || core::is_final(stream->status)) continue;
      if ((event == end ? stream->end_time : stream->cliff_time) != at) continue;
      builder.append_own(core::make_time_entry(event, id, at, ledger));
    }
  }

 private:
  static constexpr core::EventName cliff = core::EventName::stream_cliff_reached;
  static constexpr core::EventName end = core::EventName::stream_ended;

  /// A cliff at the start is none.
  static bool has_cliff(const core::Stream& stream) { return stream.cliff_time > stream.start_time; }

  void add(core::UnixSeconds at, core::EventName event, const std::string& id) {
    if (at <= through_) times_.emplace(at, event, id);
  }

  core::UnixSeconds after_;
  core::UnixSeconds through_;
  std::set<std::tuple<core::UnixSeconds, core::EventName, std::string>> times_;
};

class BatchIngest {
 public:
  BatchIngest(const LedgerBatch& batch, bool fold, ports::IngestTransaction& transaction)
      : batch_(batch), fold_(fold), transaction_(transaction), events_(decode_all(batch.events)) {}

  IngestCounts run() {
    if (!events_.empty()) standing_ = transaction_.standing_entries(batch_.first, batch_.last);
    std::vector<ports::StreamTail> tails = transaction_.streams(touched_streams(events_));
    if (events_.empty() && !fold_) return commit({});

    // From here on the log's end is locked.
    RecordBuilder builder(transaction_.lock_log(), fold_);
    for (ports::StreamTail& tail : tails) builder.know(std::move(tail));
    TimeQueue times = time_queue(builder);
    if (!events_.empty()) digest_ = transaction_.digest_before(batch_.first);

    auto next = events_.begin();
    for (const ports::LedgerHeader& header : batch_.headers) {
      const auto end = std::find_if(
          next, events_.end(), [&](const DecodedChainEvent& item) { return item.event->ledger > header.sequence; });
      add_ledger(header, next, end, times, builder);
      next = end;
    }
    return commit(std::move(builder).finish());
  }

 private:
  using EventIterator = std::vector<DecodedChainEvent>::const_iterator;

  TimeQueue time_queue(RecordBuilder& builder) {
    const core::UnixSeconds after = batch_.closed_before.value_or(batch_.headers.front().closed_at);
    const core::UnixSeconds through = batch_.headers.back().closed_at;
    TimeQueue times(after, through);
    if (!fold_) return times;
    for (ports::StreamTail& tail : transaction_.streams_due(after, through)) {
      times.found(*tail.stream);
      if (!builder.knows(tail.id)) builder.know(std::move(tail));
    }
    return times;
  }

  void add_ledger(const ports::LedgerHeader& header, EventIterator next, EventIterator end, TimeQueue& times,
                  RecordBuilder& builder) {
    times.pass(header, builder);
    ports::LedgerRecord record{header, std::nullopt};
    if (next != end) record.digest = digest_ = digest_of(header, next, end);
    ledgers_.push_back(record);
    for (; next != end; ++next) add_event(*next, header, times, builder);
    times.pass(header, builder);
  }

  /// Of all the ledger's events, whether they are new or stand in the log already.
  [[nodiscard]] core::Hash digest_of(const ports::LedgerHeader& header, EventIterator next, EventIterator end) const {
    std::vector<core::ChainRecord> records;
    for (; next != end; ++next) {
      const ports::ChainEvent& event = *next->event;
      records.push_back({event.event_id, event.contract_id, event.topics_xdr, event.value_xdr});
    }
    return core::ledger_digest(digest_, header.sequence, header.hash, records);
  }

  void add_event(const DecodedChainEvent& item, const ports::LedgerHeader& header, TimeQueue& times,
                 RecordBuilder& builder) {
    if (standing_.count(ports::entry_identity(header.hash, item.event->event_id, item.stream_id)) != 0) {
      ++counts_.duplicates;
      return;
    }
    const core::Stream* held = builder.find(item.stream_id);
    const std::optional<core::Stream> before = held != nullptr ? std::optional(*held) : std::nullopt;
    const std::size_t first_entry = builder.entries().size();
    builder.append(entry_of(item, header.hash), item.decoded);
    for (std::size_t i = first_entry; i < builder.entries().size(); ++i) {
      const core::LogEntry& entry = builder.entries()[i];
      if (entry.stream) times.changed(i == first_entry && before ? &*before : nullptr, *entry.stream);
    }
  }

  IngestCounts commit(ports::IngestRecord record) {
    if (ledgers_.empty()) {
      for (const ports::LedgerHeader& header : batch_.headers) ledgers_.push_back({header, std::nullopt});
    }
    record.ledgers = std::move(ledgers_);
    const ports::LedgerHeader& last = batch_.headers.back();
    record.checkpoint = ports::Checkpoint{last.sequence, last.hash, last.closed_at};
    transaction_.commit(record);
    counts_.inserted = record.entries.size();
    return counts_;
  }

  const LedgerBatch& batch_;
  const bool fold_;
  ports::IngestTransaction& transaction_;
  const std::vector<DecodedChainEvent> events_;
  std::unordered_set<std::string> standing_;
  std::vector<ports::LedgerRecord> ledgers_;
  core::Hash digest_{};
  IngestCounts counts_;
};

}  // namespace

IngestCounts ingest(const LedgerBatch& batch, bool fold, ports::IngestTransaction& transaction) {
  return BatchIngest(batch, fold, transaction).run();
}

}  // namespace fluxora::indexer
