#include "fork.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "fluxora/core/chain_tip.hpp"
#include "fluxora/indexer/rollback.hpp"
#include "halt.hpp"

namespace fluxora::indexer {
namespace {

// What one transaction of a rollback undoes, more or less, and how far back a fork is looked for.
constexpr std::size_t rollback_entries = 50'000;
constexpr std::size_t fork_search_ledgers = 100'000;

ports::Checkpoint checkpoint_at(const std::vector<core::LedgerHeader>& held, std::uint32_t sequence) {
  const auto found = std::find_if(held.begin(), held.end(),
                                  [&](const core::LedgerHeader& header) { return header.sequence == sequence; });
  return {found->sequence, found->hash, found->closed_at};
}

/// The last ledger that the chain and we have; none where they part at our first. Throws Halt where what we hold goes
/// back too far to be a fork.
std::optional<ports::Checkpoint> find_common_ledger(const std::vector<core::LedgerHeader>& held,
                                                    std::uint32_t last_indexed, std::uint32_t oldest_held,
                                                    ports::ChainSource& chain) {
  std::vector<core::LedgerId> ours;
  for (const core::LedgerHeader& header : held) {
    if (header.sequence >= oldest_held) ours.push_back({header.sequence, header.hash});
  }
  core::ForkSearch search(ours);
  while (const std::optional<std::uint32_t> wanted = search.next()) {
    search.answer(chain.ledgers(*wanted, *wanted).front().hash);
  }
  if (const auto common = search.common()) return checkpoint_at(held, common->sequence);
  const bool all_searched = !held.empty() && ours.size() == held.size() && held.size() < fork_search_ledgers;
  if (!all_searched || held.front().sequence - held.back().sequence > core::reset_distance) {
    throw Halt("The chain shares none of the ledgers that we hold from " + std::to_string(last_indexed) +
               " down: it is another network, or was reset. If the RPC is the wrong one, point STELLAR_RPC_URL at"
               " another; if it is right, read the chain again with fluxora-server replay.");
  }
  return std::nullopt;
}

/// What lies below it can't be taken back: its entries aren't there.
void refuse_below_pruned(const ports::IngestTransaction& transaction, std::uint32_t target) {
  const std::uint32_t pruned = transaction.pruned_ledger();
  if (target >= pruned) return;
  throw Halt("The chain has left ours at or below ledger " + std::to_string(pruned) +
             ", up to which entries were pruned: they can't be taken back. If the RPC is the wrong one, point"
             " STELLAR_RPC_URL at another; if it is right, read the chain again with fluxora-server replay.");
}

}  // namespace

ForkEnd leave_fork(const ports::Checkpoint& checkpoint, std::uint32_t oldest_held, ports::ChainSource& chain,
                   ports::LedgerStore& store) {
  const std::vector<core::LedgerHeader> held = store.newest_ledgers(fork_search_ledgers);
  // What is searched has to be what the caller worked from: another writer may have been here since.
  if (!held.empty() && (held.front().sequence != checkpoint.ledger || held.front().hash != checkpoint.hash)) {
    throw ports::CheckpointMoved("the checkpoint was moved before the fork was left");
  }
  const std::optional<ports::Checkpoint> common = find_common_ledger(held, checkpoint.ledger, oldest_held, chain);
  const std::uint32_t target = common ? common->ledger : 0;
  ForkEnd end{checkpoint, 0};
  // In steps, so that no transaction grows with the fork's depth.
  while (end.checkpoint && end.checkpoint->ledger > target) {
    const std::uint32_t step = store.rollback_step(target, rollback_entries);
    const std::optional<ports::Checkpoint> to = step > target ? checkpoint_at(held, step) : common;
    const std::unique_ptr<ports::IngestTransaction> transaction = store.begin(end.checkpoint);
    refuse_below_pruned(*transaction, target);
    end.retracted += roll_back(to, *transaction);
    end.checkpoint = to;
  }
  return end;
}

}  // namespace fluxora::indexer
