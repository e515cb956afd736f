#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// What the indexer follows. Fewer contracts than before go on from the checkpoint; others start over from the first
/// ledger, where entries that are held already are recognised and not entered twice. Between "*", which folds
/// nothing, and contracts there is no way over.
struct Following {
  std::string network_passphrase;
  std::string contracts;  ///< sorted, comma separated, or "*"
};

/// The last ledger whose events are all in the log; none before the first batch.
struct Checkpoint {
  std::uint32_t ledger = 0;
  core::Hash hash{};
  core::UnixSeconds closed_at = 0;

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

/// The checkpoint in the database isn't the one that the caller worked from: another instance indexes.
class CheckpointMoved : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The database's log can't be continued with what is followed now: it is another network's, or one was folded and the
/// other isn't.
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

/// How far indexing has come, by whichever instance.
struct IndexProgress {
  std::optional<Checkpoint> checkpoint;
  core::UnixMillis updated_at = 0;  ///< when that was written
};

struct LedgerRecord {
  LedgerHeader header;
  std::optional<core::Hash> digest;  ///< where it has entries of the chain's: core's ledger_digest
};

/// What one transaction does: first forgets, then adds.
struct IngestRecord {
  std::optional<std::uint32_t> forget_above;  ///< a rollback: later ledgers are no longer the chain's
  std::vector<LedgerRecord> ledgers;
  std::vector<core::LogEntry> entries;    ///< seq from the locked head on, without a hole
  std::vector<core::Stream> streams;      ///< as they are after the entries
  std::vector<std::string> gone_streams;  ///< those that the entries leave none of
  std::optional<Checkpoint> checkpoint;   ///< none: back before the first ledger
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

  /// For the instances that don't lead. Throws StoreUnavailable.
  virtual IndexProgress progress() = 0;

  /// Says what is followed and gives where to go on, none for the first ledger. Writes nothing: what is followed is
  /// kept with the first batch. Throws ForeignLog, StoreUnavailable.
  virtual std::optional<Checkpoint> open(const Following& following) = 0;

  /// The newest ledgers held, newest first, at most `limit`. Throws StoreUnavailable.
  virtual std::vector<LedgerHeader> newest_ledgers(std::size_t limit) = 0;

  /// How far a rollback to `ledger` (0: everything) may go in one transaction, so that it undoes about `max_entries` at
  /// most: a ledger that is held and not below it, or the ledger itself. Throws StoreUnavailable.
  virtual std::uint32_t rollback_step(std::uint32_t ledger, std::size_t max_entries) = 0;

  /// Starts a transaction, comparing the checkpoint with the one expected. Throws CheckpointMoved, StoreUnavailable.
  virtual std::unique_ptr<IngestTransaction> begin(const std::optional<Checkpoint>& expected) = 0;
};

}  // namespace fluxora::ports
