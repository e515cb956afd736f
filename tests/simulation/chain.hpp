#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "contract.hpp"
#include "fluxora/core/chain_tip.hpp"
#include "random.hpp"

namespace fluxora::simulation {

/// A ledger of the tree. Its answers are kept as text, since it is asked for often.
struct Ledger {
  core::LedgerHeader header;
  const Ledger* parent = nullptr;  ///< null: before the first
  std::string network;             ///< passphrase
  std::vector<Happening> happenings;
  ContractState state;                   ///< after it
  std::vector<std::string> events_json;  ///< of each happening
  std::string header_json;
};

/// All the ledgers that any server of the simulation ever had: a tree, because chains fork. Ledgers are only added.
class Chain {
 public:
  /// `kinds`: as ContractState has it.
  Chain(Random& random, std::uint32_t first, core::UnixSeconds closed_at, bool kinds, std::uint64_t missed);

  /// What every fork begins from: a ledger before the first that is followed.
  [[nodiscard]] const Ledger* root() const { return &ledgers_.front(); }
  const std::uint64_t misses;  ///< so many in a thousand of the changes to streams are missed by the RPC server

  /// A ledger behind `parent` that closes so many seconds after it, with some transactions in it or, on a network that
  /// isn't the contracts', none.
  const Ledger* grow(const Ledger* parent, core::UnixSeconds seconds, std::uint64_t transactions,
                     const std::string& network);
  /// Null: there is none of that hash.
  [[nodiscard]] const Ledger* find(const core::Hash& hash) const;

 private:
  const Ledger* add(Ledger ledger);

  Random& random_;
  std::deque<Ledger> ledgers_;
  std::map<core::Hash, const Ledger*> by_hash_;
};

/// Whether `ledger` is `tip` or before it on its chain.
[[nodiscard]] bool is_on_chain(const Ledger* tip, const Ledger* ledger);
/// The ledger of that number on a tip's chain; null: none.
[[nodiscard]] const Ledger* ledger_at(const Ledger* tip, std::uint32_t sequence);

inline const std::string our_network = "Simulated network";
inline const std::string another_network = "Another network";

}  // namespace fluxora::simulation
