#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fluxora/core/cursor.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/indexer_alarms.hpp"
#include "fluxora/ports/reconciliation.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// What the indexer follows. Fewer contracts than before go on from the checkpoint. Others, another network, and
/// contracts instead of "*", which folds nothing, need the chain read again into a new epoch: NextLog.
struct Following {
  std::string network_passphrase;  ///< empty: nobody has said which; any will do
  std::string contracts;           ///< sorted, comma separated, or "*"
};

/// The last ledger whose events are all in the log; none before the first batch.
struct Checkpoint {
  std::uint32_t ledger = 0;
  core::Hash hash{};
  core::UnixSeconds closed_at = 0;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// The checkpoint in the database isn't the one that the caller worked from: another instance indexes, or a replay has
/// put another log into its place.
class CheckpointMoved : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The database's log can't be continued with what is followed now: it is another network's, it lacks contracts, or one
/// was folded and the other isn't.
class ForeignLog : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What names a log entry of the chain's: (ledgerHash, eventId, streamId). SPEC section 3.
[[nodiscard]] inline std::string entry_identity(const core::Hash& ledger_hash, std::string_view event_id,
                                                std::string_view stream_id) {
  std::string identity(ledger_hash.begin(), ledger_hash.end());
  identity += event_id;
  identity += '/';
  identity += stream_id;
  return identity;
}

/// Where a stream stands in the log.
struct StreamTail {
  std::string id;
  std::optional<core::Stream> stream;     ///< none: not held
  std::optional<std::uint64_t> last_seq;  ///< its newest entry, folded or not
};

/// What the instance that leads lets the others know, so that each can show it and tell its clients.
struct LeaderReport {
  std::string network;  ///< passphrase; empty until known
  std::uint32_t last_safe_ledger = 0;
  std::optional<core::UnixMillis> synced_at;  ///< its last successful sync
  bool reorg_detected = false;
  bool rpc_healthy = false;
  bool halted = false;
  std::string trouble;                             ///< why clients are told service.degraded; empty: they aren't
  std::string summary;                             ///< one sentence for an operator
  std::optional<std::uint32_t> retention_ledgers;  ///< as IndexerStatus has it

  friend bool operator==(const LeaderReport&, const LeaderReport&) = default;
};

/// How far indexing has come, by whichever instance.
struct IndexProgress {
  std::optional<Checkpoint> checkpoint;
  core::UnixMillis updated_at = 0;     ///< when that was written
  std::string network;                 ///< the one whose log is held; empty before the first batch
  std::optional<LeaderReport> leader;  ///< none: none has ever led
  std::vector<IndexerAlarm> alarms;    ///< those that stand, oldest first, at most max_standing_alarms
};

struct LedgerRecord {
  LedgerHeader header;
  std::optional<core::Hash> digest;  ///< where it has entries of the chain's: core's ledger_digest
};

/// A stream on the list of those whose storage entry is to be read.
struct ObservationRequest {
  std::string stream_id;
  std::uint32_t not_before = 0;  ///< worth a look once the checkpoint has reached this ledger
  bool audited = false;          ///< by the audit: what differs is told
  std::uint32_t absent_at = 0;   ///< a ledger in which there was no entry; 0: none has been seen

