#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fluxora/ports/ledger_store.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::indexer {

/// The alarms as an instance's rounds see and raise them. They live in the database, so that there is one of each
/// however many instances notice, and whoever is asked can show it. Every call that reaches for it throws
/// StoreUnavailable.
class Alarms {
 public:
  Alarms(ports::LedgerStore& store, ports::Log& log) : store_(store), log_(log) {}

  /// Those that stand, as the store has just given them.
  void know(std::vector<ports::IndexerAlarm> standing) { standing_ = std::move(standing); }
  [[nodiscard]] const std::vector<ports::IndexerAlarm>& standing() const noexcept { return standing_; }
  /// One whose cause goes on.
  [[nodiscard]] bool is_up(ports::AlarmKind kind) const noexcept;
  /// One that has to be acknowledged before anything is indexed; null without.
  [[nodiscard]] const ports::IndexerAlarm* halting() const noexcept;

  /// The same as raise_stall, of one that is over at once: end_stall() records it. Asks nobody.
  void note_stall(const std::string& reason);
  /// No successful sync for longer than the threshold. Where the database is away it is recorded later, over or not.
  void raise_stall(const std::string& reason);
  /// There was one again.
  void end_stall();
  /// What is indexed next is about to leave the RPC's window, or isn't.
  void judge_retention(bool running_out, const std::string& reason);
  /// An alarm that halts indexing.
  void raise_halting(ports::AlarmKind kind, const std::string& reason);

 private:
  void record_stall();
  void clear(ports::AlarmKind kind);
  void refresh() { standing_ = store_.progress().alarms; }

  ports::LedgerStore& store_;
  ports::Log& log_;
  std::vector<ports::IndexerAlarm> standing_;
  std::optional<std::string> stall_to_record_;
  bool stall_told_ = false;  ///< the log has the one to record
};

}  // namespace fluxora::indexer
