#include "event_log_reader.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr int head_width = 3;

ports::LogHead log_head_from_row(const pqxx::row& row) {
  return {row[0].c_str(), row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>()};
}

/// From a position: the oldest after it. From none: the newest.
pqxx::result select_entries(ReadConnection& connection, std::optional<std::uint64_t> after_seq, std::size_t wanted,
                            const ports::EventFilter& filter) {
  std::string name = after_seq ? "events_after" : "events_newest";
  std::vector<std::string> parameters = {std::to_string(wanted)};
  // What pruning leaves of older entries is none of the log's any more.
  std::string conditions = "seq >= h.oldest_seq";
  const auto compare = [&](std::string_view what, std::string_view comparison, std::string value) {
    parameters.push_back(std::move(value));
    name += "_" + std::string(what);
    conditions +=
        " AND " + std::string(what) + " " + std::string(comparison) + " $" + std::to_string(parameters.size());
  };
  if (after_seq) compare("seq", ">", std::to_string(*after_seq));
  if (filter.stream_id) compare("stream_id", "=", *filter.stream_id);
  if (filter.event) compare("event", "=", std::string(core::event_name_text(*filter.event)));
  const Statement statement = {name, "SELECT h.epoch, h.oldest_seq, h.seq, " + event_column_list("e.") +
                                         " FROM log_head h LEFT JOIN LATERAL (SELECT * FROM events WHERE " +
                                         conditions + " ORDER BY seq " + (after_seq ? "ASC" : "DESC") +
                                         " LIMIT $1::bigint) e ON true ORDER BY e.seq"};
  return connection.execute(statement, parameters);
}

/// One row more than `limit` tells whether there are more after them.
ports::EventPage page_from_rows(const pqxx::result& rows, std::size_t limit) {
  ports::EventPage page;
  page.head = log_head_from_row(rows[0]);
  for (const auto& row : rows) {
    auto entry = event_from_row(row, head_width);
    if (!entry) break;
    if (page.entries.size() == limit) {
      page.has_more = true;
      break;
    }
    page.entries.push_back(std::move(*entry));
  }
  return page;
}

ports::EventPage read_page(ReadConnection& connection, std::optional<std::uint64_t> after_seq, std::size_t limit,
                           const ports::EventFilter& filter) {
  return page_from_rows(select_entries(connection, after_seq, after_seq ? limit + 1 : limit, filter), limit);
}

}  // namespace

ports::EventPage read_entries_after(pqxx::connection& connection, std::uint64_t seq, std::size_t limit) {
  pqxx::nontransaction sql(connection);
  return page_from_rows(
      sql.exec("SELECT h.epoch, h.oldest_seq, h.seq, " + event_column_list("e.") +
               " FROM log_head h LEFT JOIN LATERAL (SELECT * FROM events WHERE seq >= h.oldest_seq AND seq > " +
               std::to_string(seq) + " ORDER BY seq LIMIT " + std::to_string(limit + 1) + ") e ON true ORDER BY e.seq"),
      limit);
}

ports::LogHead read_log_head(pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  return log_head_from_row(sql.exec("SELECT epoch, oldest_seq, seq FROM log_head")[0]);
}

void EventLogReader::head(ports::Reply<ports::LogHead> reply) {
  pool_.run<ports::LogHead>(std::move(reply), [](pqxx::connection& connection) { return read_log_head(connection); });
}

void EventLogReader::read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
                          ports::Reply<ports::EventPage> reply) {
  const std::uint64_t min_seq = filter.min_seq;
  pool_.run_replicated<ports::EventPage>(min_seq, std::move(reply),
                                         [after_seq, limit, filter = std::move(filter)](ReadConnection& connection) {
                                           return read_page(connection, after_seq, limit, filter);
                                         });
}

}  // namespace fluxora::store
