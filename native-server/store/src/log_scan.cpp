#include "log_scan.hpp"

#include <stdexcept>
#include <utility>

#include "indexer_board.hpp"
#include "log_snapshot.hpp"
#include "paged_reads.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// What one statement may take; pages are read in far less.
constexpr int scan_timeout_ms = 600'000;

/// The columns of an entry as event_from_row reads them, but for the state, which stays bytes and comes last.
std::string scanned_columns(bool with_effects) {
  std::string list;
  for (const std::string& column : event_columns()) {
    if (!list.empty()) list += ", ";
    if (column == "stream_state" || (column == "ledger_hash" && !with_effects)) {
      list += "NULL::bytea";
    } else if (column == "change" && !with_effects) {
      list += "'{}'";
    } else {
      list += "e." + column;
    }
  }
  return list + (with_effects ? ", e.stream_state" : ", NULL::bytea");
}

ports::ScannedEntry entry_from_row(const pqxx::row& row) {
  ports::ScannedEntry scanned;
  try {
    scanned.entry = *event_from_row(row, 0);
    const pqxx::field state = row[static_cast<pqxx::row::size_type>(event_columns().size())];
    if (!state.is_null()) scanned.state = bytes_from_field(state);
  } catch (const std::runtime_error& error) {
    scanned.entry = {};
    scanned.entry.seq = row[0].as<std::uint64_t>();
    scanned.unreadable = error.what();
  }
  return scanned;
}

std::vector<ports::ScannedEntry> entries_from(const pqxx::result& rows) {
  std::vector<ports::ScannedEntry> entries;
  entries.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) entries.push_back(entry_from_row(row));
  return entries;
}

std::string ordered_by_seq(std::uint64_t after_seq, std::size_t limit) {
  return "e.seq > " + std::to_string(after_seq) + " ORDER BY e.seq LIMIT " + std::to_string(limit);
}

std::vector<ports::ScannedStream> streams_from(const pqxx::result& rows) {
  std::vector<ports::ScannedStream> streams;
  streams.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) {
    ports::ScannedStream stream;
    stream.columns.reserve(stream_columns().size());
    for (const auto& field : row) {
      stream.columns.push_back(field.is_null() ? std::nullopt : std::optional<std::string>(field.c_str()));
    }
    stream.id = *stream.columns.front();
    streams.push_back(std::move(stream));
  }
  return streams;
}

/// One REPEATABLE READ transaction.
class LogSnapshot {
 public:
  explicit LogSnapshot(OwnConnection& own) : own_(own) {
    own_.use([this](pqxx::connection& connection) {
      sql_ = std::make_unique<pqxx::work>(connection);
      begin_snapshot(*sql_);
    });
  }

  void within(const std::function<void(pqxx::transaction_base&)>& work) {
    own_.use([&](pqxx::connection&) { work(*sql_); });
  }

 private:
  OwnConnection& own_;
  std::unique_ptr<pqxx::work> sql_;
};

}  // namespace

pqxx::result PostgresLogScan::read(const std::function<std::string(pqxx::transaction_base&)>& statement) {
  pqxx::result rows;
  within_([&](pqxx::transaction_base& sql) { rows = sql.exec(statement(sql)); });
  return rows;
}

ports::LogExtent PostgresLogScan::extent() {
  const pqxx::result rows = read([](pqxx::transaction_base&) {
    return "SELECT c.ledger, c.ledger_hash, c.closed_at, h.epoch, h.oldest_seq, h.seq,"
           " c.contracts IS NOT DISTINCT FROM '*', h.pruned_ledger, h.pruned_digest, h.pruned_states"
           " FROM log_head h CROSS JOIN indexer_checkpoint c";
  });
  const pqxx::row row = rows[0];
  ports::LogExtent extent{row[3].c_str(),     row[4].as<std::uint64_t>(), row[5].as<std::uint64_t>(),
                          !row[6].as<bool>(), checkpoint_from_row(row),   std::nullopt};
  if (!row[9].is_null()) {
    extent.pruned = ports::PrunedPart{number_or_none<std::uint32_t>(row[7]).value_or(0), hash_from_field(row[8]),
                                      hash_from_field(row[9])};
  }
  return extent;
}

std::vector<ports::PrunedStream> PostgresLogScan::left_streams(std::uint64_t below_seq, const std::string& after_id,
                                                               std::size_t limit) {
  std::vector<ports::PrunedStream> page;
  within_([&](pqxx::transaction_base& sql) { page = read_remains(sql, "events", below_seq, after_id, limit); });
  return page;
}

std::vector<ports::PrunedStream> PostgresLogScan::left_streams_of(const std::vector<std::string>& ids,
                                                                  std::uint64_t below_seq) {
  std::vector<ports::PrunedStream> left;
  within_([&](pqxx::transaction_base& sql) { left = read_remains_of(sql, below_seq, ids); });
  return left;
}

std::vector<ports::ScannedEntry> PostgresLogScan::entries(std::uint64_t after_seq, std::size_t limit,
                                                          bool with_effects) {
  return entries_from(read([&](pqxx::transaction_base&) {
    return "SELECT " + scanned_columns(with_effects) + " FROM events e WHERE " + ordered_by_seq(after_seq, limit);
  }));
}

