#include "webhook_endpoints.hpp"

#include <algorithm>
#include <utility>

#include "audit_log.hpp"
#include "fluxora/core/json_writer.hpp"
#include "rows.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {
namespace {

using ports::WebhookRefusal;

const std::string columns =
    "id, configured, url, description, enabled, disabled_reason, disabled_at_ms, failing_since_ms,"
    " (SELECT max(until_ms) FROM webhook_former_secrets WHERE endpoint = webhook_endpoints.id AND until_ms > " +
    now_ms + "), since_epoch, since_seq, created_at_ms, updated_at_ms, " + std::string(filter_columns);
constexpr int filter_column = 13;

ports::WebhookFilter filter_of(EndpointFilter stored) {
  ports::WebhookFilter filter{{}, std::move(stored.stream_id), std::move(stored.sender), std::move(stored.recipient)};
  if (stored.events == EndpointFilter().events) return filter;
  for (unsigned number = 0; number <= static_cast<unsigned>(core::EventName::chain_event); ++number) {
    if ((stored.events >> number & 1) != 0) filter.events.push_back(static_cast<core::EventName>(number));
  }
  return filter;
}

ports::WebhookEndpoint endpoint_from_row(const pqxx::row& row) {
  ports::WebhookEndpoint endpoint;
  endpoint.id = row[0].as<std::uint64_t>();
  endpoint.configured = row[1].as<bool>();
  endpoint.url = row[2].c_str();
  endpoint.description = row[3].c_str();
  endpoint.enabled = row[4].as<bool>();
  endpoint.disabled_reason = row[5].c_str();
  endpoint.disabled_at = number_or_none<core::UnixMillis>(row[6]);
  endpoint.failing_since = number_or_none<core::UnixMillis>(row[7]);
  endpoint.previous_secret_until = number_or_none<core::UnixMillis>(row[8]);
  endpoint.since = {row[9].c_str(), row[10].as<std::uint64_t>()};
  endpoint.created_at = row[11].as<core::UnixMillis>();
  endpoint.updated_at = row[12].as<core::UnixMillis>();
  endpoint.filter = filter_of(filter_from_row(row, filter_column));
  return endpoint;
}

std::string live_with_id(std::uint64_t id) {
  return " WHERE id = " + std::to_string(id) + " AND deleted_at_ms IS NULL";
}

std::string since_sql(pqxx::transaction_base& sql, const core::Cursor& end) {
  return "since_epoch = " + sql.quote(end.epoch) + ", since_seq = " + std::to_string(end.seq);
}

std::string disabled_sql(std::string_view reason, const std::string& since) {
  return "enabled = false, disabled_reason = '" + std::string(reason) + "', disabled_at_ms = " + now_ms + ", " + since;
}

std::string text_or_null(pqxx::transaction_base& sql, const std::string& text) {
  return text.empty() ? "NULL" : sql.quote(text);
}

std::string event_names(const std::vector<core::EventName>& events) {
  std::string names;
  for (const core::EventName event : events) {
    names += (names.empty() ? "" : " ") + std::string(core::event_name_text(event));
  }
  return names;
}

bool changes_filter(const ports::WebhookEndpointChange& change) {
  return change.events || change.stream_id || change.sender || change.recipient;
}

bool is_full(pqxx::transaction_base& sql) {
  return !sql.exec("SELECT FROM webhook_endpoints WHERE deleted_at_ms IS NULL OFFSET " +
                   std::to_string(ports::max_webhook_endpoints - 1) + " LIMIT 1")
              .empty();
}

void record(pqxx::transaction_base& sql, ports::AuditRecord by, std::string_view action, std::uint64_t id,
            std::string detail) {
  by.action = action;
  by.target = std::to_string(id);
  by.detail = std::move(detail);
  append_audit(sql, {by});
}

std::string detail_of(const ports::NewWebhookEndpoint& endpoint) {
  std::string detail;
  core::JsonWriter json(detail);
  json.begin_object().key("url").string(url_origin(endpoint.url)).key("enabled").boolean(endpoint.enabled);
  json.end_object();
  return detail;
}

/// Of most only that it was changed: what it is now is there to be seen.
std::string detail_of(const ports::WebhookEndpointChange& change) {
  std::string detail;
  core::JsonWriter json(detail);
  json.begin_object();
  if (change.url) json.key("url").string(url_origin(*change.url));
  if (change.description) json.key("description").boolean(true);
  if (changes_filter(change)) json.key("filter").boolean(true);
  if (change.enabled) json.key("enabled").boolean(*change.enabled);
  json.end_object();
  return detail;
}

/// The configuration says where to and that it is enabled; an operator may end a disabling of the service's own.
bool is_configurations(const ports::WebhookEndpoint& endpoint, const ports::WebhookEndpointChange& change) {
  if (!endpoint.configured) return false;
  if (change.url || changes_filter(change)) return true;
  return change.enabled && (!*change.enabled || endpoint.disabled_reason == "configuration");
}

std::string change_assignments(pqxx::transaction_base& sql, const ports::WebhookEndpoint& endpoint,
                               const ports::WebhookEndpointChange& change, const core::Cursor& end) {
  std::string assignments = "updated_at_ms = " + now_ms;
  const bool switches = change.enabled && *change.enabled != endpoint.enabled;
  if (change.url) assignments += ", url = " + sql.quote(*change.url);
  // What is at another address has done nothing yet.
  if (change.url && !(switches && *change.enabled)) assignments += ", failing_since_ms = NULL";
  if (change.description) assignments += ", description = " + sql.quote(*change.description);
  if (change.events) assignments += ", events = " + sql.quote(event_names(*change.events));
  if (change.stream_id) assignments += ", stream_id = " + text_or_null(sql, *change.stream_id);
  if (change.sender) assignments += ", sender = " + text_or_null(sql, *change.sender);
  if (change.recipient) assignments += ", recipient = " + text_or_null(sql, *change.recipient);
  if (switches) {
    assignments += ", " + (*change.enabled ? enabling_sql(sql, end) : disabling_sql(sql, "operator", end));
  }
  return assignments;
}

std::optional<ports::WebhookEndpoint> lock_endpoint(pqxx::transaction_base& sql, std::uint64_t id) {
  const pqxx::result rows =
      sql.exec("SELECT " + columns + " FROM webhook_endpoints" + live_with_id(id) + " FOR UPDATE");
  if (rows.empty()) return std::nullopt;
  return endpoint_from_row(rows[0]);
}

/// The present secret of an endpoint, which is locked, becomes its newest former one. Those that are over go, and those
/// that are more than it may have. Without `until` all go, the present one too.
void keep_former_secret(pqxx::transaction_base& sql, std::uint64_t id, std::optional<core::UnixMillis> until) {
  const std::string endpoint = std::to_string(id);
  if (!until) {
    sql.exec("DELETE FROM webhook_former_secrets WHERE endpoint = " + endpoint);
    return;
  }
  sql.exec("INSERT INTO webhook_former_secrets (endpoint, secret, until_ms) SELECT id, secret, " +
           std::to_string(*until) + " FROM webhook_endpoints WHERE id = " + endpoint);
  sql.exec("DELETE FROM webhook_former_secrets WHERE endpoint = " + endpoint +
           " AND number NOT IN (SELECT number FROM webhook_former_secrets WHERE endpoint = " + endpoint +
           " AND until_ms > " + now_ms + " ORDER BY number DESC LIMIT " + std::to_string(ports::max_former_secrets) +
           ")");
}

}  // namespace

