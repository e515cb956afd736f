#include "fluxora/store/store.hpp"

#include "event_log_reader.hpp"
#include "ledger_writer.hpp"
#include "log_tail.hpp"
#include "migrations.hpp"
#include "pool.hpp"
#include "stream_queries.hpp"

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
  Impl(StoreOptions o, ports::Log& log) : options(std::move(o)), pool(options, log) {}

  StoreOptions options;
  ReadPool pool;
  StreamQueries streams{pool};
  EventLogReader events{pool};
  PostgresReadiness readiness{pool};
};

Store::Store(StoreOptions options, ports::Log& log) : impl_(std::make_unique<Impl>(std::move(options), log)) {}
Store::~Store() = default;

void Store::stop() {
  impl_->pool.stop();
}

ports::StreamReader& Store::streams() noexcept {
  return impl_->streams;
}
ports::EventLog& Store::events() noexcept {
  return impl_->events;
}
ports::Readiness& Store::readiness() noexcept {
  return impl_->readiness;
}

std::unique_ptr<ports::LogTail> Store::make_tail() {
  return std::make_unique<PostgresLogTail>(impl_->options);
}

std::unique_ptr<ports::LedgerStore> Store::make_ledger_store() {
  return std::make_unique<PostgresLedgerStore>(impl_->options);
}

}  // namespace fluxora::store
