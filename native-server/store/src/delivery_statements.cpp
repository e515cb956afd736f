#include "delivery_statements.hpp"

#include "fluxora/ports/delivery_queue.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// Lanes that one statement frees, wakes, or lets rest, at most.
constexpr unsigned lanes_at_once = 1'000;
/// How long lanes of disabled endpoints rest, where nobody wakes them.
constexpr std::string_view parked_ms = "3600000";

std::string prepare(const std::string& name, const std::string& types, const std::string& statement) {
  return "PREPARE webhook_" + name + (types.empty() ? "" : " (" + types + ")") + " AS " + statement + ";";
}

/// Of two lanes by their aliases.
std::string same_lane(const std::string& one, const std::string& other) {
  const auto same = [&](const std::string& column) { return one + "." + column + " = " + other + "." + column; };
  return same("endpoint") + " AND " + same("epoch") + " AND " + same("lane");
}

/// Those of the lanes of `named` that dispatcher $1 has. Said so that the index by dispatcher isn't used for it: these
/// lanes are named, and every one of them would be compared with all that it has.
std::string ours(const std::string& named, const std::string& locking = "") {
  return named + " CROSS JOIN LATERAL (SELECT FROM webhook_lanes l WHERE " + same_lane("l", "named") +
         " AND l.claimed_by IS NOT DISTINCT FROM $1 LIMIT 1" + locking + ") AS held";
}

std::string wake_lanes() {
  return "UPDATE webhook_lanes SET resting = false WHERE ctid = ANY (ARRAY (SELECT ctid FROM webhook_lanes"
         " WHERE resting AND due_at_ms <= (SELECT " +
         now_ms + ") ORDER BY due_at_ms LIMIT " + std::to_string(lanes_at_once) + " FOR UPDATE SKIP LOCKED))";
}

/// `name`: the endpoints with lanes that may be claimed, in their order, from one to the next by the index, over
/// however many lanes each has. `first` and `next` are conditions; in the latter the name is the endpoint before.
std::string endpoints_with_lanes(const std::string& name, const std::string& first, const std::string& next) {
  const auto least = [](const std::string& condition) {
    return "(SELECT l.endpoint FROM webhook_lanes l WHERE l.claimed_by IS NULL AND NOT l.resting AND " + condition +
           " ORDER BY l.endpoint LIMIT 1)";
  };
  return name + " (endpoint) AS (" + least(first) + " UNION ALL SELECT " + least(next) + " FROM " + name + " WHERE " +
         name + ".endpoint IS NOT NULL)";
}

/// Locks the endpoints, so that who enables one comes before it or behind it, and then wakes what rests.
std::string park_lanes() {
  return "WITH RECURSIVE " + endpoints_with_lanes("open", "true", "l.endpoint > open.endpoint") +
         " UPDATE webhook_lanes SET resting = true, due_at_ms = " + now_ms + " + " + std::string(parked_ms) +
         " WHERE ctid = ANY (ARRAY (SELECT parked.ctid FROM open CROSS JOIN LATERAL (SELECT e.id FROM webhook_endpoints"
         " e WHERE e.id = open.endpoint AND (NOT e.enabled OR e.deleted_at_ms IS NOT NULL) LIMIT 1"
         " FOR SHARE SKIP LOCKED) AS idle CROSS JOIN LATERAL (SELECT l.ctid FROM webhook_lanes l"
         " WHERE l.endpoint = idle.id AND l.claimed_by IS NULL AND NOT l.resting ORDER BY l.due_at_ms LIMIT " +
         std::to_string(lanes_at_once) + " FOR UPDATE SKIP LOCKED) AS parked LIMIT " + std::to_string(lanes_at_once) +
         "))";
}

