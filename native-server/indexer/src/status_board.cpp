#include "status_board.hpp"

#include <algorithm>

namespace fluxora::indexer {
namespace {

using State = ports::IndexerStatus::State;

// Horizon is looked at once a minute and lags a little itself: as far as the chain's tip may be off without being
// another chain's.
constexpr std::uint32_t witness_distance = core::reset_distance;

bool is_up(const ports::IndexerStatus& status, ports::AlarmKind kind) {
  return std::any_of(status.alarms.begin(), status.alarms.end(),
                     [kind](const ports::IndexerAlarm& alarm) { return alarm.kind == kind && !alarm.cleared_at; });
}

}  // namespace

StatusBoard::StatusBoard(const IndexerOptions& options, ports::Clock& clock)
    : threshold_ms_(options.stall_threshold.count()),
      witness_(options.witness),
      circuit_(options.circuit),
      clock_(clock),
      started_at_(clock.now()) {
  status_.state = State::starting;
  status_.threshold_ms = threshold_ms_;
  status_.summary = "Starting.";
}

bool StatusBoard::stands_still(core::UnixMillis now) const {
  const core::UnixMillis since = std::max(started_at_, status_.last_successful_sync.value_or(started_at_));
  return now - since > threshold_ms_;
}

std::optional<std::string> StatusBoard::stall() const {
  const core::UnixMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (status_.state == State::halted || !stands_still(now)) return std::nullopt;
  const core::UnixMillis since = status_.last_successful_sync.value_or(started_at_);
  return "No successful sync since " + core::format_rfc3339_millis(since) + ". " + status_.summary;
}

bool StatusBoard::is_in_sync() const {
  const core::UnixMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  return status_.last_successful_sync && now - *status_.last_successful_sync <= threshold_ms_;
}

ports::IndexerStatus StatusBoard::status() const {
  const core::UnixMillis now = clock_.now();
  const std::lock_guard lock(mutex_);
  ports::IndexerStatus status = status_;
  status.lag_ms = std::max<std::int64_t>(0, now - status.last_successful_sync.value_or(started_at_));
  if (status.state != State::halted && (stands_still(now) || is_up(status, ports::AlarmKind::stalled))) {
    status.state = State::stalled;
    status.summary = "No successful sync for longer than the threshold. " + status.summary;
  }
  if (circuit_ != nullptr) status.rpc_circuit = circuit_->state();
  if (witness_ != nullptr) add_witness(status);
  add_alarms_to_summary(status);
  return status;
}

void StatusBoard::add_witness(ports::IndexerStatus& status) const {
  const ports::WitnessSight sight = witness_->sight();
  const bool unreachable = sight.state == ports::WitnessSight::State::unreachable;
  status.horizon = unreachable ? ports::IndexerStatus::Horizon::unhealthy : ports::IndexerStatus::Horizon::healthy;
  if (unreachable) status.summary += " Horizon can't be reached: the RPC has no witness.";
  // What the leader has seen of the RPC, whoever leads.
  const std::uint32_t latest = std::max(statistics_.chain_latest, status.last_safe_ledger);
  if (latest == 0 || sight.latest_ledger <= witness_distance || sight.latest_ledger - witness_distance <= latest)
    return;
  status.rpc_lagging = true;
  status.summary += " The RPC lags: Horizon is at ledger " + std::to_string(sight.latest_ledger) + ", the RPC at " +
                    std::to_string(latest) + ".";
}

void StatusBoard::add_alarms_to_summary(ports::IndexerStatus& status) {
  for (const ports::IndexerAlarm& alarm : status.alarms) {
    if (alarm.kind == ports::AlarmKind::retention) status.summary += " " + alarm.reason;
    if (alarm.kind == ports::AlarmKind::stalled && alarm.cleared_at) {
      status.summary += " It was stalled from " + core::format_rfc3339_millis(alarm.raised_at) + " to " +
                        core::format_rfc3339_millis(*alarm.cleared_at) + ": alarm " + std::to_string(alarm.id) +
                        " waits to be acknowledged.";
    }
  }
}

IndexerStatistics StatusBoard::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

ports::LeaderReport StatusBoard::report(const std::string& trouble) const {
  const std::lock_guard lock(mutex_);
  ports::LeaderReport report;
  report.network = status_.network;
  report.last_safe_ledger = status_.last_safe_ledger;
  report.synced_at = status_.last_successful_sync;
  report.reorg_detected = status_.reorg_detected;
  report.rpc_healthy = status_.rpc_healthy;
  report.halted = status_.state == State::halted;
  report.trouble = trouble;
  report.summary = status_.summary;
  report.retention_ledgers = status_.retention_ledgers;
  return report;
}

void StatusBoard::leads(bool leading) {
  const std::lock_guard lock(mutex_);
  status_.leads = leading;
}

void StatusBoard::opened(const std::string& network, const std::optional<ports::Checkpoint>& checkpoint) {
  const std::lock_guard lock(mutex_);
  status_.network = network;
  if (checkpoint) status_.last_ledger = checkpoint->ledger;
}

void StatusBoard::took_over(const ports::IndexProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (!progress.leader) return;
  status_.last_safe_ledger = std::max(status_.last_safe_ledger, progress.leader->last_safe_ledger);
  const auto& before = progress.leader->synced_at;
  if (before) status_.last_successful_sync = std::max(*before, status_.last_successful_sync.value_or(*before));
}

void StatusBoard::watched(const ports::IndexProgress& progress) {
  const std::lock_guard lock(mutex_);
  if (progress.checkpoint) status_.last_ledger = progress.checkpoint->ledger;
  status_.network = progress.network;
  if (!progress.leader) {
    status_.state = State::healthy;
    status_.summary = "Another instance indexes.";
    status_.rpc_healthy = true;
    status_.last_successful_sync = progress.updated_at;
    return;
  }
  const ports::LeaderReport& leader = *progress.leader;
  if (status_.network.empty()) status_.network = leader.network;
  status_.state = leader.halted ? State::halted : State::healthy;
  status_.summary = "Another instance indexes: " + leader.summary;
  status_.last_safe_ledger = leader.last_safe_ledger;
  status_.last_successful_sync = leader.synced_at;
  status_.reorg_detected = leader.reorg_detected;
  status_.rpc_healthy = leader.rpc_healthy;
  status_.retention_ledgers = leader.retention_ledgers;
}

void StatusBoard::alarms(const std::vector<ports::IndexerAlarm>& standing) {
  const std::lock_guard lock(mutex_);
  status_.alarms = standing;
}

void StatusBoard::retention(std::optional<std::uint32_t> ledgers) {
  const std::lock_guard lock(mutex_);
  status_.retention_ledgers = ledgers;
}

void StatusBoard::indexed(std::uint32_t ledger) {
  const std::lock_guard lock(mutex_);
  status_.last_ledger = ledger;
}

void StatusBoard::synced(std::uint32_t safe_ledger, std::string_view summary, bool reorg_detected) {
  const std::lock_guard lock(mutex_);
  status_.state = State::healthy;
  status_.summary = summary;
  status_.last_safe_ledger = safe_ledger;
  status_.last_successful_sync = clock_.now();
  status_.reorg_detected = reorg_detected;
  status_.rpc_healthy = true;
}

void StatusBoard::waiting(const std::string& summary) {
  const std::lock_guard lock(mutex_);
  status_.state = State::healthy;
  status_.summary = summary;
  status_.rpc_healthy = true;
}

void StatusBoard::failed(const std::string& summary, bool rpc) {
  const std::lock_guard lock(mutex_);
  if (rpc) status_.rpc_healthy = false;
  status_.summary = summary;
}

void StatusBoard::halted(const std::string& summary, bool reorg_detected) {
  const std::lock_guard lock(mutex_);
  status_.state = State::halted;
  status_.summary = summary;
  status_.reorg_detected = reorg_detected;
}

void StatusBoard::degraded(bool degraded) {
  const std::lock_guard lock(mutex_);
  status_.degraded = degraded;
}

}  // namespace fluxora::indexer
