#include "fluxora/core/log_fold.hpp"

#include <algorithm>
#include <utility>

#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/core/reducer.hpp"

namespace fluxora::core {
namespace {

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

/// An entry without what is folded of it.
void clear(LogEntry& entry) {
  entry.stream.reset();
  entry.change = "{}";
}

/// False: the chain gave something else than XDR.
bool decode_payload(const LogEntry& entry, ScVec& topics, ScVal& value) {
  for (const Bytes& xdr : entry.topics_xdr) {
    auto topic = decode_scval(xdr);
    if (!topic) return false;
    topics.push_back(std::move(*topic));
  }
  auto decoded = decode_scval(entry.value_xdr);
  if (decoded) value = std::move(*decoded);
  return decoded.ok();
}

Result<FoldResult> fold_observation(const Stream* before, const Observation& observation, const EventPlace& place) {
  if (before == nullptr && !observation.stored) return ErrorCode::fold_unknown_stream;  // a token makes no stream
  const auto closed_at = static_cast<UnixMillis>(std::min(place.closed_at, last_rfc3339_second)) * 1000;
  FoldResult result;
  Stream& after = result.stream;
  if (before != nullptr) {
    after = *before;
  } else {
    after.id = place.stream_id;
    after.checkpoint_at = observation.stored->start_time;  // what a contract that stores none accrues from
    after.created_at = closed_at;
    after.created_seq = place.seq;
  }
  apply_observation(after, observation);
  after.updated_at = closed_at;
  after.version = place.seq;
  after.ledger = place.ledger;
  return result;
}

/// Nothing happened to the stream: only its place in the log is a new one.
Result<FoldResult> fold_time(const Stream* before, const EventPlace& place) {
  if (before == nullptr) return ErrorCode::fold_unknown_stream;
  FoldResult result{*before, std::nullopt};
  result.stream.version = place.seq;
  return result;
}

}  // namespace

Result<FoldResult> fold_entry(const Stream* before, EventName event, const ScVec& topics, const ScVal& value,
                              const EventPlace& place) {
  if (is_of_time(event)) return fold_time(before, place);
  if (event != EventName::stream_observed) return fold(before, decode_contract_event(topics, value), place);
  const auto observation = decode_observation(topics, value);
  if (!observation) return observation.error();
  return fold_observation(before, *observation, place);
}

void LogFold::put(Stream stream) {
  std::string id = stream.id;
  streams_.insert_or_assign(std::move(id), std::move(stream));
}

const Stream* LogFold::find(const std::string& id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

std::optional<LogEntry> LogFold::fold(LogEntry& entry) {
  clear(entry);
  ScVec topics;
  ScVal value;
  if (!is_of_time(entry.event) && !decode_payload(entry, topics, value)) return std::nullopt;
  const Stream* before = find(entry.stream_id);
  // A stream's own times never go back, and an API stream's are the server's clock, ahead of the ledgers'.
  if (is_of_time(entry.event) && before != nullptr) {
    entry.closed_at = std::max(entry.closed_at, static_cast<UnixSeconds>(before->updated_at / 1000));
  }
  return take(entry, before, fold_entry(before, entry.event, topics, value, place_of(entry)));
}

std::optional<LogEntry> LogFold::fold(LogEntry& entry, const DecodedEvent& event) {
  clear(entry);
  const Stream* before = find(entry.stream_id);
  return take(entry, before, core::fold(before, event, place_of(entry)));
}

std::optional<LogEntry> LogFold::take(LogEntry& entry, const Stream* before, Result<FoldResult> folded) {
  if (!entry.in_successful_call || entry.stream_id.empty()) return std::nullopt;
  // What can't be folded stays in the log, with no stream and its decoded payload to be seen.
  if (!folded || (folded->child && find(folded->child->id) != nullptr)) return std::nullopt;
  entry.change = describe_change(before, &folded->stream);
  entry.stream = folded->stream;
  put(std::move(folded->stream));
  if (!folded->child) return std::nullopt;
  LogEntry child = child_entry(entry, *folded->child);
  put(std::move(*folded->child));
  return child;
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
  if (after) after->version = seq;
  entry.change = describe_change(now, after ? &*after : nullptr);
  entry.stream = after;
  if (after) {
    put(std::move(*after));
  } else {
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
