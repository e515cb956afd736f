#include "log_retention.hpp"

#include <algorithm>
#include <utility>

#include "audit_log.hpp"
#include "fluxora/core/snapshot_digest.hpp"
#include "log_snapshot.hpp"
#include "migrations.hpp"
#include "rebuild_store.hpp"
#include "replay_jobs.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

using Progress = ports::LogRetention::Progress;

constexpr long long pruning_lock = 0x666c757870726e65;  // "fluxprne"
constexpr int statement_timeout_ms = 600'000;
/// As a replay's, whose log takes the served one's place: how long writers are waited for, who then wait for us; and
/// readers, below the second after which the database looks for deadlocks, so that it is us who give way; and now and
/// then for longer, since only then does the database end a vacuum that is in our way.
constexpr int writers_timeout_ms = 1'000;
constexpr int readers_timeout_ms = 500;
constexpr unsigned long_try = 10;
constexpr int long_readers_timeout_ms = 1'500;
constexpr unsigned entries_at_once = 20'000;
constexpr unsigned streams_at_once = 2'000;
/// Steps that a search for the cut makes at most: each leads further down.
constexpr int longest_search = 1'000;

const std::string copy_prefix = "events_kept_";

/// Entries that may name a ledger that others before them have passed already: an observation is of the ledger in which
/// its stream last changed, a time of the one that passed it. None of them is in a ledger's digest, nor undone unless
/// its ledger is.
constexpr std::string_view is_in_order = "event NOT IN ('stream.observed', 'stream.cliff_reached', 'stream.ended')";

/// Of an API stream, or of no ledger: nobody else can tell it again.
std::string is_ours(const std::string& entry) {
  return "(" + entry + ".ledger IS NULL OR coalesce(" + entry + ".stream_id, '') LIKE 'api-%')";
}

bool is_lock_conflict(const pqxx::sql_error& error) {
  return error.sqlstate() == "55P03" || error.sqlstate() == "40P01";
}

std::optional<std::uint64_t> number_from(pqxx::transaction_base& sql, const std::string& query) {
  return number_or_none<std::uint64_t>(sql.exec(query)[0][0]);
}

bool try_lock(pqxx::transaction_base& sql, long long lock) {
  return sql.exec("SELECT pg_try_advisory_xact_lock(" + std::to_string(lock) + ")")[0][0].as<bool>();
}

bool are_migrations_ours(pqxx::transaction_base& sql) {
  return number_from(sql, "SELECT count(*) FROM schema_migrations") == embedded_migrations().size();
}

struct Partition {
  std::string name;
  std::uint64_t to = 0;  ///< its first seq that is the next one's
};

/// In the order of their entries.
std::vector<Partition> read_partitions(pqxx::transaction_base& sql) {
  std::vector<Partition> partitions;
  for (const auto& row :
       sql.exec("SELECT c.relname, substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([0-9]+)''\\)')::bigint "
                "AS upto"
                " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass"
                " ORDER BY upto")) {
    partitions.push_back({row[0].c_str(), row[1].as<std::uint64_t>()});
  }
  return partitions;
}

/// Whether all its entries are from before `before`: ledgers close one after another, so of the chain's the highest
/// ledger is the last; what is of none is looked at only where the rest is old.
bool is_old(pqxx::transaction_base& sql, const Partition& partition, core::UnixSeconds before) {
  const std::string rows = " FROM " + sql.quote_name(partition.name);
  const auto ends_before = [&](const std::string& query) { return number_from(sql, query).value_or(0) < before; };
  return ends_before("SELECT greatest((SELECT closed_at" + rows + " ORDER BY seq DESC LIMIT 1), (SELECT closed_at" +
                     rows + " WHERE ledger = (SELECT max(ledger)" + rows + ") LIMIT 1))") &&
         ends_before("SELECT max(closed_at) FROM (SELECT closed_at" + rows + " WHERE ledger IS NULL OFFSET 0) ours");
}

