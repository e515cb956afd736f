#include "memory_ledger_store.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

#include "fluxora/core/reducer.hpp"

namespace fluxora::indexer::test {
namespace {

class MemoryTransaction final : public ports::IngestTransaction {
 public:
  explicit MemoryTransaction(MemoryLedgerStore& store) : store_(store) {}

  std::vector<ports::StreamTail> streams(const std::vector<std::string>& ids) override {
    store_.note("streams");
    std::vector<ports::StreamTail> tails;
    for (const std::string& id : ids) {
      ports::StreamTail tail{id, std::nullopt, store_.last_seq(id)};
      if (const auto found = store_.streams.find(id); found != store_.streams.end()) tail.stream = found->second;
      tails.push_back(std::move(tail));
    }
    return tails;
  }

  std::unordered_set<std::string> standing_entries(std::uint32_t first, std::uint32_t last) override {
    store_.note("standing_entries");
    std::unordered_set<std::string> identities;
    for (const core::LogEntry& entry : store_.entries) {
      if (entry.ledger < first || entry.ledger > last || !store_.stands(entry)) continue;
      identities.insert(ports::entry_identity(*entry.ledger_hash, entry.event_id, entry.stream_id));
    }
    return identities;
  }

  std::uint64_t lock_log() override {
    store_.note("lock_log");
    ++store_.log_locks;
    return store_.entries.empty() ? 0 : store_.entries.back().seq;
  }

  std::vector<ports::StreamTail> streams_due(core::UnixSeconds after, core::UnixSeconds through) override {
    store_.note("streams_due");
    std::vector<ports::StreamTail> due;
    for (const auto& [id, stream] : store_.streams) {
      const auto passed = [&](core::UnixSeconds at, const char* kind) {
        return at > after && at <= through && !store_.has_standing(id, std::string(kind) + std::to_string(at));
      };
      const bool has_cliff = stream.cliff_time > stream.start_time;
      if (core::is_final(stream.status)) continue;
      if (!(has_cliff && passed(stream.cliff_time, "cliff_reached-")) && !passed(stream.end_time, "ended-")) continue;
      due.push_back({id, stream, store_.last_seq(id)});
    }
    return due;
  }

  core::Hash digest_before(std::uint32_t ledger) override {
    store_.note("digest_before");
    auto record = store_.ledgers.lower_bound(ledger);
    while (record != store_.ledgers.begin()) {
      if ((--record)->second.digest) return *record->second.digest;
    }
    return {};
  }

  std::vector<core::LogEntry> entries_above(std::uint32_t ledger) override {
    store_.note("entries_above");
    std::vector<core::LogEntry> above;
    for (auto entry = store_.entries.rbegin(); entry != store_.entries.rend(); ++entry) {
      if (entry->ledger > ledger && store_.stands(*entry)) above.push_back(*entry);
    }
    return above;
  }

  std::vector<core::Stream> states_before(const std::vector<ports::EntryPlace>& places) override {
    store_.note("states_before");
    std::vector<core::Stream> states;
    for (const ports::EntryPlace& place : places) {
      const std::vector<std::size_t>& own = store_.entries_of(place.stream_id);
      for (auto at = own.rbegin(); at != own.rend(); ++at) {
        const core::LogEntry& entry = store_.entries[*at];
        if (entry.seq >= place.seq || !entry.stream || !store_.stands(entry)) continue;
        states.push_back(*entry.stream);
        break;
      }
    }
    return states;
  }

  [[nodiscard]] const std::optional<ports::Checkpoint>& checkpoint() const override { return store_.checkpoint; }
  [[nodiscard]] std::uint32_t pruned_ledger() const override { return store_.pruned_ledger; }

  core::Cursor log_end() override {
    store_.note("log_end");
    return {"epoch", store_.entries.empty() ? 0 : store_.entries.back().seq};
  }

