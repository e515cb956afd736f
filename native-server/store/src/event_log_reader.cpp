#include "event_log_reader.hpp"

#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr int head_width = 3;

ports::LogHead log_head_from_row(const pqxx::row& row) {
  return {row[0].c_str(), row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>()};
}

ports::EventPage read_page(pqxx::connection& connection, std::optional<std::uint64_t> after_seq, std::size_t limit,
                           const ports::EventFilter& filter) {
  pqxx::nontransaction sql(connection);
  std::string conditions = after_seq ? "seq > " + std::to_string(*after_seq) : std::string("true");
  if (filter.stream_id) conditions += " AND stream_id = " + sql.quote(*filter.stream_id);
  if (filter.event) conditions += " AND event = " + sql.quote(std::string(core::event_name_text(*filter.event)));

  // From a position: the oldest after it, and one more to see whether that is all. From none: the newest.
  const std::string order = after_seq ? "ASC" : "DESC";
  const std::size_t wanted = after_seq ? limit + 1 : limit;
  const pqxx::result rows =
      sql.exec("SELECT h.epoch, h.oldest_seq, h.seq, " + event_column_list("e.") +
               " FROM log_head h LEFT JOIN LATERAL (SELECT * FROM events WHERE " + conditions + " ORDER BY seq " +
               order + " LIMIT " + std::to_string(wanted) + ") e ON true ORDER BY e.seq");

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

}  // namespace

ports::LogHead read_log_head(pqxx::connection& connection) {
  pqxx::nontransaction sql(connection);
  return log_head_from_row(sql.exec("SELECT epoch, oldest_seq, seq FROM log_head")[0]);
}

void EventLogReader::head(ports::Reply<ports::LogHead> reply) {
  pool_.run<ports::LogHead>(std::move(reply), [](pqxx::connection& connection) { return read_log_head(connection); });
}

void EventLogReader::read(std::optional<std::uint64_t> after_seq, std::size_t limit, ports::EventFilter filter,
                          ports::Reply<ports::EventPage> reply) {
  pool_.run<ports::EventPage>(std::move(reply),
                              [after_seq, limit, filter = std::move(filter)](pqxx::connection& connection) {
                                return read_page(connection, after_seq, limit, filter);
                              });
}

}  // namespace fluxora::store
