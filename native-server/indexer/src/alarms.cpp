#include "alarms.hpp"

#include <algorithm>

namespace fluxora::indexer {

using ports::AlarmKind;

bool Alarms::is_up(AlarmKind kind) const noexcept {
  return std::any_of(standing_.begin(), standing_.end(),
                     [kind](const ports::IndexerAlarm& alarm) { return alarm.kind == kind && !alarm.cleared_at; });
}

const ports::IndexerAlarm* Alarms::halting() const noexcept {
  const auto found = std::find_if(standing_.begin(), standing_.end(), [](const ports::IndexerAlarm& alarm) {
    return ports::halts_indexing(alarm.kind) && !alarm.acknowledged_at;
  });
  return found == standing_.end() ? nullptr : &*found;
}

void Alarms::note_stall(const std::string& reason) {
  if (stall_to_record_ || is_up(AlarmKind::stalled)) return;
  stall_to_record_ = reason;
  stall_told_ = false;
}

void Alarms::raise_stall(const std::string& reason) {
  note_stall(reason);
  if (stall_to_record_) record_stall();
}

void Alarms::end_stall() {
  if (stall_to_record_) record_stall();
  clear(AlarmKind::stalled);
}

void Alarms::record_stall() {
  bool is_new = true;
  try {
    is_new = store_.raise_alarm(AlarmKind::stalled, *stall_to_record_);
  } catch (const ports::StoreUnavailable&) {
    if (!std::exchange(stall_told_, true)) log_.error("indexer_stalled", *stall_to_record_);
    throw;
  }
  if (is_new && !stall_told_) log_.error("indexer_stalled", *stall_to_record_);
  stall_to_record_.reset();
  refresh();
}

void Alarms::judge_retention(bool running_out, const std::string& reason) {
  if (!running_out) return clear(AlarmKind::retention);
  if (is_up(AlarmKind::retention)) return;
  if (store_.raise_alarm(AlarmKind::retention, reason)) log_.warn("retention_nearly_over", reason);
  refresh();
}

void Alarms::raise_halting(AlarmKind kind, const std::string& reason) {
  store_.raise_alarm(kind, reason);
  refresh();
}

void Alarms::clear(AlarmKind kind) {
  if (!is_up(kind)) return;
  if (store_.clear_alarm(kind)) log_.info("indexer_alarm_cleared", "", {{"alarm", ports::alarm_name(kind)}});
  refresh();
}

}  // namespace fluxora::indexer
