#include "ledger_writer.hpp"

#include <algorithm>

#include "log_appender.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr long long leader_lock = 0x666c75786c656164;  // "fluxlead"
constexpr int write_timeout_ms = 120'000;

std::optional<ports::Checkpoint> checkpoint_from_row(const pqxx::row& row) {
  if (row[0].is_null()) return std::nullopt;
  return ports::Checkpoint{row[0].as<std::uint32_t>(), hash_from_field(row[1]), row[2].as<std::uint64_t>()};
}

/// True when every contract of `wanted` is one of `held`; both comma separated.
bool names_all_of(const std::string& held, const std::string& wanted) {
  const std::string list = "," + held + ",";
  for (std::size_t from = 0; from <= wanted.size();) {
    const std::size_t comma = std::min(wanted.find(',', from), wanted.size());
    if (list.find("," + wanted.substr(from, comma - from) + ",") == std::string::npos) return false;
    from = comma + 1;
  }
  return true;
}

void refuse_foreign_log(const ports::Following& following, const std::string& network, const std::string& contracts) {
  if (following.network_passphrase != network) {
    throw ports::ForeignLog("the database holds the streams of network \"" + network + "\", the RPC serves \"" +
                            following.network_passphrase + "\"");
  }
  if ((following.contracts == "*") != (contracts == "*")) {
    throw ports::ForeignLog("the database was filled with CONTRACT_IDS=" + contracts +
                            "; between * and contracts a new database is needed, because * folds nothing");
  }
}

/// Whether `s` has no standing entry that says its time `column` was passed.
std::string not_passed_yet(std::string_view kind, std::string_view column) {
  return "NOT EXISTS (SELECT FROM events e WHERE e.stream_id = s.id AND e.event_id = '" + std::string(kind) +
         "-' || s." + std::string(column) + " AND " + stands("e") + ")";
}

class PostgresIngestTransaction final : public ports::IngestTransaction {
 public:
  PostgresIngestTransaction(OwnConnection& own, const std::optional<ports::Checkpoint>& expected,
                            ports::Following following, std::optional<ports::Checkpoint>& stored)
      : own_(own), following_(std::move(following)), stored_(stored) {
    guarded([&](pqxx::connection& connection) {
      sql_ = std::make_unique<pqxx::work>(connection);
      const pqxx::result rows = sql_->exec("SELECT ledger, ledger_hash, closed_at FROM indexer_checkpoint FOR UPDATE");
      if (checkpoint_from_row(rows[0]) != expected) {
        throw ports::CheckpointMoved("the indexer's checkpoint was moved by another instance");
      }
    });
  }

  std::vector<ports::StreamTail> streams(const std::vector<std::string>& ids) override {
    std::vector<ports::StreamTail> tails;
    if (ids.empty()) return tails;
    guarded([&](pqxx::connection&) {
      const pqxx::result rows = sql_->exec(
          "SELECT wanted.id, last.seq, " + stream_column_list("s.") + " FROM unnest(ARRAY[" + quoted_list(*sql_, ids) +
          "]) AS wanted (id) LEFT JOIN streams s ON s.id = wanted.id LEFT JOIN LATERAL"
          " (SELECT seq FROM events WHERE stream_id = wanted.id ORDER BY seq DESC LIMIT 1) last ON true");
      tails.reserve(rows.size());
      for (const auto& row : rows) {
        ports::StreamTail tail{row[0].c_str(), stream_from_row(row, 2), std::nullopt};
        if (!row[1].is_null()) tail.last_seq = row[1].as<std::uint64_t>();
        tails.push_back(std::move(tail));
      }
    });
    return tails;
  }

  std::unordered_set<std::string> standing_entries(std::uint32_t first, std::uint32_t last) override {
    std::unordered_set<std::string> identities;
    guarded([&](pqxx::connection&) {
      const pqxx::result rows =
          sql_->exec("SELECT ledger_hash, event_id, coalesce(stream_id, '') FROM events e WHERE ledger BETWEEN " +
                     std::to_string(first) + " AND " + std::to_string(last) + " AND " + stands("e"));
      for (const auto& row : rows) {
        identities.insert(ports::entry_identity(hash_from_field(row[0]), row[1].c_str(), row[2].c_str()));
      }
    });
    return identities;
  }

  std::uint64_t lock_log() override {
    guarded([&](pqxx::connection&) {
      head_seq_ = sql_->exec("SELECT seq FROM log_head FOR UPDATE")[0][0].as<std::uint64_t>();
    });
    return head_seq_;
  }

