#include "log_appender.hpp"

#include <stdexcept>
#include <string>

#include "log_tail.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

template <class Row>
void copy(pqxx::transaction_base& sql, const std::string& table, const std::vector<std::string>& columns,
          const std::vector<Row>& rows) {
  pqxx::stream_to stream(sql, table, columns);
  for (const Row& row : rows) stream << row;
  stream.complete();
}

}  // namespace

void append_entries(pqxx::transaction_base& sql, std::uint64_t head_seq, const std::vector<core::LogEntry>& entries) {
  std::uint64_t expected = head_seq;
  std::vector<EventRow> rows;
  rows.reserve(entries.size());
  for (const auto& entry : entries) {
    if (entry.seq != ++expected) throw std::logic_error("the log would get a hole");
    rows.push_back(event_row(entry));
  }
  copy(sql, "events", event_columns(), rows);
  sql.exec("UPDATE log_head SET seq = " + std::to_string(expected));
  sql.exec(std::string("NOTIFY ") + log_channel);
}

void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  static const std::string upsert = [] {
    std::string updates;
    for (const std::string& column : stream_columns()) {
      if (column == "id") continue;
      if (!updates.empty()) updates += ", ";
      updates += column + " = excluded." + column;
    }
    return "INSERT INTO streams (" + stream_column_list("") + ") SELECT " + stream_column_list("") +
           " FROM changed_streams ON CONFLICT (id) DO UPDATE SET " + updates;
  }();
  sql.exec("CREATE TEMPORARY TABLE IF NOT EXISTS changed_streams (LIKE streams) ON COMMIT DELETE ROWS");
  std::vector<StreamRow> rows;
  rows.reserve(streams.size());
  for (const auto& stream : streams) rows.push_back(stream_row(stream));
  copy(sql, "changed_streams", stream_columns(), rows);
  sql.exec(upsert);
}

}  // namespace fluxora::store
