#include "examination.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/ledger_key.hpp"
#include "fluxora/core/observation.hpp"
#include "fluxora/core/sha256.hpp"
#include "stream_fields.hpp"
#include "time_queue.hpp"

namespace fluxora::indexer {
namespace {

using ports::DifferenceKind;

/// `observed-<ledger>-<digest>`: the ledger in which the entry was written (where there is none any more, of the
/// stream's last change), with ten digits so that it sorts, and the first four bytes of the SHA-256 of what is
/// observed. A second observation of the same entry differs in the token that has become known, hence in these.
std::string event_id(std::uint32_t written_at, const core::LogEntry& entry) {
  core::Bytes observed = entry.value_xdr;
  for (const core::Bytes& topic : entry.topics_xdr) observed.insert(observed.end(), topic.begin(), topic.end());
  const core::Hash hash = core::sha256(observed);
  char ledger[16];
  std::snprintf(ledger, sizeof ledger, "%010u", written_at);
  return std::string("observed-") + ledger + "-" + core::hex_encode(core::ByteView(hash).first(4));
}

}  // namespace

ports::IngestRecord Examination::examine(const std::vector<ports::ObservationRequest>& requests,
                                         const ports::StorageAnswer& storage) {
  std::vector<std::string> ids;
  for (const ports::ObservationRequest& request : requests) ids.push_back(request.stream_id);
  findings_.observed = ids;

  RecordBuilder builder(transaction_.lock_log(), /*fold=*/true);
  std::map<std::string, core::Stream> states;
  for (core::Stream& state : transaction_.logged_states(ids)) states.emplace(state.id, state);
  std::map<std::string, ports::LedgerHeader> last_ledgers;
  for (const ports::StreamLedger& last : transaction_.last_ledgers(ids)) last_ledgers[last.stream_id] = last.ledger;
  std::map<std::string, std::optional<core::Stream>> rows;
  for (ports::StreamTail& tail : transaction_.streams(ids)) {
    rows[tail.id] = tail.stream;
    builder.know(std::move(tail));
  }

  for (std::size_t i = 0; i < requests.size(); ++i) {
    const std::string& id = requests[i].stream_id;
    const auto state = states.find(id);
    const auto last = last_ledgers.find(id);
    const Subject subject{requests[i], state != states.end() ? &state->second : nullptr,
                          last != last_ledgers.end() ? &last->second : nullptr};
    const core::Stream* row = rows[id] ? &*rows[id] : nullptr;
    const bool row_is_right = row != nullptr && subject.state != nullptr ? *row == *subject.state
                                                                         : row == nullptr && subject.state == nullptr;
    if (row_is_right) {
      examine(subject, storage.entries[i], storage.ledger.sequence, builder);
    } else {
      // Nothing is built on a row that is wrong. A rebuild mends it.
      findings_.differences.push_back(
          {id, DifferenceKind::table_differs_from_log, checkpoint_.ledger, differing_fields(row, subject.state)});
    }
  }
  ports::IngestRecord record = std::move(builder).finish();
  record.to_observe = std::move(waiting_);
  record.findings = std::move(findings_);
  return record;
}

void Examination::examine(const Subject& subject, const std::optional<ports::StorageEntry>& entry,
                          std::uint32_t answered_at, RecordBuilder& builder) {
  if (subject.last_ledger == nullptr) return;
  if (!entry) return missing(subject, answered_at, builder);
  if (entry->last_modified_ledger > checkpoint_.ledger) return wait(subject, entry->last_modified_ledger);
  compare(subject, *entry, builder);
}

void Examination::missing(const Subject& subject, std::uint32_t answered_at, RecordBuilder& builder) {
  if (subject.state == nullptr) return;
  if (!subject.state->archived) {
    const std::uint32_t since = subject.request.absent_at != 0 ? subject.request.absent_at : answered_at;
    // Above the checkpoint the stream may have been closed.
    if (since > checkpoint_.ledger) return wait(subject, since, since);
    const bool may_have_expired = checkpoint_.ledger - subject.last_ledger->sequence >= entry_lifetime;
    if (!may_have_expired) note(subject, DifferenceKind::entry_missing, nullptr);
  }
  // The contract's instance outlives the entry, and names the token.
  if (subject.state->token || !tokens_.of_stream(subject.request.stream_id)) return;
  append(subject, subject.last_ledger->sequence, core::encode_no_entry(), builder);
}

void Examination::compare(const Subject& subject, const ports::StorageEntry& entry, RecordBuilder& builder) {
  const std::string& id = subject.request.stream_id;
  const auto value = core::contract_data_value(entry.key, entry.xdr);
  const auto decoded = value ? core::decode_scval(*value) : core::Result<core::ScVal>(value.error());
  auto stored = decoded ? core::decode_stored_stream(*decoded) : core::Result<core::StoredStream>(decoded.error());
  if (!stored || core::chain_stream_id(id.substr(0, id.find('-')), stored->number) != id) {
    return note(subject, DifferenceKind::entry_unreadable, nullptr);
  }

  std::optional<core::Stream> right;
  if (subject.state != nullptr) {
    right = *subject.state;
    core::apply_observation(*right, {std::move(*stored), tokens_.of_stream(id)});
    if (*right == *subject.state) return;
  }
  const core::Stream* stream = right ? &*right : nullptr;
  if (entry.last_modified_ledger > subject.last_ledger->sequence) {
    return note(subject, DifferenceKind::changed_without_event, stream);
  }
  if (subject.request.audited) note(subject, DifferenceKind::log_differs_from_contract, stream);
  append(subject, entry.last_modified_ledger, *value, builder);
}

void Examination::append(const Subject& subject, std::uint32_t written_at, core::ByteView value,
                         RecordBuilder& builder) {
  const std::string& id = subject.request.stream_id;
  const std::size_t dash = id.find('-');
  const auto token = tokens_.of_stream(id);
  core::LogEntry observed;
  observed.event = core::EventName::stream_observed;
  observed.kind = "observed";
  observed.stream_id = id;
  observed.contract_id = id.substr(0, dash);
  observed.ledger = subject.last_ledger->sequence;
  observed.ledger_hash = subject.last_ledger->hash;
  observed.closed_at = subject.last_ledger->closed_at;
  observed.topics_xdr = *core::encode_observation_topics(*core::parse_u64(id.substr(dash + 1)), token);
  observed.value_xdr.assign(value.begin(), value.end());
  observed.event_id = event_id(written_at, observed);
  builder.append_own(std::move(observed));
  const core::LogEntry& appended = builder.entries().back();
  if (appended.stream) pass_times(subject.state, core::Stream(*appended.stream), *subject.last_ledger, builder);
}

void Examination::pass_times(const core::Stream* before, const core::Stream& after, const ports::LedgerHeader& ledger,
                             RecordBuilder& builder) {
  TimeQueue times(0, checkpoint_.closed_at);
  times.changed(before, after);
  while (const auto at = times.next()) {
    // The entry belongs to the ledger that passed it, and to none before the observation's: so a rollback undoes it
    // exactly where the time is still to come, or the stream is not yet known to have it.
    const auto passed_by = transaction_.first_ledger_closing(std::max(*at, ledger.closed_at));
    if (!passed_by) return;
    times.pass(*passed_by, builder);
  }
}

void Examination::note(const Subject& subject, DifferenceKind kind, const core::Stream* right) {
  const std::string fields = right != nullptr ? differing_fields(subject.state, right) : "{}";
  findings_.differences.push_back({subject.request.stream_id, kind, checkpoint_.ledger, fields});
}

void Examination::wait(const Subject& subject, std::uint32_t ledger, std::uint32_t absent_at) {
  waiting_.push_back({subject.request.stream_id, ledger, subject.request.audited, absent_at});
}

}  // namespace fluxora::indexer
