#include "audit_log.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

ports::AuditPage read_page(const ports::AuditQuery& query, pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  std::string conditions =
      query.source == ports::AuditSource::chain ? "source = 'chain'" : std::string("source = 'service'");
  const auto equals = [&](std::string_view column, const std::optional<std::string>& value) {
    if (value) conditions += " AND " + std::string(column) + " = " + sql.quote(*value);
  };
  equals("actor", query.actor);
  equals("action", query.action);
  equals("target", query.target);
  if (query.before) conditions += " AND position < " + std::to_string(*query.before);
  // One row more than asked tells whether there are more.
  const pqxx::result rows =
      sql.exec("SELECT position, at_ms, actor, action, target, address, request_id, detail FROM audit_trail WHERE " +
               conditions + " ORDER BY position DESC LIMIT " + std::to_string(query.limit + 1));
  ports::AuditPage page;
  for (const auto& row : rows) {
    if (page.entries.size() == query.limit) {
      page.has_more = true;
      break;
    }
    page.entries.push_back(
        {row[0].as<std::uint64_t>(),
         row[1].as<core::UnixMillis>(),
         {row[2].c_str(), row[3].c_str(), row[4].c_str(), row[5].c_str(), row[6].c_str(), row[7].c_str()}});
  }
  return page;
}

}  // namespace

std::string append_audit_sql(pqxx::transaction_base& sql, const std::vector<ports::AuditRecord>& records) {
  std::string values;
  for (const ports::AuditRecord& record : records) {
    const std::string detail = record.detail.empty() ? "{}" : record.detail;
    values +=
        (values.empty() ? "(" : ",(") +
        quoted_list(sql, {record.actor, record.action, record.target, record.address, record.request_id, detail}) + ")";
  }
  return "INSERT INTO audit_log (actor, action, target, address, request_id, detail) VALUES " + values + ";";
}

void append_audit(pqxx::transaction_base& sql, const std::vector<ports::AuditRecord>& records) {
  if (!records.empty()) sql.exec(append_audit_sql(sql, records));
}

void PostgresAuditLog::append(ports::AuditRecord record, ports::Reply<bool> reply) {
  pool_.run<bool>(std::move(reply), [record = std::move(record)](pqxx::connection& connection) {
    pqxx::work sql(connection);
    append_audit(sql, {record});
    sql.commit();
    return true;
  });
}

void PostgresAuditLog::read(ports::AuditQuery query, ports::Reply<ports::AuditPage> reply) {
  pool_.run<ports::AuditPage>(std::move(reply), [query = std::move(query)](pqxx::connection& connection) {
    return read_page(query, connection);
  });
}

}  // namespace fluxora::store
