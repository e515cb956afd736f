#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "fluxora/ports/account_reader.hpp"
#include "fluxora/ports/api_keys.hpp"
#include "fluxora/ports/audit_log.hpp"
#include "fluxora/ports/delivery_queue.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/indexer_alarms.hpp"
#include "fluxora/ports/ledger_reader.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/log_retention.hpp"
#include "fluxora/ports/log_scan.hpp"
#include "fluxora/ports/next_log.hpp"
#include "fluxora/ports/readiness.hpp"
#include "fluxora/ports/rebuild_store.hpp"
#include "fluxora/ports/reconciliation.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "fluxora/ports/schedule_reader.hpp"
#include "fluxora/ports/stream_export.hpp"
#include "fluxora/ports/stream_reader.hpp"
#include "fluxora/ports/stream_writer.hpp"
#include "fluxora/ports/webhook_upkeep.hpp"
#include "fluxora/ports/webhooks.hpp"

namespace fluxora::store {

struct StoreOptions {
  std::string database_url;        ///< postgres://… or postgresql://…
  std::string replica_url;         ///< a standby of it, for reads; empty: none
  std::string schema = {};         ///< whose tables are meant; empty: those that the database's own search path finds
  unsigned read_connections = 4;   ///< threads with one connection each
  std::size_t queue_limit = 1024;  ///< reads waiting for a thread, and writes; beyond: StoreFailure::busy
  int connect_timeout_s = 2;
  int tcp_user_timeout_ms = 10'000;                  ///< a host that acknowledges nothing for so long is gone
  int read_timeout_ms = 5'000;                       ///< the database ends a read that takes longer
  std::uint64_t log_partition_entries = 10'000'000;  ///< that a partition of the log is made for
  unsigned max_exports =
      2;  ///< exports at once, and as many statements, each with a thread and a connection; beyond: busy
  int export_timeout_ms =
      300'000;  ///< how long an export may hold its snapshot: it keeps the database from cleaning up
};

/// What the reads have been doing, for metrics. Counters count from the start.
struct StoreStatistics {
  unsigned connections = 0;             ///< open now, of the reading threads
  unsigned busy = 0;                    ///< reading threads at work now
  std::size_t waiting = 0;              ///< reads waiting now
  std::uint64_t refused = 0;            ///< reads that found the queue full
  std::uint64_t queries = 0;            ///< reads sent to the database, by whomever
  std::uint64_t gathered = 0;           ///< reads by id and lists that another one's query answered
  std::uint64_t replica_queries = 0;    ///< those of `queries` that went to the replica
  std::uint64_t replica_fallbacks = 0;  ///< reads that the replica couldn't answer, or not new enough: primary
  bool replica_in_use = false;          ///< false: none configured, out of reach, or refused
};

/// PostgreSQL behind the ports. The log outlives it.
class Store {
 public:
  /// Starts the reading threads; connects when they are first used.
  Store(StoreOptions options, ports::Log& log);
  ~Store();
  /// Answers what still waits with `unavailable` and joins the threads: after it no reply is called any more, so that
  /// what replies refer to may go. Also done by the destructor.
  void stop();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  [[nodiscard]] ports::StreamReader& streams() noexcept;
  [[nodiscard]] ports::StreamExporter& exports() noexcept;
  [[nodiscard]] ports::AccountReader& accounts() noexcept;
  [[nodiscard]] ports::ScheduleReader& schedules() noexcept;
  [[nodiscard]] ports::LedgerReader& ledgers() noexcept;
  [[nodiscard]] ports::StreamWriter& stream_writer() noexcept;
  [[nodiscard]] ports::EventLog& events() noexcept;
  [[nodiscard]] ports::Readiness& readiness() noexcept;
  [[nodiscard]] ports::ApiKeys& api_keys() noexcept;
  [[nodiscard]] ports::AuditLog& audit_log() noexcept;
  [[nodiscard]] ports::ReplayJobs& replay_jobs() noexcept;
  [[nodiscard]] ports::Reconciliation& reconciliation() noexcept;
  [[nodiscard]] ports::IndexerAlarms& indexer_alarms() noexcept;
  [[nodiscard]] ports::Webhooks& webhooks() noexcept;
  /// From any thread.
  [[nodiscard]] StoreStatistics statistics() const;
  /// For the one thread that follows the log, with a connection of its own.
  [[nodiscard]] std::unique_ptr<ports::LogTail> make_tail();
  /// For the one thread that indexes, with a connection of its own.
  [[nodiscard]] std::unique_ptr<ports::LedgerStore> make_ledger_store();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// For the one thread that runs a job over the whole log, each with a connection of its own.
[[nodiscard]] std::unique_ptr<ports::JobQueue> make_job_queue(const StoreOptions& options);
/// `job`: what the swap marks as done. `log` outlives it.
[[nodiscard]] std::unique_ptr<ports::NextLog> make_next_log(const StoreOptions& options, std::uint64_t job,
                                                            ports::Log& log);

/// For the one thread that delivers webhooks, with a connection of its own.
[[nodiscard]] std::unique_ptr<ports::DeliveryQueue> make_delivery_queue(const StoreOptions& options);

/// For the one thread that looks after webhooks, with a connection of its own.
[[nodiscard]] std::unique_ptr<ports::WebhookUpkeep> make_webhook_upkeep(const StoreOptions& options);

/// For the one thread that takes old entries out of the log, with a connection of its own.
[[nodiscard]] std::unique_ptr<ports::LogRetention> make_log_retention(const StoreOptions& options);

/// All of the log, and what was made of it, as it is now; with a connection of its own. Throws
/// ports::StoreUnavailable.
[[nodiscard]] std::unique_ptr<ports::LogScan> make_log_snapshot(StoreOptions options);

/// For the one thread that folds the log again, with a connection of its own. `actor`: whom the audit log names.
[[nodiscard]] std::unique_ptr<ports::RebuildStore> make_rebuild_store(StoreOptions options, std::string actor);

/// What migrate() found and did.
struct MigrationReport {
  unsigned applied = 0;
  unsigned already_there = 0;
};

/// Brings the schema to this version: forward only, each file once, in one transaction a file, under a lock so that
/// several processes may start together. Throws ports::StoreUnavailable when the database can't be reached, and
/// std::runtime_error with a clear sentence when an applied file's checksum differs or the database is newer.
MigrationReport migrate(const StoreOptions& options, ports::Log& log);

}  // namespace fluxora::store