/// The last place up to `end` at which the log is closed: what stands below it is of no later ledger than any entry
/// from there on, but for those that come out of order. So no ledger, no retraction and no two entries of one event lie
/// across. None where the search takes too long.
std::optional<std::uint64_t> find_cut(pqxx::transaction_base& sql, std::uint64_t end) {
  const std::string in_order(is_in_order);
  std::uint64_t cut = end;
  std::string below_ledger;
  auto ledger =
      number_from(sql, "SELECT min(ledger) FROM events WHERE seq >= " + std::to_string(cut) + " AND " + in_order);
  for (int step = 0; step < longest_search; ++step) {
    if (!ledger) return cut;
    const std::string at_cut = std::to_string(cut);
    // OFFSET 0: by the index on ledgers, not up the whole log to the first that fits.
    const auto first =
        number_from(sql, "SELECT min(seq) FROM (SELECT seq FROM events WHERE ledger >= " + std::to_string(*ledger) +
                             below_ledger + " AND seq < " + at_cut + " OFFSET 0) across");
    if (!first) return cut;
    const auto lower =
        number_from(sql, "SELECT min(ledger) FROM (SELECT ledger FROM events WHERE seq >= " + std::to_string(*first) +
                             " AND seq < " + at_cut + " AND " + in_order + " OFFSET 0) joining");
    cut = *first;
    if (!lower || *lower >= *ledger) return cut;
    below_ledger = " AND ledger < " + std::to_string(*ledger);
    ledger = lower;
  }
  return std::nullopt;
}

/// What is left of pruning that was given up, or whose process died.
void drop_leftovers(pqxx::transaction_base& sql) {
  for (const auto& row : sql.exec("SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
                                  " AND relkind = 'r' AND NOT relispartition AND relname ~ '^" +
                                  copy_prefix + "[0-9]+$'")) {
    sql.exec("DROP TABLE " + sql.quote_name(row[0].c_str()));
  }
}

/// The columns of `e`; what the chain said can be large, and isn't wanted of what is kept below the cut: an array of no
/// topics stands for it.
std::string kept_columns(std::uint64_t cut) {
  const std::string is_emptied = "CASE WHEN e.seq < " + std::to_string(cut) + " AND NOT " + is_ours("e");
  std::string list;
  for (const std::string& column : event_columns()) {
    if (!list.empty()) list += ", ";
    if (column == "topics") {
      list += is_emptied + " THEN '\\x00000000'::bytea ELSE e.topics END";
    } else if (column == "value") {
      list += is_emptied + " THEN ''::bytea ELSE e.value END";
    } else {
      list += "e." + column;
    }
  }
  return list;
}

std::string insert_into(const std::string& copy, std::uint64_t cut) {
  return "INSERT INTO " + copy + " (" + event_column_list("") + ") SELECT " + kept_columns(cut) + " FROM ";
}

}  // namespace

PostgresLogRetention::PostgresLogRetention(const StoreOptions& options)
    : connection_(options, "retention", statement_timeout_ms) {}

ports::LogSize PostgresLogRetention::size() {
  const ports::LogSize size = connection_.use([](pqxx::connection& connection) {
    pqxx::nontransaction sql(connection);
    const pqxx::row row = sql.exec(
        "SELECT (SELECT oldest_seq FROM log_head), count(*), coalesce(sum(pg_total_relation_size(inhrelid)), 0)::bigint"
        " FROM pg_inherits WHERE inhparent = 'events'::regclass")[0];
    return ports::LogSize{row[0].as<std::uint64_t>(), row[1].as<std::uint64_t>(), row[2].as<std::uint64_t>()};
  });
  if (!pruning_) connection_.close();  // it is used once in a while
  return size;
}

PostgresLogRetention::Step PostgresLogRetention::step(core::UnixSeconds before) {
  const Step step = connection_.use([&](pqxx::connection& connection) { return perform(connection, before); });
  if (!pruning_) connection_.close();  // and with it goes the lock
  return step;
}

PostgresLogRetention::Step PostgresLogRetention::perform(pqxx::connection& connection, core::UnixSeconds before) try {
  if (!claim(connection)) return {Progress::busy, {}};
  if (!pruning_) return begin(connection, before);
  if (pruning_->part == Pruning::Part::done) return take_effect(connection);
  copy_part(connection);
  return {Progress::more, {}};
} catch (const pqxx::sql_error& error) {
  if (!is_lock_conflict(error)) throw;
  return {Progress::busy, {}};
}

