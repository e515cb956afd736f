#include "memory_ledger_store.hpp"

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
      if (entry.ledger < first || entry.ledger > last) continue;
      identities.insert(ports::entry_identity(*entry.ledger_hash, entry.event_id, entry.stream_id));
    }
    return identities;
  }

  std::uint64_t lock_log() override {
    ++store_.log_locks;
    return store_.entries.empty() ? 0 : store_.entries.back().seq;
  }

  void commit(const ports::IngestRecord& record) override {
    if (store_.is_away_at_commit) throw ports::StoreUnavailable("the database went away");
    for (const core::LogEntry& entry : record.entries) store_.entries.push_back(entry);
    for (const core::Stream& stream : record.streams) store_.streams[stream.id] = stream;
    for (const ports::LedgerHeader& ledger : record.ledgers) store_.ledgers.emplace(ledger.sequence, ledger);
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

std::optional<std::uint64_t> MemoryLedgerStore::last_seq(const std::string& stream_id) const {
  for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
    if (entry->stream_id == stream_id) return entry->seq;
  }
  return std::nullopt;
}

}  // namespace fluxora::indexer::test
