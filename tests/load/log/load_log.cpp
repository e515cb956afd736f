#include "load_log.hpp"

#include <chrono>
#include <initializer_list>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "chain_events.hpp"
#include "fluxora/indexer/rollback.hpp"
#include "stream_samples.hpp"

namespace fluxora::load {
namespace {

constexpr core::UnixSeconds genesis = 1'700'000'000;
constexpr std::size_t contract_characters = 56;

core::Hash hash_of_ledger(std::uint32_t sequence) {
  core::Hash hash{};
  for (std::size_t i = 0; i < 4; ++i) hash[i] = static_cast<std::uint8_t>(sequence >> (8 * i));
  return hash;
}

store::StoreOptions options_of(const std::string& url) {
  store::StoreOptions options;
  options.database_url = url;
  options.read_connections = 1;
  return options;
}

/// Waits a moment for one that has just ended: its session may outlive it a little.
void lead(ports::LedgerStore& ledgers) {
  constexpr int tries = 100;
  for (int tried = 0; !ledgers.lead(); ++tried) {
    if (tried == tries) throw std::runtime_error("another instance leads");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

ports::LedgerHeader header_of(std::uint32_t sequence) {
  return {sequence, hash_of_ledger(sequence), hash_of_ledger(sequence - 1), genesis + sequence * std::uint64_t{5}};
}

ports::ChainEvent creation(std::uint64_t stream, core::UnixSeconds closed_at) {
  using namespace indexer::test;
  constexpr core::UnixSeconds month = 30 * 86'400;
  return event_of("created", stream,
                  map_xdr({{"cliff_time", u64_xdr(closed_at)},
                           {"deposit_amount", i128_xdr(core::tokens(1'000'000))},
                           {"end_time", u64_xdr(closed_at + month)},
                           {"rate_per_second", i128_xdr({3'858'024})},
                           {"recipient", address_xdr(core::sample_recipient)},
                           {"sender", address_xdr(core::sample_sender)},
                           {"start_time", u64_xdr(closed_at)},
                           {"stream_id", u64_xdr(stream)}}));
}

class LoadLog::QuietLog final : public ports::Log {
 public:
  void write(ports::LogLevel, std::string_view, std::string_view, std::initializer_list<ports::LogField>) override {}
};

LoadLog::LoadLog(const std::string& database_url)
    : log_(std::make_unique<QuietLog>()),
      store_(options_of(database_url), *log_),
      ledgers_(store_.make_ledger_store()) {
  lead(*ledgers_);
  checkpoint_ = ledgers_->open({"load", indexer::test::stream_id(0).substr(0, contract_characters)});
}

LoadLog::~LoadLog() = default;

std::size_t LoadLog::ingest(const indexer::LedgerBatch& batch) {
  const std::size_t inserted = indexer::ingest(batch, /*fold=*/true, *ledgers_->begin(checkpoint_)).inserted;
  const ports::LedgerHeader& last = batch.headers.back();
  checkpoint_ = ports::Checkpoint{last.sequence, last.hash, last.closed_at};
  return inserted;
}

std::size_t LoadLog::roll_back(std::uint32_t target, std::size_t entries) {
  const ports::LedgerHeader header = header_of(ledgers_->rollback_step(target, entries));
  const ports::Checkpoint to{header.sequence, header.hash, header.closed_at};
  const std::size_t made = indexer::roll_back(to, *ledgers_->begin(checkpoint_));
  checkpoint_ = to;
  return made;
}

}  // namespace fluxora::load
