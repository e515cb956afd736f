#include "log_appender.hpp"

#include <stdexcept>
#include <string>

#include "log_tail.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// Each row is made when it is due, so that the database works on those before it meanwhile.
template <class Item, class MakeRow>
void copy(pqxx::transaction_base& sql, const std::string& table, const std::vector<std::string>& columns,
          const std::vector<Item>& items, MakeRow make_row) {
  pqxx::stream_to stream(sql, table, columns);
  for (const Item& item : items) stream << make_row(item);
  stream.complete();
}

/// `(…),(…)`: the rows as VALUES has them.
template <class Item, class MakeRow>
std::string values(pqxx::transaction_base& sql, const std::vector<Item>& items, MakeRow make_row) {
  std::string text;
  for (const Item& item : items) {
    const auto row = make_row(item);
    text += text.empty() ? "(" : ",(";
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) text += ',';
      text += row[i] ? sql.quote(*row[i]) : "NULL";
    }
    text += ')';
  }
  return text;
}

void refuse_hole(std::uint64_t head_seq, const std::vector<core::LogEntry>& entries) {
  std::uint64_t expected = head_seq;
  for (const auto& entry : entries) {
    if (entry.seq != ++expected) throw std::logic_error("the log would get a hole");
  }
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
  refuse_hole(head_seq, entries);
  copy(sql, "events", event_columns(), entries, event_row);
  sql.exec(move_head_sql(head_seq + entries.size()));
}

void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  sql.exec("CREATE TEMPORARY TABLE IF NOT EXISTS changed_streams (LIKE streams) ON COMMIT DELETE ROWS");
  copy(sql, "changed_streams", stream_columns(), streams, stream_row);
  sql.exec("INSERT INTO streams (" + stream_column_list("") + ") SELECT " + stream_column_list("") +
           " FROM changed_streams" + upsert());
}

std::string append_entries_sql(pqxx::transaction_base& sql, std::uint64_t head_seq,
                               const std::vector<core::LogEntry>& entries) {
  refuse_hole(head_seq, entries);
  return "INSERT INTO events (" + event_column_list("") + ") VALUES " + values(sql, entries, event_row) + "; " +
         move_head_sql(head_seq + entries.size());
}

std::string write_streams_sql(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  return "INSERT INTO streams (" + stream_column_list("") + ") VALUES " + values(sql, streams, stream_row) + upsert() +
         ";";
}

}  // namespace fluxora::store
