#pragma once

#include <string>

namespace fluxora::store {

/// What the queue of deliveries asks the database for, prepared once a session: planning would take longer than running
/// them. They leave the planner no choice: what it knows of tables that are filled and emptied all the time is never
/// true, and a plan that is made for "nothing waits" would compare everything with everything once something does. So
/// rows are looked up one by one (LATERAL … LIMIT, subqueries), and changed by their key (ON CONFLICT) or their place
/// (ctid), never by a join. docs/data-model.md has the tables.
///
/// webhook_wake_lanes ()                               lanes whose rest is over may be claimed
/// webhook_claim_lanes (dispatcher, after, rooms, lanes_an_endpoint, lanes)
///                                                     endpoint by endpoint from behind `after`; rooms: {"12":3}
/// webhook_next_deliveries (endpoints, epochs, lanes)  of each lane, in a statement behind the one that has claimed it
/// webhook_read_messages (epochs, seqs), webhook_read_targets (endpoints)
/// webhook_lock_endpoints (endpoints), webhook_note_turns (endpoints, since)
/// webhook_lock_lanes (dispatcher, endpoints, epochs, lanes)
/// webhook_record_attempts (dispatcher, endpoints, epochs, lanes, seqs, numbers, states, times, durations, statuses,
///                          errors, details, responses)
/// webhook_remove_lanes (dispatcher, endpoints, epochs, lanes)
/// webhook_release_lanes (dispatcher, endpoints, epochs, lanes, pauses)
/// webhook_free_lanes ()                               those of dispatchers that are gone
/// webhook_park_lanes ()                               those of endpoints that are disabled rest
[[nodiscard]] std::string prepare_delivery_statements();

}  // namespace fluxora::store
