#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "fluxora/core/contract_event.hpp"
#include "memory_chain.hpp"
#include "memory_ledger_store.hpp"

namespace fluxora::indexer::test {

/// A log in memory, made as the service makes it, a step after the other.
class LogMaker {
 public:
  explicit LogMaker(bool folds_chain = true) : folds_chain_(folds_chain) {}

  /// The next ledger brings these.
  void ledger(std::vector<ports::ChainEvent> events);
  /// Goes back to before the newest `ledgers` ledgers; what follows is of another fork.
  void fork(std::uint32_t ledgers);
  /// What the contract stores of a stream, seen in the last ledger.
  void observe(std::uint64_t stream, core::StreamKind kind);
  void api(const std::string& id, const core::EventPayload& payload);

  /// Every kind of entry there is: creations, changes, a delegation, failed and unknown events, events of no stream,
  /// observations, cliffs and ends, changes through the API, and forks over all of them, some of them twice.
  void make_all_kinds();

  MemoryLedgerStore store;

 private:
  void append_own(core::LogEntry entry);

  bool folds_chain_;
  std::uint32_t next_ledger_ = 100;
  std::uint8_t fork_ = 0;
};

[[nodiscard]] core::EventPayload api_creation();
[[nodiscard]] std::string api_id(int number);

}  // namespace fluxora::indexer::test
