#pragma once

#include <memory>
#include <string>

#include "carried_entries.hpp"
#include "connection.hpp"
#include "fluxora/ports/next_log.hpp"
#include "ledger_writer.hpp"

namespace fluxora::store {

/// A second set of the log's tables in a schema of its own of the same database, made by the same migrations. They
/// change places with the served ones in one transaction; what is served meanwhile knows nothing of them.
class PostgresNextLog final : public ports::NextLog {
 public:
  /// `job`: the row of replay_jobs that the swap marks as done. `log` outlives it.
  PostgresNextLog(const StoreOptions& options, std::uint64_t job, ports::Log& log);

  std::optional<ports::ReplayTarget> begun() override;
  std::optional<ports::LedgerHeader> served_first_ledger() override;
  void begin(const ports::ReplayTarget& target, bool anew) override;
  ports::LedgerStore& ledgers() override { return ledgers_; }
  std::uint64_t rows() override;
  Swap swap() override;

 private:
  [[nodiscard]] CarriedEntries carried_entries(pqxx::transaction_base& sql) const;
  [[nodiscard]] bool is_served(pqxx::connection& connection) const;
  void make_tables(const ports::ReplayTarget& target);
  /// A part, in a transaction of its own; false where so little is left that the swap can carry it.
  bool carry_part(pqxx::connection& connection);
  Swap take_place(pqxx::connection& connection);

  const StoreOptions next_options_;
  const std::uint64_t job_;
  ports::Log& log_;
  OwnConnection connection_;  // to the served log
  PostgresLedgerStore ledgers_;
  std::string served_schema_;
  std::string epoch_;  // of the next log
  bool analyzed_ = false;
  unsigned tries_ = 0;  // to take the served log's place
};

/// Drops the log that is being made, where there is one.
void drop_next_log(pqxx::transaction_base& sql);

}  // namespace fluxora::store