  std::vector<ports::LedgerHeader> ledgers_around(const std::vector<std::uint32_t>& numbers) override {
    store_.note("ledgers_around");
    std::map<std::uint32_t, ports::LedgerHeader> around;
    for (const std::uint32_t number : numbers) {
      const auto here = store_.ledgers.lower_bound(number);
      if (here != store_.ledgers.begin()) around.insert({std::prev(here)->first, std::prev(here)->second.header});
      if (here != store_.ledgers.end() && here->first == number) around.insert({number, here->second.header});
      const auto behind = store_.ledgers.upper_bound(number);
      if (behind != store_.ledgers.end()) around.insert({behind->first, behind->second.header});
    }
    std::vector<ports::LedgerHeader> headers;
    for (const auto& [number, header] : around) headers.push_back(header);
    return headers;
  }

  std::vector<ports::LedgerHeader> held_ledgers(std::uint32_t first, std::uint32_t last) override {
    store_.note("held_ledgers");
    std::vector<ports::LedgerHeader> headers;
    for (auto at = store_.ledgers.lower_bound(first); at != store_.ledgers.end() && at->first <= last; ++at) {
      headers.push_back(at->second.header);
    }
    return headers;
  }

  std::vector<core::LogEntry> standing_events(std::uint32_t first, std::uint32_t last) override {
    store_.note("standing_events");
    std::map<std::string, core::LogEntry> events;
    for (const core::LogEntry& entry : store_.entries) {
      if (entry.ledger < first || entry.ledger > last || !entry.tx_hash || !store_.stands(entry)) continue;
      events.try_emplace(entry.event_id, entry);
    }
    std::vector<core::LogEntry> ascending;
    for (const auto& [id, entry] : events) ascending.push_back(entry);
    return ascending;
  }

  std::size_t count_above(std::uint32_t ledger, std::size_t limit) override {
    store_.note("count_above");
    const auto above = std::count_if(store_.entries.begin(), store_.entries.end(), [&](const core::LogEntry& entry) {
      return entry.ledger > ledger && store_.stands(entry);
    });
    const auto held = std::distance(store_.ledgers.upper_bound(ledger), store_.ledgers.end());
    return std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(above, held)), limit);
  }

  std::vector<ports::StreamLedger> last_ledgers(const std::vector<std::string>& ids) override {
    store_.note("last_ledgers");
    std::vector<ports::StreamLedger> last;
    for (const std::string& id : ids) {
      const auto held = store_.streams.find(id);
      std::optional<std::uint32_t> ledger;
      if (held != store_.streams.end()) {
        ledger = held->second.ledger;
      } else {
        for (const std::size_t at : store_.entries_of(id)) {
          const core::LogEntry& entry = store_.entries[at];
          if (entry.in_successful_call && entry.ledger && store_.stands(entry)) ledger = entry.ledger;
        }
      }
      const auto known = ledger ? store_.ledgers.find(*ledger) : store_.ledgers.end();
      if (known != store_.ledgers.end()) last.push_back({id, known->second.header});
    }
    return last;
  }

  std::vector<core::Stream> logged_states(const std::vector<std::string>& ids) override {
    store_.note("logged_states");
    std::vector<core::Stream> states;
    for (const std::string& id : ids) {
      const std::vector<std::size_t>& own = store_.entries_of(id);
      const auto left = std::find_if(own.rbegin(), own.rend(), [&](std::size_t at) {
        return store_.entries[at].stream || store_.entries[at].retracts;
      });
      if (left != own.rend() && store_.entries[*left].stream) states.push_back(*store_.entries[*left].stream);
    }
    return states;
  }

  std::optional<ports::LedgerHeader> first_ledger_closing(core::UnixSeconds at) override {
    store_.note("first_ledger_closing");
    for (const auto& [sequence, record] : store_.ledgers) {
      if (record.header.closed_at >= at) return record.header;
    }
    return std::nullopt;
  }

