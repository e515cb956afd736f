#include "webhook_deliveries.hpp"

#include <stdexcept>
#include <utility>

#include "audit_log.hpp"
#include "rows.hpp"
#include "webhook_endpoints.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {
namespace {

using ports::WebhookRefusal;

constexpr std::string_view test_event = "webhook.test";

std::string with_key(pqxx::transaction_base& sql, const ports::DeliveryKey& key) {
  return "endpoint = " + std::to_string(key.endpoint) + " AND epoch = " + sql.quote(key.epoch) +
         " AND seq = " + std::to_string(key.seq);
}

/// What is shown of deliveries: `picked` is a query of their rows, `more` comes behind the columns. Of what waits, its
/// lane says when it is due, where it is the next of it.
std::string shown(const std::string& picked, std::string_view more) {
  return "SELECT d.endpoint, d.epoch, d.seq, m.event, m.stream_id,"
         " CASE WHEN d.state = 0 AND e.deleted_at_ms IS NOT NULL THEN 3 ELSE d.state END, d.attempts, l.due_at_ms,"
         " a.status, a.error, d.created_at_ms, coalesce(d.finished_at_ms, e.deleted_at_ms)" +
         std::string(more) + " FROM (" + picked +
         ") d JOIN webhook_messages m ON m.epoch = d.epoch AND m.seq = d.seq"
         " JOIN webhook_endpoints e ON e.id = d.endpoint"
         " LEFT JOIN webhook_lanes l ON d.state = 0 AND e.deleted_at_ms IS NULL"
         " AND l.endpoint = d.endpoint AND l.epoch = d.epoch"
         " AND l.lane = d.lane AND NOT EXISTS (SELECT FROM webhook_deliveries former WHERE former.state = 0"
         " AND former.endpoint = d.endpoint AND former.epoch = d.epoch AND former.lane = d.lane"
         " AND former.seq < d.seq)"
         " LEFT JOIN LATERAL (SELECT status, error FROM webhook_attempts WHERE endpoint = d.endpoint"
         " AND epoch = d.epoch AND seq = d.seq ORDER BY number DESC LIMIT 1) a ON true";
}
constexpr int shown_width = 12;

ports::WebhookDelivery delivery_from_row(const pqxx::row& row) {
  const ports::DeliveryKey key{row[0].as<std::uint64_t>(), row[1].c_str(), row[2].as<std::uint64_t>()};
  const int state = row[5].as<int>();
  if (state < 0 || state > static_cast<int>(ports::DeliveryState::cancelled)) {
    throw std::runtime_error("the database holds a delivery in a state that nobody knows");
  }
  ports::WebhookDelivery delivery;
  delivery.id = ports::delivery_id(key.endpoint, key.epoch, key.seq);
  delivery.endpoint = key.endpoint;
  delivery.event = row[3].c_str();
  delivery.stream_id = row[4].c_str();
  if (!key.epoch.empty()) delivery.cursor = core::Cursor{key.epoch, key.seq};
  delivery.state = static_cast<ports::DeliveryState>(state);
  delivery.attempts = row[6].as<unsigned>();
  delivery.due_at = number_or_none<core::UnixMillis>(row[7]);
  delivery.last_status = number_or_none<unsigned>(row[8]);
  delivery.last_error = row[9].c_str();
  delivery.created_at = row[10].as<core::UnixMillis>();
  delivery.finished_at = number_or_none<core::UnixMillis>(row[11]);
  return delivery;
}

std::optional<ports::WebhookDelivery> select_delivery(pqxx::transaction_base& sql, const ports::DeliveryKey& key) {
  const pqxx::result rows = sql.exec(shown("SELECT * FROM webhook_deliveries WHERE " + with_key(sql, key), ""));
  if (rows.empty()) return std::nullopt;
  return delivery_from_row(rows[0]);
}

std::string in_state(const std::optional<ports::DeliveryState>& state) {
  return state ? " AND state = " + std::to_string(static_cast<int>(*state)) : "";
}

/// What an endpoint's deliveries are shown in, one after another: tests, the present log's, those of the logs before
/// it. Conditions, each a range of the primary key that has one bound from above, as the database may begin at the
/// wider of two. Without what comes before `after`.
std::vector<std::string> parts_behind(pqxx::transaction_base& sql, const std::optional<ports::DeliveryKey>& after) {
  const std::string epoch = sql.exec("SELECT epoch FROM log_head")[0][0].c_str();
  const std::string present = sql.quote(epoch);
  std::vector<std::string> parts = {"epoch = ''", "epoch = " + present, "epoch > " + present,
                                    "epoch > '' AND epoch < " + present};
  if (!after) return parts;
  const std::string seq = std::to_string(after->seq);
  const std::string behind = "(epoch, seq) < (" + sql.quote(after->epoch) + ", " + seq + ")";
  if (after->epoch.empty()) {
    parts[0] += " AND seq < " + seq;
    return parts;
  }
  if (after->epoch == epoch) return {parts[1] + " AND seq < " + seq, parts[2], parts[3]};
  if (after->epoch > epoch) return {parts[2] + " AND " + behind, parts[3]};
  return {"epoch > '' AND " + behind};
}

/// A query of an endpoint's deliveries: from the end of each part only as far as the page goes.
std::string read_parts(const std::vector<std::string>& parts, const std::string& wanted, const std::string& limit) {
  std::string page;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    page += (page.empty() ? "" : " UNION ALL ") + std::string("(SELECT ") + std::to_string(i) +
            " AS part, * FROM webhook_deliveries WHERE " + wanted + " AND " + parts[i] +
            " ORDER BY epoch DESC, seq DESC" + limit + ")";
  }
  return "SELECT * FROM (" + page + ") parts" + limit;
}

