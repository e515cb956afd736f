#pragma once

#include <pqxx/pqxx>

#include "fluxora/ports/indexer_alarms.hpp"
#include "fluxora/ports/ledger_store.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Of the columns ledger, ledger_hash, closed_at; none before the first batch.
[[nodiscard]] std::optional<ports::Checkpoint> checkpoint_from_row(const pqxx::row& row);

// The blocking calls of the indexer's thread, on its connection; each its own transaction. Throw as libpqxx does.
[[nodiscard]] ports::IndexProgress read_progress(pqxx::connection& connection);
void publish_report(pqxx::connection& connection, const ports::LeaderReport& report);
bool raise_alarm(pqxx::connection& connection, ports::AlarmKind kind, const std::string& reason);
bool clear_alarm(pqxx::connection& connection, ports::AlarmKind kind);

class PostgresIndexerAlarms final : public ports::IndexerAlarms {
 public:
  explicit PostgresIndexerAlarms(ReadPool& pool) : pool_(pool) {}

  void list(std::size_t limit, ports::Reply<std::vector<ports::IndexerAlarm>> reply) override;
  void acknowledge(std::uint64_t id, ports::AuditRecord by,
                   ports::Reply<std::optional<ports::IndexerAlarm>> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
