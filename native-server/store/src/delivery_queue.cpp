#include "delivery_queue.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "delivery_statements.hpp"
#include "fluxora/core/webhook_signature.hpp"
#include "fluxora/ports/webhooks.hpp"
#include "rows.hpp"
#include "webhook_endpoints.hpp"

namespace fluxora::store {
namespace {

using std::chrono::milliseconds;

constexpr int statement_timeout_ms = 30'000;
constexpr milliseconds life_sign_pause{3'000};
constexpr milliseconds tidying_pause{1'000};
/// How long a lane rests in which nothing can be delivered although something waits: the database is at odds with
/// itself, and nobody is helped by looking all the time.
constexpr std::int64_t hopeless_pause_ms = 60'000;

const std::string alive_until = now_ms + " + " + std::to_string(ports::dispatcher_life_ms);

/// A literal of an array, built item by item.
class ArrayLiteral {
 public:
  void add(const std::string& raw) { text_ += (text_.size() == 1 ? "" : ",") + raw; }
  void add(std::uint64_t number) { add(std::to_string(number)); }
  void add(std::int64_t number) { add(std::to_string(number)); }
  /// PostgreSQL's texts have no zero bytes: U+FFFD stands for them.
  void add_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c == '\0' ? std::string_view("\xef\xbf\xbd") : std::string_view(&c, 1);
    }
    add(quoted + '"');
  }
  [[nodiscard]] std::string sql(pqxx::transaction_base& sql) const { return sql.quote(text_ + "}"); }

 private:
  std::string text_ = "{";
};

/// Columns of lanes' keys.
struct LaneArrays {
  ArrayLiteral endpoints;
  ArrayLiteral epochs;
  ArrayLiteral lanes;

