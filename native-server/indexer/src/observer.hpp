#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "contract_tokens.hpp"
#include "fluxora/indexer/observer_statistics.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/contract_storage.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "fluxora/ports/log.hpp"

namespace fluxora::indexer {

/// Reads what the contracts hold of streams, and enters what the log doesn't have yet: where the list asks for it, and
/// over all streams in the audit. SPEC section 3, "Observation", and section 9. For the thread that indexes.
///
/// An entry is believed only in a state of the chain that has our checkpoint, and must not be from the future: what was
/// written above the checkpoint is waited for; what was written later than the stream's last event up to there changed
/// without one, and is told, not entered. An entry that was written before the stream's last event is as good as one of
/// its ledger, because some events write nothing. An observation is of the ledger of the stream's last change (of its
/// newest standing entry where it isn't held yet).
class Observer {
 public:
  /// `contracts` as in Following; with "*" there is nothing to do. `audit_interval`: from one pass's start to the
  /// next's; 0: no audit.
  Observer(const std::string& contracts, std::chrono::milliseconds audit_interval, ports::ChainSource& chain,
           ports::LedgerStore& store, ports::Clock& clock, ports::Log& log);

  /// This process begins to lead. Throws Halt (a token that is unfit), StoreUnavailable, ChainError::Kind::cancelled.
  void open();

  /// Looks at one answer's worth of storage, where something wants it. All that is safe is indexed up to `checkpoint`.
  /// True: more waits. Trouble with the RPC is waited out here: it is no trouble of indexing. Throws what open() does,
  /// and what a transaction does.
  bool look(const ports::Checkpoint& checkpoint);

  /// From any thread.
  [[nodiscard]] ObserverStatistics statistics() const;

 private:
  using Requests = std::vector<ports::ObservationRequest>;

  bool look_now(const ports::Checkpoint& checkpoint);
  [[nodiscard]] bool audit_is_due() const;
  Requests next_to_audit();
  /// What the chain holds of them; none where it can't be said for our checkpoint.
  std::optional<ports::StorageAnswer> read(const ports::Checkpoint& checkpoint, const Requests& requests);
  bool holds(const ports::Checkpoint& checkpoint);
  /// Where the audit is after so many more streams and differences, which are all there were where `is_last`.
  ports::AuditState advanced(const Requests& audited, std::size_t differences, bool is_last) const;
  void commit(const ports::Checkpoint& checkpoint, ports::IngestRecord record, ports::IngestTransaction& transaction);
  void report(const ports::IngestRecord& record);

  const bool follows_;
  const std::chrono::milliseconds audit_interval_;
  ports::ChainSource& chain_;
  ports::LedgerStore& store_;
  ports::Clock& clock_;
  ports::Log& log_;
  ContractTokens tokens_;
  ports::AuditState audit_;
  core::UnixMillis not_before_ = 0;  ///< after trouble
  unsigned failures_in_a_row_ = 0;

  mutable std::mutex mutex_;
  ObserverStatistics statistics_;
};

}  // namespace fluxora::indexer
