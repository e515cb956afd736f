#include "ledger_writer.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "audit_log.hpp"
#include "indexer_board.hpp"
#include "intake_reads.hpp"
#include "log_appender.hpp"
#include "observation_list.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr long long leader_lock = 0x666c75786c656164;       // "fluxlead"
constexpr long long next_leader_lock = 0x666c75786e657874;  // "fluxnext": of a log in a schema of its own
constexpr int write_timeout_ms = 120'000;

constexpr std::string_view replay_advice = "; `fluxora-server replay` reads the chain again into a new epoch";

/// The contracts of `wanted` that aren't among `held`; all comma separated.
std::string not_among(const std::string& held, const std::string& wanted) {
  const std::string list = "," + held + ",";
  std::string missing;
  for (std::size_t from = 0; from <= wanted.size();) {
    const std::size_t comma = std::min(wanted.find(',', from), wanted.size());
    const std::string contract = wanted.substr(from, comma - from);
    if (list.find("," + contract + ",") == std::string::npos) missing += (missing.empty() ? "" : ", ") + contract;
    from = comma + 1;
  }
  return missing;
}

/// Their past is below the checkpoint, and can't come behind what the log has of other contracts.
void refuse_new_contracts(const std::string& held, const std::string& wanted) {
  const std::string missing = not_among(held, wanted);
  if (missing.empty()) return;
  throw ports::ForeignLog("CONTRACT_IDS names what the log doesn't have: " + missing + std::string(replay_advice));
}

void refuse_foreign_log(const ports::Following& following, const std::string& network, const std::string& contracts) {
  const bool both_known = !following.network_passphrase.empty() && !network.empty();
  if (both_known && following.network_passphrase != network) {
    throw ports::ForeignLog("the database holds the streams of network \"" + network + "\", the RPC serves \"" +
                            following.network_passphrase + "\"" + std::string(replay_advice));
  }
  if ((following.contracts == "*") != (contracts == "*")) {
    throw ports::ForeignLog("the database was filled with CONTRACT_IDS=" + contracts + ", which doesn't go over into " +
                            following.contracts + ", because * folds nothing" + std::string(replay_advice));
  }
}

/// A replay has put a log of other contracts into the place of the one that this process has known: whoever wanted that
/// has to say what this process is to follow now.
void refuse_replaced_log(const ports::Following& following, const std::string& known_epoch, const HeldLog& held) {
  if (known_epoch.empty() || known_epoch == held.epoch) return;
  if (held.contracts.empty() || held.contracts == following.contracts) return;
  throw ports::ForeignLog("a replay has put a log of CONTRACT_IDS=" + held.contracts +
                          " into the place of the one that this process began with, which follows " +
                          following.contracts);
}

/// Of a row whose columns 3 to 5 are network_passphrase, contracts and epoch.
HeldLog held_log(const pqxx::row& row) {
  return {row[5].c_str(), row[3].c_str(), row[4].c_str()};
}

/// Whether it is the log that was opened: since then only we have filled it, or others with the same settings.
bool is_as_opened(const HeldLog& held, const HeldLog& opened, const ports::Following& following) {
  if (held.epoch != opened.epoch) return false;
  if (held.network == opened.network && held.contracts == opened.contracts) return true;
  return held.network == following.network_passphrase && held.contracts == following.contracts;
}

/// An entry that leaves its stream as it was, or leaves none. As the index events_unfolded has it.
constexpr std::string_view leaves_alone = "(stream_state IS NULL OR stream_state = '')";

/// Whether `s` has no standing entry that says its time `column` was passed.
std::string not_passed_yet(std::string_view kind, std::string_view column) {
  return "NOT EXISTS (SELECT FROM events e WHERE e.stream_id = s.id AND e.event_id = '" + std::string(kind) +
         "-' || s." + std::string(column) + " AND " + stands("e") + ")";
}

