#include "log_appender.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "copy_rows.hpp"
#include "log_tail.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

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

/// The statements that make the partition for entries up to `last`; none where there is one. A table of its own is made
/// and attached: that readers don't notice, while CREATE TABLE ... PARTITION OF would wait for all of them.
std::string make_partition_sql(LogEnd& end, std::uint64_t last) {
  if (last < end.partitioned_to) return {};
  const std::string from = std::to_string(end.partitioned_to);
  end.partitioned_to = std::max(end.partitioned_to + end.partition_entries, last + 1);
  const std::string to = std::to_string(end.partitioned_to);
  const std::string name = "events_" + from;
  return "CREATE TABLE " + name + " (LIKE events INCLUDING ALL); ALTER TABLE events ATTACH PARTITION " + name +
         " FOR VALUES FROM (" + from + ") TO (" + to + "); UPDATE log_head SET partitioned_to = " + to + "; ";
}

/// Checks that they come behind the end, and moves it. What it gives has to run before they are written.
std::string make_room_sql(LogEnd& end, const std::vector<core::LogEntry>& entries) {
  refuse_hole(end.seq, entries);
  end.seq = entries.back().seq;
  return make_partition_sql(end, end.seq);
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

CopyLines lines_of(const std::vector<core::Stream>& streams) {
  CopyLines lines;
  for (const core::Stream& stream : streams) append_copy_row(lines, stream_row(stream));
  return lines;
}

/// Into a table of the session's own, from which upsert_changed() takes them.
void copy_changed(pqxx::transaction_base& sql, const CopyLines& streams) {
  sql.exec("CREATE TEMPORARY TABLE IF NOT EXISTS changed_streams (LIKE streams) ON COMMIT DELETE ROWS");
  pqxx::stream_to copy(sql, "changed_streams", stream_columns());
  copy << streams;
  copy.complete();
}

std::string upsert_changed() {
  return "INSERT INTO streams (" + stream_column_list("") + ") SELECT " + stream_column_list("") +
         " FROM changed_streams" + upsert();
}

}  // namespace

void append_entries(pqxx::transaction_base& sql, LogEnd& end, const std::vector<core::LogEntry>& entries,
                    const std::vector<core::Stream>& streams) {
  if (const std::string make_room = make_room_sql(end, entries); !make_room.empty()) sql.exec(make_room);
  CopyLines changed;
  copy_rows(sql, "events", event_columns(), entries, event_row, [&] { changed = lines_of(streams); });
  const std::string move_head = move_head_sql(end.seq);
  if (streams.empty()) {
    sql.exec(move_head);
  } else {
    copy_changed(sql, changed);
    sql.exec(move_head + upsert_changed());
  }
}

void write_streams(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  copy_changed(sql, lines_of(streams));
  sql.exec(upsert_changed());
}

std::string append_entries_sql(pqxx::transaction_base& sql, LogEnd& end, const std::vector<core::LogEntry>& entries) {
  const std::string make_room = make_room_sql(end, entries);
  return make_room + "INSERT INTO events (" + event_column_list("") + ") VALUES " + values(sql, entries, event_row) +
         "; " + move_head_sql(end.seq);
}

std::string write_streams_sql(pqxx::transaction_base& sql, const std::vector<core::Stream>& streams) {
  return "INSERT INTO streams (" + stream_column_list("") + ") VALUES " + values(sql, streams, stream_row) + upsert() +
         ";";
}

}  // namespace fluxora::store
