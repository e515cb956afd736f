#include "api_keys.hpp"

#include "audit_log.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

const std::string key_columns =
    "id, name, scopes, secret_hash, created_at_ms, expires_at_ms, last_used_at_ms, revoked_at_ms";
/// How old "last used" may get before a use writes it again.
const std::string last_used_step_ms = "300000";

std::vector<std::string> split_scopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    scopes.emplace_back(text.substr(0, space));
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return scopes;
}

std::string join_scopes(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

std::optional<core::UnixMillis> time_or_none(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return field.as<core::UnixMillis>();
}

ports::ApiKey key_from_row(const pqxx::row& row) {
  ports::ApiKey key;
  key.id = row[0].c_str();
  key.name = row[1].c_str();
  key.scopes = split_scopes(row[2].c_str());
  key.secret_hash = hash_from_field(row[3]);
  key.created_at = row[4].as<core::UnixMillis>();
  key.expires_at = time_or_none(row[5]);
  key.last_used_at = time_or_none(row[6]);
  key.revoked_at = time_or_none(row[7]);
  return key;
}

std::string time_literal(const std::optional<core::UnixMillis>& time) {
  return time ? std::to_string(*time) : "NULL";
}

/// The live key of that name, with the new secret; none when there is none.
std::optional<ports::ApiKey> replace_key(pqxx::transaction_base& sql, const ports::NewApiKey& key) {
  const pqxx::result rows = sql.exec_params(
      "UPDATE api_keys SET scopes = $2, secret_hash = $3, expires_at_ms = " + time_literal(key.expires_at) +
          " WHERE id = (SELECT id FROM api_keys"
          " WHERE name = $1 AND revoked_at_ms IS NULL ORDER BY created_at_ms DESC, id DESC LIMIT 1 FOR UPDATE)"
          " RETURNING " +
          key_columns,
      key.name, join_scopes(key.scopes), bytea(key.secret_hash));
  if (rows.empty()) return std::nullopt;
  return key_from_row(rows[0]);
}

ports::ApiKey insert_key(pqxx::transaction_base& sql, const ports::NewApiKey& key) {
  const pqxx::result rows =
      sql.exec_params("INSERT INTO api_keys (id, name, scopes, secret_hash, expires_at_ms) VALUES ($1, $2, $3, $4, " +
                          time_literal(key.expires_at) + ") RETURNING " + key_columns,
                      key.id, key.name, join_scopes(key.scopes), bytea(key.secret_hash));
  return key_from_row(rows[0]);
}

}  // namespace

void PostgresApiKeys::find(std::string id, ports::Reply<std::optional<ports::ApiKey>> reply) {
  using Found = std::optional<ports::ApiKey>;
  pool_.run<Found>(std::move(reply), [id = std::move(id)](pqxx::connection& connection) -> Found {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec_params("SELECT " + key_columns + ", coalesce(last_used_at_ms, 0) < " + now_ms +
                                                  " - " + last_used_step_ms + " FROM api_keys WHERE id = $1",
                                              id);
    if (rows.empty()) return std::nullopt;
    if (rows[0][8].as<bool>() && rows[0][7].is_null()) {
      sql.exec_params("UPDATE api_keys SET last_used_at_ms = " + now_ms + " WHERE id = $1", id);
    }
    return key_from_row(rows[0]);
  });
}

void PostgresApiKeys::list(std::optional<std::string> after, std::size_t limit, ports::Reply<ports::ApiKeyPage> reply) {
  pool_.run<ports::ApiKeyPage>(std::move(reply), [after = std::move(after), limit](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const std::string where =
        after ? " WHERE (created_at_ms, id) < (SELECT created_at_ms, id FROM api_keys WHERE id = " + sql.quote(*after) +
                    ")"
              : "";
    // One row more than asked tells whether there are more.
    const pqxx::result rows = sql.exec("SELECT " + key_columns + " FROM api_keys" + where +
                                       " ORDER BY created_at_ms DESC, id DESC LIMIT " + std::to_string(limit + 1));
    ports::ApiKeyPage page;
    for (const auto& row : rows) {
      if (page.keys.size() == limit) {
        page.has_more = true;
        break;
      }
      page.keys.push_back(key_from_row(row));
    }
    return page;
  });
}

void PostgresApiKeys::create(ports::NewApiKey key, ports::AuditRecord by, ports::Reply<ports::ApiKey> reply) {
  pool_.run<ports::ApiKey>(std::move(reply), [key = std::move(key), by = std::move(by)](pqxx::connection& connection) {
    pqxx::work sql(connection);
    std::optional<ports::ApiKey> replaced;
    if (key.replace) replaced = replace_key(sql, key);
    ports::ApiKey made = replaced ? std::move(*replaced) : insert_key(sql, key);
    ports::AuditRecord record = by;
    record.action = replaced ? "key.replace" : "key.create";
    record.target = made.id;
    append_audit(sql, {record});
    sql.commit();
    return made;
  });
}

void PostgresApiKeys::revoke(std::string id, ports::AuditRecord by, ports::Reply<bool> reply) {
  pool_.run<bool>(std::move(reply), [id = std::move(id), by = std::move(by)](pqxx::connection& connection) {
    pqxx::work sql(connection);
    const pqxx::result rows = sql.exec_params(
        "UPDATE api_keys SET revoked_at_ms = " + now_ms + " WHERE id = $1 AND revoked_at_ms IS NULL", id);
    if (rows.affected_rows() == 0) return !sql.exec_params("SELECT 1 FROM api_keys WHERE id = $1", id).empty();
    ports::AuditRecord record = by;
    record.action = "key.revoke";
    record.target = id;
    append_audit(sql, {record});
    sql.commit();
    return true;
  });
}

}  // namespace fluxora::store
