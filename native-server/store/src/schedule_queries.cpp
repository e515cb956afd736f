#include "schedule_queries.hpp"

#include <algorithm>
#include <utility>

#include "rows.hpp"

namespace fluxora::store {
namespace {

struct PastState {
  core::UnixSeconds since = 0;
  core::Stream stream;
};

/// Of the stream's states those that hold at one of the moments, in the order of their times: one statement, one walk
/// over the stream's entries, however many the moments are. At a moment the newest entry of the log holds that isn't
/// later: an observation may stand behind entries of later times, and holds in their place.
std::vector<PastState> read_states(pqxx::transaction_base& sql, const std::string& id,
                                   const std::vector<core::UnixSeconds>& moments) {
  std::string times;
  for (const core::UnixSeconds moment : moments) {
    if (!times.empty()) times += ',';
    // Close times are far below i64's end, so a later moment has the last state.
    times += std::to_string(std::min(moment, core::last_rfc3339_second));
    if (moment >= core::last_rfc3339_second) break;
  }
  // An entry holds from its own second on: bucket n has those after moment n - 1, up to moment n.
  const pqxx::result rows = sql.exec(
      "SELECT e.closed_at, e.stream_state, e.seq FROM events e JOIN ("
      "SELECT max(s.seq) AS seq FROM events s WHERE s.stream_id = " +
      sql.quote(id) + " AND s.stream_state IS NOT NULL AND " + stands("s") +
      " GROUP BY width_bucket(s.closed_at - 1, ARRAY[" + times +
      "]::bigint[])) last USING (seq) ORDER BY e.closed_at, e.seq");
  std::vector<PastState> states;
  states.reserve(static_cast<std::size_t>(rows.size()));
  std::uint64_t newest = 0;
  for (const auto& row : rows) {
    const auto seq = row[2].as<std::uint64_t>();
    if (seq < newest) continue;
    newest = seq;
    states.push_back({row[0].as<std::uint64_t>(), *stream_from_state(row[1])});
  }
  return states;
}

ports::ScheduleAnswer read_schedule(pqxx::connection& connection, const std::string& id,
                                    const core::ScheduleRange& range) {
  pqxx::work sql(connection);
  sql.exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const pqxx::result rows =
      sql.exec("SELECT " + std::string(read_point_columns) + ", " + stream_column_list("s.") +
               " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN streams s ON s.id = " + sql.quote(id));
  ports::ScheduleAnswer answer;
  answer.at = read_point_from_row(rows[0], 0);
  answer.stream = stream_from_row(rows[0], read_point_width);
  if (!answer.stream) return answer;

  const std::vector<core::UnixSeconds> moments = core::schedule_moments(*answer.stream, range);
  const std::vector<PastState> states = read_states(sql, id, moments);
  std::size_t passed = 0;
  for (const core::UnixSeconds moment : moments) {
    while (passed < states.size() && states[passed].since <= moment) ++passed;
    answer.moments.push_back({moment, passed == 0 ? std::nullopt : std::optional(states[passed - 1].stream)});
  }
  return answer;
}

}  // namespace

void ScheduleQueries::schedule(std::string id, core::ScheduleRange range, std::uint64_t min_seq,
                               ports::Reply<ports::ScheduleAnswer> reply) {
  pool_.run_replicated<ports::ScheduleAnswer>(
      min_seq, std::move(reply),
      [id = std::move(id), range](ReadConnection& connection) { return read_schedule(connection.plain(), id, range); });
}

}  // namespace fluxora::store
