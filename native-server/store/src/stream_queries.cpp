#include "stream_queries.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

// Everything a read needs in one statement, hence one snapshot and one round trip.
const std::string& find_sql() {
  static const std::string sql = "SELECT " + std::string(read_point_columns) + ", " + stream_column_list("s.") +
                                 " FROM log_head h CROSS JOIN indexer_checkpoint c"
                                 " LEFT JOIN streams s ON s.id = $1";
  return sql;
}

const std::string& find_as_of_sql() {
  static const std::string sql = "SELECT " + std::string(read_point_columns) +
                                 ", e.stream_state FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN LATERAL ("
                                 " SELECT stream_state FROM events"
                                 " WHERE stream_id = $1 AND stream_state IS NOT NULL AND closed_at <= $2"
                                 " ORDER BY seq DESC LIMIT 1) e ON true";
  return sql;
}

/// A stream's asOf, in seconds, as SQL. SPEC section 2.
std::string as_of_sql(core::UnixSeconds now) {
  return "greatest(coalesce(c.closed_at, " + std::to_string(now) + "), s.updated_at_ms / 1000)";
}

std::string status_condition(ports::StatusFilter status, core::UnixSeconds now) {
  switch (status) {
    case ports::StatusFilter::scheduled: return "s.status = 0 AND s.start_time > " + as_of_sql(now);
    case ports::StatusFilter::active: return "s.status = 0 AND s.start_time <= " + as_of_sql(now);
    case ports::StatusFilter::paused: return "s.status = 1";
    case ports::StatusFilter::completed: return "s.status = 2";
    case ports::StatusFilter::cancelled: return "s.status = 3";
  }
  return "true";
}

ports::StreamPage read_page(const ports::StreamQuery& query, pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  const std::string filter = stream_conditions(query, sql);
  std::string page = filter;
  if (query.after) {
    page += " AND (s.created_seq, s.id) < (" + std::to_string(query.after->created_seq) + ", " +
            sql.quote(query.after->id) + ")";
  }
  const std::string total =
      query.include_total ? "(SELECT count(*) FROM streams s WHERE " + filter + ")" : std::string("NULL");
  // One row more than asked tells whether there are more.
  const pqxx::result rows =
      sql.exec("SELECT " + std::string(read_point_columns) + ", " + total + ", " + stream_column_list("s.") +
               " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN LATERAL (SELECT * FROM streams s WHERE " +
               page + " ORDER BY s.created_seq DESC, s.id DESC LIMIT " + std::to_string(query.limit + 1) +
               ") s ON true ORDER BY s.created_seq DESC, s.id DESC");

  ports::StreamPage answer;
  answer.at = read_point_from_row(rows[0], 0);
  const pqxx::field total_field = rows[0][read_point_width];
  if (!total_field.is_null()) answer.total = total_field.as<std::uint64_t>();
  for (const auto& row : rows) {
    auto stream = stream_from_row(row, read_point_width + 1);
    if (!stream) break;  // the outer join's one row without a stream: no matches
    if (answer.streams.size() == query.limit) {
      answer.has_more = true;
      break;
    }
    answer.streams.push_back(std::move(*stream));
  }
  return answer;
}

}  // namespace

std::string stream_conditions(const ports::StreamFilter& filter, pqxx::transaction_base& sql) {
  std::string conditions = "true";
  if (filter.status) conditions += " AND " + status_condition(*filter.status, filter.now);
  if (filter.sender) conditions += " AND s.sender = " + sql.quote(*filter.sender);
  if (filter.recipient) conditions += " AND s.recipient = " + sql.quote(*filter.recipient);
  return conditions;
}

void StreamQueries::find(std::string id, ports::Reply<ports::StreamAnswer> reply) {
  pool_.run<ports::StreamAnswer>(std::move(reply), [id = std::move(id)](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec_params(find_sql(), id);
    return ports::StreamAnswer{stream_from_row(rows[0], read_point_width), read_point_from_row(rows[0], 0)};
  });
}

void StreamQueries::find_as_of(std::string id, core::UnixSeconds at, ports::Reply<ports::StreamAnswer> reply) {
  pool_.run<ports::StreamAnswer>(std::move(reply), [id = std::move(id), at](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    // Close times are far below i64's end, so a later `at` means "as it is".
    const auto bounded = static_cast<std::int64_t>(std::min(at, core::last_rfc3339_second));
    const pqxx::result rows = sql.exec_params(find_as_of_sql(), id, bounded);
    ports::StreamAnswer answer{std::nullopt, read_point_from_row(rows[0], 0)};
    const pqxx::field state = rows[0][read_point_width];
    if (!state.is_null()) {
      auto stream = core::decode_stream(bytes_from_field(state));
      if (!stream) throw std::runtime_error("the database holds an unreadable stream state");
      answer.stream = std::move(*stream);
    }
    return answer;
  });
}

void StreamQueries::find_all(std::vector<std::string> ids, ports::Reply<ports::StreamsAnswer> reply) {
  pool_.run<ports::StreamsAnswer>(std::move(reply), [ids = std::move(ids)](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows =
        sql.exec("SELECT " + std::string(read_point_columns) + ", " + stream_column_list("s.") +
                 " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN streams s ON s.id = ANY(ARRAY[" +
                 quoted_list(sql, ids) + "]::text[])");
    ports::StreamsAnswer answer;
    answer.at = read_point_from_row(rows[0], 0);
    for (const auto& row : rows) {
      if (auto stream = stream_from_row(row, read_point_width)) answer.streams.push_back(std::move(*stream));
    }
    return answer;
  });
}

void StreamQueries::list(ports::StreamQuery query, ports::Reply<ports::StreamPage> reply) {
  pool_.run<ports::StreamPage>(std::move(reply), [query = std::move(query)](pqxx::connection& connection) {
    return read_page(query, connection);
  });
}

}  // namespace fluxora::store