  void add(const ports::LaneKey& key) {
    endpoints.add(key.endpoint);
    epochs.add_text(key.epoch);
    lanes.add_text(key.lane);
  }
  [[nodiscard]] std::string sql(pqxx::transaction_base& sql) const {
    return endpoints.sql(sql) + "," + epochs.sql(sql) + "," + lanes.sql(sql);
  }
};

std::string execute(const std::string& name, const std::string& arguments = "") {
  return "EXECUTE webhook_" + name + (arguments.empty() ? "" : " (" + arguments + ")") + ";";
}

/// In the order of the endpoints' key: of those whose failures begin or end.
std::string turns_sql(pqxx::transaction_base& sql, const std::vector<ports::EndpointTurn>& turns) {
  if (turns.empty()) return {};
  ArrayLiteral endpoints;
  ArrayLiteral since;
  for (const ports::EndpointTurn& turn : turns) {
    endpoints.add(turn.endpoint);
    turn.failing_since ? since.add(*turn.failing_since) : since.add("NULL");
  }
  return execute("lock_endpoints", endpoints.sql(sql)) +
         execute("note_turns", endpoints.sql(sql) + "," + since.sql(sql));
}

/// All lanes that a record speaks of, as far as they are ours, in the order of their key. What later statements do they
/// do to lanes that are ours: from here on nobody can take them.
std::string lock_lanes_sql(pqxx::transaction_base& sql, const ports::DispatchRecord& record, const std::string& us) {
  LaneArrays lanes;
  for (const ports::AttemptRecord& attempt : record.attempts) lanes.add(attempt.lane);
  for (const ports::LaneRelease& release : record.releases) lanes.add(release.lane);
  return execute("lock_lanes", us + "," + lanes.sql(sql));
}

ports::DeliveryState state_after(ports::AttemptEnd end) {
  if (end == ports::AttemptEnd::delivered) return ports::DeliveryState::delivered;
  return end == ports::AttemptEnd::dead ? ports::DeliveryState::dead : ports::DeliveryState::waiting;
}

std::string attempts_sql(pqxx::transaction_base& sql, const std::vector<ports::AttemptRecord>& attempts,
                         const std::string& us) {
  if (attempts.empty()) return {};
  LaneArrays lanes;
  ArrayLiteral seqs, numbers, states, times, durations, statuses, errors, details, responses;
  for (const ports::AttemptRecord& attempt : attempts) {
    lanes.add(attempt.lane);
    seqs.add(attempt.seq);
    numbers.add(std::uint64_t{attempt.number});
    states.add(static_cast<std::uint64_t>(state_after(attempt.end)));
    times.add(attempt.at);
    durations.add(attempt.duration_ms);
    attempt.status ? statuses.add(std::uint64_t{*attempt.status}) : statuses.add("NULL");
    errors.add_text(attempt.error);
    details.add_text(attempt.detail);
    responses.add_text(attempt.response);
  }
  std::string arguments = us + "," + lanes.sql(sql);
  for (const ArrayLiteral* column :
       {&seqs, &numbers, &states, &times, &durations, &statuses, &errors, &details, &responses}) {
    arguments += "," + column->sql(sql);
  }
  return execute("record_attempts", arguments);
}

/// Have to be statements behind the one that locks the lanes: only their snapshots show all that was put into them.
std::string releases_sql(pqxx::transaction_base& sql, const std::vector<ports::LaneRelease>& releases,
                         const std::string& us) {
  if (releases.empty()) return {};
  LaneArrays lanes;
  ArrayLiteral pauses;
  for (const ports::LaneRelease& release : releases) {
    lanes.add(release.lane);
    pauses.add(release.pause_ms);
  }
  const std::string keys = us + "," + lanes.sql(sql);
  return execute("remove_lanes", keys) + execute("release_lanes", keys + "," + pauses.sql(sql));
}

std::string claim_sql(const ports::ClaimWish& wish, std::uint64_t last_served, const std::string& us) {
  std::string rooms = "'{";
  for (const ports::EndpointRoom& room : wish.rooms) {
    rooms += (rooms.size() > 2 ? ",\"" : "\"") + std::to_string(room.endpoint) + "\":" + std::to_string(room.lanes);
  }
  return execute("wake_lanes") +
         execute("claim_lanes", us + "," + std::to_string(last_served) + "," + rooms + "}'," +
                                    std::to_string(wish.lanes_an_endpoint) + "," + std::to_string(wish.lanes));
}

std::vector<ports::ClaimedLane> lanes_from_rows(const pqxx::result& rows) {
  std::vector<ports::ClaimedLane> lanes;
  std::size_t size = 0;
  bool full = false;  // what a lane's deliveries hold in memory has a bound
  for (const auto& row : rows) {
    ports::LaneKey key{row[0].as<std::uint64_t>(), row[1].c_str(), row[2].c_str()};
    if (lanes.empty() || lanes.back().key != key) {
      lanes.push_back({std::move(key), {}});
      size = 0;
      full = false;
    }
    if (row[3].is_null() || row[6].is_null()) continue;
    ports::ClaimedLane& lane = lanes.back();
    size += row[6].as<std::size_t>();
    full = full || (!lane.deliveries.empty() && size > core::webhook_body_max);
    if (full) continue;
    ports::ClaimedDelivery delivery;
    delivery.seq = row[3].as<std::uint64_t>();
    delivery.id = ports::delivery_id(lane.key.endpoint, lane.key.epoch, delivery.seq);
    delivery.attempts = row[4].as<unsigned>();
    delivery.tries = row[5].as<unsigned>();
    lane.deliveries.push_back(std::move(delivery));
  }
  return lanes;
}

/// The messages, each once for however many deliveries.
void read_messages(pqxx::transaction_base& sql, std::vector<ports::ClaimedLane>& lanes) {
  std::map<std::pair<std::string, std::uint64_t>, std::vector<ports::ClaimedDelivery*>> wanted;
  for (ports::ClaimedLane& lane : lanes) {
    for (ports::ClaimedDelivery& delivery : lane.deliveries)
      wanted[{lane.key.epoch, delivery.seq}].push_back(&delivery);
  }
  ArrayLiteral epochs;
  ArrayLiteral seqs;
  for (const auto& [cursor, deliveries] : wanted) {
    epochs.add_text(cursor.first);
    seqs.add(cursor.second);
  }
  for (const auto& row : sql.exec(execute("read_messages", epochs.sql(sql) + "," + seqs.sql(sql)))) {
    const auto body = std::make_shared<const std::string>(row[3].c_str(), row[3].size());
    for (ports::ClaimedDelivery* delivery : wanted.at({row[0].c_str(), row[1].as<std::uint64_t>()})) {
      delivery->event = row[2].c_str();
      delivery->body = body;
      delivery->traceparent = row[4].c_str();
    }
  }
}

/// Takes out the lanes of which nothing can be delivered: they are given back, or removed where nothing waits in them.
ports::DispatchRecord take_hopeless(std::vector<ports::ClaimedLane>& lanes) {
  const auto first = std::stable_partition(lanes.begin(), lanes.end(),
                                           [](const ports::ClaimedLane& lane) { return !lane.deliveries.empty(); });
  ports::DispatchRecord record;
  for (auto lane = first; lane != lanes.end(); ++lane) record.releases.push_back({lane->key, hopeless_pause_ms});
  lanes.erase(first, lanes.end());
  return record;
}

std::optional<core::Bytes> bytes_or_none(const pqxx::field& field) {
  if (field.is_null()) return std::nullopt;
  return bytes_from_field(field);
}

std::vector<ports::EndpointTarget> read_targets(pqxx::transaction_base& sql,
                                                const std::vector<ports::ClaimedLane>& lanes) {
  ArrayLiteral ids;
  std::optional<std::uint64_t> before;
  for (const ports::ClaimedLane& lane : lanes) {
    if (before != lane.key.endpoint) ids.add(lane.key.endpoint);
    before = lane.key.endpoint;
  }
  std::vector<ports::EndpointTarget> targets;
  for (const auto& row : sql.exec(execute("read_targets", ids.sql(sql)))) {
    const auto id = row[0].as<std::uint64_t>();
    if (targets.empty() || targets.back().id != id) {
      targets.push_back({id, row[1].c_str(), bytes_or_none(row[2]), {}, number_or_none<core::UnixMillis>(row[3])});
    }
    if (row[4].is_null()) continue;
    targets.back().former_secrets.push_back({bytes_from_field(row[4]), row[5].as<core::UnixMillis>()});
  }
  return targets;
}

}  // namespace

PostgresDeliveryQueue::PostgresDeliveryQueue(StoreOptions options)
    : connection_(std::move(options), "webhooks", statement_timeout_ms) {}

template <class Work>
auto PostgresDeliveryQueue::use(Work work) -> decltype(work(std::declval<pqxx::connection&>())) {
  try {
    return connection_.use([&](pqxx::connection& connection) {
      if (prepared_ != connection_.openings()) {
        pqxx::nontransaction(connection).exec(prepare_delivery_statements());
        prepared_ = connection_.openings();
      }
      return work(connection);
    });
  } catch (const pqxx::sql_error& error) {
    throw ports::StoreUnavailable(error.what());
  }
}

void PostgresDeliveryQueue::show_life(pqxx::connection& connection) {
  if (!dispatcher_) return begin_anew(connection);
  const Clock::time_point now = Clock::now();
  if (now - shown_life_ < life_sign_pause) return;
  const pqxx::result shown =
      pqxx::nontransaction(connection)
          .exec("UPDATE webhook_dispatchers SET alive_until_ms = " + alive_until +
                " WHERE id = " + std::to_string(*dispatcher_) + " AND alive_until_ms > " + now_ms);
  if (shown.affected_rows() == 0) return begin_anew(connection);
  shown_life_ = now;
}

void PostgresDeliveryQueue::begin_anew(pqxx::connection& connection) {
  const Clock::time_point now = Clock::now();
  pqxx::nontransaction sql(connection);
  if (dispatcher_) {
    sql.exec("DELETE FROM webhook_dispatchers WHERE id = " + std::to_string(*dispatcher_));
    dispatcher_.reset();
    lost_former_ = true;
    tidied_lanes_ = {};
  }
  dispatcher_ =
      sql.exec("INSERT INTO webhook_dispatchers (alive_until_ms) VALUES (" + alive_until + ") RETURNING id")[0][0]
          .as<std::uint64_t>();
  shown_life_ = now;
  claim_in_doubt_ = false;
}

void PostgresDeliveryQueue::tidy_lanes(pqxx::connection& connection) {
  const Clock::time_point now = Clock::now();
  if (now - tidied_lanes_ < tidying_pause) return;
  tidied_lanes_ = now;
  pqxx::nontransaction(connection)
      .exec("SET LOCAL synchronous_commit = off;" + execute("park_lanes") + execute("free_lanes"));
}

std::vector<ports::ClaimedLane> PostgresDeliveryQueue::claim_lanes(pqxx::connection& connection,
                                                                   const ports::ClaimWish& wish) {
  pqxx::nontransaction sql(connection);
  // A claim that a crash of the database undoes is made again.
  const pqxx::result claimed =
      sql.exec("SET LOCAL synchronous_commit = off;" + claim_sql(wish, last_served_, std::to_string(*dispatcher_)));
  if (claimed.empty()) return {};
  LaneArrays keys;
  for (const auto& row : claimed) keys.add({row[0].as<std::uint64_t>(), row[1].c_str(), row[2].c_str()});
  // A statement behind it, which sees what whoever had these lanes until now has recorded.
  auto lanes = lanes_from_rows(sql.exec(execute("next_deliveries", keys.sql(sql))));
  // In their order: those behind the last one, and then those that follow the beginning.
  const auto turn = [this](const ports::ClaimedLane& lane) {
    return std::pair(lane.key.endpoint <= last_served_, lane.key.endpoint);
  };
  last_served_ = std::max_element(lanes.begin(), lanes.end(), [&](const auto& a, const auto& b) {
                   return turn(a) < turn(b);
                 })->key.endpoint;
  return lanes;
}

ports::Claim PostgresDeliveryQueue::claim(const ports::ClaimWish& wish) {
  return use([&](pqxx::connection& connection) {
    claim_in_doubt_ ? begin_anew(connection) : show_life(connection);
    tidy_lanes(connection);
    ports::Claim claim;
    if (wish.lanes > 0) {
      claim_in_doubt_ = true;
      claim.lanes = claim_lanes(connection, wish);
      write(connection, take_hopeless(claim.lanes));
      if (!claim.lanes.empty()) {
        pqxx::nontransaction sql(connection);
        read_messages(sql, claim.lanes);
        claim.targets = read_targets(sql, claim.lanes);
      }
      claim_in_doubt_ = false;
    }
    claim.lost_former = std::exchange(lost_former_, false);
    return claim;
  });
}

void PostgresDeliveryQueue::record(const ports::DispatchRecord& record) {
  use([&](pqxx::connection& connection) {
    show_life(connection);
    write(connection, record);
  });
}

void PostgresDeliveryQueue::write(pqxx::connection& connection, const ports::DispatchRecord& record) const {
  if (record.empty()) return;
  pqxx::nontransaction sql(connection);
  const std::string us = std::to_string(*dispatcher_);
  sql.exec(turns_sql(sql, record.turns) + lock_lanes_sql(sql, record, us) + attempts_sql(sql, record.attempts, us) +
           releases_sql(sql, record.releases, us));
}

ports::DisableEnd PostgresDeliveryQueue::disable(std::uint64_t endpoint, const std::string& url,
                                                 ports::DisableReason reason) {
  return use([&](pqxx::connection& connection) { return disable_endpoint(connection, endpoint, url, reason); });
}

void PostgresDeliveryQueue::leave() {
  use([&](pqxx::connection& connection) {
    if (!dispatcher_) return;
    const std::string id = std::to_string(*dispatcher_);
    pqxx::nontransaction(connection)
        .exec(
            "SET LOCAL enable_sort = on; WITH held AS MATERIALIZED (SELECT endpoint, epoch, lane FROM webhook_lanes "
            "WHERE claimed_by = " +
            id +
            " ORDER BY endpoint, epoch, lane FOR UPDATE)"
            " UPDATE webhook_lanes l SET claimed_by = NULL, due_at_ms = " +
            now_ms + " FROM held WHERE " +
            "l.endpoint = held.endpoint AND l.epoch = held.epoch AND l.lane = held.lane" +
            ";DELETE FROM webhook_dispatchers WHERE id = " + id);
    dispatcher_.reset();
  });
}

}  // namespace fluxora::store
