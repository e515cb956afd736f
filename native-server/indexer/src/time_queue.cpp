#include "time_queue.hpp"

#include <utility>

#include "fluxora/core/reducer.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::indexer {
namespace {

constexpr core::EventName cliff = core::EventName::stream_cliff_reached;
constexpr core::EventName end = core::EventName::stream_ended;

/// A cliff at the start is none.
bool has_cliff(const core::Stream& stream) {
  return stream.cliff_time > stream.start_time;
}

}  // namespace

void TimeQueue::found(const core::Stream& stream) {
  if (has_cliff(stream) && stream.cliff_time > after_) add(stream.cliff_time, cliff, stream.id);
  if (stream.end_time > after_) add(stream.end_time, end, stream.id);
}

void TimeQueue::changed(const core::Stream* before, const core::Stream& after) {
  const bool new_cliff = before == nullptr || before->cliff_time != after.cliff_time || !has_cliff(*before);
  if (new_cliff && has_cliff(after)) add(after.cliff_time, cliff, after.id);
  if (before == nullptr || before->end_time != after.end_time) add(after.end_time, end, after.id);
}

std::optional<core::UnixSeconds> TimeQueue::next() const {
  if (times_.empty()) return std::nullopt;
  return std::get<0>(*times_.begin());
}

void TimeQueue::pass(const core::LedgerHeader& ledger, RecordBuilder& builder,
                     const std::unordered_set<std::string>& standing) {
  if (passing_ != ledger.sequence) passed_.clear();
  passing_ = ledger.sequence;
  while (!times_.empty() && std::get<0>(*times_.begin()) <= ledger.closed_at) {
    const auto [at, event, id] = *times_.begin();
    times_.erase(times_.begin());
    const core::Stream* stream = builder.find(id);
    // It may have been cancelled or moved since.
    if (stream == nullptr || core::is_final(stream->status)) continue;
    if ((event == end ? stream->end_time : stream->cliff_time) != at) continue;
    // A ledger whose events move a time away and back has passed it once.
    if (!passed_.emplace(at, event, id).second) continue;
    core::LogEntry entry = core::make_time_entry(event, id, at, ledger);
    if (standing.count(ports::entry_identity(ledger.hash, entry.event_id, id)) != 0) continue;
    builder.append_own(std::move(entry));
  }
}

void TimeQueue::add(core::UnixSeconds at, core::EventName event, const std::string& id) {
  if (at <= through_) times_.emplace(at, event, id);
}

}  // namespace fluxora::indexer