  std::vector<ports::StreamTail> streams_due(core::UnixSeconds after, core::UnixSeconds through) override {
    std::vector<ports::StreamTail> due;
    const std::string window = " > " + std::to_string(after) + " AND s.";
    const auto within = [&](const std::string& column) {
      return "s." + column + window + column + " <= " + std::to_string(through);
    };
    guarded([&](pqxx::connection&) {
      const pqxx::result rows =
          sql_->exec("SELECT last.seq, " + stream_column_list("s.") +
                     " FROM streams s LEFT JOIN LATERAL"
                     " (SELECT seq FROM events WHERE stream_id = s.id ORDER BY seq DESC LIMIT 1) last ON true"
                     " WHERE s.status IN (0, 1) AND ((s.cliff_time > s.start_time AND " +
                     within("cliff_time") + " AND " + not_passed_yet("cliff_reached", "cliff_time") + ") OR (" +
                     within("end_time") + " AND " + not_passed_yet("ended", "end_time") + "))");
      due.reserve(rows.size());
      for (const auto& row : rows) {
        core::Stream stream = *stream_from_row(row, 1);
        ports::StreamTail tail{stream.id, std::nullopt, std::nullopt};
        tail.stream = std::move(stream);
        if (!row[0].is_null()) tail.last_seq = row[0].as<std::uint64_t>();
        due.push_back(std::move(tail));
      }
    });
    return due;
  }

  core::Hash digest_before(std::uint32_t ledger) override {
    core::Hash digest{};
    guarded([&](pqxx::connection&) {
      const pqxx::result rows = sql_->exec("SELECT digest FROM ledgers WHERE digest IS NOT NULL AND sequence < " +
                                           std::to_string(ledger) + " ORDER BY sequence DESC LIMIT 1");
      if (!rows.empty()) digest = hash_from_field(rows[0][0]);
    });
    return digest;
  }

  std::vector<core::LogEntry> entries_above(std::uint32_t ledger) override {
    std::vector<core::LogEntry> entries;
    guarded([&](pqxx::connection&) {
      // What the chain said can be large, and isn't wanted: an array of no topics stands for them.
      const pqxx::result rows = sql_->exec(
          "SELECT " + event_column_list("e.") +
          " FROM (SELECT seq, event, kind, stream_id, event_id, contract_id, ledger, ledger_hash, tx_hash, closed_at,"
          " in_successful_call, '\\x00000000'::bytea AS topics, ''::bytea AS value, change, stream_state, prev_seq,"
          " retracts FROM events WHERE ledger > " +
          std::to_string(ledger) + ") e WHERE " + stands("e") + " ORDER BY e.seq DESC");
      entries.reserve(rows.size());
      for (const auto& row : rows) entries.push_back(*event_from_row(row, 0));
    });
    return entries;
  }

  std::vector<core::Stream> states_before(const std::vector<ports::EntryPlace>& places) override {
    std::vector<core::Stream> states;
    if (places.empty()) return states;
    std::string values;
    for (const ports::EntryPlace& place : places) {
      if (!values.empty()) values += ',';
      values += "(" + sql_->quote(place.stream_id) + "," + std::to_string(place.seq) + ")";
    }
    guarded([&](pqxx::connection&) {
      const pqxx::result rows = sql_->exec(
          "SELECT last.stream_state FROM (VALUES " + values +
          ") AS place (id, seq) CROSS JOIN LATERAL (SELECT e.stream_state FROM events e WHERE e.stream_id = place.id"
          " AND e.seq < place.seq AND e.stream_state IS NOT NULL AND " +
          stands("e") + " ORDER BY e.seq DESC LIMIT 1) last");
      states.reserve(rows.size());
      for (const auto& row : rows) states.push_back(*stream_from_state(row[0]));
    });
    return states;
  }

  void commit(const ports::IngestRecord& record) override {
    guarded([&](pqxx::connection&) {
      if (record.forget_above) {
        sql_->exec("DELETE FROM ledgers WHERE sequence > " + std::to_string(*record.forget_above));
      }
      insert_ledgers(record.ledgers);
      if (!record.entries.empty()) append_entries(*sql_, head_seq_, record.entries);
      if (!record.streams.empty()) write_streams(*sql_, record.streams);
      if (!record.gone_streams.empty()) {
        sql_->exec("DELETE FROM streams WHERE id IN (" + quoted_list(*sql_, record.gone_streams) + ")");
      }
      set_checkpoint(record.checkpoint);
      sql_->commit();
      stored_ = record.checkpoint;
    });
  }

 private:
  /// After any failure there is nothing left to commit; the connection outlives the transaction.
  template <class Work>
  void guarded(Work work) {
    try {
      own_.use(work);
    } catch (...) {
      sql_.reset();
      throw;
    }
  }

  void insert_ledgers(const std::vector<ports::LedgerRecord>& ledgers) {
    if (ledgers.empty()) return;
    std::string values;
    for (const auto& [header, digest] : ledgers) {
      if (!values.empty()) values += ',';
      values += "(" + std::to_string(header.sequence) + ",'" + bytea(header.hash) + "','" +
                bytea(header.previous_hash) + "'," + std::to_string(header.closed_at) + "," +
                (digest ? "'" + bytea(*digest) + "'" : "NULL") + ")";
    }
    sql_->exec("INSERT INTO ledgers (sequence, hash, previous_hash, closed_at, digest) VALUES " + values +
               " ON CONFLICT (sequence) DO UPDATE SET digest = excluded.digest WHERE excluded.digest IS NOT NULL");
  }