/// The same of deliveries in a state that has an index, and that a bounded number is in. OFFSET 0: the database would
/// rather look for them among all of the endpoint's, where there may be none.
std::string pick_few(const std::vector<std::string>& parts, const std::string& wanted, const std::string& limit) {
  std::string part;
  for (std::size_t i = 0; i < parts.size(); ++i) part += " WHEN " + parts[i] + " THEN " + std::to_string(i);
  return "SELECT * FROM (SELECT CASE" + part + " END AS part, * FROM webhook_deliveries WHERE " + wanted +
         " OFFSET 0) few WHERE part IS NOT NULL ORDER BY part, epoch DESC, seq DESC" + limit;
}

std::string endpoints_page(pqxx::transaction_base& sql, const ports::DeliveryQuery& query) {
  const std::vector<std::string> parts =
      parts_behind(sql, query.after ? std::optional(query.after->key) : std::nullopt);
  const std::string wanted = "endpoint = " + std::to_string(*query.endpoint) + in_state(query.state);
  const std::string limit = " LIMIT " + std::to_string(query.limit + 1);
  const bool few = query.state == ports::DeliveryState::waiting || query.state == ports::DeliveryState::dead;
  return shown(few ? pick_few(parts, wanted, limit) : read_parts(parts, wanted, limit), "") +
         " ORDER BY d.part, d.epoch DESC, d.seq DESC";
}

/// Of all endpoints.
std::string everyones_page(pqxx::transaction_base& sql, const ports::DeliveryQuery& query) {
  std::string after;
  if (query.after) {
    const ports::DeliveryKey& key = query.after->key;
    after = " AND (created_at_ms, endpoint, epoch, seq) < (" + std::to_string(query.after->created_at) + ", " +
            std::to_string(key.endpoint) + ", " + sql.quote(key.epoch) + ", " + std::to_string(key.seq) + ")";
  }
  const auto order = [](const std::string& of) {
    return " ORDER BY " + of + "created_at_ms DESC, " + of + "endpoint DESC, " + of + "epoch DESC, " + of + "seq DESC";
  };
  return shown("SELECT * FROM webhook_deliveries WHERE true" + in_state(query.state) + after + order("") + " LIMIT " +
                   std::to_string(query.limit + 1),
               "") +
         order("d.");
}

std::vector<ports::WebhookAttempt> newest_attempts(pqxx::transaction_base& sql, const ports::DeliveryKey& key,
                                                   unsigned attempts) {
  // Those that were made since the delivery was read aren't of what is shown.
  const pqxx::result rows = sql.exec(
      "SELECT number, at_ms, duration_ms, status, error, detail, response FROM (SELECT * FROM webhook_attempts WHERE " +
      with_key(sql, key) + " AND number <= " + std::to_string(attempts) + " ORDER BY number DESC LIMIT " +
      std::to_string(ports::attempts_shown) + ") newest ORDER BY number");
  std::vector<ports::WebhookAttempt> found;
  for (const auto& row : rows) {
    found.push_back({row[0].as<unsigned>(), row[1].as<core::UnixMillis>(), row[2].as<std::int64_t>(),
                     number_or_none<unsigned>(row[3]), row[4].c_str(), row[5].c_str(), row[6].c_str()});
  }
  return found;
}