bool PostgresLogRetention::claim(pqxx::connection& connection) {
  if (claimed_in_ == connection_.openings()) return true;
  pruning_.reset();
  pqxx::nontransaction sql(connection);
  if (!sql.exec("SELECT pg_try_advisory_lock(" + std::to_string(pruning_lock) + ")")[0][0].as<bool>()) return false;
  claimed_in_ = connection_.openings();
  return true;
}

PostgresLogRetention::Step PostgresLogRetention::give_up(Progress progress) {
  pruning_.reset();
  return {progress, {}};
}

PostgresLogRetention::Step PostgresLogRetention::begin(pqxx::connection& connection, core::UnixSeconds before) {
  pqxx::work sql(connection);
  sql.exec("SET LOCAL lock_timeout = " + std::to_string(readers_timeout_ms));
  drop_leftovers(sql);
  if (has_active_job(sql)) {
    sql.commit();
    return {Progress::busy, {}};
  }
  const pqxx::row head = sql.exec("SELECT epoch, oldest_seq, seq, pruned_ledger FROM log_head")[0];
  Pruning pruning;
  pruning.epoch = head[0].c_str();
  pruning.from = head[1].as<std::uint64_t>();
  pruning.checked_through = head[2].as<std::uint64_t>();

  const std::vector<Partition> partitions = read_partitions(sql);
  std::uint64_t end = 0;
  for (const Partition& partition : partitions) {
    // The newest entry stays, whatever its age: a log has one.
    if (partition.to > pruning.checked_through || !is_old(sql, partition, before)) break;
    end = partition.to;
  }
  const auto cut = end > pruning.from ? find_cut(sql, end) : std::nullopt;
  if (!cut || *cut <= pruning.from) {
    sql.commit();
    return {Progress::none, {}};
  }
  pruning.cut = *cut;
  for (const Partition& partition : partitions) {
    if (pruning.boundary >= pruning.cut) break;
    pruning.boundary = partition.to;
    pruning.partitions.push_back(partition.name);
  }
  // What would be copied only because the cut is far below its partition's end isn't to be more than what goes.
  if (pruning.boundary - pruning.cut > pruning.cut - pruning.from) {
    sql.commit();
    return {Progress::none, {}};
  }
  const auto last = number_from(sql, "SELECT max(ledger) FROM events WHERE seq < " + std::to_string(pruning.cut));
  const auto before_it = number_or_none<std::uint64_t>(head[3]);
  if (last || before_it) pruning.ledger = static_cast<std::uint32_t>(std::max(last.value_or(0), before_it.value_or(0)));
  pruning.copy = copy_prefix + std::to_string(pruning.cut);
  // The constraint saves the database from looking for it when the table is attached.
  sql.exec("CREATE TABLE " + pruning.copy + " (LIKE events INCLUDING ALL, CONSTRAINT is_below CHECK (seq < " +
           std::to_string(pruning.boundary) + "))");
  sql.commit();
  pruning_ = std::move(pruning);
  return {Progress::more, {}};
}

void PostgresLogRetention::copy_part(pqxx::connection& connection) {
  // The place is ours only once the database has what was copied up to there.
  const Pruning before = *pruning_;
  try {
    pqxx::work sql(connection);
    // From each place backwards by the index, to the first that fits; never all that a stream has, and then sorted.
    sql.exec("SET LOCAL enable_bitmapscan = off");
    switch (pruning_->part) {
      case Pruning::Part::entries: copy_entries(sql); break;
      case Pruning::Part::streams: copy_streams(sql); break;
      case Pruning::Part::digest: digest_states(sql); break;
      case Pruning::Part::done: break;
    }
    sql.commit();
  } catch (...) {
    pruning_ = before;
    throw;
  }
}

