#include "fluxora/core/log_fold.hpp"

#include <algorithm>
#include <utility>

#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/core/reducer.hpp"

namespace fluxora::core {
namespace {

bool is_of_time(EventName event) noexcept {
  return event == EventName::stream_cliff_reached || event == EventName::stream_ended;
}

bool is_api_stream_id(std::string_view id) noexcept {
  return id.substr(0, 4) == "api-";
}

/// A stream that a delegation splits off gets an entry of its own, of the same event.
LogEntry child_entry(const LogEntry& parent, const Stream& child) {
  LogEntry entry = parent;
  entry.seq = parent.seq + 1;
  entry.event = EventName::stream_created;
  entry.stream_id = child.id;
  entry.change = "{}";
  entry.stream = child;
  entry.prev_seq.reset();
  return entry;
}

}  // namespace

void LogFold::put(Stream stream) {
  std::string id = stream.id;
  streams_.insert_or_assign(std::move(id), std::move(stream));
}

const Stream* LogFold::find(const std::string& id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

void LogFold::move(LogEntry& entry, const Stream* before, Stream after) {
  entry.change = before != nullptr ? describe_change(*before, after) : "{}";
  entry.stream = after;
  put(std::move(after));
}

std::optional<LogEntry> LogFold::fold(LogEntry& entry) {
  if (entry.event == EventName::stream_observed) {
    fold_observation(entry);
    return std::nullopt;
  }
  if (is_of_time(entry.event)) {
    fold_time(entry);
    return std::nullopt;
  }
  return fold(entry, decode_contract_event_xdr(entry.topics_xdr, entry.value_xdr));
}

std::optional<LogEntry> LogFold::fold(LogEntry& entry, const DecodedEvent& event) {
  entry.stream.reset();
  entry.change = "{}";
  if (!entry.in_successful_call || entry.stream_id.empty()) return std::nullopt;
  return fold_contract_event(entry, event);
}

std::optional<LogEntry> LogFold::fold_contract_event(LogEntry& entry, const DecodedEvent& event) {
  const Stream* before = find(entry.stream_id);
  auto folded = core::fold(before, event, place_of(entry));
  // What can't be folded stays in the log, with no stream and its decoded payload to be seen.
  if (!folded || (folded->child && find(folded->child->id) != nullptr)) return std::nullopt;
  move(entry, before, std::move(folded->stream));
  if (!folded->child) return std::nullopt;
  LogEntry child = child_entry(entry, *folded->child);
  put(std::move(*folded->child));
  return child;
}

void LogFold::fold_observation(LogEntry& entry) {
  entry.stream.reset();
  entry.change = "{}";
  const auto observation = decode_observation(entry.topics_xdr, entry.value_xdr);
  if (!observation) return;

  const Stream* before = find(entry.stream_id);
  if (before == nullptr && !observation->stored) return;  // a token alone makes no stream
  Stream after;
  const auto closed_at = static_cast<UnixMillis>(std::min(entry.closed_at, last_rfc3339_second)) * 1000;
  if (before != nullptr) {
    after = *before;
  } else {
    after.id = entry.stream_id;
    after.checkpoint_at = observation->stored->start_time;  // what a contract that stores none accrues from
    after.created_at = closed_at;
    after.created_seq = entry.seq;
  }
  apply_observation(after, *observation);
  after.updated_at = closed_at;
  after.version = entry.seq;
  after.ledger = entry.ledger;
  move(entry, before, std::move(after));
}

void LogFold::fold_time(LogEntry& entry) {
  entry.stream.reset();
  entry.change = "{}";
  const Stream* before = find(entry.stream_id);
  if (before == nullptr) return;
  // A stream's own times never go back, and an API stream's are the server's clock, ahead of the ledgers'.
  entry.closed_at = std::max(entry.closed_at, static_cast<UnixSeconds>(before->updated_at / 1000));
  // Nothing happened to the stream: only its place in the log is a new one.
  Stream after = *before;
  after.version = entry.seq;
  move(entry, before, std::move(after));
}

LogEntry LogFold::retract(const LogEntry& undone, const std::optional<Stream>& before, std::uint64_t seq) {
  LogEntry entry;
  entry.seq = seq;
  entry.event = EventName::stream_retracted;
  entry.kind = "retracted";
  entry.stream_id = undone.stream_id;
  entry.event_id = "retracted-" + std::to_string(undone.seq);
  entry.contract_id = undone.contract_id;
  entry.ledger = undone.ledger;
  entry.ledger_hash = undone.ledger_hash;
  entry.tx_hash = undone.tx_hash;
  entry.closed_at = undone.closed_at;
  entry.retracts = undone.seq;
  if (entry.stream_id.empty()) return entry;

  const Stream* now = find(undone.stream_id);
  const bool changed_nothing = !undone.stream || is_of_time(undone.event);
  std::optional<Stream> after;
  if (changed_nothing) {
    if (now != nullptr) after = *now;
  } else {
    after = before;
  }
  if (after) {
    after->version = seq;
    move(entry, now, std::move(*after));
  } else {
    if (now != nullptr) entry.change = describe_removal(*now);
    streams_.erase(undone.stream_id);
  }
  return entry;
}

LogEntry make_time_entry(EventName event, std::string_view stream_id, UnixSeconds at, const LedgerHeader& ledger) {
  const std::string_view kind = event == EventName::stream_ended ? "ended" : "cliff_reached";
  LogEntry entry;
  entry.event = event;
  entry.kind = kind;
  entry.stream_id = stream_id;
  entry.event_id = std::string(kind) + '-' + format_u64(at);
  if (!is_api_stream_id(stream_id)) entry.contract_id = stream_id.substr(0, stream_id.rfind('-'));
  entry.ledger = ledger.sequence;
  entry.ledger_hash = ledger.hash;
  entry.closed_at = ledger.closed_at;
  return entry;
}

}  // namespace fluxora::core