void record(pqxx::transaction_base& sql, ports::AuditRecord by, std::string_view action, std::string target,
            std::string detail) {
  by.action = action;
  by.target = std::move(target);
  by.detail = std::move(detail);
  append_audit(sql, {by});
}

/// What waits in their lanes, which are locked, is due now, but for what somebody has claimed.
void hasten(pqxx::transaction_base& sql, const LaneDeliveries& deliveries) {
  sql.exec("UPDATE webhook_lanes l SET resting = false, due_at_ms = " + now_ms + " FROM (" + deliveries.query(sql) +
           ") given WHERE l.endpoint = given.endpoint AND l.epoch = given.epoch AND l.lane = given.lane"
           " AND l.claimed_by IS NULL");
}

/// They wait again, and are due now; how many didn't wait before. Of one that was pruned meanwhile nothing is left.
std::uint64_t redeliver_all(pqxx::transaction_base& sql, const LaneDeliveries& deliveries) {
  open_lanes(sql, deliveries);
  hasten(sql, deliveries);
  const std::uint64_t waiting_again = let_wait_again(sql, deliveries);
  drop_idle_lanes(sql, deliveries);
  return waiting_again;
}

/// None: the endpoint takes deliveries.
std::optional<WebhookRefusal> refusal_of(pqxx::transaction_base& sql, std::uint64_t endpoint, WebhookRefusal gone) {
  const auto found = find_endpoint(sql, endpoint);
  if (!found) return gone;
  if (!found->enabled) return WebhookRefusal::disabled;
  return std::nullopt;
}

}  // namespace

void LaneDeliveries::add(std::string epoch, std::uint64_t seq, std::string lane) {
  epochs.push_back(std::move(epoch));
  seqs.push_back(seq);
  lanes.push_back(std::move(lane));
}

std::string LaneDeliveries::query(pqxx::transaction_base& sql) const {
  return "SELECT " + std::to_string(endpoint) +
         R"(::bigint AS endpoint, epoch COLLATE "C" AS epoch, seq, lane COLLATE "C" AS lane FROM unnest()" +
         text_array(sql, epochs) + ", " + number_array(seqs) + ", " + text_array(sql, lanes) +
         ") AS given(epoch, seq, lane)";
}

void open_lanes(pqxx::transaction_base& sql, const LaneDeliveries& deliveries) {
  sql.exec(open_lanes_sql("SELECT DISTINCT endpoint, epoch, lane FROM (" + deliveries.query(sql) + ") given"));
}

std::uint64_t let_wait_again(pqxx::transaction_base& sql, const LaneDeliveries& deliveries) {
  const pqxx::result changed = sql.exec(
      "UPDATE webhook_deliveries d SET state = 0, tries = 0, finished_at_ms = NULL FROM (" + deliveries.query(sql) +
      ") given WHERE d.endpoint = given.endpoint AND d.epoch = given.epoch AND d.seq = given.seq"
      " AND d.state <> 0");
  return static_cast<std::uint64_t>(changed.affected_rows());
}

void drop_idle_lanes(pqxx::transaction_base& sql, const LaneDeliveries& deliveries) {
  sql.exec("DELETE FROM webhook_lanes l USING (" + deliveries.query(sql) +
           ") given WHERE l.endpoint = given.endpoint AND l.epoch = given.epoch AND l.lane = given.lane"
           " AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.endpoint = l.endpoint AND d.epoch = l.epoch"
           " AND d.lane = l.lane AND d.state = 0)");
}

ports::DeliveryPage list_deliveries(pqxx::connection& connection, const ports::DeliveryQuery& query) {
  pqxx::nontransaction sql(connection);
  ports::DeliveryPage page;
  // One row more than asked tells whether there are more.
  for (const auto& row : sql.exec(query.endpoint ? endpoints_page(sql, query) : everyones_page(sql, query))) {
    if (page.deliveries.size() == query.limit) {
      page.has_more = true;
      break;
    }
    page.deliveries.push_back(delivery_from_row(row));
  }
  return page;
}