class PostgresIngestTransaction final : public ports::IngestTransaction {
 public:
  /// `expected`: the checkpoint that must be held, in the `known` log; null: any, and then it is looked whether the log
  /// can be continued, which is the known one from then on. `partition_entries`: as LogEnd's. `fan_out` may be null.
  PostgresIngestTransaction(OwnConnection& own, const std::optional<ports::Checkpoint>* expected, HeldLog& known,
                            ports::Following following, std::uint64_t partition_entries, WebhookFanOut* fan_out)
      : own_(own), following_(std::move(following)), fan_out_(fan_out) {
    end_.partition_entries = partition_entries;
    guarded([&](pqxx::connection& connection) {
      sql_ = std::make_unique<pqxx::work>(connection);
      const pqxx::row row = sql_->exec(
          "SELECT c.ledger, c.ledger_hash, c.closed_at, c.network_passphrase, c.contracts, h.epoch, h.pruned_ledger"
          " FROM indexer_checkpoint c CROSS JOIN log_head h FOR UPDATE OF c")[0];
      checkpoint_ = checkpoint_from_row(row);
      pruned_ledger_ = number_or_none<std::uint32_t>(row[6]).value_or(0);
      const HeldLog held = held_log(row);
      if (expected != nullptr) {
        if (checkpoint_ != *expected) {
          throw ports::CheckpointMoved("the indexer's checkpoint was moved by another instance");
        }
        if (!is_as_opened(held, known, following_)) {
          throw ports::CheckpointMoved("the log isn't the one that was opened, or follows something else by now");
        }
      } else {
        refuse_replaced_log(following_, known.epoch, held);
        if (!row[3].is_null()) refuse_foreign_log(following_, held.network, held.contracts);
        known = held;
      }
      if (row[3].is_null()) return;
      if (following_.network_passphrase.empty()) following_.network_passphrase = row[3].c_str();
    });
  }

