#include "stream_lister.hpp"

#include <string>
#include <utility>
#include <vector>

#include "rows.hpp"
#include "stream_queries.hpp"

namespace fluxora::store {
namespace {

/// What is asked, as text: equal for queries that one page answers.
std::string key_of(const ports::StreamQuery& query) {
  std::string key = std::to_string(query.limit) + (query.include_total ? " t" : " -");
  key += query.status ? " " + std::to_string(static_cast<int>(*query.status)) + " " + std::to_string(query.now) : " -";
  for (const auto* address : {&query.sender, &query.recipient}) key += " " + address->value_or("-");
  if (query.after) key += " " + std::to_string(query.after->created_seq) + " " + query.after->id;
  return key;
}

/// The statement's text depends on which filters there are, and on the status; everything else is a parameter.
std::string name_of(const ports::StreamQuery& query) {
  std::string name = "list";
  if (query.status) name += "_status" + std::to_string(static_cast<int>(*query.status));
  if (query.sender) name += "_sender";
  if (query.recipient) name += "_recipient";
  if (query.after) name += "_after";
  if (query.include_total) name += "_total";
  return name;
}

pqxx::result select_page(const ports::StreamQuery& query, ReadConnection& connection) {
  std::vector<std::string> parameters;
  const auto parameter = [&parameters](const std::string& value, std::string_view type) {
    parameters.push_back(value);
    return "$" + std::to_string(parameters.size()) + "::" + std::string(type);
  };
  const std::string filter = stream_conditions(query, parameter);
  std::string page = filter;
  if (query.after) {
    page += " AND (s.created_seq, s.id) < (" + parameter(std::to_string(query.after->created_seq), "bigint") + ", " +
            parameter(query.after->id, "text") + ")";
  }
  const std::string total =
      query.include_total ? "(SELECT count(*) FROM streams s WHERE " + filter + ")" : std::string("NULL");
  // One row more than asked tells whether there are more.
  const std::string limit = parameter(std::to_string(query.limit + 1), "bigint");
  const Statement statement = {name_of(query), "SELECT " + std::string(read_point_columns) + ", " + total + ", " +
                                                   stream_column_list("s.") +
                                                   " FROM log_head h CROSS JOIN indexer_checkpoint c LEFT JOIN LATERAL"
                                                   " (SELECT * FROM streams s WHERE " +
                                                   page + " ORDER BY s.created_seq DESC, s.id DESC LIMIT " + limit +
                                                   ") s ON true ORDER BY s.created_seq DESC, s.id DESC"};
  return connection.execute(statement, parameters);
}

ports::StreamPage read_page(const ports::StreamQuery& query, ReadConnection& connection) {
  const pqxx::result rows = select_page(query, connection);
  ports::StreamPage answer;
  answer.at = read_point_from_row(rows[0], 0);
  const pqxx::field total_field = rows[0][read_point_width];
  if (!total_field.is_null()) answer.total = total_field.as<std::uint64_t>();
  answer.streams.reserve(rows.size());
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

StreamLister::StreamLister(ReadPool& pool, std::size_t queue_limit, std::chrono::milliseconds longest_wait)
    : turns_(pool, longest_wait),
      lists_(queue_limit, [&pool](std::unique_ptr<ReadTask> task) { pool.enqueue(std::move(task)); }),
      totals_(most_waiting_totals, [this](std::unique_ptr<ReadTask> task) { turns_.start(std::move(task)); }) {}

void StreamLister::list(ports::StreamQuery query, ports::Reply<Page> reply) {
  std::string key = key_of(query);
  const std::uint64_t min_seq = query.min_seq;
  auto& reads = query.include_total ? totals_ : lists_;
  reads.ask(std::move(key), min_seq, std::move(reply),
            [query = std::move(query)](ReadConnection& connection) { return read_page(query, connection); });
}

void StreamLister::add_to(StoreStatistics& statistics) const {
  lists_.add_to(statistics);
  totals_.add_to(statistics);
}

}  // namespace fluxora::store