core::Cursor hold_log_end(pqxx::transaction_base& sql) {
  const pqxx::row row = sql.exec("UPDATE log_head SET webhooks_version = webhooks_version + 1 RETURNING epoch, seq")[0];
  return {row[0].c_str(), row[1].as<std::uint64_t>()};
}

std::string enabling_sql(pqxx::transaction_base& sql, const core::Cursor& end) {
  return "enabled = true, disabled_reason = '', disabled_at_ms = NULL, failing_since_ms = NULL, " + since_sql(sql, end);
}

std::string disabling_sql(pqxx::transaction_base& sql, std::string_view reason, const core::Cursor& end) {
  return disabled_sql(reason, since_sql(sql, end));
}

ports::DisableEnd disable_endpoint(pqxx::connection& connection, std::uint64_t id,
                                   const std::optional<std::string>& url, ports::DisableReason reason) {
  pqxx::nontransaction sql(connection);
  const std::string since = "since_epoch = head.epoch, since_seq = head.seq";
  try {
    // The statements behind the lock see what was committed until then.
    const pqxx::result changed = sql.exec(
        "SET LOCAL lock_timeout = 500; SELECT FROM log_head FOR NO KEY UPDATE; WITH disabled AS"
        " (UPDATE webhook_endpoints SET " +
        disabled_sql(ports::disable_reason_name(reason), since) + " FROM log_head head" + live_with_id(id) +
        " AND enabled" + (url ? " AND url = " + sql.quote(*url) : "") +
        " RETURNING 1) UPDATE log_head SET webhooks_version = webhooks_version + 1"
        " WHERE EXISTS (SELECT FROM disabled)");
    return changed.affected_rows() > 0 ? ports::DisableEnd::done : ports::DisableEnd::not_enabled;
  } catch (const pqxx::sql_error& error) {
    if (error.sqlstate() != "55P03") throw;  // lock_not_available
    return ports::DisableEnd::not_now;
  }
}

