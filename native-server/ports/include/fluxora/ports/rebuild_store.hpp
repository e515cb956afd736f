#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fluxora/core/stream.hpp"
#include "fluxora/ports/log_scan.hpp"

namespace fluxora::ports {

/// How far a rebuild has folded, kept beside the streams that this made.
struct RebuildPlace {
  std::string epoch;
  std::uint64_t seq = 0;
};

/// What the last folded entries made of a stream.
struct RebuiltStream {
  std::string id;
  std::optional<core::Stream> stream;  ///< none: nothing is left of it
};

/// The end of a rebuild: one transaction that holds the log's end, so that nobody appends meanwhile. Destroyed without
/// commit it has done nothing. Every call throws StoreUnavailable.
class RebuildEnd {
 public:
  virtual ~RebuildEnd() = default;
  virtual LogScan& log() = 0;
  /// Makes the table of streams have these, and forgets the rebuild's place.
  virtual void commit(const std::vector<RebuiltStream>& streams) = 0;
};

/// The rebuild's side of the store. Blocking; for one thread. Every call throws StoreUnavailable.
class RebuildStore {
 public:
  virtual ~RebuildStore() = default;

  /// True: no other rebuild runs on this database, nor will until this object goes.
  virtual bool claim() = 0;

  /// Where a rebuild that was ended is to go on.
  virtual std::optional<RebuildPlace> place() = 0;
  /// Gives the streams as they were at the place.
  virtual void load(const std::function<void(core::Stream)>& take) = 0;
  /// Keeps a place, with the streams that differ from those of the place before; in one transaction.
  virtual void save(const RebuildPlace& place, const std::vector<RebuiltStream>& changed) = 0;
  virtual void forget_place() = 0;

  /// The log as it is at each call.
  virtual LogScan& log() = 0;
  /// All of one moment, as long as the object lives. Nothing else may be called meanwhile.
  virtual std::unique_ptr<LogScan> snapshot() = 0;
  /// Locks the log's end; null where a writer holds it for longer than a second. Nothing else may be called meanwhile.
  virtual std::unique_ptr<RebuildEnd> lock_end() = 0;
};

}  // namespace fluxora::ports
