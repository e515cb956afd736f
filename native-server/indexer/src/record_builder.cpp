#include "record_builder.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace fluxora::indexer {

void RecordBuilder::know(ports::StreamTail tail) {
  last_seqs_[tail.id] = tail.last_seq;
  if (tail.stream) log_.put(std::move(*tail.stream));
}

void RecordBuilder::append(core::LogEntry entry, const core::DecodedEvent& event) {
  place(entry);
  std::optional<core::LogEntry> child;
  if (fold_) child = log_.fold(entry, event);
  keep(std::move(entry));
  if (!child) return;
  place(*child);
  keep(std::move(*child));
}

void RecordBuilder::append_own(core::LogEntry entry) {
  place(entry);
  log_.fold(entry);
  keep(std::move(entry));
}

void RecordBuilder::append_retraction(const core::LogEntry& undone, const std::optional<core::Stream>& before) {
  core::LogEntry entry = log_.retract(undone, before, next_seq_);
  place(entry);
  if (!entry.stream_id.empty()) changed_.insert(entry.stream_id);
  keep(std::move(entry));
}

void RecordBuilder::place(core::LogEntry& entry) {
  entry.seq = next_seq_++;
  if (!entry.stream_id.empty()) entry.prev_seq = std::exchange(last_seqs_[entry.stream_id], entry.seq);
}

void RecordBuilder::keep(core::LogEntry entry) {
  if (entry.stream) changed_.insert(entry.stream_id);
  record_.entries.push_back(std::move(entry));
}

ports::IngestRecord RecordBuilder::finish() && {
  // In an order that doesn't depend on hashing, so that runs can be compared, and writers lock rows alike.
  std::vector<std::string> changed(changed_.begin(), changed_.end());
  std::sort(changed.begin(), changed.end());
  for (std::string& id : changed) {
    if (const core::Stream* stream = log_.find(id)) {
      record_.streams.push_back(*stream);
    } else {
      record_.gone_streams.push_back(std::move(id));
    }
  }
  return std::move(record_);
}

}  // namespace fluxora::indexer
