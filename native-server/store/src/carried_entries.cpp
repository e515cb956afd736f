#include "carried_entries.hpp"

#include <set>
#include <stdexcept>
#include <tuple>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "fluxora/core/api_entry.hpp"
#include "ledger_writer.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

std::vector<core::LogEntry> api_entries(pqxx::transaction_base& sql, std::uint64_t after, std::uint64_t through) {
  std::vector<core::LogEntry> entries;
  for (const auto& row :
       sql.exec("SELECT " + event_column_list("e.") + " FROM events e WHERE e.seq > " + std::to_string(after) +
                " AND e.seq <= " + std::to_string(through) +
                " AND (e.ledger IS NULL OR e.stream_id LIKE 'api-%') AND " + stands("e") + " ORDER BY e.seq")) {
    entries.push_back(*event_from_row(row, 0));
  }
  return entries;
}

/// The first ledger held that closed at `at` or later; only its number, hash and close time.
std::optional<core::LedgerHeader> first_ledger_closing(pqxx::transaction_base& sql, core::UnixSeconds at) {
  const pqxx::result rows =
      sql.exec("SELECT sequence, hash, closed_at FROM ledgers WHERE closed_at >= " + std::to_string(at) +
               " ORDER BY closed_at LIMIT 1");
  if (rows.empty()) return std::nullopt;
  core::LedgerHeader header;
  header.sequence = rows[0][0].as<std::uint32_t>();
  header.hash = hash_from_field(rows[0][1]);
  header.closed_at = rows[0][2].as<core::UnixSeconds>();
  return header;
}

/// Which of the stream's two times an entry of time says was passed.
core::UnixSeconds time_of(core::EventName event, const core::Stream& stream) {
  return event == core::EventName::stream_ended ? stream.end_time : stream.cliff_time;
}

}  // namespace

CarriedEntries::CarriedEntries(pqxx::transaction_base& sql, std::string served_schema, std::string next_schema,
                               std::uint64_t partition_entries)
    : sql_(sql), served_schema_(std::move(served_schema)), next_schema_(std::move(next_schema)) {
  end_.partition_entries = partition_entries;
}

void CarriedEntries::search(const std::string& schema) {
  sql_.exec("SET LOCAL search_path = " + sql_.quote_name(schema));
}

void CarriedEntries::lock_end() {
  sql_.exec("SELECT FROM indexer_checkpoint FOR UPDATE");
  const pqxx::row row = sql_.exec("SELECT seq, partitioned_to FROM log_head FOR UPDATE")[0];
  end_.seq = row[0].as<std::uint64_t>();
  end_.partitioned_to = row[1].as<std::uint64_t>();
}

void CarriedEntries::carry(std::uint64_t through) {
  search(next_schema_);
  lock_end();
  const auto carried = sql_.exec("SELECT carried_seq FROM replay_target")[0][0].as<std::uint64_t>();
  search(served_schema_);
  const std::vector<core::LogEntry> entries = api_entries(sql_, carried, through);
  search(next_schema_);
  know(entries);
  for (const core::LogEntry& entry : entries) entry.ledger ? carry_time(entry) : append(entry);
  write();
  sql_.exec("UPDATE replay_target SET carried_seq = " + std::to_string(through));
  search(served_schema_);
}

/// The streams as they stand in the other log; all that is carried of a stream is folded, so its version is its last
/// entry.
void CarriedEntries::know(const std::vector<core::LogEntry>& entries) {
  std::unordered_set<std::string> ids;
  for (const core::LogEntry& entry : entries) ids.insert(entry.stream_id);
  if (ids.empty()) return;
  for (const auto& row : sql_.exec("SELECT " + stream_column_list("") + " FROM streams WHERE id IN (" +
                                   quoted_list(sql_, {ids.begin(), ids.end()}) + ")")) {
    fold_.put(*stream_from_row(row, 0));
  }
}

void CarriedEntries::carry_time(const core::LogEntry& entry) {
  const core::Stream* stream = fold_.find(entry.stream_id);
  // Where the other log's indexer has come first, there is nothing to do.
  if (stream != nullptr) append_time(entry.event, entry.stream_id, time_of(entry.event, *stream));
}

void CarriedEntries::append_time(core::EventName event, const std::string& stream_id, core::UnixSeconds at) {
  const auto ledger = first_ledger_closing(sql_, at);
  if (!ledger) return;
  core::LogEntry entry = core::make_time_entry(event, stream_id, at, *ledger);
  const bool stands_already = !sql_.exec("SELECT FROM events e WHERE e.stream_id = " + sql_.quote(stream_id) +
                                         " AND e.event_id = " + sql_.quote(entry.event_id) + " AND " + stands("e"))
                                   .empty();
  if (!stands_already) append(std::move(entry));
}

void CarriedEntries::append(core::LogEntry entry) {
  const core::Stream* before = fold_.find(entry.stream_id);
  entry.seq = end_.seq + entries_.size() + 1;
  entry.prev_seq = before != nullptr ? std::optional(before->version) : std::nullopt;
  if (!entry.ledger) entry.event_id = core::api_event_id(entry.seq);
  fold_.fold(entry);
  if (!entry.stream) throw std::runtime_error("an entry of the API can't be folded again: " + entry.event_id);
  entries_.push_back(std::move(entry));
}

void CarriedEntries::write() {
  if (entries_.empty()) return;
  std::unordered_map<std::string_view, const core::LogEntry*> last;
  for (const core::LogEntry& entry : entries_) last[entry.stream_id] = &entry;
  std::vector<core::Stream> streams;
  streams.reserve(last.size());
  for (const auto& [id, entry] : last) streams.push_back(*entry->stream);
  sql_.exec(append_entries_sql(sql_, end_, entries_) + write_streams_sql(sql_, streams));
  entries_.clear();
}

void CarriedEntries::pass_times(std::optional<std::uint64_t> after) {
  search(next_schema_);
  lock_end();
  const pqxx::row row =
      sql_.exec("SELECT c.closed_at, (SELECT min(closed_at) FROM ledgers) FROM indexer_checkpoint c")[0];
  if (!row[0].is_null() && !row[1].is_null()) {
    const core::UnixSeconds from = after.value_or(row[1].as<core::UnixSeconds>());
    const auto through = row[0].as<core::UnixSeconds>();
    std::set<std::tuple<core::UnixSeconds, core::EventName, std::string>> times;
    for (const ports::StreamTail& tail : read_streams_due(sql_, from, through)) {
      const core::Stream& stream = *tail.stream;
      if (stream.source != core::StreamSource::api) continue;
      fold_.put(stream);
      for (const auto event : {core::EventName::stream_cliff_reached, core::EventName::stream_ended}) {
        const core::UnixSeconds at = time_of(event, stream);
        if (at > from && at <= through && at > stream.start_time) times.emplace(at, event, stream.id);
      }
    }
    for (const auto& [at, event, id] : times) append_time(event, id, at);
    write();
  }
  search(served_schema_);
}

}  // namespace fluxora::store
