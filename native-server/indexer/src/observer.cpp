#include "observer.hpp"

#include <utility>

#include "examination.hpp"
#include "fluxora/core/circuit_breaker.hpp"
#include "fluxora/core/ledger_key.hpp"

namespace fluxora::indexer {
namespace {

using std::chrono::milliseconds;

/// After trouble with the RPC the storage is left alone for a while.
constexpr core::Backoff backoff{1'000, 60'000};

ports::LogField::Json json_of(const std::string& text) {
  return {text};
}

}  // namespace

Observer::Observer(const std::string& contracts, milliseconds audit_interval, ports::ChainSource& chain,
                   ports::LedgerStore& store, ports::Clock& clock, ports::Log& log)
    : follows_(contracts != "*"),
      audit_interval_(audit_interval),
      chain_(chain),
      store_(store),
      clock_(clock),
      log_(log),
      tokens_(contracts, chain) {}

void Observer::open() {
  if (!follows_) return;
  audit_ = store_.audit_state();
  tokens_.forget();
  try {
    tokens_.learn();
  } catch (const ports::ChainError& error) {
    if (error.kind() == ports::ChainError::Kind::cancelled) throw;
    log_.warn("tokens_unread", error.what());  // the next look reads them
  }
}

bool Observer::look(const ports::Checkpoint& checkpoint) {
  if (!follows_ || clock_.now() < not_before_) return false;
  try {
    const bool more_waits = look_now(checkpoint);
    failures_in_a_row_ = 0;
    return more_waits;
  } catch (const ports::ChainError& error) {
    if (error.kind() == ports::ChainError::Kind::cancelled) throw;
    log_.warn("storage_unread", error.what());
    not_before_ = clock_.now() + backoff.pause_ms(++failures_in_a_row_);
    const std::lock_guard lock(mutex_);
    ++statistics_.failures;
    return false;
  }
}

bool Observer::look_now(const ports::Checkpoint& checkpoint) {
  Requests requests = store_.due_observations(checkpoint.ledger, ports::max_storage_keys);
  const bool auditing = requests.empty() && audit_is_due();
  if (auditing) requests = next_to_audit();
  const bool is_page_full = requests.size() == ports::max_storage_keys;
  ports::IngestRecord record;
  if (requests.empty()) {
    if (!auditing) return false;
    record.findings.audit = advanced(requests, 0, /*is_last=*/true);
    commit(checkpoint, std::move(record), *store_.begin(checkpoint));
    return false;
  }

  tokens_.learn();
  const std::optional<ports::StorageAnswer> storage = read(checkpoint, requests);
  if (!storage) return false;
  const auto transaction = store_.begin(checkpoint);
  record = Examination(checkpoint, tokens_, *transaction).examine(requests, *storage);
  if (auditing) {
    record.findings.audit = advanced(requests, record.findings.differences.size(), !is_page_full);
  } else if (!record.findings.differences.empty() && audit_.pass) {
    // What waited for the audit's sake is still a part of its pass.
    record.findings.audit = audit_;
    record.findings.audit->pass->differences += record.findings.differences.size();
  }
  commit(checkpoint, std::move(record), *transaction);
  return !auditing && is_page_full;
}

bool Observer::audit_is_due() const {
  if (audit_interval_.count() == 0) return false;
  return audit_.pass || !audit_.last_pass || clock_.now() - audit_.last_pass->started_at >= audit_interval_.count();
}

Observer::Requests Observer::next_to_audit() {
  Requests requests;
  const std::string& after = audit_.pass ? audit_.after : std::string();
  for (std::string& id : store_.streams_to_audit(after, ports::max_storage_keys)) {
    requests.push_back({std::move(id), 0, /*audited=*/true, 0});
  }
  return requests;
}

std::optional<ports::StorageAnswer> Observer::read(const ports::Checkpoint& checkpoint, const Requests& requests) {
  std::vector<core::Bytes> keys;
  for (const ports::ObservationRequest& request : requests) {
    keys.push_back(core::stream_ledger_key(request.stream_id).value());
  }
  if (!holds(checkpoint)) return std::nullopt;
  ports::StorageAnswer answer = chain_.contract_data(keys);
  // Another server may have answered, that lags; and the chain may have changed meanwhile.
  if (answer.ledger.sequence < checkpoint.ledger || !holds(checkpoint)) return std::nullopt;
  return answer;
}

bool Observer::holds(const ports::Checkpoint& checkpoint) {
  return chain_.ledgers(checkpoint.ledger, checkpoint.ledger).front().hash == checkpoint.hash;
}

ports::AuditState Observer::advanced(const Requests& audited, std::size_t differences, bool is_last) const {
  ports::AuditState state = audit_;
  if (!state.pass) state.pass = ports::AuditPass{clock_.now(), 0, 0};
  state.pass->streams += audited.size();
  state.pass->differences += differences;
  if (!is_last) {
    state.after = audited.back().stream_id;
    return state;
  }
  return {std::nullopt, "", state.pass, clock_.now()};
}

void Observer::commit(const ports::Checkpoint& checkpoint, ports::IngestRecord record,
                      ports::IngestTransaction& transaction) {
  record.checkpoint = checkpoint;
  transaction.commit(record);
  report(record);
  if (record.findings.audit) audit_ = *record.findings.audit;
}

void Observer::report(const ports::IngestRecord& record) {
  for (const ports::Difference& difference : record.findings.differences) {
    log_.warn("audit_difference", ports::difference_name(difference.kind),
              {{"streamId", difference.stream_id},
               {"ledger", std::uint64_t{difference.ledger}},
               {"difference", ports::difference_name(difference.kind)},
               {"fields", json_of(difference.fields)}});
  }
  const auto& audit = record.findings.audit;
  const bool completed = audit && !audit->pass && audit->last_pass;
  if (completed && audit->last_pass->streams > 0) {
    log_.info("audit_completed", "",
              {{"streams", audit->last_pass->streams}, {"differences", audit->last_pass->differences}});
  }
  const std::lock_guard lock(mutex_);
  for (const core::LogEntry& entry : record.entries) {
    if (entry.event == core::EventName::stream_observed) ++statistics_.observations;
  }
  for (const ports::Difference& difference : record.findings.differences) {
    ++statistics_.differences[static_cast<std::size_t>(difference.kind)];
  }
  if (!audit) return;
  const std::uint64_t before = audit_.pass ? audit_.pass->streams : 0;
  statistics_.audited += (completed ? audit->last_pass->streams : audit->pass->streams) - before;
  if (completed) ++statistics_.audit_passes;
}

ObserverStatistics Observer::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace fluxora::indexer
