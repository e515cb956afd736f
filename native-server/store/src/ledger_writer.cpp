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

class PostgresIngestTransaction final : public ports::IngestTransaction {
 public:
  PostgresIngestTransaction(OwnConnection& own, const std::optional<ports::Checkpoint>& expected,
                            ports::Following following)
      : own_(own), following_(std::move(following)) {
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
          sql_->exec("SELECT ledger_hash, event_id, coalesce(stream_id, '') FROM events WHERE ledger BETWEEN " +
                     std::to_string(first) + " AND " + std::to_string(last));
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

  void commit(const ports::IngestRecord& record) override {
    guarded([&](pqxx::connection&) {
      insert_ledgers(record.ledgers);
      if (!record.entries.empty()) append_entries(*sql_, head_seq_, record.entries);
      if (!record.streams.empty()) write_streams(*sql_, record.streams);
      set_checkpoint(record.checkpoint);
      sql_->commit();
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

  void insert_ledgers(const std::vector<ports::LedgerHeader>& ledgers) {
    if (ledgers.empty()) return;
    std::string values;
    for (const auto& ledger : ledgers) {
      if (!values.empty()) values += ',';
      values += "(" + std::to_string(ledger.sequence) + ",'" + bytea(ledger.hash) + "','" +
                bytea(ledger.previous_hash) + "'," + std::to_string(ledger.closed_at) + ")";
    }
    sql_->exec("INSERT INTO ledgers (sequence, hash, previous_hash, closed_at) VALUES " + values +
               " ON CONFLICT (sequence) DO NOTHING");
  }

  void set_checkpoint(const ports::Checkpoint& checkpoint) {
    sql_->exec("UPDATE indexer_checkpoint SET updated_at = now(), ledger = " + std::to_string(checkpoint.ledger) +
               ", ledger_hash = '" + bytea(checkpoint.hash) + "', closed_at = " + std::to_string(checkpoint.closed_at) +
               ", network_passphrase = " + sql_->quote(following_.network_passphrase) +
               ", contracts = " + sql_->quote(following_.contracts));
  }

  OwnConnection& own_;
  const ports::Following following_;
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

std::unique_ptr<ports::IngestTransaction> PostgresLedgerStore::begin(const std::optional<ports::Checkpoint>& expected) {
  if (!leading_ || !connection_.is_open()) {
    throw ports::StoreUnavailable("the indexer's connection was lost, and its lock with it");
  }
  // Starting over, the row still has the old checkpoint until the first batch replaces it.
  return std::make_unique<PostgresIngestTransaction>(connection_, expected ? expected : stored_, following_);
}

}  // namespace fluxora::store