/// No further than the lanes that are wanted: the database makes rows of these queries as they are asked for.
std::string claim_lanes() {
  return "WITH RECURSIVE " + endpoints_with_lanes("behind", "l.endpoint > $2", "l.endpoint > behind.endpoint") + ", " +
         endpoints_with_lanes("before", "l.endpoint <= $2", "l.endpoint > before.endpoint AND l.endpoint <= $2") +
         ", picked AS MATERIALIZED (SELECT open.* FROM (SELECT endpoint FROM behind UNION ALL SELECT endpoint FROM "
         "before)"
         " AS turn CROSS JOIN LATERAL (SELECT l.endpoint, l.epoch, l.lane FROM webhook_lanes l"
         " WHERE l.endpoint = turn.endpoint AND l.claimed_by IS NULL AND NOT l.resting ORDER BY l.due_at_ms"
         " LIMIT CASE WHEN EXISTS (SELECT FROM webhook_endpoints e WHERE e.id = turn.endpoint AND e.enabled"
         " AND e.deleted_at_ms IS NULL) THEN coalesce(($3 ->> turn.endpoint::text)::bigint, $4) ELSE 0 END"
         " FOR UPDATE SKIP LOCKED) AS open LIMIT $5)"
         " INSERT INTO webhook_lanes (endpoint, epoch, lane, due_at_ms) SELECT endpoint, epoch, lane, 0 FROM picked"
         " ON CONFLICT (endpoint, epoch, lane) DO UPDATE SET claimed_by = $1 RETURNING endpoint, epoch, lane";
}

/// What waits from a lane on, in the order of the index for that: it is the only one that gives this order. Asked for
/// what is equal to the lane, the planner may take another, and read all that an endpoint ever had.
std::string waiting_from(const std::string& lane) {
  return " FROM webhook_deliveries d WHERE d.state = 0 AND (d.endpoint, d.epoch, d.lane) >= (" + lane + ".endpoint, " +
         lane + ".epoch, " + lane + ".lane) ORDER BY d.endpoint, d.epoch, d.lane, d.seq LIMIT ";
}

/// NULL for a lane in which there is none.
std::string next_deliveries() {
  return "SELECT l.endpoint, l.epoch, l.lane, next.seq, next.attempts, next.tries,"
         " (SELECT octet_length(m.body) FROM webhook_messages m WHERE m.epoch = l.epoch AND m.seq = next.seq)"
         " FROM unnest($1, $2, $3) AS l (endpoint, epoch, lane) LEFT JOIN LATERAL (SELECT d.*" +
         waiting_from("l") + std::to_string(ports::deliveries_a_lane) + ") AS next ON " + same_lane("next", "l") +
         " ORDER BY l.endpoint, l.epoch, l.lane, next.seq";
}

std::string record_attempts() {
  return "WITH made AS MATERIALIZED (SELECT named.* FROM " +
         ours(
             "unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS named"
             " (endpoint, epoch, lane, seq, number, state, at_ms, duration_ms, status, error, detail, response)") +
         // What was recorded already, before its commit's answer got lost, isn't counted twice.
         "), counted AS (INSERT INTO webhook_deliveries AS d (endpoint, epoch, seq, lane, attempts, state,"
         " finished_at_ms) SELECT endpoint, epoch, seq, lane, number, state, CASE WHEN state <> 0 THEN " +
         now_ms +
         " END FROM made ON CONFLICT (endpoint, epoch, seq) DO UPDATE SET attempts = excluded.attempts,"
         " tries = d.tries + 1, state = excluded.state, finished_at_ms = excluded.finished_at_ms"
         " WHERE d.state = 0 AND d.attempts < excluded.attempts)"
         " INSERT INTO webhook_attempts (endpoint, epoch, seq, number, at_ms, duration_ms, status, error, detail,"
         " response) SELECT endpoint, epoch, seq, number, at_ms, duration_ms, status, error, detail, response FROM made"
         " ON CONFLICT DO NOTHING";
}

std::string remove_lanes() {
  return "DELETE FROM webhook_lanes WHERE ctid = ANY (ARRAY (SELECT held.ctid FROM unnest($2, $3, $4) AS named"
         " (endpoint, epoch, lane) CROSS JOIN LATERAL (SELECT l.ctid FROM webhook_lanes l WHERE " +
         same_lane("l", "named") +
         " AND l.claimed_by IS NOT DISTINCT FROM $1 LIMIT 1) AS held"
         " WHERE (SELECT " +
         same_lane("d", "named") + waiting_from("named") + "1) IS NOT TRUE))";
}

