#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chain.hpp"
#include "fake_clock.hpp"
#include "fluxora/chain/stellar_rpc.hpp"
#include "fluxora/indexer/indexer.hpp"
#include "log_model.hpp"
#include "memory_ledger_store.hpp"
#include "random.hpp"
#include "rpc_server.hpp"

namespace fluxora::simulation {

/// How much happened, so that a run that tries nothing can be told from one that finds nothing.
struct Statistics {
  std::uint64_t rounds = 0;
  std::uint64_t commits = 0;
  std::uint64_t entries = 0;
  std::uint64_t rollbacks = 0;
  std::uint64_t retractions = 0;
  std::uint64_t deepest_rollback = 0;  ///< ledgers
  std::uint64_t time_entries = 0;
  std::uint64_t observations = 0;
  std::uint64_t deaths = 0;
  std::uint64_t rpc_faults = 0;
  std::uint64_t store_faults = 0;
  std::uint64_t overtaken = 0;  ///< a leader woke up after another had indexed
  std::uint64_t halts = 0;
  std::uint64_t forks = 0;
  std::uint64_t resets = 0;
  std::uint64_t api_writes = 0;
  std::uint64_t late_events = 0;  ///< brought by someone else, after the RPC server had missed them

  void add(const Statistics& other);
};

/// One run of the indexer on a simulated chain, RPC server, database and clock, with everything that happens, and when,
/// decided by the seed.
class Simulation {
 public:
  /// `trace`: each step is told on standard output.
  Simulation(std::uint64_t seed, bool trace);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  /// Throws Difference.
  Statistics run();

 private:
  /// What the seed makes of the world, beside what it lets happen.
  struct Plan;
  /// A process of the server's.
  struct Instance {
    std::unique_ptr<chain::StellarRpc> rpc;
    std::unique_ptr<indexer::Indexer> indexer;
    core::UnixMillis next_round_at = 0;
    bool connection_lost = false;  ///< its next call of the database says so
  };
  class Transport;
  class TraceLog;

  void tell(const std::string& text) const;

  // What happens.
  void step();
  void let_time_pass();
  void fork();
  void switch_tip(const Ledger* tip);
  void move_window();
  void reset_network();
  void acknowledge_alarms();
  void write_through_api();
  void bring_late_event();
  [[nodiscard]] std::string contracts() const;
  void run_round(std::size_t instance);
  void start(std::size_t instance);
  void settle();
  const Ledger* last_tip();

  // Where a process waits for others: anything may happen to it, and around it.
  void at_store_call(std::string_view call);
  net::HttpClientResponse at_rpc_call(std::string_view body);
  void maybe_die(std::string_view where);
  void happen_meanwhile();
  void let_the_other_go_on();
  void check_commit();
  void tell_commit(const ports::IngestRecord& record) const;

  Random random_;
  const bool trace_;
  std::unique_ptr<const Plan> plan_;
  Chain chain_;
  RpcServer server_;
  fakes::FakeClock clock_;
  indexer::test::MemoryLedgerStore store_;
  LogModel model_;
  std::unique_ptr<TraceLog> log_;
  std::array<Instance, 3> instances_;  ///< two that follow the RPC, one that takes events

  std::size_t running_ = 0;            ///< whose round it is
  int depth_ = 0;                      ///< of rounds within rounds
  std::optional<std::size_t> leader_;  ///< who holds the lock
  int seen_stops_ = 0;
  bool log_locked_ = false;
  bool settling_ = false;
  std::optional<std::uint64_t> dies_in_;  ///< calls
  bool tip_switched_ = false;             ///< in this round
  bool is_reset_ = false;                 ///< the server serves a chain that has nothing of ours
  std::vector<const Ledger*> tips_;       ///< of this round
  std::vector<const Ledger*> old_tips_;
  std::vector<std::string> api_streams_;
  Statistics statistics_;
};

}  // namespace fluxora::simulation
