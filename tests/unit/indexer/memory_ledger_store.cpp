#include "memory_ledger_store.hpp"

#include <algorithm>

#include "fluxora/core/reducer.hpp"

namespace fluxora::indexer::test {
namespace {

class MemoryTransaction final : public ports::IngestTransaction {
 public:
  explicit MemoryTransaction(MemoryLedgerStore& store) : store_(store) {}

  std::vector<ports::StreamTail> streams(const std::vector<std::string>& ids) override {
    std::vector<ports::StreamTail> tails;
    for (const std::string& id : ids) {
      ports::StreamTail tail{id, std::nullopt, store_.last_seq(id)};
      if (const auto found = store_.streams.find(id); found != store_.streams.end()) tail.stream = found->second;
      tails.push_back(std::move(tail));
    }
    return tails;
  }

  std::unordered_set<std::string> standing_entries(std::uint32_t first, std::uint32_t last) override {
    std::unordered_set<std::string> identities;
    for (const core::LogEntry& entry : store_.entries) {
      if (entry.ledger < first || entry.ledger > last || !store_.stands(entry)) continue;
      identities.insert(ports::entry_identity(*entry.ledger_hash, entry.event_id, entry.stream_id));
    }
    return identities;
  }

  std::uint64_t lock_log() override {
    ++store_.log_locks;
    return store_.entries.empty() ? 0 : store_.entries.back().seq;
  }

  std::vector<ports::StreamTail> streams_due(core::UnixSeconds after, core::UnixSeconds through) override {
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
    core::Hash digest{};
    for (const auto& [sequence, record] : store_.ledgers) {
      if (sequence < ledger && record.digest) digest = *record.digest;
    }
    return digest;
  }

  std::vector<core::LogEntry> entries_above(std::uint32_t ledger) override {
    std::vector<core::LogEntry> above;
    for (auto entry = store_.entries.rbegin(); entry != store_.entries.rend(); ++entry) {
      if (entry->ledger > ledger && store_.stands(*entry)) above.push_back(*entry);
    }
    return above;
  }

  std::vector<core::Stream> states_before(const std::vector<ports::EntryPlace>& places) override {
    std::vector<core::Stream> states;
    for (const ports::EntryPlace& place : places) {
      for (auto entry = store_.entries.rbegin(); entry != store_.entries.rend(); ++entry) {
        if (entry->seq >= place.seq || entry->stream_id != place.stream_id || !entry->stream) continue;
        if (!store_.stands(*entry)) continue;
        states.push_back(*entry->stream);
        break;
      }
    }
    return states;
  }

  void commit(const ports::IngestRecord& record) override {
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
    store_.checkpoint = record.checkpoint;
    store_.commits.push_back(record);
  }

 private:
  MemoryLedgerStore& store_;
};

}  // namespace

bool MemoryLedgerStore::lead() {
  if (is_away) throw ports::StoreUnavailable("the database is away");
  return may_lead;
}

std::optional<ports::Checkpoint> MemoryLedgerStore::open(const ports::Following& following) {
  if (!wrong_network.empty()) throw ports::ForeignLog(wrong_network);
  opened.push_back(following);
  return checkpoint;
}

std::unique_ptr<ports::IngestTransaction> MemoryLedgerStore::begin(const std::optional<ports::Checkpoint>& expected) {
  if (expected != checkpoint) throw ports::CheckpointMoved("the checkpoint was moved");
  ++begun;
  return std::make_unique<MemoryTransaction>(*this);
}

std::vector<ports::LedgerHeader> MemoryLedgerStore::newest_ledgers(std::size_t limit) {
  std::vector<ports::LedgerHeader> newest;
  for (auto ledger = ledgers.rbegin(); ledger != ledgers.rend() && newest.size() < limit; ++ledger) {
    newest.push_back(ledger->second.header);
  }
  return newest;
}

std::uint32_t MemoryLedgerStore::rollback_step(std::uint32_t ledger, std::size_t max_entries) {
  std::size_t above = 0;
  for (auto known = ledgers.rbegin(); known != ledgers.rend() && known->first > ledger; ++known) {
    const std::size_t here =
        static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), [&](const core::LogEntry& entry) {
          return entry.ledger == known->first && stands(entry);
        }));
    if (above > 0 && above + here > max_entries) return known->first;
    above += here;
  }
  return ledger;
}

bool MemoryLedgerStore::stands(const core::LogEntry& entry) const {
  return !entry.retracts && std::none_of(entries.begin(), entries.end(),
                                         [&](const core::LogEntry& later) { return later.retracts == entry.seq; });
}

bool MemoryLedgerStore::has_standing(const std::string& stream_id, const std::string& event_id) const {
  return std::any_of(entries.begin(), entries.end(), [&](const core::LogEntry& entry) {
    return entry.stream_id == stream_id && entry.event_id == event_id && stands(entry);
  });
}

std::optional<std::uint64_t> MemoryLedgerStore::last_seq(const std::string& stream_id) const {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (entry->stream_id == stream_id) return entry->seq;
  }
  return std::nullopt;
}

}  // namespace fluxora::indexer::test