std::string release_lanes() {
  return "INSERT INTO webhook_lanes (endpoint, epoch, lane, due_at_ms, resting)"
         " SELECT named.endpoint, named.epoch, named.lane, " +
         now_ms + " + named.pause_ms, named.pause_ms > 0 FROM " +
         ours("unnest($2, $3, $4, $5) AS named (endpoint, epoch, lane, pause_ms)") +
         " ON CONFLICT (endpoint, epoch, lane) DO UPDATE SET claimed_by = NULL, due_at_ms = excluded.due_at_ms,"
         " resting = excluded.resting";
}

std::string free_lanes() {
  return "WITH gone AS MATERIALIZED (SELECT held.claimed_by FROM"
         " (SELECT DISTINCT claimed_by FROM webhook_lanes WHERE claimed_by IS NOT NULL) AS held"
         " LEFT JOIN webhook_dispatchers d ON d.id = held.claimed_by WHERE d.id IS NULL OR d.alive_until_ms <= " +
         now_ms +
         ") UPDATE webhook_lanes SET claimed_by = NULL WHERE ctid = ANY (ARRAY (SELECT l.ctid FROM webhook_lanes l"
         " JOIN gone ON gone.claimed_by = l.claimed_by LIMIT " +
         std::to_string(lanes_at_once) + " FOR UPDATE OF l SKIP LOCKED))";
}

}  // namespace

std::string prepare_delivery_statements() {
  const std::string lanes = "bigint, bigint[], text[], text[]";
  return "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off;"
         "SET enable_sort = off; SET enable_incremental_sort = off;"
         "SET plan_cache_mode = force_generic_plan;" +
         prepare("wake_lanes", "", wake_lanes()) +
         prepare("claim_lanes", "bigint, bigint, jsonb, bigint, bigint", claim_lanes()) +
         prepare("next_deliveries", "bigint[], text[], text[]", next_deliveries()) +
         prepare("read_messages", "text[], bigint[]",
                 "SELECT m.* FROM unnest($1, $2) AS wanted (epoch, seq) CROSS JOIN LATERAL (SELECT m.epoch, m.seq,"
                 " m.event, m.body, m.traceparent FROM webhook_messages m WHERE m.epoch = wanted.epoch AND m.seq = "
                 "wanted.seq LIMIT 1)"
                 " AS m") +
         prepare("read_targets", "bigint[]",
                 "SELECT e.id, e.url, e.secret, e.failing_since_ms, f.secret, f.until_ms FROM webhook_endpoints e"
                 " LEFT JOIN webhook_former_secrets f ON f.endpoint = e.id WHERE e.id = ANY ($1)"
                 " ORDER BY e.id, f.number DESC") +
         prepare("lock_endpoints", "bigint[]",
                 "SELECT FROM webhook_endpoints WHERE id = ANY ($1) ORDER BY id FOR UPDATE") +
         prepare("note_turns", "bigint[], bigint[]",
                 "UPDATE webhook_endpoints SET failing_since_ms = CASE WHEN $2[array_position($1, id)] IS NOT NULL"
                 " THEN least(failing_since_ms, $2[array_position($1, id)]) END WHERE id = ANY ($1)") +
         prepare("lock_lanes", lanes,
                 "SELECT FROM " + ours("(SELECT * FROM unnest($2, $3, $4) AS n (endpoint, epoch, lane) ORDER BY"
                                       " endpoint, epoch COLLATE \"C\", lane COLLATE \"C\") AS named",
                                       " FOR UPDATE")) +
         prepare("record_attempts",
                 lanes + ", bigint[], integer[], smallint[], bigint[], integer[], smallint[], text[], text[], text[]",
                 record_attempts()) +
         prepare("remove_lanes", lanes, remove_lanes()) +
         prepare("release_lanes", lanes + ", bigint[]", release_lanes()) + prepare("free_lanes", "", free_lanes()) +
         prepare("park_lanes", "", park_lanes());
}

}  // namespace fluxora::store