std::vector<ports::ScannedEntry> PostgresLogScan::entries_of(const std::vector<std::string>& streams,
                                                             std::uint64_t after_seq, std::size_t limit) {
  return entries_from(read([&](pqxx::transaction_base& sql) {
    return "SELECT " + scanned_columns(/*with_effects=*/false) + " FROM events e WHERE e.stream_id IN (" +
           quoted_list(sql, streams) + ") AND " + ordered_by_seq(after_seq, limit);
  }));
}

std::vector<std::uint64_t> PostgresLogScan::retracted(std::uint64_t first, std::uint64_t last) {
  const pqxx::result rows = read([&](pqxx::transaction_base&) {
    return "SELECT retracts FROM events WHERE retracts BETWEEN " + std::to_string(first) + " AND " +
           std::to_string(last) + " ORDER BY retracts";
  });
  std::vector<std::uint64_t> seqs;
  seqs.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) seqs.push_back(row[0].as<std::uint64_t>());
  return seqs;
}

std::vector<std::string> PostgresLogScan::split_relatives(const std::vector<std::string>& streams) {
  // The entry of a stream that is split off comes right behind the one that split it off, with the same event.
  const pqxx::result rows = read([&](pqxx::transaction_base& sql) {
    const std::string ids = "(" + quoted_list(sql, streams) + ")";
    return "SELECT p.stream_id FROM events c JOIN events p ON p.seq = c.seq - 1 AND p.event_id = c.event_id"
           " WHERE c.stream_id IN " +
           ids +
           " AND c.event = 'stream.created' AND c.retracts IS NULL AND p.stream_id IS NOT NULL UNION"
           " SELECT c.stream_id FROM events p JOIN events c ON c.seq = p.seq + 1 AND c.event_id = p.event_id"
           " WHERE p.stream_id IN " +
           ids + " AND c.event = 'stream.created' AND c.stream_id IS NOT NULL";
  });
  std::vector<std::string> ids;
  for (const auto& row : rows) ids.emplace_back(row[0].c_str());
  return ids;
}

std::vector<ports::ScannedLedger> PostgresLogScan::ledgers(std::optional<std::uint32_t> after, std::size_t limit) {
  const pqxx::result rows = read([&](pqxx::transaction_base&) {
    return "SELECT sequence, hash, digest FROM ledgers " +
           (after ? "WHERE sequence > " + std::to_string(*after) : std::string()) + " ORDER BY sequence LIMIT " +
           std::to_string(limit);
  });
  std::vector<ports::ScannedLedger> ledgers;
  ledgers.reserve(static_cast<std::size_t>(rows.size()));
  for (const auto& row : rows) {
    ports::ScannedLedger ledger{row[0].as<std::uint32_t>(), hash_from_field(row[1]), std::nullopt};
    if (!row[2].is_null()) ledger.digest = hash_from_field(row[2]);
    ledgers.push_back(ledger);
  }
  return ledgers;
}

std::vector<ports::ScannedStream> PostgresLogScan::streams(const std::string& after_id, std::size_t limit) {
  return streams_from(read([&](pqxx::transaction_base& sql) {
    return "SELECT " + stream_column_list("") + " FROM streams " +
           (after_id.empty() ? std::string() : "WHERE id > " + sql.quote(after_id)) + " ORDER BY id LIMIT " +
           std::to_string(limit);
  }));
}

std::vector<ports::ScannedStream> PostgresLogScan::streams_of(const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  return streams_from(read([&](pqxx::transaction_base& sql) {
    return "SELECT " + stream_column_list("") + " FROM streams WHERE id IN (" + quoted_list(sql, ids) + ")";
  }));
}

const std::vector<std::string>& PostgresLogScan::stream_columns() const {
  return store::stream_columns();
}

ports::StreamColumns PostgresLogScan::columns_of(const core::Stream& stream) const {
  StreamRow row = stream_row(stream);
  return {std::make_move_iterator(row.begin()), std::make_move_iterator(row.end())};
}

std::unique_ptr<ports::LogScan> open_log_snapshot(OwnConnection& own) {
  auto snapshot = std::make_shared<LogSnapshot>(own);
  return std::make_unique<PostgresLogScan>([snapshot](const auto& work) { snapshot->within(work); });
}

std::unique_ptr<ports::LogScan> make_log_snapshot(StoreOptions options) {
  auto own = std::make_shared<OwnConnection>(std::move(options), "verify", scan_timeout_ms);
  auto snapshot = std::make_shared<LogSnapshot>(*own);
  // The connection outlives the snapshot: captures go in the order opposite to this one's.
  struct Both {
    std::shared_ptr<OwnConnection> own;
    std::shared_ptr<LogSnapshot> snapshot;
  };
  return std::make_unique<PostgresLogScan>(
      [both = Both{std::move(own), std::move(snapshot)}](const auto& work) { both.snapshot->within(work); });
}

}  // namespace fluxora::store
