#include "memory_chain.hpp"

#include <algorithm>
#include <utility>

#include "chain_events.hpp"

namespace fluxora::indexer::test {

core::Hash ledger_hash(std::uint32_t ledger, std::uint8_t fork) {
  core::Hash hash{};
  hash[0] = fork;
  for (std::size_t i = 0; i < 4; ++i) hash[28 + i] = static_cast<std::uint8_t>(ledger >> (8 * (3 - i)));
  return hash;
}

core::UnixSeconds closed_at(std::uint32_t ledger) {
  return 500 + core::UnixSeconds{ledger} * 5;
}

ports::LedgerHeader header(std::uint32_t ledger, std::uint8_t fork) {
  return {ledger, ledger_hash(ledger, fork), ledger_hash(ledger - 1, fork), closed_at(ledger)};
}

void MemoryChain::put(std::uint32_t ledger, ports::ChainEvent event) {
  const auto of_ledger = std::count_if(events_.begin(), events_.end(),
                                       [&](const ports::ChainEvent& other) { return other.ledger == ledger; });
  events_.push_back(placed(std::move(event), ledger, static_cast<std::uint32_t>(of_ledger), closed_at(ledger)));
  std::sort(events_.begin(), events_.end(),
            [](const ports::ChainEvent& a, const ports::ChainEvent& b) { return a.event_id < b.event_id; });
}

void MemoryChain::fail_next(ports::ChainError::Kind kind, const std::string& message) {
  failures_.emplace_back(ports::ChainError(kind, message));
}

void MemoryChain::fail_after(int succeeding, ports::ChainError::Kind kind) {
  failures_.assign(static_cast<std::size_t>(succeeding), std::nullopt);
  fail_next(kind);
}

std::string MemoryChain::network_passphrase() {
  ++passphrase_calls;
  maybe_fail();
  return passphrase;
}

ports::LedgerWindow MemoryChain::window() {
  maybe_fail();
  return held;
}

ports::EventBatch MemoryChain::events(std::uint32_t first, std::uint32_t last) {
  event_calls.emplace_back(first, last);
  maybe_fail();
  const std::uint32_t through = std::max(first, std::min(last, complete_through.value_or(last)));
  ports::EventBatch batch{{}, through, held};
  for (const ports::ChainEvent& event : events_) {
    if (event.ledger >= first && event.ledger <= through) batch.events.push_back(event);
  }
  if (forks_while_read) forked_from = std::exchange(forks_while_read, std::nullopt);
  return batch;
}

std::vector<ports::LedgerHeader> MemoryChain::ledgers(std::uint32_t first, std::uint32_t last) {
  ledger_calls.emplace_back(first, last);
  maybe_fail();
  std::vector<ports::LedgerHeader> headers;
  for (std::uint32_t ledger = first; ledger <= last; ++ledger) {
    ports::LedgerHeader added = header(ledger, forked_from && ledger >= *forked_from ? 1 : 0);
    if (broken_link_at == ledger) added.previous_hash = ledger_hash(ledger, 9);
    added.closed_at += header_time_shift;
    headers.push_back(added);
  }
  return headers;
}

ports::StorageAnswer MemoryChain::contract_data(const std::vector<core::Bytes>& keys) {
  storage_calls.push_back(keys.size());
  maybe_fail();
  if (at_contract_data) at_contract_data();
  ports::StorageAnswer answer{{}, header(held.latest, forked_from && held.latest >= *forked_from ? 1 : 0)};
  for (const core::Bytes& key : keys) {
    const auto found = storage.find(key);
    answer.entries.push_back(found == storage.end() ? std::nullopt : std::optional(found->second));
  }
  return answer;
}

void MemoryChain::maybe_fail() {
  if (cancelled_) throw ports::ChainError(ports::ChainError::Kind::cancelled, "cancelled");
  if (failures_.empty()) return;
  const std::optional<ports::ChainError> failure = failures_.front();
  failures_.pop_front();
  if (failure) throw ports::ChainError(*failure);
}

}  // namespace fluxora::indexer::test
