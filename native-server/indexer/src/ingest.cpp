#include "fluxora/indexer/ingest.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/ledger_digest.hpp"
#include "log_change.hpp"
#include "record_builder.hpp"
#include "time_queue.hpp"

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

/// The streams that a batch's events are about, in their order, in which the database finds them quickest.
std::vector<std::string> touched_streams(const std::vector<DecodedChainEvent>& events) {
  std::set<std::string> ids;
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

class BatchIngest {
 public:
  BatchIngest(const LedgerBatch& batch, LogChange& change)
      : batch_(batch),
        change_(change),
        fold_(change.folds()),
        transaction_(change.transaction()),
        events_(decode_all(batch.events)) {}

  /// Gives the number of duplicates.
  std::size_t run() {
    // What is undone still stands in the store until the commit, but here it doesn't.
    if (!events_.empty() && !change_.has_undone()) {
      standing_ = transaction_.standing_entries(batch_.first, batch_.last);
    }
    std::vector<ports::StreamTail> tails = transaction_.streams(unknown_streams());
    if (events_.empty() && !fold_) {
      for (const ports::LedgerHeader& header : batch_.headers) change_.add_ledger({header, std::nullopt});
      return 0;
    }

    RecordBuilder& builder = change_.builder();  // from here on the log's end is locked
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
    return duplicates_;
  }

 private:
  using EventIterator = std::vector<DecodedChainEvent>::const_iterator;

  /// Those of the batch that what was undone hasn't touched.
  [[nodiscard]] std::vector<std::string> unknown_streams() const {
    std::vector<std::string> ids = touched_streams(events_);
    if (const RecordBuilder* builder = change_.locked_builder()) {
      ids.erase(std::remove_if(ids.begin(), ids.end(), [&](const std::string& id) { return builder->knows(id); }),
                ids.end());
    }
    return ids;
  }

  TimeQueue time_queue(RecordBuilder& builder) {
    const core::UnixSeconds after = batch_.closed_before.value_or(batch_.headers.front().closed_at);
    const core::UnixSeconds through = batch_.headers.back().closed_at;
    TimeQueue times(after, through);
    if (!fold_) return times;
    // What was undone touched is as the builder has it. Its undone times still stand in the store, which can't name it.
    if (change_.has_undone()) {
      for (const auto& [id, stream] : builder.streams()) times.found(stream);
    }
    for (ports::StreamTail& tail : transaction_.streams_due(after, through)) {
      const std::string id = tail.id;
      if (!builder.knows(id)) builder.know(std::move(tail));
      if (const core::Stream* stream = builder.find(id)) times.found(*stream);
    }
    return times;
  }

  void add_ledger(const ports::LedgerHeader& header, EventIterator next, EventIterator end, TimeQueue& times,
                  RecordBuilder& builder) {
    times.pass(header, builder, standing_);
    ports::LedgerRecord record{header, std::nullopt};
    if (next != end) record.digest = digest_ = digest_of(header, next, end);
    change_.add_ledger(record);
    for (; next != end; ++next) add_event(*next, header, times, builder);
    times.pass(header, builder, standing_);
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
      ++duplicates_;
      return;
    }
    const core::Stream* held = builder.find(item.stream_id);
    const std::optional<core::Stream> before = held != nullptr ? std::optional(*held) : std::nullopt;
    const std::size_t first_entry = builder.entries().size();
    builder.append(entry_of(item, header.hash), item.decoded);
    for (std::size_t i = first_entry; i < builder.entries().size(); ++i) {
      const core::LogEntry& entry = builder.entries()[i];
      if (entry.stream) times.changed(i == first_entry && before ? &*before : nullptr, *entry.stream);
      if (wants_observation(entry, item.decoded, builder)) change_.want_observation(entry.stream_id, header.sequence);
    }
  }

  /// Whether the contract's storage is to be read after this: SPEC section 3.
  [[nodiscard]] bool wants_observation(const core::LogEntry& entry, const core::DecodedEvent& decoded,
                                       const RecordBuilder& builder) const {
    if (!fold_ || !entry.in_successful_call || entry.stream_id.empty()) return false;
    if (!entry.stream) return builder.find(entry.stream_id) == nullptr;
    if (std::holds_alternative<core::StreamClosed>(decoded.payload)) return !entry.stream->token;
    return entry.event == core::EventName::stream_created || std::holds_alternative<core::RateUpdated>(decoded.payload);
  }

  const LedgerBatch& batch_;
  LogChange& change_;
  const bool fold_;
  ports::IngestTransaction& transaction_;
  const std::vector<DecodedChainEvent> events_;
  std::unordered_set<std::string> standing_;
  core::Hash digest_{};
  std::size_t duplicates_ = 0;
};

}  // namespace

std::size_t LogChange::append(const LedgerBatch& batch) {
  traceparent_ = batch.traceparent;
  return BatchIngest(batch, *this).run();
}

IngestCounts ingest(const LedgerBatch& batch, bool fold, ports::IngestTransaction& transaction) {
  LogChange change(fold, transaction);
  IngestCounts counts;
  counts.duplicates = change.append(batch);
  const ports::LedgerHeader& last = batch.headers.back();
  counts.inserted = change.commit(ports::Checkpoint{last.sequence, last.hash, last.closed_at});
  return counts;
}

}  // namespace fluxora::indexer