  std::vector<ports::StreamTail> streams(const std::vector<std::string>& ids) override {
    std::vector<ports::StreamTail> tails;
    if (ids.empty()) return tails;
    std::unordered_map<std::string_view, ports::StreamTail*> by_id;
    tails.reserve(ids.size());
    for (const std::string& id : ids)
      by_id[id] = &tails.emplace_back(ports::StreamTail{id, std::nullopt, std::nullopt});
    // Row by row by the indexes: for a thousand of them the planner would rather read the whole table. A stream's
    // newest entry may be one that left it alone, or left none: those have an index of their own.
    const std::string sql =
        "SELECT wanted.id, last.seq, " + stream_column_list("s.") + " FROM unnest(" + text_array(*sql_, ids) +
        ") AS wanted (id) LEFT JOIN LATERAL (SELECT * FROM streams WHERE id = wanted.id LIMIT 1) s ON true"
        " LEFT JOIN LATERAL (SELECT seq FROM events WHERE stream_id = wanted.id AND " +
        std::string(leaves_alone) + " ORDER BY seq DESC LIMIT 1) last ON true";
    guarded([&](pqxx::connection&) {
      for (const auto& row : sql_->exec(sql)) {
        ports::StreamTail& tail = *by_id.at(row[0].c_str());
        if (!row[1].is_null()) tail.last_seq = row[1].as<std::uint64_t>();
        tail.stream = stream_from_row(row, 2);
        if (tail.stream) tail.last_seq = std::max(tail.last_seq.value_or(0), tail.stream->version);
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
      const pqxx::row row =
          sql_->exec("SELECT seq, partitioned_to, epoch, webhooks_version FROM log_head FOR UPDATE")[0];
      end_.seq = row[0].as<std::uint64_t>();
      end_.partitioned_to = row[1].as<std::uint64_t>();
      if (fan_out_ != nullptr) fan_out_->log_is_locked(row[2].c_str(), row[3].as<std::int64_t>());
    });
    return end_.seq;
  }

  std::vector<ports::StreamTail> streams_due(core::UnixSeconds after, core::UnixSeconds through) override {
    std::vector<ports::StreamTail> due;
    guarded([&](pqxx::connection&) { due = read_streams_due(*sql_, after, through); });
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
      sql_->exec("SET LOCAL work_mem = '64MB'");  // they are sorted, and PostgreSQL would do that on disk
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
    std::vector<std::string> ids;
    std::string seqs;
    for (const ports::EntryPlace& place : places) {
      ids.push_back(place.stream_id);
      seqs += (seqs.empty() ? "'{" : ",") + std::to_string(place.seq);
    }
    guarded([&](pqxx::connection&) {
      // From each place backwards by the index, to the first that fits; never all that a stream has, and then sorted.
      sql_->exec("SET LOCAL enable_bitmapscan = off");
      const pqxx::result rows =
          sql_->exec("SELECT last.stream_state FROM unnest(" + text_array(*sql_, ids) + ", " + seqs +
                     "}'::bigint[]) AS place (id, seq) CROSS JOIN LATERAL (SELECT e.stream_state FROM events e"
                     " WHERE e.stream_id = place.id AND e.seq < place.seq AND e.stream_state IS NOT NULL AND " +
                     stands("e") + " ORDER BY e.seq DESC LIMIT 1) last");
      sql_->exec("SET LOCAL enable_bitmapscan TO DEFAULT");
      states.reserve(rows.size());
      for (const auto& row : rows) states.push_back(*stream_from_state(row[0]));
    });
    return states;
  }

  [[nodiscard]] const std::optional<ports::Checkpoint>& checkpoint() const override { return checkpoint_; }
  [[nodiscard]] std::uint32_t pruned_ledger() const override { return pruned_ledger_; }

  core::Cursor log_end() override {
    core::Cursor end;
    guarded([&](pqxx::connection&) { end = read_log_end(*sql_); });
    return end;
  }

  std::vector<ports::LedgerHeader> ledgers_around(const std::vector<std::uint32_t>& numbers) override {
    std::vector<ports::LedgerHeader> headers;
    guarded([&](pqxx::connection&) { headers = read_ledgers_around(*sql_, numbers); });
    return headers;
  }

  std::vector<ports::LedgerHeader> held_ledgers(std::uint32_t first, std::uint32_t last) override {
    std::vector<ports::LedgerHeader> headers;
    guarded([&](pqxx::connection&) { headers = read_held_ledgers(*sql_, first, last); });
    return headers;
  }

  std::vector<core::LogEntry> standing_events(std::uint32_t first, std::uint32_t last) override {
    std::vector<core::LogEntry> events;
    guarded([&](pqxx::connection&) { events = read_standing_events(*sql_, first, last); });
    return events;
  }

  std::size_t count_above(std::uint32_t ledger, std::size_t limit) override {
    std::size_t count = 0;
    guarded([&](pqxx::connection&) { count = store::count_above(*sql_, ledger, limit); });
    return count;
  }

  std::vector<ports::StreamLedger> last_ledgers(const std::vector<std::string>& ids) override {
    std::vector<ports::StreamLedger> last;
    guarded([&](pqxx::connection&) { last = store::last_ledgers(*sql_, ids); });
    return last;
  }

  std::vector<core::Stream> logged_states(const std::vector<std::string>& ids) override {
    std::vector<core::Stream> states;
    guarded([&](pqxx::connection&) { states = store::logged_states(*sql_, ids); });
    return states;
  }

  std::optional<ports::LedgerHeader> first_ledger_closing(core::UnixSeconds at) override {
    std::optional<ports::LedgerHeader> first;
    guarded([&](pqxx::connection&) { first = store::first_ledger_closing(*sql_, at); });
    return first;
  }

  void commit(const ports::IngestRecord& record) override {
    guarded([&](pqxx::connection&) {
      if (record.forget_above) {
        sql_->exec("DELETE FROM ledgers WHERE sequence > " + std::to_string(*record.forget_above));
      }
      insert_ledgers(record.ledgers);
      if (!record.entries.empty()) {
        append_entries(*sql_, end_, record.entries, record.streams);
        if (fan_out_ != nullptr) fan_out_->write(*sql_, record.entries, record.traceparent);
      } else if (!record.streams.empty()) {
        write_streams(*sql_, record.streams);
      }
      if (!record.gone_streams.empty()) {
        sql_->exec("DELETE FROM streams WHERE id IN (" + quoted_list(*sql_, record.gone_streams) + ")");
      }
      if (record.audit) append_audit(*sql_, {*record.audit});
      write_findings(*sql_, record);
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

  static std::string hash_literal(const std::optional<core::Hash>& hash) {
    return hash ? "'" + bytea(*hash) + "'::bytea" : "NULL::bytea";
  }

  void insert_ledgers(const std::vector<ports::LedgerRecord>& ledgers) {
    if (ledgers.empty()) return;
    std::string values;
    for (const auto& [header, digest] : ledgers) {
      if (!values.empty()) values += ',';
      values += "(" + std::to_string(header.sequence) + "," + hash_literal(header.hash) + "," +
                hash_literal(header.previous_hash) + "," + std::to_string(header.closed_at) + "," +
                hash_literal(digest) + ")";
    }
    sql_->exec("INSERT INTO ledgers (sequence, hash, previous_hash, closed_at, digest) VALUES " + values +
               " ON CONFLICT (sequence) DO UPDATE SET digest = excluded.digest WHERE excluded.digest IS NOT NULL");
  }

  void set_checkpoint(const std::optional<ports::Checkpoint>& checkpoint) {
    const std::string place =
        checkpoint ? "ledger = " + std::to_string(checkpoint->ledger) + ", ledger_hash = '" + bytea(checkpoint->hash) +
                         "', closed_at = " + std::to_string(checkpoint->closed_at) +
                         ", first_ledger = least(first_ledger, (SELECT min(sequence) FROM ledgers))"
                   : std::string("ledger = NULL, ledger_hash = NULL, closed_at = NULL, first_ledger = NULL");
    sql_->exec("UPDATE indexer_checkpoint SET updated_at = now(), " + place + ", network_passphrase = " +
               sql_->quote(following_.network_passphrase) + ", contracts = " + sql_->quote(following_.contracts));
  }

  OwnConnection& own_;
  ports::Following following_;
  std::optional<ports::Checkpoint> checkpoint_;
  std::uint32_t pruned_ledger_ = 0;
  std::unique_ptr<pqxx::work> sql_;
  LogEnd end_;
  WebhookFanOut* fan_out_;
};

}  // namespace

std::vector<ports::StreamTail> read_streams_due(pqxx::transaction_base& sql, core::UnixSeconds after,
                                                core::UnixSeconds through) {
  const std::string window = " > " + std::to_string(after) + " AND s.";
  const auto within = [&](const std::string& column) {
    return "s." + column + window + column + " <= " + std::to_string(through);
  };
  const pqxx::result rows =
      sql.exec("SELECT last.seq, " + stream_column_list("s.") +
               " FROM streams s LEFT JOIN LATERAL"
               " (SELECT seq FROM events WHERE stream_id = s.id ORDER BY seq DESC LIMIT 1) last ON true"
               " WHERE s.status IN (0, 1) AND ((s.cliff_time > s.start_time AND " +
               within("cliff_time") + " AND " + not_passed_yet("cliff_reached", "cliff_time") + ") OR (" +
               within("end_time") + " AND " + not_passed_yet("ended", "end_time") + "))");
  std::vector<ports::StreamTail> due;
  due.reserve(rows.size());
  for (const auto& row : rows) {
    core::Stream stream = *stream_from_row(row, 1);
    ports::StreamTail tail{stream.id, std::nullopt, std::nullopt};
    tail.stream = std::move(stream);
    if (!row[0].is_null()) tail.last_seq = row[0].as<std::uint64_t>();
    due.push_back(std::move(tail));
  }
  return due;
}

PostgresLedgerStore::PostgresLedgerStore(StoreOptions options)
    : leader_lock_(options.schema.empty() ? leader_lock : next_leader_lock),
      partition_entries_(options.log_partition_entries),
      connection_(options, "indexer", write_timeout_ms) {
  if (options.schema.empty()) fan_out_.emplace();
}

bool PostgresLedgerStore::lead() {
  connection_.use([this](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    if (holds_lock()) {
      sql.exec("SELECT 1");  // the lock lives as long as this session does
    } else if (sql.exec("SELECT pg_try_advisory_lock(" + std::to_string(leader_lock_) + ")")[0][0].as<bool>()) {
      led_in_ = connection_.openings();
    }
  });
  return holds_lock();
}

/// Any call may have opened the connection anew since the lock was taken.
bool PostgresLedgerStore::holds_lock() const noexcept {
  return connection_.is_open() && led_in_ == connection_.openings();
}

void PostgresLedgerStore::stop_leading() noexcept {
  connection_.close();
  led_in_.reset();
}

ports::IndexProgress PostgresLedgerStore::progress() {
  return connection_.use([this](pqxx::connection& connection) {
    if (known_.epoch.empty()) {
      known_.epoch = pqxx::nontransaction(connection).exec("SELECT epoch FROM log_head")[0][0].c_str();
    }
    return read_progress(connection);
  });
}

void PostgresLedgerStore::publish(const ports::LeaderReport& report) {
  connection_.use([&](pqxx::connection& connection) { publish_report(connection, report); });
}

bool PostgresLedgerStore::raise_alarm(ports::AlarmKind kind, const std::string& reason) {
  return connection_.use([&](pqxx::connection& connection) { return store::raise_alarm(connection, kind, reason); });
}

bool PostgresLedgerStore::clear_alarm(ports::AlarmKind kind) {
  return connection_.use([&](pqxx::connection& connection) { return store::clear_alarm(connection, kind); });
}

std::optional<ports::Checkpoint> PostgresLedgerStore::open(const ports::Following& following) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec(
        "SELECT c.ledger, c.ledger_hash, c.closed_at, c.network_passphrase, c.contracts, h.epoch"
        " FROM indexer_checkpoint c CROSS JOIN log_head h");
    const pqxx::row row = rows[0];
    following_ = following;
    const auto checkpoint = checkpoint_from_row(row);
    const HeldLog held = held_log(row);
    if (!row[3].is_null()) {
      refuse_foreign_log(following, held.network, held.contracts);
      if (checkpoint) refuse_new_contracts(held.contracts, following.contracts);
      refuse_replaced_log(following, known_.epoch, held);
    }
    known_ = held;
    return checkpoint;
  });
}

