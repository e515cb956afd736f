#include "log_change.hpp"

#include <algorithm>
#include <utility>

namespace fluxora::indexer {

RecordBuilder& LogChange::builder() {
  if (!builder_) builder_.emplace(transaction_.lock_log(), fold_);
  return *builder_;
}

void LogChange::want_observation(const std::string& stream_id, std::uint32_t ledger) {
  const auto [wanted, is_new] = to_observe_.emplace(stream_id, ledger);
  if (!is_new) wanted->second = std::min(wanted->second, ledger);
}

std::size_t LogChange::commit(const std::optional<ports::Checkpoint>& checkpoint,
                              std::optional<ports::AuditRecord> audit) {
  ports::IngestRecord record;
  if (builder_) record = std::move(*builder_).finish();
  record.forget_above = forget_above_;
  record.ledgers = std::move(ledgers_);
  for (const auto& [id, ledger] : to_observe_) record.to_observe.push_back({id, ledger, false, 0});
  record.checkpoint = checkpoint;
  record.audit = std::move(audit);
  record.traceparent = std::move(traceparent_);
  transaction_.commit(record);
  return record.entries.size();
}

}  // namespace fluxora::indexer
