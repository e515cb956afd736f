#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "fluxora/core/cursor.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/chain_source.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// A contract event that someone else read from the chain. Its event id names its ledger.
struct SentEvent {
  ChainEvent event;
  core::Hash ledger_hash{};
};

/// What became of a batch.
struct IntakeReceipt {
  std::vector<std::string> inserted_ids;   ///< ascending
  std::vector<std::string> duplicate_ids;  ///< ascending: they stood in the log already, or came twice
  core::Cursor log_end;                    ///< the log has all of the batch up to here
};

/// Something in a batch that can't be, with what the log holds.
struct IntakeProblem {
  std::size_t event = 0;  ///< its place in the batch
  std::string field;
  std::string message;
};

/// Why nothing of a batch was written.
struct IntakeRefusal {
  enum class Reason : std::uint8_t {
    contradiction,  ///< `problems` says of what
    too_deep,       ///< it changes what lies too far back, or was pruned
    foreign_log,    ///< the database's log is of something else than what is followed
  };
  Reason reason = Reason::contradiction;
  std::string message;
  std::vector<IntakeProblem> problems;
};

using IntakeAnswer = tl::expected<IntakeReceipt, IntakeRefusal>;

/// Takes contract events from whoever reads the chain for us. SPEC section 9, the ingest endpoint.
class EventIntake {
 public:
  virtual ~EventIntake() = default;
  /// The events in any order; those of one ledger agree about its hash and close time, later ledgers close later, and
  /// equal ids mean equal events. All of them enter the log, or none. Never blocks; `busy` where too many batches wait.
  /// `by` is written with what changes the log. `unavailable` can mean that only the answer was lost: a batch that is
  /// sent again is recognised.
  virtual void take(std::vector<SentEvent> batch, AuditRecord by, Reply<IntakeAnswer> reply) = 0;
};

}  // namespace fluxora::ports