/// What stays for what it is: all of the API's streams, times that were passed, and what lies between the cut and the
/// copy's end.
void PostgresLogRetention::copy_entries(pqxx::transaction_base& sql) {
  Pruning& pruning = *pruning_;
  const std::string page = "seq > " + std::to_string(pruning.after_seq) + " AND seq ";
  const auto through = number_from(sql, "SELECT max(seq) FROM (SELECT seq FROM events WHERE " + page + "< " +
                                            std::to_string(pruning.boundary) + " ORDER BY seq LIMIT " +
                                            std::to_string(entries_at_once) + ") page");
  if (!through) {
    pruning.part = Pruning::Part::streams;
    return;
  }
  sql.exec(insert_into(pruning.copy, pruning.cut) + "events e WHERE e." + page + "<= " + std::to_string(*through) +
           " AND (e.seq >= " + std::to_string(pruning.cut) + " OR " + is_ours("e") +
           " OR (e.event IN ('stream.cliff_reached', 'stream.ended') AND " + stands("e") + "))");
  pruning.after_seq = *through;
}

/// What stays of a stream of the chain's for what comes after it: its newest entry, the newest with a state, the newest
/// of these that stands (a rollback goes back to that), and the newest that stands and is of a successful call (which
/// observations of streams without a state begin from). Often they are one.
void PostgresLogRetention::copy_streams(pqxx::transaction_base& sql) {
  Pruning& pruning = *pruning_;
  const std::string below = std::to_string(pruning.cut);
  const pqxx::result ids =
      sql.exec("SELECT DISTINCT stream_id FROM events WHERE seq < " + below + " AND stream_id > " +
               sql.quote(pruning.after_stream) + " AND stream_id NOT LIKE 'api-%' ORDER BY stream_id LIMIT " +
               std::to_string(streams_at_once));
  if (ids.empty()) {
    sql.exec("ANALYZE " + pruning.copy);
    pruning.part = Pruning::Part::digest;
    pruning.after_stream.clear();
    return;
  }
  std::vector<std::string> page;
  for (const auto& row : ids) page.emplace_back(row[0].c_str());
  const auto newest = [&](const std::string& condition) {
    return "(SELECT * FROM events e WHERE e.stream_id = ids.stream_id AND e.seq < " + below + condition +
           " ORDER BY e.seq DESC LIMIT 1)";
  };
  const std::string with_state = " AND e.stream_state IS NOT NULL";
  const std::string standing = " AND " + stands("e");
  sql.exec(insert_into(pruning.copy, pruning.cut) + "unnest(" + text_array(sql, page) +
           ") AS ids (stream_id) CROSS JOIN LATERAL (" + newest("") + " UNION ALL " + newest(with_state) +
           " UNION ALL " + newest(with_state + standing) + " UNION ALL " +
           newest(" AND e.in_successful_call AND e.ledger IS NOT NULL" + standing) + ") e ON CONFLICT DO NOTHING");
  // Of what stands, one state is left: whoever asks for a moment's finds the newest before it, and between an older one
  // and that one others were pruned.
  sql.exec("UPDATE " + pruning.copy + " k SET stream_state = NULL WHERE k.stream_id = ANY (" + text_array(sql, page) +
           ") AND k.seq < " + below +
           " AND k.stream_state IS NOT NULL AND k.retracts IS NULL AND EXISTS (SELECT FROM " + pruning.copy +
           " n WHERE n.stream_id = k.stream_id AND n.seq > k.seq AND n.seq < " + below +
           " AND n.stream_state IS NOT NULL AND n.retracts IS NULL)");
  pruning.after_stream = page.back();
}

void PostgresLogRetention::digest_states(pqxx::transaction_base& sql) {
  Pruning& pruning = *pruning_;
  const auto streams = read_remains(sql, pruning.copy, pruning.cut, pruning.after_stream, streams_at_once);
  for (const StreamRemains& stream : streams) {
    pruning.states = core::snapshot_digest(pruning.states, stream.id, stream.last_seq, stream.state);
    pruning.after_stream = stream.id;
  }
  if (!streams.empty()) return;
  pruning.kept_rows =
      *number_from(sql, "SELECT count(*) FROM " + pruning.copy + " WHERE seq < " + std::to_string(pruning.cut));
  pruning.part = Pruning::Part::done;
}

