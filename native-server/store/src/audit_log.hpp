#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

#include "fluxora/ports/audit_log.hpp"
#include "pool.hpp"

namespace fluxora::store {

/// Adds records to the audit log, in one statement, as part of the transaction of what they record.
void append_audit(pqxx::transaction_base& sql, const std::vector<ports::AuditRecord>& records);

/// The same as a statement, ended by a semicolon. `records` isn't empty.
[[nodiscard]] std::string append_audit_sql(pqxx::transaction_base& sql, const std::vector<ports::AuditRecord>& records);

class PostgresAuditLog final : public ports::AuditLog {
 public:
  explicit PostgresAuditLog(ReadPool& pool) : pool_(pool) {}

  void append(ports::AuditRecord record, ports::Reply<bool> reply) override;
  void read(ports::AuditQuery query, ports::Reply<ports::AuditPage> reply) override;

 private:
  ReadPool& pool_;
};

}  // namespace fluxora::store