void wake_lanes(pqxx::connection& connection, std::uint64_t id) {
  constexpr std::size_t lanes_at_once = 10'000;
  pqxx::nontransaction sql(connection);
  std::string place = "('', '')";
  for (bool more = true; more;) {
    const pqxx::result woken =
        sql.exec("WITH held AS MATERIALIZED (SELECT endpoint, epoch, lane FROM webhook_lanes WHERE endpoint = " +
                 std::to_string(id) + " AND (epoch, lane) >= " + place +
                 " AND resting ORDER BY endpoint, epoch, lane LIMIT " + std::to_string(lanes_at_once) +
                 " FOR UPDATE), woken AS (UPDATE webhook_lanes l SET resting = false, due_at_ms = " + now_ms +
                 " FROM held WHERE l.endpoint = held.endpoint AND l.epoch = held.epoch AND l.lane = held.lane)"
                 " SELECT epoch, lane, count(*) OVER () FROM held ORDER BY epoch DESC, lane DESC LIMIT 1");
    more = !woken.empty() && woken[0][2].as<std::size_t>() == lanes_at_once;
    if (more)
      place =
          "(" + sql.quote(std::string(woken[0][0].c_str())) + ", " + sql.quote(std::string(woken[0][1].c_str())) + ")";
  }
}

std::optional<ports::WebhookEndpoint> find_endpoint(pqxx::transaction_base& sql, std::uint64_t id) {
  const pqxx::result rows = sql.exec("SELECT " + columns + " FROM webhook_endpoints" + live_with_id(id));
  if (rows.empty()) return std::nullopt;
  return endpoint_from_row(rows[0]);
}

ports::WebhookEndpointPage list_endpoints(pqxx::connection& connection, std::optional<std::uint64_t> before,
                                          std::size_t limit) {
  pqxx::nontransaction sql(connection);
  // One row more than asked tells whether there are more.
  const pqxx::result rows = sql.exec("SELECT " + columns + " FROM webhook_endpoints WHERE deleted_at_ms IS NULL" +
                                     (before ? " AND id < " + std::to_string(*before) : "") +
                                     " ORDER BY id DESC LIMIT " + std::to_string(limit + 1));
  ports::WebhookEndpointPage page;
  for (const auto& row : rows) {
    if (page.endpoints.size() == limit) {
      page.has_more = true;
      break;
    }
    page.endpoints.push_back(endpoint_from_row(row));
  }
  return page;
}

