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

/// What one transaction adds.
struct IngestRecord {
  std::vector<LedgerHeader> ledgers;
  std::vector<core::LogEntry> entries;  ///< seq from the locked head on, without a hole
  std::vector<core::Stream> streams;    ///< as they are after the entries
  Checkpoint checkpoint;
};

/// One transaction of the indexer's. It holds the checkpoint's row, so that no other writer indexes beside it.
/// Destroyed without commit it has done nothing. Every call throws StoreUnavailable.
class IngestTransaction {
 public:
  virtual ~IngestTransaction() = default;
  /// One for each id, whether it is held or not.
  virtual std::vector<StreamTail> streams(const std::vector<std::string>& ids) = 0;
  /// The chain entries of ledgers first..last that stand in the log already, by entry_identity.
  virtual std::unordered_set<std::string> standing_entries(std::uint32_t first, std::uint32_t last) = 0;
  /// Locks the log's end until the transaction ends and gives its seq: the next entry is that + 1.
  virtual std::uint64_t lock_log() = 0;
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

  /// Starts a transaction, comparing the checkpoint with the one expected. Throws CheckpointMoved, StoreUnavailable.
  virtual std::unique_ptr<IngestTransaction> begin(const std::optional<Checkpoint>& expected) = 0;
};

}  // namespace fluxora::ports
