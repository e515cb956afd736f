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

/// `(…),(…)`: the rows as VALUES has them.
template <class Row>
std::string values(pqxx::transaction_base& sql, const std::vector<Row>& rows) {
  std::string text;
  for (const Row& row : rows) {
    text += text.empty() ? "(" : ",(";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ',';
      text += row[i] ? sql.quote(*row[i]) : "NULL";
    }
    text += ')';
  }
  return text;
}

std::vector<EventRow> event_rows(std::uint64_t head_seq, const std::vector<core::LogEntry>& entries) {
  std::uint64_t expected = head_seq;
  std::vector<EventRow> rows;
  rows.reserve(entries.size());
  for (const auto& entry : entries) {
    if (entry.seq != ++expected) throw std::logic_error("the log would get a hole");
    rows.push_back(event_row(entry));
  }
  return rows;
}

std::vector<StreamRow> stream_rows(const std::vector<core::Stream>& streams) {
  std::vector<StreamRow> rows;
  rows.reserve(streams.size());
  for (const auto& stream : streams) rows.push_back(stream_row(stream));
  return rows;
}

std::string move_head_sql(std::uint64_t seq) {
  return "UPDATE log_head SET seq = " + std::to_string(seq) + "; NOTIFY " + log_channel + ";";
}

const std::string& upsert() {
  static const std::string text = [] {
    std::string updates;
    for (const std::string& column : stream_columns()) {
      if (column == "id") continue;
      if (!updates.empty()) updates += ", ";
      updates += column + " = excluded." + column;
    }
    return " ON CONFLICT (id) DO UPDATE SET " + updates;
  }();
  return text;
}

}  // namespace

void append_entries(pqxx::transaction_base& sql, std::uint64_t head_seq, const std::vector<core::LogEntry>& entries) {
  copy(sql, "events", event_columns(), event_rows(head_seq, entries));
  sql.exec(move_head_sql(head_seq + entries.size()));
}

void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  sql.exec("CREATE TEMPORARY TABLE IF NOT EXISTS changed_streams (LIKE streams) ON COMMIT DELETE ROWS");
  copy(sql, "changed_streams", stream_columns(), stream_rows(streams));
  sql.exec("INSERT INTO streams (" + stream_column_list("") + ") SELECT " + stream_column_list("") +
           " FROM changed_streams" + upsert());
}

std::string append_entries_sql(pqxx::transaction_base& sql, std::uint64_t head_seq,
                               const std::vector<core::LogEntry>& entries) {
  return "INSERT INTO events (" + event_column_list("") + ") VALUES " + values(sql, event_rows(head_seq, entries)) +
         "; " + move_head_sql(head_seq + entries.size());
}

std::string write_streams_sql(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  return "INSERT INTO streams (" + stream_column_list("") + ") VALUES " + values(sql, stream_rows(streams)) + upsert() +
         ";";
}

}  // namespace fluxora::store