bool PostgresLogRetention::is_still_closed(pqxx::transaction_base& sql) {
  Pruning& pruning = *pruning_;
  const std::string after = "seq > " + std::to_string(pruning.checked_through);
  const pqxx::row row =
      sql.exec("SELECT h.seq, EXISTS (SELECT FROM events WHERE " + after + " AND " + std::string(is_in_order) +
               " AND ledger <= " + std::to_string(pruning.ledger.value_or(0)) + ") FROM log_head h")[0];
  pruning.checked_through = row[0].as<std::uint64_t>();
  return !row[1].as<bool>();
}

PostgresLogRetention::Step PostgresLogRetention::take_effect(pqxx::connection& connection) {
  pqxx::work sql(connection);
  // Whoever changes tables or folds the log again holds one of these; who waits for theirs waits for a moment.
  if (!try_lock(sql, migration_lock) || !try_lock(sql, rebuild_lock) || has_active_job(sql)) {
    return {Progress::busy, {}};
  }
  if (!are_migrations_ours(sql)) return give_up(Progress::none);
  if (!is_still_closed(sql)) return give_up(Progress::busy);  // most of it before anyone waits for us
  sql.exec("SET LOCAL lock_timeout = " + std::to_string(writers_timeout_ms));
  // In the order in which the indexer takes them. Writers ask for one of them first of all, so none is left that holds
  // anything; readers go on.
  sql.exec("LOCK TABLE indexer_checkpoint, log_head IN EXCLUSIVE MODE");
  const pqxx::row head = sql.exec("SELECT epoch, oldest_seq FROM log_head")[0];
  const bool is_same = head[0].c_str() == pruning_->epoch && head[1].as<std::uint64_t>() == pruning_->from;
  if (!is_same || !is_still_closed(sql)) return give_up(Progress::busy);

  const bool patient = ++tries_ % long_try == 0;
  sql.exec("SET LOCAL lock_timeout = " + std::to_string(patient ? long_readers_timeout_ms : readers_timeout_ms));
  exchange_partitions(sql);
  sql.commit();
  const Pruning done = *std::exchange(pruning_, std::nullopt);
  return {Progress::pruned, {done.from, done.cut, done.partitions.size(), done.kept_rows}};
}

void PostgresLogRetention::exchange_partitions(pqxx::transaction_base& sql) {
  const Pruning& pruning = *pruning_;
  std::string list;
  for (const std::string& partition : pruning.partitions)
    list += (list.empty() ? "" : ", ") + sql.quote_name(partition);
  sql.exec("LOCK TABLE ONLY events IN ACCESS EXCLUSIVE MODE");
  sql.exec("DROP TABLE " + list);
  sql.exec("ALTER TABLE events ATTACH PARTITION " + pruning.copy + " FOR VALUES FROM (MINVALUE) TO (" +
           std::to_string(pruning.boundary) + ")");
  sql.exec("ALTER TABLE " + pruning.copy + " DROP CONSTRAINT is_below");
  const std::string ledger = pruning.ledger ? std::to_string(*pruning.ledger) : "NULL";
  // Of the last one that is held: a ledger of which all was undone needn't be.
  const auto last_known = [&](const std::string& column, const std::string& otherwise) {
    return "coalesce((SELECT " + column + " FROM ledgers WHERE " + column + " IS NOT NULL AND sequence <= " + ledger +
           " ORDER BY sequence DESC LIMIT 1), " + otherwise + ")";
  };
  sql.exec("UPDATE log_head SET oldest_seq = " + std::to_string(pruning.cut) + ", pruned_ledger = " + ledger +
           ", pruned_closed_at = " + last_known("closed_at", "0") +
           ", pruned_digest = " + last_known("digest", "'" + bytea(core::Hash{}) + "'") + ", pruned_states = '" +
           bytea(pruning.states) + "', pruned_at_ms = " + now_ms);
  ports::AuditRecord record;
  record.actor = "service";
  record.action = "log.prune";
  record.target = pruning.epoch;
  record.detail = R"({"from":)" + std::to_string(pruning.from) + R"(,"oldest":)" + std::to_string(pruning.cut) +
                  R"(,"ledger":)" + (pruning.ledger ? ledger : "null") + "}";
  append_audit(sql, {record});
}

}  // namespace fluxora::store