  void set_checkpoint(const std::optional<ports::Checkpoint>& checkpoint) {
    const std::string place = checkpoint ? "ledger = " + std::to_string(checkpoint->ledger) + ", ledger_hash = '" +
                                               bytea(checkpoint->hash) +
                                               "', closed_at = " + std::to_string(checkpoint->closed_at)
                                         : std::string("ledger = NULL, ledger_hash = NULL, closed_at = NULL");
    sql_->exec("UPDATE indexer_checkpoint SET updated_at = now(), " + place + ", network_passphrase = " +
               sql_->quote(following_.network_passphrase) + ", contracts = " + sql_->quote(following_.contracts));
  }

  OwnConnection& own_;
  const ports::Following following_;
  std::optional<ports::Checkpoint>& stored_;
  std::unique_ptr<pqxx::work> sql_;
  std::uint64_t head_seq_ = 0;
};

}  // namespace

PostgresLedgerStore::PostgresLedgerStore(StoreOptions options)
    : connection_(std::move(options), "indexer", write_timeout_ms) {}

bool PostgresLedgerStore::lead() {
  if (!connection_.is_open()) leading_ = false;
  connection_.use([this](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    if (leading_) {
      sql.exec("SELECT 1");  // the lock lives as long as this session does
    } else {
      leading_ = sql.exec("SELECT pg_try_advisory_lock(" + std::to_string(leader_lock) + ")")[0][0].as<bool>();
    }
  });
  return leading_;
}

void PostgresLedgerStore::stop_leading() noexcept {
  connection_.close();
  leading_ = false;
}

ports::IndexProgress PostgresLedgerStore::progress() {
  return connection_.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec(
        "SELECT ledger, ledger_hash, closed_at, (extract(epoch FROM updated_at) * 1000)::bigint"
        " FROM indexer_checkpoint");
    return ports::IndexProgress{checkpoint_from_row(rows[0]), rows[0][3].as<core::UnixMillis>()};
  });
}

std::optional<ports::Checkpoint> PostgresLedgerStore::open(const ports::Following& following) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows =
        sql.exec("SELECT ledger, ledger_hash, closed_at, network_passphrase, contracts FROM indexer_checkpoint");
    const pqxx::row row = rows[0];
    following_ = following;
    stored_ = checkpoint_from_row(row);
    if (row[3].is_null()) return stored_;

    refuse_foreign_log(following, row[3].c_str(), row[4].c_str());
    if (!names_all_of(row[4].c_str(), following.contracts)) return std::optional<ports::Checkpoint>();
    return stored_;
  });
}

std::vector<ports::LedgerHeader> PostgresLedgerStore::newest_ledgers(std::size_t limit) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows =
        sql.exec("SELECT sequence, hash, previous_hash, closed_at FROM ledgers ORDER BY sequence DESC LIMIT " +
                 std::to_string(limit));
    std::vector<ports::LedgerHeader> ledgers;
    ledgers.reserve(rows.size());
    for (const auto& row : rows) {
      ledgers.push_back(
          {row[0].as<std::uint32_t>(), hash_from_field(row[1]), hash_from_field(row[2]), row[3].as<std::uint64_t>()});
    }
    return ledgers;
  });
}

std::uint32_t PostgresLedgerStore::rollback_step(std::uint32_t ledger, std::size_t max_entries) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    // The ledger of the first entry that is too many, or the one below the top where that is the top itself.
    const std::string above = "e.ledger > " + std::to_string(ledger);
    const pqxx::result rows = sql.exec("SELECT l.sequence FROM ledgers l WHERE l.sequence > " + std::to_string(ledger) +
                                       " AND l.sequence <= (SELECT e.ledger FROM events e WHERE " + above + " AND " +
                                       stands("e") + " ORDER BY e.ledger DESC OFFSET " + std::to_string(max_entries) +
                                       " LIMIT 1) AND l.sequence < (SELECT max(e.ledger) FROM events e WHERE " + above +
                                       " AND " + stands("e") + ") ORDER BY l.sequence DESC LIMIT 1");
    return rows.empty() ? ledger : rows[0][0].as<std::uint32_t>();
  });
}

std::unique_ptr<ports::IngestTransaction> PostgresLedgerStore::begin(const std::optional<ports::Checkpoint>& expected) {
  if (!leading_ || !connection_.is_open()) {
    throw ports::StoreUnavailable("the indexer's connection was lost, and its lock with it");
  }
  // Starting over, the row still has the old checkpoint until the first batch replaces it.
  return std::make_unique<PostgresIngestTransaction>(connection_, expected ? expected : stored_, following_, stored_);
}

}  // namespace fluxora::store
