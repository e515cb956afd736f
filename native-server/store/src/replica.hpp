#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "database_watch.hpp"
#include "replica_lag.hpp"

namespace fluxora::store {

/// Whether reads may go to the replica just now, and by which log its answers are to be judged. A database is a replica
/// of ours only while it is a standby and has the primary's epoch: anything else could answer with another history. One
/// that doesn't follow any more would answer with ever older balances.
class Replica {
 public:
  /// `primary` outlives it.
  Replica(const StoreOptions& options, const DatabaseWatch& primary, ports::Log& log)
      : primary_(primary),
        log_(log),
        watch_(options, options.replica_url, "replica", log, [this](const auto& its) { compare(its); }) {}

  /// The epoch that its answers must have; none: not to be used.
  [[nodiscard]] std::optional<std::string> epoch();
  /// A read has found it out of reach: it is left alone for a while.
  void report_trouble() { watch_.report_trouble(pause_after_trouble); }
  void stop() { watch_.stop(); }

 private:
  enum class Verdict : std::uint8_t { none, good, no_standby, other_log, behind };
  static constexpr std::chrono::milliseconds pause_after_trouble{2'000};

  void compare(const DatabaseWatch::Sight& its);
  [[nodiscard]] bool is_behind();
  void tell(Verdict verdict);

  const DatabaseWatch& primary_;
  ports::Log& log_;
  std::mutex mutex_;
  ReplicaLag lag_;
  Verdict told_ = Verdict::none;
  DatabaseWatch watch_;  ///< the last: its thread uses the others
};

}  // namespace fluxora::store