  void commit(const ports::IngestRecord& record) override {
    store_.note("commit");
    if (store_.is_away_at_commit) throw ports::StoreUnavailable("the database went away");
    if (record.forget_above)
      store_.ledgers.erase(store_.ledgers.upper_bound(*record.forget_above), store_.ledgers.end());
    for (const core::LogEntry& entry : record.entries) store_.entries.push_back(entry);
    for (const core::Stream& stream : record.streams) store_.streams[stream.id] = stream;
    for (const std::string& id : record.gone_streams) store_.streams.erase(id);
    for (const ports::LedgerRecord& ledger : record.ledgers) {
      ports::LedgerRecord& held = store_.ledgers.try_emplace(ledger.header.sequence, ledger).first->second;
      if (ledger.digest) held.digest = ledger.digest;
    }
    for (const std::string& id : record.findings.observed) store_.observations.erase(id);
    std::unordered_set<std::string> listed;
    for (const ports::ObservationRequest& request : record.to_observe) {
      if (!listed.insert(request.stream_id).second) throw std::logic_error(request.stream_id + " is listed twice");
      put_on_list(request);
    }
    for (const ports::Difference& difference : record.findings.differences) store_.differences.push_back(difference);
    if (record.findings.audit) store_.audit = *record.findings.audit;
    store_.checkpoint = record.checkpoint;
    store_.commits.push_back(record);
    store_.note("committed");
  }

 private:
  void put_on_list(const ports::ObservationRequest& request) {
    const auto [at, is_new] = store_.observations.try_emplace(request.stream_id, request);
    if (is_new) return;
    at->second.not_before = std::min(at->second.not_before, request.not_before);
    at->second.audited = at->second.audited || request.audited;
  }

  MemoryLedgerStore& store_;
};

}  // namespace

bool MemoryLedgerStore::lead() {
  note("lead");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  return may_lead;
}

ports::IndexProgress MemoryLedgerStore::progress() {
  note("progress");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  ports::IndexProgress progress{checkpoint, updated_at, network, leader, {}};
  for (const ports::IndexerAlarm& alarm : alarms) {
    const bool latched = alarm.kind != ports::AlarmKind::retention && !alarm.acknowledged_at;
    if (latched || !alarm.cleared_at) progress.alarms.push_back(alarm);
  }
  return progress;
}

void MemoryLedgerStore::publish(const ports::LeaderReport& report) {
  note("publish");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  leader = report;
}

bool MemoryLedgerStore::raise_alarm(ports::AlarmKind kind, const std::string& reason) {
  note("raise_alarm");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  for (ports::IndexerAlarm& alarm : alarms) {
    if (alarm.kind != kind || (alarm.acknowledged_at && alarm.cleared_at)) continue;
    if (!alarm.cleared_at) return false;
    alarm.cleared_at.reset();
    alarm.reason = reason;
    return true;
  }
  alarms.push_back({alarms.size() + 1, kind, "epoch", reason, updated_at, std::nullopt, std::nullopt, ""});
  return true;
}

bool MemoryLedgerStore::clear_alarm(ports::AlarmKind kind) {
  note("clear_alarm");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  bool cleared = false;
  for (ports::IndexerAlarm& alarm : alarms) {
    if (alarm.kind != kind || alarm.cleared_at) continue;
    alarm.cleared_at = updated_at;
    cleared = true;
  }
  return cleared;
}

std::optional<ports::Checkpoint> MemoryLedgerStore::open(const ports::Following& following) {
  note("open");
  if (!wrong_network.empty()) throw ports::ForeignLog(wrong_network);
  opened.push_back(following);
  opened_epoch_ = epoch;
  return checkpoint;
}

std::vector<ports::ObservationRequest> MemoryLedgerStore::due_observations(std::uint32_t ledger, std::size_t limit) {
  note("due_observations");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  std::vector<ports::ObservationRequest> due;
  for (const auto& [id, request] : observations) {
    if (request.not_before <= ledger) due.push_back(request);
  }
  std::stable_sort(due.begin(), due.end(), [](const ports::ObservationRequest& a, const ports::ObservationRequest& b) {
    return a.not_before < b.not_before;
  });
  if (due.size() > limit) due.resize(limit);
  return due;
}

