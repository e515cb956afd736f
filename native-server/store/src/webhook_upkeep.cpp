#include "webhook_upkeep.hpp"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "rows.hpp"
#include "webhook_endpoints.hpp"
#include "webhook_replays.hpp"

namespace fluxora::store {
namespace {

constexpr int statement_timeout_ms = 30'000;
/// Lanes of endpoints that are gone which are emptied at once.
constexpr std::size_t lanes_at_once = 1'000;
/// Deliveries of an endpoint that the oldest is looked for among.
constexpr std::size_t oldest_among = 100;
/// How long a dispatcher is remembered whose time is over.
constexpr std::string_view dispatcher_memory_ms = "3600000";

/// The configured endpoint, as far as it matters here.
struct ConfiguredRow {
  std::uint64_t id = 0;
  std::string url;
  std::string disabled_reason;
  bool is_ours = false;  ///< an instance has said lately that it has it
};

std::optional<ConfiguredRow> find_configured(pqxx::transaction_base& sql) {
  const pqxx::result rows =
      sql.exec("SELECT id, url, disabled_reason, coalesce(configured_at_ms, 0) > " + now_ms + " - " +
               std::to_string(ports::configured_life_ms) + " FROM webhook_endpoints WHERE configured");
  if (rows.empty()) return std::nullopt;
  return ConfiguredRow{rows[0][0].as<std::uint64_t>(), rows[0][1].c_str(), rows[0][2].c_str(), rows[0][3].as<bool>()};
}

/// What is to be done about the endpoint.
ports::ConfiguredChange change_due(const std::optional<ConfiguredRow>& row,
                                   const std::optional<ports::ConfiguredEndpoint>& endpoint, bool starts) {
  using ports::ConfiguredChange;
  const bool switched_off = row && row->disabled_reason == "configuration";
  if (!endpoint) return row && !switched_off && !row->is_ours ? ConfiguredChange::disabled : ConfiguredChange::none;
  if (!row) return ConfiguredChange::made;
  if (switched_off) return ConfiguredChange::enabled;
  return starts && row->url != endpoint->url ? ConfiguredChange::moved : ConfiguredChange::none;
}

/// Only now and then, however many instances say so: nobody who appends has to wait for it.
void note_configured(pqxx::transaction_base& sql, std::uint64_t id) {
  constexpr std::string_view noted_every_ms = "60000";
  sql.exec("UPDATE webhook_endpoints SET configured_at_ms = " + now_ms + " WHERE id = " + std::to_string(id) +
           " AND configured_at_ms <= " + now_ms + " - " + std::string(noted_every_ms));
}

void insert_configured(pqxx::transaction_base& sql, const std::string& url, const core::Cursor& end) {
  sql.exec("INSERT INTO webhook_endpoints (configured, configured_at_ms, url, since_epoch, since_seq) VALUES (true, " +
           now_ms + ", " + sql.quote(url) + ", " + sql.quote(end.epoch) + ", " + std::to_string(end.seq) + ")");
}

void update_configured(pqxx::transaction_base& sql, std::uint64_t id, const std::string& assignments) {
  sql.exec("UPDATE webhook_endpoints SET updated_at_ms = " + now_ms + ", " + assignments +
           " WHERE id = " + std::to_string(id));
}

/// Nobody has it configured any more.
std::string switching_off_sql(pqxx::transaction_base& sql, const ConfiguredRow& row, const core::Cursor& end) {
  if (row.disabled_reason.empty()) return disabling_sql(sql, "configuration", end);
  return "disabled_reason = 'configuration'";  // it has heard of nothing since it was disabled
}

/// It is at this URL from now on. Whatever it was disabled for: what is at another address, or configured anew, has
/// done nothing yet.
std::string configuring_sql(pqxx::transaction_base& sql, const ConfiguredRow& row, const std::string& url,
                            const core::Cursor& end) {
  return "configured_at_ms = " + now_ms + ", url = " + sql.quote(url) + ", " +
         (row.disabled_reason.empty() ? "failing_since_ms = NULL" : enabling_sql(sql, end));
}

/// A lane, as a query's rows have it: endpoint, epoch, lane.
std::string lanes_query(pqxx::transaction_base& sql, const pqxx::result& lanes) {
  std::vector<std::uint64_t> endpoints;
  std::vector<std::string> epochs;
  std::vector<std::string> names;
  for (const auto& row : lanes) {
    endpoints.push_back(row[0].as<std::uint64_t>());
    epochs.emplace_back(row[1].c_str());
    names.emplace_back(row[2].c_str());
  }
  return R"(SELECT endpoint, epoch COLLATE "C" AS epoch, lane COLLATE "C" AS lane FROM unnest()" +
         number_array(endpoints) + ", " + text_array(sql, epochs) + ", " + text_array(sql, names) +
         ") AS given(endpoint, epoch, lane)";
}

/// What waits for endpoints that were deleted is cancelled, lane by lane.
std::size_t cancel_orphans(pqxx::connection& connection, std::size_t limit) {
  pqxx::work sql(connection);
  sql.exec(std::string(by_the_indexes));
  const pqxx::result lanes = sql.exec(
      "SELECT l.endpoint, l.epoch, l.lane FROM webhook_lanes l JOIN webhook_endpoints e ON e.id = l.endpoint"
      " WHERE e.deleted_at_ms IS NOT NULL ORDER BY l.endpoint, l.epoch, l.lane LIMIT " +
      std::to_string(lanes_at_once) + " FOR UPDATE OF l SKIP LOCKED");
  if (lanes.empty()) return 0;
  const std::string given = lanes_query(sql, lanes);
  const pqxx::result cancelled =
      sql.exec("UPDATE webhook_deliveries d SET state = 3, finished_at_ms = " + now_ms +
               " FROM (SELECT w.endpoint, w.epoch, w.seq FROM (" + given +
               ") given JOIN webhook_deliveries w ON w.endpoint = given.endpoint AND w.epoch = given.epoch"
               " AND w.lane = given.lane AND w.state = 0 LIMIT " +
               std::to_string(limit) + ") w WHERE d.endpoint = w.endpoint AND d.epoch = w.epoch AND d.seq = w.seq");
  sql.exec("DELETE FROM webhook_lanes l USING (" + given +
           ") given WHERE l.endpoint = given.endpoint AND l.epoch = given.epoch AND l.lane = given.lane"
           " AND NOT EXISTS (SELECT FROM webhook_deliveries w WHERE w.endpoint = l.endpoint AND w.epoch = l.epoch"
           " AND w.lane = l.lane AND w.state = 0)");
  sql.commit();
  return static_cast<std::size_t>(cancelled.affected_rows());
}

/// Deliveries of messages that were removed: how many of each.
struct RemovedDeliveries {
  std::size_t all = 0;
  std::vector<std::string> epochs;
  std::vector<std::uint64_t> seqs;
  std::vector<std::uint64_t> counts;
};

RemovedDeliveries remove_deliveries(pqxx::transaction_base& sql, core::UnixMillis before, std::size_t limit) {
  RemovedDeliveries removed;
  for (const auto& row :
       sql.exec("WITH old AS (SELECT endpoint, epoch, seq FROM webhook_deliveries WHERE finished_at_ms < " +
                std::to_string(before) + " ORDER BY finished_at_ms LIMIT " + std::to_string(limit) +
                " FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM webhook_deliveries d USING old WHERE"
                " d.endpoint = old.endpoint AND d.epoch = old.epoch AND d.seq = old.seq"
                " RETURNING d.endpoint, d.epoch, d.seq), attempts AS (DELETE FROM webhook_attempts a USING gone WHERE"
                " a.endpoint = gone.endpoint AND a.epoch = gone.epoch AND a.seq = gone.seq)"
                " SELECT epoch, seq, count(*) FROM gone GROUP BY epoch, seq")) {
    removed.epochs.emplace_back(row[0].c_str());
    removed.seqs.push_back(row[1].as<std::uint64_t>());
    removed.counts.push_back(row[2].as<std::uint64_t>());
    removed.all += removed.counts.back();
  }
  return removed;
}

/// A message goes with the last of its deliveries.
void discount_messages(pqxx::transaction_base& sql, const RemovedDeliveries& removed) {
  const std::string given = R"((SELECT epoch COLLATE "C" AS epoch, seq, removed FROM unnest()" +
                            text_array(sql, removed.epochs) + ", " + number_array(removed.seqs) + ", " +
                            number_array(removed.counts) + ") AS given(epoch, seq, removed)) given";
  sql.exec(
      "UPDATE webhook_messages m SET deliveries = m.deliveries - held.removed FROM (SELECT kept.epoch, kept.seq,"
      " given.removed FROM webhook_messages kept JOIN " +
      given +
      " ON kept.epoch = given.epoch AND kept.seq = given.seq ORDER BY kept.epoch, kept.seq FOR UPDATE OF kept) held"
      " WHERE m.epoch = held.epoch AND m.seq = held.seq");
  sql.exec("DELETE FROM webhook_messages m USING " + given +
           " WHERE m.epoch = given.epoch AND m.seq = given.seq AND m.deliveries <= 0");
}

std::size_t prune_finished(pqxx::connection& connection, core::UnixMillis before, std::size_t limit) {
  pqxx::work sql(connection);
  sql.exec(std::string(by_the_indexes));
  const RemovedDeliveries removed = remove_deliveries(sql, before, limit);
  if (removed.all > 0) discount_messages(sql, removed);
  sql.exec("DELETE FROM webhook_dispatchers d WHERE alive_until_ms < " + now_ms + " - " +
           std::string(dispatcher_memory_ms) +
           " AND NOT EXISTS (SELECT FROM webhook_lanes l WHERE l.claimed_by = d.id)");
  sql.commit();
  return removed.all;
}

void remove_former_secrets(pqxx::connection& connection, std::size_t limit) {
  pqxx::nontransaction(connection)
      .exec(
          "DELETE FROM webhook_former_secrets f USING (SELECT endpoint, number FROM webhook_former_secrets"
          " WHERE until_ms <= " +
          now_ms + " LIMIT " + std::to_string(limit) +
          " FOR UPDATE SKIP LOCKED) over WHERE f.endpoint = over.endpoint AND f.number = over.number");
}

/// A query over the first deliveries that wait for the endpoint e.
std::string first_waiting(const std::string& what, const std::string& limit) {
  return " (SELECT " + what +
         " FROM (SELECT created_at_ms FROM webhook_deliveries WHERE endpoint = e.id AND state = 0" +
         std::string(waiting_order) + " LIMIT " + limit + ") waiting)";
}

/// Pairs of an endpoint and how many wait.
std::vector<ports::OverfullEndpoint> overfull_in(const std::string& text) {
  std::istringstream words(text);
  std::vector<ports::OverfullEndpoint> overfull;
  for (ports::OverfullEndpoint next; words >> next.endpoint >> next.waiting;) overfull.push_back(next);
  return overfull;
}

}  // namespace

PostgresWebhookUpkeep::PostgresWebhookUpkeep(const StoreOptions& options)
    : connection_(options, "webhook-upkeep", statement_timeout_ms) {}

template <class Work>
auto PostgresWebhookUpkeep::use(Work work) -> decltype(work(std::declval<pqxx::connection&>())) {
  try {
    return connection_.use(std::move(work));
  } catch (const pqxx::sql_error& error) {
    throw ports::StoreUnavailable(error.what());
  }
}

ports::ConfiguredChange PostgresWebhookUpkeep::configure(const std::optional<ports::ConfiguredEndpoint>& endpoint,
                                                         bool starts) {
  return use([&](pqxx::connection& connection) {
    {
      pqxx::nontransaction sql(connection);
      const auto row = find_configured(sql);
      if (row && endpoint) note_configured(sql, row->id);
      if (change_due(row, endpoint, starts) == ports::ConfiguredChange::none) return ports::ConfiguredChange::none;
    }
    pqxx::work sql(connection);
    const core::Cursor end = hold_log_end(sql);
    const auto row = find_configured(sql);
    const ports::ConfiguredChange change = change_due(row, endpoint, starts);
    switch (change) {
      case ports::ConfiguredChange::none: return change;
      case ports::ConfiguredChange::made: insert_configured(sql, endpoint->url, end); break;
      case ports::ConfiguredChange::disabled: update_configured(sql, row->id, switching_off_sql(sql, *row, end)); break;
      case ports::ConfiguredChange::moved:
      case ports::ConfiguredChange::enabled:
        update_configured(sql, row->id, configuring_sql(sql, *row, endpoint->url, end));
        break;
    }
    sql.commit();
    if (row && endpoint) wake_lanes(connection, row->id);
    return change;
  });
}

bool PostgresWebhookUpkeep::disable(std::uint64_t endpoint, ports::DisableReason reason) {
  return use([&](pqxx::connection& connection) {
    return disable_endpoint(connection, endpoint, std::nullopt, reason) == ports::DisableEnd::done;
  });
}

bool PostgresWebhookUpkeep::advance_replay(std::size_t entries, std::size_t most_waiting) {
  return use([&](pqxx::connection& connection) { return store::advance_replay(connection, entries, most_waiting); });
}

std::size_t PostgresWebhookUpkeep::prune(core::UnixMillis before, std::size_t limit) {
  return use([&](pqxx::connection& connection) {
    remove_former_secrets(connection, limit);
    return cancel_orphans(connection, limit) + prune_finished(connection, before, limit);
  });
}

ports::DeliveryBacklog PostgresWebhookUpkeep::backlog(std::size_t most_waiting) {
  return use([&](pqxx::connection& connection) {
    pqxx::work sql(connection);
    sql.exec(std::string(by_the_indexes));
    // The index alone tells how many wait; of when they were made, an endpoint's first ones tell enough.
    const std::string most = std::to_string(most_waiting);
    const std::string counted = "CASE WHEN e.enabled THEN " + most + " * " + std::to_string(ports::most_times_counted) +
                                " ELSE " + std::to_string(ports::most_of_disabled_counted) + " END";
    const pqxx::row row = sql.exec(
        "SELECT coalesce(sum(w.waiting), 0)::bigint, min(o.oldest),"
        " count(*) FILTER (WHERE e.enabled), count(*) FILTER (WHERE NOT e.enabled),"
        " coalesce(string_agg(e.id || ' ' || w.waiting, ' ' ORDER BY e.id) FILTER (WHERE e.enabled AND w.waiting > " +
        most +
        "), ''), (SELECT count(*) FROM webhook_replays WHERE state = 'running'),"
        " (SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE state = 2 LIMIT " +
        std::to_string(ports::most_dead_counted) + ") dead) FROM webhook_endpoints e CROSS JOIN LATERAL" +
        first_waiting("count(*) AS waiting", counted) + " w CROSS JOIN LATERAL" +
        first_waiting("min(created_at_ms) FILTER (WHERE e.enabled) AS oldest", std::to_string(oldest_among)) +
        " o WHERE e.deleted_at_ms IS NULL")[0];
    sql.commit();
    ports::DeliveryBacklog backlog;
    backlog.waiting = row[0].as<std::uint64_t>();
    backlog.oldest_waiting = number_or_none<core::UnixMillis>(row[1]);
    backlog.endpoints_enabled = row[2].as<std::uint64_t>();
    backlog.endpoints_disabled = row[3].as<std::uint64_t>();
    backlog.overfull = overfull_in(row[4].c_str());
    backlog.replays_running = row[5].as<std::uint64_t>();
    backlog.dead = row[6].as<std::uint64_t>();
    return backlog;
  });
}

std::vector<ports::SealedSecret> PostgresWebhookUpkeep::sealed_secrets(const std::optional<ports::SealedSecret>& after,
                                                                       std::size_t limit) {
  return use([&](pqxx::connection& connection) {
    const std::string endpoint = std::to_string(after ? after->endpoint : 0);
    const std::string number = std::to_string(after ? after->number : 0);
    const std::string end = " LIMIT " + std::to_string(limit);
    std::vector<ports::SealedSecret> secrets;
    pqxx::nontransaction sql(connection);
    for (const auto& row : sql.exec("(SELECT id AS endpoint, 0::bigint AS number, secret FROM webhook_endpoints"
                                    " WHERE secret IS NOT NULL AND id > " +
                                    endpoint + " ORDER BY id" + end +
                                    ") UNION ALL (SELECT endpoint, number, secret FROM webhook_former_secrets"
                                    " WHERE (endpoint, number) > (" +
                                    endpoint + ", " + number + ") ORDER BY endpoint, number" + end +
                                    ") ORDER BY endpoint, number" + end)) {
      secrets.push_back({row[0].as<std::uint64_t>(), row[1].as<std::uint64_t>(), bytes_from_field(row[2])});
    }
    return secrets;
  });
}

bool PostgresWebhookUpkeep::reseal(const ports::SealedSecret& secret, const core::Bytes& sealed) {
  return use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const std::string endpoint = std::to_string(secret.endpoint);
    const std::string place =
        secret.number == 0 ? "webhook_endpoints SET secret = " + sql.quote(bytea(sealed)) + " WHERE id = " + endpoint
                           : "webhook_former_secrets SET secret = " + sql.quote(bytea(sealed)) +
                                 " WHERE endpoint = " + endpoint + " AND number = " + std::to_string(secret.number);
    return sql.exec("UPDATE " + place + " AND secret = " + sql.quote(bytea(secret.sealed))).affected_rows() > 0;
  });
}

}  // namespace fluxora::store