std::vector<ports::LedgerHeader> PostgresLedgerStore::newest_ledgers(std::size_t limit) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::result rows = sql.exec("SELECT " + ledger_column_list() +
                                       " FROM ledgers ORDER BY sequence DESC LIMIT " + std::to_string(limit));
    std::vector<ports::LedgerHeader> ledgers;
    ledgers.reserve(rows.size());
    for (const auto& row : rows) ledgers.push_back(ledger_from_row(row));
    return ledgers;
  });
}

std::vector<ports::ObservationRequest> PostgresLedgerStore::due_observations(std::uint32_t checkpoint,
                                                                             std::size_t limit) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return store::due_observations(sql, following_.contracts, checkpoint, limit);
  });
}

std::vector<std::string> PostgresLedgerStore::streams_to_audit(const std::string& after, std::size_t limit) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return store::streams_to_audit(sql, following_.contracts, after, limit);
  });
}

ports::AuditState PostgresLedgerStore::audit_state() {
  return connection_.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    return store::audit_state(sql);
  });
}

std::uint32_t PostgresLedgerStore::rollback_step(std::uint32_t ledger, std::size_t max_entries) {
  return connection_.use([&](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    // The ledger of the first entry that is too many, or the one below the top where that is the top itself. Entries
    // that were undone before count too: to tell them apart would take longer than the smaller step does.
    const pqxx::result rows = sql.exec(
        "SELECT l.sequence FROM ledgers l CROSS JOIN (SELECT max(sequence) AS sequence FROM ledgers) top"
        " WHERE l.sequence > " +
        std::to_string(ledger) +
        " AND l.sequence < top.sequence AND l.sequence <="
        " (SELECT ledger FROM events WHERE ledger > " +
        std::to_string(ledger) + " AND ledger <= top.sequence ORDER BY ledger DESC OFFSET " +
        std::to_string(max_entries) + " LIMIT 1) ORDER BY l.sequence DESC LIMIT 1");
    return rows.empty() ? ledger : rows[0][0].as<std::uint32_t>();
  });
}

std::unique_ptr<ports::IngestTransaction> PostgresLedgerStore::begin(const std::optional<ports::Checkpoint>& expected) {
  if (!holds_lock()) {
    throw ports::StoreUnavailable("the indexer's connection was lost, and its lock with it");
  }
  return std::make_unique<PostgresIngestTransaction>(connection_, &expected, known_, following_, partition_entries_,
                                                     fan_out());
}

std::unique_ptr<ports::IngestTransaction> PostgresLedgerStore::begin_at_held(const ports::Following& following) {
  return std::make_unique<PostgresIngestTransaction>(connection_, nullptr, known_, following, partition_entries_,
                                                     fan_out());
}

}  // namespace fluxora::store
