#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "fluxora/core/unix_time.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/log_retention.hpp"

namespace fluxora::app {

struct LogPrunerOptions {
  core::UnixSeconds keep_s = 0;                ///< LOG_RETENTION_DAYS; 0: for ever
  std::chrono::milliseconds every{3'600'000};  ///< LOG_RETENTION_CHECK_SECONDS
};

/// What the log is, and what this process has taken out of it, for metrics.
struct LogPrunerStatistics {
  std::optional<ports::LogSize> size;  ///< none: not looked at yet
  std::uint64_t prunings = 0;
  std::uint64_t pruned_partitions = 0;
  std::uint64_t failures = 0;  ///< looks that the database failed
};

/// Prunes the log every so often, and looks how large it is, on a thread of its own. Every instance has one; whoever
/// comes first prunes.
class LogPruner {
 public:
  static constexpr std::chrono::milliseconds size_every{60'000};
  /// Until the next try where somebody is in the way: each holds readers and writers up for a moment.
  static constexpr std::chrono::milliseconds busy_pause{30'000};

  /// The references outlive it.
  LogPruner(LogPrunerOptions options, std::unique_ptr<ports::LogRetention> retention, ports::Clock& clock,
            ports::Log& log);
  ~LogPruner();
  LogPruner(const LogPruner&) = delete;
  LogPruner& operator=(const LogPruner&) = delete;

  /// Its thread begins, and looks for the first time a minute later: whatever starts has other things to do.
  void start();
  /// Waits until what is being asked of the database has its answer. The clock must be ending.
  void stop();
  /// From any thread.
  [[nodiscard]] LogPrunerStatistics statistics() const;

  /// What its thread does again and again; gives how long it then waits. For tests, which start no thread.
  std::chrono::milliseconds look();

 private:
  /// False: somebody is in the way.
  bool prune();
  void tell(const ports::PrunedLog& pruned, core::UnixMillis began_at);
  template <class Change>
  void count(Change change);

  const LogPrunerOptions options_;
  std::unique_ptr<ports::LogRetention> retention_;
  ports::Clock& clock_;
  ports::Log& log_;
  // Of the thread:
  bool in_trouble_ = false;
  std::optional<core::UnixMillis> looked_at_;  ///< when there was last nothing more to prune
  std::optional<core::UnixMillis> began_at_;   ///< the pruning under way

  mutable std::mutex mutex_;
  LogPrunerStatistics statistics_;
  std::thread thread_;
};

}  // namespace fluxora::app
