#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::ports {

/// An entry as it is stored, to be folded again.
struct ScannedEntry {
  core::LogEntry entry;              ///< without `stream`: that is what folding has to find
  std::optional<core::Bytes> state;  ///< stream_state: core's encode_stream_state of the entry
  std::string unreadable;            ///< not empty: why the row is no entry; then only its seq is known
};

/// What is held of a ledger.
struct ScannedLedger {
  std::uint32_t sequence = 0;
  core::Hash hash{};
  std::optional<core::Hash> digest;
};

/// A row of the table of streams, a text a column as the database shows it: also what no stream can have is seen then.
using StreamColumns = std::vector<std::optional<std::string>>;
struct ScannedStream {
  std::string id;
  StreamColumns columns;
};

/// What is known of the entries below a log's oldest one, which were pruned. docs/retention.md.
struct PrunedPart {
  std::uint32_t ledger = 0;  ///< every event of a ledger up to this one, and of none behind it; 0: of none
  core::Hash digest{};       ///< of the ledgers up to that one
  core::Hash states{};       ///< core::snapshot_digest over what is left of the streams
};

/// What is left of a stream below the log's oldest entry.
struct PrunedStream {
  std::string id;
  std::uint64_t last_seq = 0;        ///< its newest entry there
  std::optional<core::Bytes> state;  ///< stream_state of the newest entry there that has one
};

struct LogExtent {
  std::string epoch;
  std::uint64_t oldest_seq = 1;
  std::uint64_t head_seq = 0;
  bool folds_chain = true;  ///< false: the log was made with CONTRACT_IDS=*
  std::optional<Checkpoint> checkpoint;
  std::optional<PrunedPart> pruned;  ///< none: nothing was
};

/// Reads the log and what was made of it as they are stored, page by page, each in ascending order. Blocking; for one
/// thread. Every call throws StoreUnavailable.
class LogScan {
 public:
  virtual ~LogScan() = default;

  virtual LogExtent extent() = 0;

  /// What the entries below `below_seq`, the log's oldest_seq, have left of their streams: ascending by the ids' bytes,
  /// the next behind `after_id`; from the first on where that is empty.
  virtual std::vector<PrunedStream> left_streams(std::uint64_t below_seq, const std::string& after_id,
                                                 std::size_t limit) = 0;
  /// The same of those of the ids that have such entries.
  virtual std::vector<PrunedStream> left_streams_of(const std::vector<std::string>& ids, std::uint64_t below_seq) = 0;

  /// The first `limit` entries behind `after_seq`, which isn't below what was pruned. Without `with_effects`, as
  /// folding needs them: their `change`, `state` and ledger's hash are left out.
  virtual std::vector<ScannedEntry> entries(std::uint64_t after_seq, std::size_t limit, bool with_effects) = 0;
  /// Those of them that are about one of these streams, as folding needs them.
  virtual std::vector<ScannedEntry> entries_of(const std::vector<std::string>& streams, std::uint64_t after_seq,
                                               std::size_t limit) = 0;
  /// Of the entries first..last, those that a retraction names.
  virtual std::vector<std::uint64_t> retracted(std::uint64_t first, std::uint64_t last) = 0;
  /// The streams that were ever split off from one of these, or that one of these was split off from.
  virtual std::vector<std::string> split_relatives(const std::vector<std::string>& streams) = 0;

  virtual std::vector<ScannedLedger> ledgers(std::optional<std::uint32_t> after, std::size_t limit) = 0;

  /// In an order of its own, the next behind `after_id`; from the first on where that is empty.
  virtual std::vector<ScannedStream> streams(const std::string& after_id, std::size_t limit) = 0;
  /// Those of the ids that have a row.
  virtual std::vector<ScannedStream> streams_of(const std::vector<std::string>& ids) = 0;
  /// What the columns are called, and what they should have for a stream.
  [[nodiscard]] virtual const std::vector<std::string>& stream_columns() const = 0;
  [[nodiscard]] virtual StreamColumns columns_of(const core::Stream& stream) const = 0;
};

}  // namespace fluxora::ports
