#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "fluxora/ports/ledger_store.hpp"

namespace fluxora::ports {

/// What a second reading of the chain is of.
struct ReplayTarget {
  std::string contracts;  ///< sorted, comma separated, or "*"
  std::uint32_t from_ledger = 0;

  friend bool operator==(const ReplayTarget&, const ReplayTarget&) = default;
};

/// The log that was begun before isn't the one that is wanted now; what() says how they differ.
class OtherReplay : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A log that is made beside the one that is served, under an epoch of its own, and takes its place when it is
/// complete. It is durable: where one run ends, the next goes on. SPEC section 4. Blocking; for one thread. Every call
/// throws StoreUnavailable.
class NextLog {
 public:
  virtual ~NextLog() = default;

  /// What the log that is there was begun for; none: there is none.
  virtual std::optional<ReplayTarget> begun() = 0;
  /// The first ledger that the served log holds; none: it holds no ledger.
  virtual std::optional<LedgerHeader> served_first_ledger() = 0;

  /// Begins the log, or goes on with the one that is there; `anew` drops that first. Throws OtherReplay.
  virtual void begin(const ReplayTarget& target, bool anew) = 0;

  // After begin():

  /// Its indexer's store; belongs to this object.
  virtual LedgerStore& ledgers() = 0;
  /// Entries that it has.
  virtual std::uint64_t rows() = 0;

  enum class Swap : std::uint8_t {
    done,      ///< it is the one that is served, and this object has no log any more
    more,      ///< a part of the API's entries was carried over: call again
    behind,    ///< the served log has come further in the same network's time: index on
    busy,      ///< readers or writers hold the served log: call again later
    outdated,  ///< the served log's tables were changed by migrations since begin()
    stopped,   ///< the job was paused or cancelled meanwhile
  };
  /// Carries over what the chain doesn't tell, the API's streams and their times, a bounded part at a call; and, when
  /// little is left of it, carries the rest and puts this log into the served one's place, all in one transaction.
  virtual Swap swap() = 0;
};

}  // namespace fluxora::ports
