#include "fluxora/store/store.hpp"

#include "api_keys.hpp"
#include "audit_log.hpp"
#include "event_log_reader.hpp"
#include "ledger_writer.hpp"
#include "log_tail.hpp"
#include "migrations.hpp"
#include "pool.hpp"
#include "stream_exporter.hpp"
#include "stream_queries.hpp"
#include "stream_writer.hpp"

namespace fluxora::store {
namespace {

class PostgresReadiness final : public ports::Readiness {
 public:
  explicit PostgresReadiness(ReadPool& pool) : pool_(pool) {}
  void check(ports::Reply<bool> reply) override { pool_.run<bool>(std::move(reply), migrations_are_current); }

 private:
  ReadPool& pool_;
};

}  // namespace

class Store::Impl {
 public:
  Impl(StoreOptions o, ports::Log& log)
      : options(std::move(o)), pool(options, log), writer(options, pool, log), exports(options, log) {}

  StoreOptions options;
  ReadPool pool;
  PostgresStreamWriter writer;
  PostgresStreamExporter exports;
  StreamQueries streams{pool};
  EventLogReader events{pool};
  PostgresReadiness readiness{pool};
  PostgresApiKeys api_keys{pool};
  PostgresAuditLog audit_log{pool};
};

Store::Store(StoreOptions options, ports::Log& log) : impl_(std::make_unique<Impl>(std::move(options), log)) {}
Store::~Store() = default;

void Store::stop() {
  impl_->writer.stop();
  impl_->pool.stop();
  impl_->exports.stop();
}

ports::StreamReader& Store::streams() noexcept {
  return impl_->streams;
}
ports::StreamExporter& Store::exports() noexcept {
  return impl_->exports;
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

std::unique_ptr<ports::LogTail> Store::make_tail() {
  return std::make_unique<PostgresLogTail>(impl_->options);
}

std::unique_ptr<ports::LedgerStore> Store::make_ledger_store() {
  return std::make_unique<PostgresLedgerStore>(impl_->options);
}

}  // namespace fluxora::store