std::vector<std::string> MemoryLedgerStore::streams_to_audit(const std::string& after, std::size_t limit) {
  note("streams_to_audit");
  std::vector<std::string> ids;
  for (auto stream = streams.upper_bound(after); stream != streams.end() && ids.size() < limit; ++stream) {
    if (stream->second.source != core::StreamSource::chain || stream->second.archived) continue;
    if (observations.count(stream->first) == 0) ids.push_back(stream->first);
  }
  return ids;
}

ports::AuditState MemoryLedgerStore::audit_state() {
  note("audit_state");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  return audit;
}

std::unique_ptr<ports::IngestTransaction> MemoryLedgerStore::begin(const std::optional<ports::Checkpoint>& expected) {
  note("begin");
  if (expected != checkpoint) throw ports::CheckpointMoved("the checkpoint was moved");
  if (epoch != opened_epoch_) throw ports::CheckpointMoved("another log is in its place");
  ++begun;
  return std::make_unique<MemoryTransaction>(*this);
}

std::unique_ptr<ports::IngestTransaction> MemoryLedgerStore::begin_at_held(const ports::Following& following) {
  note("begin_at_held");
  if (is_away) throw ports::StoreUnavailable("the database is away");
  if (!wrong_network.empty()) throw ports::ForeignLog(wrong_network);
  opened.push_back(following);
  ++begun;
  return std::make_unique<MemoryTransaction>(*this);
}

std::vector<ports::LedgerHeader> MemoryLedgerStore::newest_ledgers(std::size_t limit) {
  note("newest_ledgers");
  std::vector<ports::LedgerHeader> newest;
  for (auto ledger = ledgers.rbegin(); ledger != ledgers.rend() && newest.size() < limit; ++ledger) {
    newest.push_back(ledger->second.header);
  }
  return newest;
}

std::uint32_t MemoryLedgerStore::rollback_step(std::uint32_t ledger, std::size_t max_entries) {
  note("rollback_step");
  max_entries = std::min(max_entries, rollback_limit);
  std::map<std::uint32_t, std::size_t> standing;  // entries of each ledger
  for (const core::LogEntry& entry : entries) {
    if (entry.ledger > ledger && stands(entry)) ++standing[*entry.ledger];
  }
  std::size_t above = 0;
  for (auto known = ledgers.rbegin(); known != ledgers.rend() && known->first > ledger; ++known) {
    const auto here = standing.find(known->first);
    if (here == standing.end()) continue;
    if (above > 0 && above + here->second > max_entries) return known->first;
    above += here->second;
  }
  return ledger;
}

const MemoryLedgerStore::Index& MemoryLedgerStore::index() const {
  for (; index_.indexed < entries.size(); ++index_.indexed) {
    const core::LogEntry& entry = entries[index_.indexed];
    if (entry.retracts) index_.retracted.insert(*entry.retracts);
    if (!entry.stream_id.empty()) index_.of_stream[entry.stream_id].push_back(index_.indexed);
  }
  return index_;
}

bool MemoryLedgerStore::stands(const core::LogEntry& entry) const {
  return !entry.retracts && index().retracted.count(entry.seq) == 0;
}

const std::vector<std::size_t>& MemoryLedgerStore::entries_of(const std::string& stream_id) const {
  static const std::vector<std::size_t> none;
  const auto found = index().of_stream.find(stream_id);
  return found == index_.of_stream.end() ? none : found->second;
}

bool MemoryLedgerStore::has_standing(const std::string& stream_id, const std::string& event_id) const {
  const std::vector<std::size_t>& own = entries_of(stream_id);
  return std::any_of(own.begin(), own.end(),
                     [&](std::size_t at) { return entries[at].event_id == event_id && stands(entries[at]); });
}

std::optional<std::uint64_t> MemoryLedgerStore::last_seq(const std::string& stream_id) const {
  const std::vector<std::size_t>& own = entries_of(stream_id);
  if (own.empty()) return std::nullopt;
  return entries[own.back()].seq;
}

}  // namespace fluxora::indexer::test
