#include "stream_queries.hpp"

#include <algorithm>

#include "rows.hpp"

namespace fluxora::store {
namespace {

const Statement& find_as_of_statement() {
  static const Statement statement = {
      "find_as_of", "SELECT " + std::string(read_point_columns) +
                        ", e.stream_state, CASE WHEN e.stream_state IS NULL THEN"
                        " (SELECT min(k.closed_at) FROM streams held JOIN events k ON k.stream_id = held.id"
                        " WHERE held.id = $1 AND held.created_at_ms / 1000 <= $2::bigint"
                        " AND k.stream_state IS NOT NULL AND " +
                        stands("k") +
                        ") END FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN LATERAL ("
                        " SELECT s.stream_state FROM events s"
                        " WHERE s.stream_id = $1 AND s.stream_state IS NOT NULL AND s.closed_at <= $2::bigint AND " +
                        stands("s") + " ORDER BY s.seq DESC LIMIT 1) e ON true"};
  return statement;
}

/// A stream's asOf, in seconds, as SQL. SPEC section 2.
std::string as_of_sql(const std::string& now) {
  return "greatest(coalesce(c.closed_at, " + now + "), s.updated_at_ms / 1000)";
}

std::string status_condition(ports::StatusFilter status, core::UnixSeconds now, const WriteValue& write) {
  const auto as_of = [&] { return as_of_sql(write(std::to_string(now), "bigint")); };
  switch (status) {
    case ports::StatusFilter::scheduled: return "s.status = 0 AND s.start_time > " + as_of();
    case ports::StatusFilter::active: return "s.status = 0 AND s.start_time <= " + as_of();
    case ports::StatusFilter::paused: return "s.status = 1";
    case ports::StatusFilter::completed: return "s.status = 2";
    case ports::StatusFilter::cancelled: return "s.status = 3";
  }
  return "true";
}

}  // namespace

std::string stream_conditions(const ports::StreamFilter& filter, const WriteValue& write) {
  std::string conditions = "true";
  if (filter.status) conditions += " AND " + status_condition(*filter.status, filter.now, write);
  if (filter.sender) conditions += " AND s.sender = " + write(*filter.sender, "text");
  if (filter.recipient) conditions += " AND s.recipient = " + write(*filter.recipient, "text");
  return conditions;
}

std::string stream_conditions(const ports::StreamFilter& filter, pqxx::transaction_base& sql) {
  return stream_conditions(filter, [&sql](const std::string& value, std::string_view type) {
    return sql.quote(value) + "::" + std::string(type);
  });
}

void StreamQueries::find(std::string id, std::uint64_t min_seq, ports::Reply<ports::StreamAnswer> reply) {
  finder_.find(std::move(id), min_seq, std::move(reply));
}

void StreamQueries::find_as_of(std::string id, core::UnixSeconds at, std::uint64_t min_seq,
                               ports::Reply<ports::StreamAnswer> reply) {
  pool_.run_replicated<ports::StreamAnswer>(
      min_seq, std::move(reply), [id = std::move(id), at](ReadConnection& connection) {
        // Close times are far below i64's end, so a later `at` means "as it is".
        const auto bounded = std::to_string(std::min(at, core::last_rfc3339_second));
        const pqxx::result rows = connection.execute(find_as_of_statement(), {id, bounded});
        return ports::StreamAnswer{stream_from_state(rows[0][read_point_width]), read_point_from_row(rows[0], 0),
                                   number_or_none<core::UnixSeconds>(rows[0][read_point_width + 1])};
      });
}

void StreamQueries::find_all(std::vector<std::string> ids, std::uint64_t min_seq,
                             ports::Reply<ports::StreamsAnswer> reply) {
  pool_.run_replicated<ports::StreamsAnswer>(min_seq, std::move(reply),
                                             [ids = std::move(ids)](ReadConnection& connection) {
                                               const pqxx::result rows = find_streams(connection, ids);
                                               ports::StreamsAnswer answer;
                                               answer.at = read_point_from_row(rows[0], 0);
                                               for (const auto& row : rows) {
                                                 if (auto stream = stream_from_row(row, read_point_width))
                                                   answer.streams.push_back(std::move(*stream));
                                               }
                                               return answer;
                                             });
}

void StreamQueries::list(ports::StreamQuery query, ports::Reply<std::shared_ptr<const ports::StreamPage>> reply) {
  lister_.list(std::move(query), std::move(reply));
}

void StreamQueries::add_to(StoreStatistics& statistics) const {
  finder_.add_to(statistics);
  lister_.add_to(statistics);
}

}  // namespace fluxora::store
