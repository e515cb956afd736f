#include "fluxora/store/store.hpp"

#include <mutex>
#include <vector>

#include "account_queries.hpp"
#include "api_keys.hpp"
#include "audit_log.hpp"
#include "delivery_queue.hpp"
#include "event_log_reader.hpp"
#include "indexer_board.hpp"
#include "ledger_queries.hpp"
#include "ledger_writer.hpp"
#include "log_retention.hpp"
#include "log_tail.hpp"
#include "migrations.hpp"
#include "next_log.hpp"
#include "paged_reads.hpp"
#include "pool.hpp"
#include "reconciliation.hpp"
#include "replay_jobs.hpp"
#include "schedule_queries.hpp"
#include "stream_exporter.hpp"
#include "stream_queries.hpp"
#include "stream_writer.hpp"
#include "webhook_upkeep.hpp"
#include "webhooks.hpp"

namespace fluxora::store {
namespace {

/// Probes that come while the database is asked get that answer: however many there are, one query runs.
class PostgresReadiness final : public ports::Readiness {
 public:
  explicit PostgresReadiness(ReadPool& pool) : pool_(pool) {}

  [[nodiscard]] bool is_well() const override { return pool_.database_is_well(); }

  void check(ports::Reply<bool> reply) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(reply));
      if (waiting_.size() > 1) return;
    }
    pool_.run<bool>([this](ports::StoreResult<bool> current) { answer(current); }, migrations_are_current);
  }

 private:
  void answer(const ports::StoreResult<bool>& current) {
    std::vector<ports::Reply<bool>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(waiting_);
    }
    for (const auto& reply : waiting) reply(current);
  }

  ReadPool& pool_;
  std::mutex mutex_;
  std::vector<ports::Reply<bool>> waiting_;  ///< one a connection at most
};

}  // namespace

class Store::Impl {
 public:
  Impl(StoreOptions o, ports::Log& log)
      : options(std::move(o)),
        pool(options, log),
        writer(options, pool, log),
        exporting(options, log),
        stating(options, log) {}

  StoreOptions options;
  ReadPool pool;
  PostgresStreamWriter writer;
  // Places of their own: exports, which take long, leave statements theirs.
  PagedReadThreads exporting;
  PagedReadThreads stating;
  PostgresStreamExporter exports{exporting};
  StreamQueries streams{pool, options.queue_limit, options.read_timeout_ms};
  AccountQueries accounts{pool, stating, options.read_timeout_ms};
  ScheduleQueries schedules{pool};
  LedgerQueries ledgers{pool};
  EventLogReader events{pool};
  PostgresReadiness readiness{pool};
  PostgresApiKeys api_keys{pool};
  PostgresAuditLog audit_log{pool};
  PostgresReplayJobs replay_jobs{pool};
  PostgresReconciliation reconciliation{pool};
  PostgresIndexerAlarms indexer_alarms{pool};
  PostgresWebhooks webhooks{pool};
};

Store::Store(StoreOptions options, ports::Log& log) : impl_(std::make_unique<Impl>(std::move(options), log)) {}
Store::~Store() {
  stop();
}

void Store::stop() {
  impl_->writer.stop();
  impl_->pool.stop();
  impl_->exporting.stop();
  impl_->stating.stop();
}

ports::StreamReader& Store::streams() noexcept {
  return impl_->streams;
}
ports::StreamExporter& Store::exports() noexcept {
  return impl_->exports;
}
ports::AccountReader& Store::accounts() noexcept {
  return impl_->accounts;
}
ports::ScheduleReader& Store::schedules() noexcept {
  return impl_->schedules;
}
ports::LedgerReader& Store::ledgers() noexcept {
  return impl_->ledgers;
}
ports::StreamWriter& Store::stream_writer() noexcept {
  return impl_->writer;
}
ports::EventLog& Store::events() noexcept {
  return impl_->events;
}
ports::Readiness& Store::readiness() noexcept {
  return impl_->readiness;
}
ports::ApiKeys& Store::api_keys() noexcept {
  return impl_->api_keys;
}
ports::AuditLog& Store::audit_log() noexcept {
  return impl_->audit_log;
}
ports::ReplayJobs& Store::replay_jobs() noexcept {
  return impl_->replay_jobs;
}
ports::IndexerAlarms& Store::indexer_alarms() noexcept {
  return impl_->indexer_alarms;
}
ports::Reconciliation& Store::reconciliation() noexcept {
  return impl_->reconciliation;
}
ports::Webhooks& Store::webhooks() noexcept {
  return impl_->webhooks;
}

StoreStatistics Store::statistics() const {
  StoreStatistics statistics;
  impl_->pool.add_to(statistics);
  impl_->streams.add_to(statistics);
  impl_->accounts.add_to(statistics);
  return statistics;
}

std::unique_ptr<ports::LogTail> Store::make_tail() {
  return std::make_unique<PostgresLogTail>(impl_->options);
}

std::unique_ptr<ports::LedgerStore> Store::make_ledger_store() {
  return std::make_unique<PostgresLedgerStore>(impl_->options);
}

std::unique_ptr<ports::JobQueue> make_job_queue(const StoreOptions& options) {
  return std::make_unique<PostgresJobQueue>(options);
}

std::unique_ptr<ports::NextLog> make_next_log(const StoreOptions& options, std::uint64_t job, ports::Log& log) {
  return std::make_unique<PostgresNextLog>(options, job, log);
}

std::unique_ptr<ports::LogRetention> make_log_retention(const StoreOptions& options) {
  return std::make_unique<PostgresLogRetention>(options);
}

std::unique_ptr<ports::WebhookUpkeep> make_webhook_upkeep(const StoreOptions& options) {
  return std::make_unique<PostgresWebhookUpkeep>(options);
}

std::unique_ptr<ports::DeliveryQueue> make_delivery_queue(const StoreOptions& options) {
  return std::make_unique<PostgresDeliveryQueue>(options);
}

}  // namespace fluxora::store
