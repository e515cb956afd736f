#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "fluxora/core/chain_tip.hpp"
#include "fluxora/indexer/observer_statistics.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/chain_witness.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/indexer_status.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/rpc_circuit.hpp"
#include "fluxora/ports/tracing.hpp"

namespace fluxora::indexer {

struct IndexerOptions {
  std::string contracts;                                      ///< sorted, comma separated, or "*"
  bool fold = true;                                           ///< false with "*"
  std::string expected_passphrase;                            ///< empty: whatever the source's is
  std::optional<std::uint32_t> start_ledger;                  ///< none: the oldest that the source holds
  std::uint32_t batch_ledgers = 10'000;                       ///< most ledgers one transaction takes
  std::uint32_t safety_margin = core::default_safety_margin;  ///< ledgers below the tip that are left alone
  std::chrono::milliseconds poll{1'000};
  std::chrono::milliseconds stall_threshold{300'000};
  std::chrono::milliseconds audit_interval{0};  ///< from one comparison of all streams to the next; 0: none
  /// False for a log that nobody is served yet: then nobody is called or told for its sake.
  bool is_served = true;
  const ports::ChainWitness* witness = nullptr;  ///< a second opinion on the network; none: the RPC is believed
  const ports::RpcCircuit* circuit = nullptr;    ///< shown in the status
};

/// What this process has indexed since it started. From any thread.
struct IndexerStatistics {
  std::uint64_t batches = 0;       ///< committed
  std::uint64_t events = 0;        ///< log entries that they added
  std::uint64_t duplicates = 0;    ///< events that stood in the log already
  std::uint64_t reorgs = 0;        ///< detected
  std::uint64_t failures = 0;      ///< rounds that ended in trouble with the RPC or the database
  std::uint32_t chain_latest = 0;  ///< the RPC's latest ledger; 0 until known
  ObserverStatistics storage;      ///< what was read from contracts' storage
};

/// Follows the chain: from the checkpoint on, batch by batch, one transaction a batch, on a thread of its own.
/// SPEC section 9. Only the process that leads indexes; the others watch.
///
/// Invariants: the checkpoint never passes a ledger whose events aren't all committed; a batch links to the
/// checkpoint's hash, or nothing is written; trouble with the source or the store is waited out, trouble with what they
/// say halts. Who halts keeps leading: what stops one instance would stop the next. A leader whose process is stopped
/// keeps its lock, too; once its connection is ended for it and another leads, the checkpoint fences it.
class Indexer final : public ports::IndexerStatusSource {
 public:
  /// `on_service` hears of degradation and recovery, whichever instance is in trouble: (degraded, reason). `tracer`: a
  /// span a batch. All outlive the indexer.
  Indexer(IndexerOptions options, ports::ChainSource& chain, ports::LedgerStore& store, ports::Clock& clock,
          ports::Log& log, std::function<void(bool degraded, std::string_view reason)> on_service,
          ports::Tracer* tracer = nullptr);
  ~Indexer() override;
  Indexer(const Indexer&) = delete;
  Indexer& operator=(const Indexer&) = delete;

  void start();
  /// Ends the call under way and joins the thread. The clock must be ending, or its next sleep is waited for.
  void stop();

  [[nodiscard]] ports::IndexerStatus status() const override;
  [[nodiscard]] IndexerStatistics statistics() const;

  /// One round: leads or watches, and indexes at most one batch. Returns how long to wait before the next.
  /// start() calls it in a loop; tests call it themselves.
  std::chrono::milliseconds round();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
  std::thread thread_;
};

}  // namespace fluxora::indexer