  friend bool operator==(const ObservationRequest&, const ObservationRequest&) = default;
};

/// What a look at contract storage leaves besides entries of the log.
struct StorageFindings {
  std::vector<std::string> observed;  ///< streams that come off the list, before to_observe goes onto it
  std::vector<Difference> differences;
  std::optional<AuditState> audit;  ///< where the audit is now
};

/// What one transaction does: first forgets, then adds.
struct IngestRecord {
  std::optional<std::uint32_t> forget_above;  ///< a rollback: later ledgers are no longer the chain's
  std::vector<LedgerRecord> ledgers;
  std::vector<core::LogEntry> entries;         ///< seq from the locked head on, without a hole
  std::vector<core::Stream> streams;           ///< as they are after the entries
  std::vector<std::string> gone_streams;       ///< those that the entries leave none of
  std::optional<Checkpoint> checkpoint;        ///< none: back before the first ledger
  std::optional<AuditRecord> audit;            ///< where someone's request did this
  std::vector<ObservationRequest> to_observe;  ///< onto the list, each stream once; what stands on it is merged
  StorageFindings findings;
  std::string traceparent;  ///< whose trace the entries' deliveries go on; may be empty
};

/// Where the chain has last said something of a stream.
struct StreamLedger {
  std::string stream_id;
  LedgerHeader ledger;
};

/// A stream's place in the log.
struct EntryPlace {
  std::string stream_id;
  std::uint64_t seq = 0;
};

/// One transaction of the indexer's. An entry "stands" while no retraction names it; a retraction itself doesn't. It
/// holds the checkpoint's row, so that no other writer indexes beside it. Destroyed without commit it has done nothing.
/// Every call throws StoreUnavailable.
class IngestTransaction {
 public:
  virtual ~IngestTransaction() = default;
  /// One for each id, whether it is held or not.
  virtual std::vector<StreamTail> streams(const std::vector<std::string>& ids) = 0;
  /// The entries of ledgers first..last that stand, by entry_identity.
  virtual std::unordered_set<std::string> standing_entries(std::uint32_t first, std::uint32_t last) = 0;
  /// Locks the log's end until the transaction ends and gives its seq: the next entry is that + 1.
  virtual std::uint64_t lock_log() = 0;
  /// Streams that aren't final, whose cliff (where they have one) or end lies after `after` and not after `through` and
  /// has no standing entry of time. To be asked behind lock_log(): API streams change beside us.
  virtual std::vector<StreamTail> streams_due(core::UnixSeconds after, core::UnixSeconds through) = 0;
  /// The digest of the last ledger before `ledger` that has one; zeros without.
  virtual core::Hash digest_before(std::uint32_t ledger) = 0;
  /// The standing entries of later ledgers, newest first, without topics and values.
  virtual std::vector<core::LogEntry> entries_above(std::uint32_t ledger) = 0;
  /// What the last standing entries before these places left of their streams; nothing for a stream without.
  virtual std::vector<core::Stream> states_before(const std::vector<EntryPlace>& places) = 0;
  /// The checkpoint that the transaction found and holds.
  [[nodiscard]] virtual const std::optional<Checkpoint>& checkpoint() const = 0;
  /// The last ledger whose entries were pruned; 0: none. What is of it, or of earlier ones, can't be taken back.
  [[nodiscard]] virtual std::uint32_t pruned_ledger() const = 0;
  /// The log's epoch and its end as others see it now. Locks nothing.
  virtual core::Cursor log_end() = 0;
  /// Of each of these numbers the ledger itself, the last held before it and the first held behind it, as far as there
  /// are any; ascending, each once.
  virtual std::vector<LedgerHeader> ledgers_around(const std::vector<std::uint32_t>& numbers) = 0;
  /// The ledgers held of first..last, ascending.
  virtual std::vector<LedgerHeader> held_ledgers(std::uint32_t first, std::uint32_t last) = 0;
  /// The chain's events in the standing entries of ledgers first..last, ascending by id, each once, as the entry that
  /// it made first.
  virtual std::vector<core::LogEntry> standing_events(std::uint32_t first, std::uint32_t last) = 0;
  /// How many standing entries later ledgers have, or how many of them are held, whichever is more; `limit` where there
  /// are more.
  virtual std::size_t count_above(std::uint32_t ledger, std::size_t limit) = 0;
  /// The ledgers of these streams' last changes; of a stream that isn't held, of its newest standing entry of a
  /// successful call. Streams without either are left out.
  virtual std::vector<StreamLedger> last_ledgers(const std::vector<std::string>& ids) = 0;
  /// What the newest entries, retractions among them, left of these streams; nothing for a stream of which they left
  /// nothing. The rows of the table are the same, or wrong.
  virtual std::vector<core::Stream> logged_states(const std::vector<std::string>& ids) = 0;
  /// The first ledger held that closed at `at` or later; none: not held yet.
  virtual std::optional<LedgerHeader> first_ledger_closing(core::UnixSeconds at) = 0;
  virtual void commit(const IngestRecord& record) = 0;
};

/// The indexer's side of the store. Blocking; for one thread.
class LedgerStore {
 public:
  virtual ~LedgerStore() = default;

  /// True while this process is the one that indexes: takes the lock when it is free, checks it when held.
  virtual bool lead() = 0;
  /// Gives up the lock, if held.
  virtual void stop_leading() noexcept = 0;

  /// How indexing stands, for whoever leads and whoever doesn't. Throws StoreUnavailable.
  virtual IndexProgress progress() = 0;

  /// Replaces what the others know of the leader. Throws StoreUnavailable.
  virtual void publish(const LeaderReport& report) = 0;

  /// Raises an alarm of the log that is held now. False where it is up already; one that was cleared and not yet
  /// acknowledged goes up again. Throws StoreUnavailable.
  virtual bool raise_alarm(AlarmKind kind, const std::string& reason) = 0;
  /// Its cause is gone. False where none was up. Throws StoreUnavailable.
  virtual bool clear_alarm(AlarmKind kind) = 0;

  /// Says what is followed and gives where to go on, none for the first ledger. Writes nothing: what is followed is
  /// kept with the first batch. Where a log under another epoch has come into the place of the one that this object has
  /// seen first or opened last, it must be of the very same contracts. Throws ForeignLog, StoreUnavailable.
  virtual std::optional<Checkpoint> open(const Following& following) = 0;

  /// The newest ledgers held, newest first, at most `limit`. Throws StoreUnavailable.
  virtual std::vector<LedgerHeader> newest_ledgers(std::size_t limit) = 0;

  /// How far a rollback to `ledger` (0: everything) may go in one transaction, so that it undoes about `max_entries` at
  /// most: a ledger that is held and not below it, or the ledger itself. Throws StoreUnavailable.
  virtual std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) = 0;

  /// Streams of the followed contracts on the list of those to be observed, whose ledger the checkpoint has reached;
  /// the longest due first. Throws StoreUnavailable.
  virtual std::vector<ObservationRequest> due_observations(std::uint32_t checkpoint, std::size_t limit) = 0;
  /// Chain streams of the followed contracts that aren't archived nor on that list, by id, from behind `after` on.
  /// Throws StoreUnavailable.
  virtual std::vector<std::string> streams_to_audit(const std::string& after, std::size_t limit) = 0;
  /// As the last commit left it. Throws StoreUnavailable.
  virtual AuditState audit_state() = 0;

  /// Starts a transaction, comparing the checkpoint with the one expected, and the log with the one that was opened.
  /// Throws CheckpointMoved, StoreUnavailable.
  virtual std::unique_ptr<IngestTransaction> begin(const std::optional<Checkpoint>& expected) = 0;

  /// Starts a transaction at whatever checkpoint is held, for those who don't lead and needn't: they take what the
  /// chain's events say from others, and contracts that are new go on from there. Throws ForeignLog, StoreUnavailable.
  virtual std::unique_ptr<IngestTransaction> begin_at_held(const Following& following) = 0;
};

}  // namespace fluxora::ports