std::optional<ports::WebhookDeliveryDetails> find_delivery(pqxx::connection& connection,
                                                           const ports::DeliveryKey& key) {
  pqxx::nontransaction sql(connection);
  const pqxx::result rows = sql.exec(shown("SELECT * FROM webhook_deliveries WHERE " + with_key(sql, key), ", m.body"));
  if (rows.empty()) return std::nullopt;
  ports::WebhookDeliveryDetails details{delivery_from_row(rows[0]), rows[0][shown_width].c_str(), {}};
  details.attempts = newest_attempts(sql, key, details.delivery.attempts);
  return details;
}

ports::WebhookOutcome<ports::WebhookDelivery> make_test(pqxx::connection& connection, std::uint64_t endpoint,
                                                        const std::string& body, const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  if (const auto refusal = refusal_of(sql, endpoint, WebhookRefusal::unknown)) return tl::unexpected(*refusal);
  // By the time, too: after a restore the sequence goes on where it was, and receivers drop what they had.
  const auto test =
      sql.exec("SELECT " + now_ms + " * 1000 + nextval('webhook_tests') % 1000")[0][0].as<std::uint64_t>();
  const ports::DeliveryKey key{endpoint, "", test};
  const std::string id = ports::delivery_id(key.endpoint, key.epoch, key.seq);
  const std::string number = std::to_string(key.seq);
  LaneDeliveries one{endpoint, {}, {}, {}};
  one.add(key.epoch, key.seq, id);
  open_lanes(sql, one);
  sql.exec("INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane) " + one.query(sql));
  sql.exec("INSERT INTO webhook_messages (epoch, seq, event, stream_id, body, deliveries) VALUES ('', " + number +
           ", '" + std::string(test_event) + "', '', " + sql.quote(body) + ", 1)");
  auto made = select_delivery(sql, key);
  record(sql, by, "webhook.endpoint.test", std::to_string(endpoint), R"({"delivery":")" + id + "\"}");
  sql.commit();
  return std::move(*made);
}

ports::WebhookOutcome<ports::WebhookDelivery> redeliver(pqxx::connection& connection, const ports::DeliveryKey& key,
                                                        const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const pqxx::result rows = sql.exec("SELECT lane, state FROM webhook_deliveries WHERE " + with_key(sql, key));
  if (rows.empty()) return tl::unexpected(WebhookRefusal::unknown);
  if (rows[0][1].as<int>() == static_cast<int>(ports::DeliveryState::cancelled)) {
    return tl::unexpected(WebhookRefusal::cancelled);
  }
  if (const auto refusal = refusal_of(sql, key.endpoint, WebhookRefusal::cancelled)) return tl::unexpected(*refusal);
  LaneDeliveries one{key.endpoint, {}, {}, {}};
  one.add(key.epoch, key.seq, rows[0][0].c_str());
  redeliver_all(sql, one);
  auto delivery = select_delivery(sql, key);
  if (!delivery) return tl::unexpected(WebhookRefusal::unknown);  // it has just been pruned
  record(sql, by, "webhook.redeliver", delivery->id, {});
  sql.commit();
  return std::move(*delivery);
}

ports::WebhookOutcome<std::uint64_t> redeliver_dead(pqxx::connection& connection, std::uint64_t endpoint,
                                                    std::size_t limit, const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  if (const auto refusal = refusal_of(sql, endpoint, WebhookRefusal::unknown)) return tl::unexpected(*refusal);
  LaneDeliveries picked{endpoint, {}, {}, {}};
  for (const auto& row :
       sql.exec("SELECT epoch, seq, lane FROM webhook_deliveries WHERE endpoint = " + std::to_string(endpoint) +
                " AND state = 2 ORDER BY created_at_ms, epoch, seq LIMIT " + std::to_string(limit))) {
    picked.add(row[0].c_str(), row[1].as<std::uint64_t>(), row[2].c_str());
  }
  if (picked.empty()) return std::uint64_t{0};
  const std::uint64_t waiting_again = redeliver_all(sql, picked);
  record(sql, by, "webhook.redeliver", std::to_string(endpoint),
         R"({"deliveries":)" + std::to_string(waiting_again) + "}");
  sql.commit();
  return waiting_again;
}

}  // namespace fluxora::store
