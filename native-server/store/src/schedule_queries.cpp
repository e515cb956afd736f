#include "schedule_queries.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "paged_reads.hpp"
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

/// The second from which on the stream's past is known; none: all of it.
std::optional<core::UnixSeconds> known_from(pqxx::transaction_base& sql, const core::Stream& stream) {
  const pqxx::result rows =
      sql.exec("SELECT min(s.closed_at) FROM events s WHERE s.stream_id = " + sql.quote(stream.id) +
               " AND s.stream_state IS NOT NULL AND " + stands("s"));
  const auto first = number_or_none<core::UnixSeconds>(rows[0][0]);
  if (!first || *first <= static_cast<core::UnixSeconds>(stream.created_at / 1000)) return std::nullopt;
  return first;
}

/// Before its creation it is known that there was none.
bool has_unknown_moment(const std::vector<core::UnixSeconds>& moments, const core::Stream& stream,
                        core::UnixSeconds known_from) {
  const auto created = static_cast<core::UnixSeconds>(stream.created_at / 1000);
  return std::any_of(moments.begin(), moments.end(),
                     [&](core::UnixSeconds moment) { return moment >= created && moment < known_from; });
}

ports::ScheduleAnswer read_schedule(pqxx::connection& connection, const std::string& id, core::ScheduleRange range) {
  pqxx::work sql(connection);
  begin_snapshot(sql);
  const pqxx::result rows =
      sql.exec("SELECT " + std::string(read_point_columns) + ", h.oldest_seq, " + stream_column_list("s.") +
               " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN streams s ON s.id = " + sql.quote(id));
  ports::ScheduleAnswer answer;
  answer.at = read_point_from_row(rows[0], 0);
  answer.stream = stream_from_row(rows[0], read_point_width + 1);
  if (!answer.stream) return answer;

  std::vector<core::UnixSeconds> moments = core::schedule_moments(*answer.stream, range);
  const bool may_be_pruned = answer.stream->created_seq < rows[0][read_point_width].as<std::uint64_t>();
  const auto known = may_be_pruned ? known_from(sql, *answer.stream) : std::nullopt;
  if (known && has_unknown_moment(moments, *answer.stream, *known)) {
    if (range.from || (range.to && *range.to < *known)) {
      answer.known_from = known;
      return answer;
    }
    range.from = known;
    moments = core::schedule_moments(*answer.stream, range);
  }
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