ports::WebhookOutcome<ports::WebhookEndpoint> create_endpoint(pqxx::connection& connection,
                                                              const ports::NewWebhookEndpoint& endpoint,
                                                              const ports::Webhooks::SealSecret& seal,
                                                              const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  if (is_full(sql)) return tl::unexpected(WebhookRefusal::too_many);
  const auto id =
      sql.exec("SELECT nextval(pg_get_serial_sequence('webhook_endpoints', 'id'))")[0][0].as<std::uint64_t>();
  const core::Bytes secret = seal(id);
  const core::Cursor end = hold_log_end(sql);
  std::string names = "id, url, description, events, stream_id, sender, recipient, secret, since_epoch, since_seq";
  std::string values = std::to_string(id) + ", " + sql.quote(endpoint.url) + ", " + sql.quote(endpoint.description) +
                       ", " + sql.quote(event_names(endpoint.filter.events)) + ", " +
                       text_or_null(sql, endpoint.filter.stream_id) + ", " + text_or_null(sql, endpoint.filter.sender) +
                       ", " + text_or_null(sql, endpoint.filter.recipient) + ", " + sql.quote(bytea(secret)) + ", " +
                       sql.quote(end.epoch) + ", " + std::to_string(end.seq);
  if (!endpoint.enabled) {
    names += ", enabled, disabled_reason, disabled_at_ms";
    values += ", false, 'operator', " + now_ms;
  }
  const pqxx::result made = sql.exec("INSERT INTO webhook_endpoints (" + names + ") OVERRIDING SYSTEM VALUE VALUES (" +
                                     values + ") RETURNING " + columns);
  record(sql, by, "webhook.endpoint.create", id, detail_of(endpoint));
  sql.commit();
  return endpoint_from_row(made[0]);
}

ports::WebhookOutcome<ports::WebhookEndpoint> change_endpoint(pqxx::connection& connection, std::uint64_t id,
                                                              const ports::WebhookEndpointChange& change,
                                                              const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const core::Cursor end = hold_log_end(sql);  // whoever else changes endpoints waits behind it
  const auto endpoint = find_endpoint(sql, id);
  if (!endpoint) return tl::unexpected(WebhookRefusal::unknown);
  if (is_configurations(*endpoint, change)) return tl::unexpected(WebhookRefusal::configured);
  const pqxx::result changed =
      sql.exec("UPDATE webhook_endpoints SET " + change_assignments(sql, *endpoint, change, end) + live_with_id(id) +
               " RETURNING " + columns);
  record(sql, by, "webhook.endpoint.update", id, detail_of(change));
  sql.commit();
  // Where this isn't reached, they come of themselves, later.
  if (change.enabled && *change.enabled && !endpoint->enabled) wake_lanes(connection, id);
  return endpoint_from_row(changed[0]);
}

ports::WebhookOutcome<bool> remove_endpoint(pqxx::connection& connection, std::uint64_t id,
                                            const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const core::Cursor end = hold_log_end(sql);
  const auto endpoint = find_endpoint(sql, id);
  if (!endpoint) return tl::unexpected(WebhookRefusal::unknown);
  if (endpoint->configured) return tl::unexpected(WebhookRefusal::configured);
  // What waits for it may be a million rows, which would hold up whoever appends: it counts as cancelled from now on,
  // and WebhookUpkeep::prune() writes that.
  sql.exec("UPDATE webhook_endpoints SET deleted_at_ms = " + now_ms + ", updated_at_ms = " + now_ms +
           ", secret = NULL, " + disabling_sql(sql, "operator", end) + live_with_id(id));
  sql.exec("DELETE FROM webhook_former_secrets WHERE endpoint = " + std::to_string(id));
  record(sql, by, "webhook.endpoint.delete", id, {});
  sql.commit();
  return true;
}

ports::WebhookOutcome<ports::WebhookEndpoint> rotate_secret(pqxx::connection& connection, std::uint64_t id,
                                                            const ports::SecretRotation& rotation,
                                                            const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const auto endpoint = lock_endpoint(sql, id);
  if (!endpoint) return tl::unexpected(WebhookRefusal::unknown);
  if (endpoint->configured) return tl::unexpected(WebhookRefusal::configured);
  keep_former_secret(sql, id, rotation.former_until);
  const pqxx::result changed = sql.exec("UPDATE webhook_endpoints SET secret = " + sql.quote(bytea(rotation.secret)) +
                                        ", updated_at_ms = " + now_ms + live_with_id(id) + " RETURNING " + columns);
  record(sql, by, "webhook.endpoint.rotate", id, {});
  sql.commit();
  return endpoint_from_row(changed[0]);
}

std::string url_origin(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  const std::size_t begin = scheme + 3;
  const std::string_view authority = url.substr(begin, std::min(url.find_first_of("/?#\\", begin), url.size()) - begin);
  const std::size_t at = authority.rfind('@');
  return std::string(url.substr(0, begin)) +
         std::string(at == std::string_view::npos ? authority : authority.substr(at + 1));
}

}  // namespace fluxora::store
