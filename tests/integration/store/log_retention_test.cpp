// The log's partitions and their pruning over a real PostgreSQL, whose URL is in DATABASE_URL.
#include "log_retention.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <pqxx/pqxx>

#include "event_log_reader.hpp"
#include "fake_log.hpp"
#include "fluxora/core/snapshot_digest.hpp"
#include "fluxora/store/store.hpp"
#include "log_appender.hpp"
#include "migrations.hpp"
#include "next_log.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

using core::EventName;
using core::LogEntry;
using Progress = ports::LogRetention::Progress;

constexpr core::UnixSeconds first_close = 1'600'000'000;
constexpr core::UnixSeconds ledger_s = 5;
constexpr std::uint64_t partition_entries = 50;
constexpr int most_steps = 10'000;
constexpr int most_tries = 200;

StoreOptions options() {
  const char* url = std::getenv("DATABASE_URL");
  if (url == nullptr) throw std::runtime_error("DATABASE_URL isn't set");
  StoreOptions options;
  options.database_url = url;
  options.log_partition_entries = partition_entries;
  return options;
}

core::UnixSeconds close_of(std::uint32_t ledger) {
  return first_close + ledger * ledger_s;
}

core::Hash hash_of(std::uint32_t ledger) {
  core::Hash hash{};
  hash[0] = static_cast<std::uint8_t>(ledger);
  hash[1] = static_cast<std::uint8_t>(ledger >> 8);
  return hash;
}

bool is_in_order(EventName event) {
  return event != EventName::stream_observed && event != EventName::stream_cliff_reached &&
         event != EventName::stream_ended;
}

bool is_of_api(const LogEntry& entry) {
  return !entry.ledger || entry.stream_id.starts_with("api-");
}

/// Entries as an indexer and an API write them, with forks, observations of streams that changed long ago, and times.
class LogMaker {
 public:
  explicit LogMaker(std::uint32_t seed) : random_(seed) {}

  /// Ledgers, and what is written between them.
  void close_ledgers(int count) {
    for (; count > 0; --count) {
      if (tip_ > 10 && chance(12)) undo_above(tip_ - 1 - below(6));
      ++tip_;
      for (unsigned events = below(6); events > 0; --events) add_chain_event();
      if (chance(3)) observe();
      if (chance(3)) pass_time(below(3) == 0 ? api_stream() : chain_stream());
      if (chance(2)) add_api_change();
    }
  }

  void undo_above(std::uint32_t ledger) {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      const LogEntry undone = entries_[i];
      if (!undone.ledger || *undone.ledger <= ledger || !stands(undone)) continue;
      LogEntry entry = make(EventName::stream_retracted, undone.stream_id, undone.ledger);
      entry.retracts = undone.seq;
      retracted_.insert(undone.seq);
      if (const LogEntry* before =
              newest(undone.stream_id, undone.seq, [this](const LogEntry& e) { return e.stream && stands(e); })) {
        entry.stream = before->stream;
      }
      put(std::move(entry));
    }
    tip_ = ledger;
  }

  LogEntry& add_chain_event() {
    const unsigned kind = below(10);
    LogEntry entry = make(kind == 0 ? EventName::chain_event : EventName::stream_updated,
                          kind == 0 ? std::string() : chain_stream(), tip_);
    entry.in_successful_call = kind != 1;
    if (kind > 2) entry.stream = state_of(entry);
    return put(std::move(entry));
  }

  [[nodiscard]] bool stands(const LogEntry& entry) const { return !entry.retracts && !retracted_.contains(entry.seq); }
  template <class Condition>
  const LogEntry* newest(const std::string& stream, std::uint64_t below_seq, Condition fits) const {
    for (std::size_t i = entries_.size(); i-- > 0;) {
      const LogEntry& entry = entries_[i];
      if (entry.seq < below_seq && entry.stream_id == stream && !stream.empty() && fits(entry)) return &entry;
    }
    return nullptr;
  }

  [[nodiscard]] const std::vector<LogEntry>& entries() const { return entries_; }
  [[nodiscard]] std::uint32_t tip() const { return tip_; }

 private:
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool chance(unsigned one_in) { return below(one_in) == 0; }
  std::string chain_stream() { return "C-" + std::to_string(below(25)); }
  std::string api_stream() { return "api-" + std::to_string(below(5)); }

  LogEntry make(EventName event, std::string stream, std::optional<std::uint32_t> ledger) {
    LogEntry entry;
    entry.seq = entries_.size() + 1;
    entry.event = event;
    entry.kind = "kind";
    entry.stream_id = std::move(stream);
    entry.event_id = "event-" + std::to_string(entry.seq);
    entry.ledger = ledger;
    entry.closed_at = close_of(ledger.value_or(tip_));
    if (ledger) {
      entry.contract_id = "C";
      entry.ledger_hash = hash_of(*ledger);
      entry.tx_hash = hash_of(*ledger);
    }
    entry.topics_xdr = {core::Bytes(12, 7)};
    entry.value_xdr = core::Bytes(40, 9);
    if (const LogEntry* before = newest(entry.stream_id, entry.seq, [](const LogEntry&) { return true; })) {
      entry.prev_seq = before->seq;
    }
    return entry;
  }
  static core::Stream state_of(const LogEntry& entry) {
    core::Stream stream;
    stream.id = entry.stream_id;
    stream.version = entry.seq;
    return stream;
  }
  LogEntry& put(LogEntry entry) { return entries_.emplace_back(std::move(entry)); }

  void observe() {
    const std::string stream = chain_stream();
    const LogEntry* last =
        newest(stream, entries_.size() + 1, [this](const LogEntry& e) { return e.ledger && stands(e); });
    if (last == nullptr) return;
    LogEntry entry = make(EventName::stream_observed, stream, last->ledger);
    entry.stream = state_of(entry);
    put(std::move(entry));
  }
  void pass_time(const std::string& stream) {
    LogEntry entry = make(chance(2) ? EventName::stream_ended : EventName::stream_cliff_reached, stream, tip_);
    entry.stream = state_of(entry);
    put(std::move(entry));
  }
  void add_api_change() {
    LogEntry entry = make(EventName::stream_updated, api_stream(), std::nullopt);
    entry.stream = state_of(entry);
    put(std::move(entry));
  }

  std::mt19937 random_;
  std::uint32_t tip_ = 0;
  std::vector<LogEntry> entries_;
  std::set<std::uint64_t> retracted_;
};

class LogRetention : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fakes::FakeLog log;
    migrate(options(), log);
  }

  LogRetention() : connection_(options().database_url) {
    for (const std::string& name : tables("events_%")) run("DROP TABLE " + name);
    run("TRUNCATE ledgers, streams, replay_jobs");
    run("UPDATE log_head SET seq = 0, oldest_seq = 1, partitioned_to = 1, pruned_ledger = NULL, pruned_closed_at = "
        "NULL,"
        " pruned_digest = NULL, pruned_states = NULL, pruned_at_ms = NULL");
  }

  pqxx::result run(const std::string& text) { return pqxx::nontransaction(connection_).exec(text); }
  std::uint64_t number(const std::string& text) { return run(text)[0][0].as<std::uint64_t>(); }
  std::vector<std::string> tables(const std::string& like) {
    std::vector<std::string> names;
    for (const auto& row : run("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE '" + like +
                               "' AND relnamespace = 'public'::regnamespace ORDER BY 1")) {
      names.emplace_back(row[0].c_str());
    }
    return names;
  }

  /// As writers do, in transactions of so many; what the log has of them already is left out.
  static void append(pqxx::connection& connection, const std::vector<LogEntry>& all, std::size_t at_once) {
    for (bool more = true; more;) {
      pqxx::work sql(connection);
      const pqxx::row head = sql.exec("SELECT seq, partitioned_to FROM log_head FOR UPDATE")[0];
      LogEnd end{head[0].as<std::uint64_t>(), head[1].as<std::uint64_t>(), partition_entries};
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(end.seq);
      const std::vector<LogEntry> entries(
          first, first + std::min<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(at_once), all.end() - first));
      if (entries.empty()) return;
      if (end.seq % 2 == 0) {
        append_entries(sql, end, entries, {});
      } else {
        sql.exec(append_entries_sql(sql, end, entries));
      }
      std::map<std::uint32_t, std::string> ledgers;
      for (const LogEntry& entry : entries) {
        if (!entry.ledger) continue;
        const std::string hash = ", '" + bytea(hash_of(*entry.ledger)) + "'";
        const std::string number = std::to_string(*entry.ledger);
        ledgers[*entry.ledger] = "(" + number + hash + ", " + std::to_string(close_of(*entry.ledger)) + hash + ")";
      }
      std::string rows;
      for (const auto& [ledger, row] : ledgers) rows += (rows.empty() ? "" : ", ") + row;
      if (!rows.empty()) {
        sql.exec("INSERT INTO ledgers (sequence, hash, closed_at, digest) VALUES " + rows + " ON CONFLICT DO NOTHING");
      }
      sql.commit();
      more = end.seq < all.size();
    }
  }
  void append(const LogMaker& maker, std::size_t at_once = 33) { append(connection_, maker.entries(), at_once); }

  static std::unique_ptr<ports::LogRetention> make_retention() { return make_log_retention(options()); }

  /// Steps until there is nothing more to do, or somebody is in the way.
  static ports::LogRetention::Step finish(ports::LogRetention& retention, core::UnixSeconds before) {
    for (int i = 0; i < most_steps; ++i) {
      const auto step = retention.step(before);
      if (step.progress != Progress::more) return step;
    }
    throw std::runtime_error("there is no end to the pruning");
  }

  /// Where nobody is in the way but who comes by chance, such as a vacuum.
  static ports::LogRetention::Step settle(ports::LogRetention& retention, core::UnixSeconds before) {
    auto step = finish(retention, before);
    for (int i = 0; i < most_tries && step.progress == Progress::busy; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      step = finish(retention, before);
    }
    return step;
  }

  struct Partition {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
  };
  std::vector<Partition> partitions() {
    std::vector<Partition> found;
    for (const auto& row : run("SELECT substring(bound FROM 'FROM \\(''([0-9]+)''')::bigint,"
                               " substring(bound FROM 'TO \\(''([0-9]+)''')::bigint AS upto FROM (SELECT"
                               " pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits i JOIN pg_class c"
                               " ON c.oid = i.inhrelid WHERE inhparent = 'events'::regclass) b ORDER BY upto")) {
      found.push_back({row[0].is_null() ? 0 : row[0].as<std::uint64_t>(), row[1].as<std::uint64_t>()});
    }
    return found;
  }

  /// Where the log is cut when what is older than `before` goes; 0: nothing goes.
  std::uint64_t expected_cut(const LogMaker& maker, core::UnixSeconds before, std::uint64_t oldest) {
    const auto& entries = maker.entries();
    std::uint64_t end = 0;
    const auto all = partitions();
    for (const Partition& partition : all) {
      const bool is_old = std::all_of(entries.begin(), entries.end(), [&](const LogEntry& entry) {
        return entry.seq < partition.from || entry.seq >= partition.to || entry.closed_at < before;
      });
      if (!is_old || partition.to > entries.size()) break;
      end = partition.to;
    }
    for (std::uint64_t cut = end; cut > oldest; --cut) {
      std::uint32_t highest = 0;
      std::uint32_t lowest = ~std::uint32_t{0};
      for (const LogEntry& entry : entries) {
        if (!entry.ledger) continue;
        if (entry.seq < cut) highest = std::max(highest, *entry.ledger);
        if (entry.seq >= cut && is_in_order(entry.event)) lowest = std::min(lowest, *entry.ledger);
      }
      if (highest >= lowest) continue;
      const auto holds = std::find_if(all.begin(), all.end(), [&](const Partition& p) { return p.to >= cut; });
      return holds->to - cut > cut - oldest ? 0 : cut;
    }
    return 0;
  }

  static std::set<std::uint64_t> expected_kept(const LogMaker& maker, std::uint64_t cut) {
    std::set<std::uint64_t> kept;
    std::set<std::string> streams;
    const auto keep = [&](const LogEntry* entry) {
      if (entry != nullptr) kept.insert(entry->seq);
    };
    for (const LogEntry& entry : maker.entries()) {
      if (entry.seq >= cut) break;
      streams.insert(entry.stream_id);
      const bool is_time = entry.event == EventName::stream_ended || entry.event == EventName::stream_cliff_reached;
      if (is_of_api(entry) || (is_time && maker.stands(entry))) keep(&entry);
    }
    for (const std::string& stream : streams) {
      const auto has_state = [](const LogEntry& e) { return core::encode_stream_state(e).has_value(); };
      keep(maker.newest(stream, cut, [](const LogEntry&) { return true; }));
      keep(maker.newest(stream, cut, has_state));
      keep(maker.newest(stream, cut, [&](const LogEntry& e) { return has_state(e) && maker.stands(e); }));
      keep(maker.newest(stream, cut,
                        [&](const LogEntry& e) { return e.in_successful_call && e.ledger && maker.stands(e); }));
    }
    return kept;
  }

  /// Of a stream of the chain's, one state that stands is left: the newest.
  static bool has_lost_state(const LogMaker& maker, const LogEntry& entry, std::uint64_t cut) {
    if (entry.seq >= cut || is_of_api(entry) || !maker.stands(entry)) return false;
    const LogEntry* newest =
        maker.newest(entry.stream_id, cut, [&](const LogEntry& e) { return e.stream && maker.stands(e); });
    return newest != nullptr && newest->seq != entry.seq;
  }

  /// That the log is cut there, with what belongs below it, and nothing else was touched.
  void check_pruned(const LogMaker& maker, std::uint64_t cut) {
    const pqxx::row head =
        run("SELECT oldest_seq, pruned_ledger, pruned_closed_at, pruned_digest, pruned_states,"
            " pruned_at_ms IS NOT NULL, seq FROM log_head")[0];
    ASSERT_EQ(head[0].as<std::uint64_t>(), cut);
    EXPECT_EQ(head[6].as<std::uint64_t>(), maker.entries().size());
    std::uint32_t ledger = 0;
    for (const LogEntry& entry : maker.entries()) {
      if (entry.seq < cut) ledger = std::max(ledger, entry.ledger.value_or(0));
    }
    EXPECT_EQ(head[1].as<std::uint32_t>(), ledger);
    // A ledger of which all was undone isn't among those that are held; the one before it says the same.
    const auto held = static_cast<std::uint32_t>(
        number("SELECT max(sequence) FROM ledgers WHERE sequence <= " + std::to_string(ledger)));
    EXPECT_EQ(head[2].as<core::UnixSeconds>(), close_of(held));
    EXPECT_EQ(hash_from_field(head[3]), hash_of(held));
    EXPECT_TRUE(head[5].as<bool>());

    std::set<std::uint64_t> kept;
    std::uint64_t next = cut;
    for (const auto& row : run("SELECT " + event_column_list("") + " FROM events ORDER BY seq")) {
      const LogEntry entry = *event_from_row(row, 0);
      const LogEntry& made = maker.entries()[entry.seq - 1];
      if (entry.seq < cut) {
        kept.insert(entry.seq);
        EXPECT_EQ(entry.topics_xdr.empty(), !is_of_api(made)) << entry.seq;
        EXPECT_EQ(entry.value_xdr.empty(), !is_of_api(made)) << entry.seq;
      } else {
        ASSERT_EQ(entry.seq, next++) << "what isn't pruned has no hole";
        EXPECT_EQ(entry.value_xdr, made.value_xdr);
      }
      EXPECT_EQ(entry.event_id, made.event_id);
      if (has_lost_state(maker, made, cut)) {
        EXPECT_FALSE(entry.stream) << entry.seq;
      } else {
        EXPECT_EQ(entry.stream, made.stream) << entry.seq;
      }
    }
    EXPECT_EQ(next, maker.entries().size() + 1);
    EXPECT_EQ(kept, expected_kept(maker, cut));
    EXPECT_EQ(hash_from_field(head[4]), digest_of_states(maker, cut));
    for (const std::string& table : tables("events_kept_%")) EXPECT_EQ(table, "events_kept_" + std::to_string(cut));
  }

  static core::Hash digest_of_states(const LogMaker& maker, std::uint64_t cut) {
    std::map<std::string, std::pair<std::uint64_t, std::optional<core::Bytes>>> streams;
    for (const LogEntry& entry : maker.entries()) {
      if (entry.seq >= cut || entry.stream_id.empty()) continue;
      auto& [last, state] = streams[entry.stream_id];
      last = entry.seq;
      if (auto left = core::encode_stream_state(entry)) state = std::move(left);
    }
    core::Hash digest{};
    for (const auto& [id, remains] : streams) {
      digest = core::snapshot_digest(digest, id, remains.first, remains.second);
    }
    return digest;
  }

  pqxx::connection connection_;
};

TEST_F(LogRetention, PartitionsAreMadeAsTheLogGrows) {
  LogMaker maker(1);
  maker.close_ledgers(150);
  const auto& entries = maker.entries();
  ASSERT_GT(entries.size(), 320u);
  append(connection_, {entries.begin(), entries.begin() + 120}, 7);
  std::uint64_t next = 1;
  for (const Partition& partition : partitions()) {
    EXPECT_EQ(partition.from, next);
    EXPECT_EQ(partition.to, next + partition_entries);
    next = partition.to;
  }
  EXPECT_EQ(next, 151u);
  append(connection_, {entries.begin(), entries.begin() + 320}, 200);  // more than a partition at once
  EXPECT_EQ(partitions().back().to, 321u);
  EXPECT_EQ(partitions().back().from, 151u);
  EXPECT_EQ(number("SELECT partitioned_to FROM log_head"), 321u);
  EXPECT_EQ(number("SELECT count(*) FROM events"), 320u);
}

TEST_F(LogRetention, APartitionOfATransactionThatIsGivenUpIsGone) {
  LogMaker maker(2);
  maker.close_ledgers(20);
  {
    pqxx::work sql(connection_);
    LogEnd end{0, 1, partition_entries};
    append_entries(sql, end, {maker.entries().begin(), maker.entries().begin() + 3}, {});
  }
  EXPECT_TRUE(partitions().empty());
  append(maker);
  EXPECT_EQ(partitions().front().from, 1u);
}

TEST_F(LogRetention, WhatIsYoungStaysAndSoDoesTheNewestPartition) {
  LogMaker maker(3);
  maker.close_ledgers(100);
  append(maker);
  const auto retention = make_retention();
  EXPECT_EQ(settle(*retention, first_close).progress, Progress::none);
  EXPECT_EQ(number("SELECT oldest_seq FROM log_head"), 1u);
  while (settle(*retention, close_of(1'000'000)).progress == Progress::pruned) continue;
  EXPECT_LE(number("SELECT oldest_seq FROM log_head"), maker.entries().size());
  EXPECT_GT(partitions().back().to, maker.entries().size());
}

TEST_F(LogRetention, PrunesWhatTheRulesSayWhateverTheLog) {
  unsigned pruned = 0;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    for (const std::string& name : tables("events_%")) run("DROP TABLE " + name);
    run("TRUNCATE ledgers");
    run("UPDATE log_head SET seq = 0, oldest_seq = 1, partitioned_to = 1, pruned_ledger = NULL");
    LogMaker maker(seed);
    const auto retention = make_retention();
    for (std::uint64_t oldest = 1, round = 0; round < 3; ++round) {
      maker.close_ledgers(60);
      append(maker, 10 + (seed * 7) % 60);
      const core::UnixSeconds before = close_of(maker.tip() * 3 / 4);
      const std::uint64_t cut = expected_cut(maker, before, oldest);
      const auto step = settle(*retention, before);
      ASSERT_EQ(step.progress, cut == 0 ? Progress::none : Progress::pruned);
      if (cut == 0) continue;
      ++pruned;
      EXPECT_EQ(step.log.from, oldest);
      EXPECT_EQ(step.log.oldest_seq, cut);
      EXPECT_EQ(step.log.kept_rows, expected_kept(maker, cut).size());
      ASSERT_NO_FATAL_FAILURE(check_pruned(maker, cut));
      EXPECT_EQ(settle(*retention, before).progress, Progress::none);
      oldest = cut;
    }
  }
  EXPECT_GT(pruned, 6u) << "the logs were too short to say anything";
}

TEST_F(LogRetention, AForkAcrossAPartitionsEndIsKeptWhole) {
  LogMaker maker(4);
  while (maker.entries().size() < 120) maker.close_ledgers(1);
  // What is undone began before the third partition's end, and is told again behind it.
  const std::uint32_t fork = maker.tip() - 3;
  while (maker.entries().size() < 147) maker.add_chain_event();
  maker.undo_above(fork);
  ASSERT_GT(maker.entries().size(), 150u);
  while (maker.entries().size() < 300) maker.close_ledgers(1);
  append(maker);
  const core::UnixSeconds before = maker.entries()[199].closed_at + 1;
  const std::uint64_t cut = expected_cut(maker, before, 1);
  ASSERT_GT(cut, 0u);
  ASSERT_EQ(settle(*make_retention(), before).progress, Progress::pruned);
  check_pruned(maker, cut);
  EXPECT_EQ(
      number("SELECT count(*) FROM events r JOIN log_head h ON r.seq >= h.oldest_seq WHERE r.retracts < h.oldest_seq"),
      0u);
}

TEST_F(LogRetention, TheLastPrunedLedgerNeedNotBeHeld) {
  LogMaker maker(13);
  maker.close_ledgers(150);
  append(maker);
  const core::UnixSeconds before = close_of(maker.tip() * 2 / 3);
  const std::uint64_t cut = expected_cut(maker, before, 1);
  ASSERT_GT(cut, 0u);
  run("DELETE FROM ledgers WHERE sequence = (SELECT max(ledger) FROM events WHERE seq < " + std::to_string(cut) + ")");
  ASSERT_EQ(settle(*make_retention(), before).progress, Progress::pruned);
  check_pruned(maker, cut);
}

TEST_F(LogRetention, WhatComesLateBeforeTheExchangeStopsIt) {
  LogMaker maker(5);
  maker.close_ledgers(150);
  append(maker);
  const core::UnixSeconds before = close_of(maker.tip() / 2);
  const auto retention = make_retention();
  ASSERT_EQ(retention->step(before).progress, Progress::more);
  maker.undo_above(2);  // below any cut
  append(maker);
  EXPECT_EQ(finish(*retention, before).progress, Progress::busy);
  EXPECT_EQ(number("SELECT oldest_seq FROM log_head"), 1u);
  const std::uint64_t cut = expected_cut(maker, before, 1);
  EXPECT_EQ(settle(*retention, before).progress, cut == 0 ? Progress::none : Progress::pruned);
  EXPECT_EQ(number("SELECT oldest_seq FROM log_head"), std::max<std::uint64_t>(cut, 1));
  EXPECT_EQ(
      number(
          "SELECT count(*) FROM pg_class WHERE relname LIKE 'events_kept_%' AND relkind = 'r' AND NOT relispartition"),
      0u);
}

TEST_F(LogRetention, WaitsForReadersWritersJobsAndRebuilds) {
  LogMaker maker(6);
  maker.close_ledgers(150);
  append(maker);
  const core::UnixSeconds before = close_of(maker.tip() * 2 / 3);
  const std::uint64_t cut = expected_cut(maker, before, 1);
  ASSERT_GT(cut, 0u);
  const auto retention = make_retention();
  const auto is_busy_while = [&](const std::string& held) {
    pqxx::connection other(options().database_url);
    pqxx::work sql(other);
    sql.exec(held);
    EXPECT_EQ(finish(*retention, before).progress, Progress::busy) << held;
  };
  is_busy_while("SELECT count(*) FROM events");
  is_busy_while("SELECT FROM log_head FOR UPDATE");
  is_busy_while("SELECT FROM indexer_checkpoint FOR UPDATE");
  is_busy_while("SELECT pg_advisory_xact_lock(" + std::to_string(0x666c757872626c64) + ")");
  is_busy_while("SELECT pg_advisory_xact_lock(" + std::to_string(migration_lock) + ")");
  for (const char* state : {"queued", "running", "paused"}) {
    run("INSERT INTO replay_jobs (kind, state, contracts, restart, started_by) VALUES ('rebuild', '" +
        std::string(state) + "', '', false, 'test')");
    EXPECT_EQ(finish(*retention, before).progress, Progress::busy) << state;
    run("UPDATE replay_jobs SET state = 'done'");
  }
  EXPECT_EQ(number("SELECT oldest_seq FROM log_head"), 1u);
  EXPECT_EQ(settle(*retention, before).progress, Progress::pruned);
  check_pruned(maker, cut);
  EXPECT_EQ(number("SELECT detail::json ->> 'oldest' FROM audit_log WHERE action = 'log.prune' ORDER BY position DESC"
                   " LIMIT 1"),
            cut);
  EXPECT_EQ(number("SELECT count(*) FROM audit_trail WHERE source = 'chain' AND position < " + std::to_string(cut)),
            0u);
}

TEST_F(LogRetention, OnePrunesAtATimeAndAnotherTakesOverWhereItDied) {
  LogMaker maker(7);
  maker.close_ledgers(150);
  append(maker);
  const core::UnixSeconds before = close_of(maker.tip() * 2 / 3);
  const std::uint64_t cut = expected_cut(maker, before, 1);
  ASSERT_GT(cut, 0u);
  auto first = make_retention();
  const auto second = make_retention();
  ASSERT_EQ(first->step(before).progress, Progress::more);
  ASSERT_EQ(first->step(before).progress, Progress::more);
  EXPECT_EQ(second->step(before).progress, Progress::busy);
  EXPECT_EQ(tables("events_kept_%").size(), 1u);
  // As a process that is killed: its session ends.
  run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'fluxora-retention'"
      " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')");
  EXPECT_THROW(static_cast<void>(finish(*first, before)), ports::StoreUnavailable);
  EXPECT_EQ(settle(*second, before).progress, Progress::pruned);
  check_pruned(maker, cut);
  EXPECT_EQ(settle(*first, before).progress, Progress::none) << "it finds that the work is done";
}

TEST_F(LogRetention, TellsHowLargeTheLogIs) {
  LogMaker maker(8);
  maker.close_ledgers(100);
  append(maker);
  const auto retention = make_retention();
  const ports::LogSize size = retention->size();
  EXPECT_EQ(size.oldest_seq, 1u);
  EXPECT_EQ(size.partitions, partitions().size());
  EXPECT_GT(size.bytes, 8'192u * size.partitions);
}

TEST_F(LogRetention, WhoReadsAndAppendsMeanwhileNoticesNothing) {
  LogMaker maker(9);
  maker.close_ledgers(600);
  const auto& entries = maker.entries();
  append(connection_, {entries.begin(), entries.begin() + 600}, 50);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    pqxx::connection connection(options().database_url);
    append(connection, entries, 11);
    done = true;
  });
  std::thread reader([&] {
    pqxx::connection connection(options().database_url);
    connection.prepare("of_stream", "SELECT seq FROM events WHERE stream_id = $1 AND seq > $2 ORDER BY seq LIMIT 5");
    std::uint64_t at = 0;
    while (!done || at < entries.size()) {
      const ports::EventPage page = read_entries_after(connection, at, 40);
      if (at + 1 < page.head.oldest_seq) {  // overtaken: a gap
        at = page.head.oldest_seq - 1;
        continue;
      }
      for (const LogEntry& entry : page.entries) ASSERT_EQ(entry.seq, ++at);
      pqxx::nontransaction sql(connection);
      static_cast<void>(sql.exec_prepared("of_stream", "C-3", at / 2));
    }
  });
  const auto retention = make_retention();
  unsigned pruned = 0;
  while (!done) {
    const core::UnixSeconds before =
        run("SELECT closed_at - 200 FROM events ORDER BY seq DESC LIMIT 1")[0][0].as<core::UnixSeconds>();
    if (settle(*retention, before).progress == Progress::pruned) ++pruned;
  }
  writer.join();
  reader.join();
  while (settle(*retention, entries.back().closed_at - 200).progress == Progress::pruned) ++pruned;
  EXPECT_GT(pruned, 0u);
  const std::uint64_t oldest = number("SELECT oldest_seq FROM log_head");
  EXPECT_GT(oldest, 600u);
  check_pruned(maker, oldest);
}

/// A log in a schema of its own, as the migrations before the partitions made it.
class OldLog : public LogRetention {
 protected:
  static constexpr const char* schema = "old_log";
  static StoreOptions old_options() {
    StoreOptions old = options();
    old.schema = schema;
    return old;
  }

  OldLog() {
    run("DROP SCHEMA IF EXISTS old_log CASCADE; CREATE SCHEMA old_log; SET search_path = old_log;"
        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())");
    for (const Migration& migration : embedded_migrations()) {
      if (migration.name >= "013") break;
      pqxx::work sql(connection_);
      sql.exec(migration.sql);
      sql.exec_params("INSERT INTO schema_migrations VALUES ($1, encode(sha256(convert_to($2, 'UTF8')), 'hex'))",
                      migration.name, migration.sql);
      sql.commit();
    }
  }
  ~OldLog() override { run("SET search_path = public; DROP SCHEMA old_log CASCADE"); }
};

TEST_F(OldLog, BecomesTheFirstPartitionAsItIs) {
  LogMaker maker(10);
  maker.close_ledgers(100);
  {
    pqxx::work sql(connection_);
    for (const LogEntry& entry : maker.entries()) {
      std::string values;
      for (const auto& column : event_row(entry))
        values += (values.empty() ? "" : ",") + (column ? sql.quote(*column) : "NULL");
      sql.exec("INSERT INTO events (" + event_column_list("") + ") VALUES (" + values + ")");
    }
    sql.exec("UPDATE log_head SET seq = " + std::to_string(maker.entries().size()));
    sql.commit();
  }
  const std::string all = "SELECT md5(string_agg(e::text, ' ' ORDER BY seq)) FROM events e";
  const std::string before = run(all)[0][0].c_str();
  const std::uint64_t file = number("SELECT pg_relation_filenode('events')");
  fakes::FakeLog log;
  migrate(old_options(), log);
  EXPECT_EQ(run(all)[0][0].c_str(), before);
  EXPECT_EQ(number("SELECT pg_relation_filenode('events_1')"), file) << "it isn't written again";
  ASSERT_EQ(partitions().size(), 1u);
  EXPECT_GT(partitions()[0].to, maker.entries().size());
  EXPECT_EQ(number("SELECT partitioned_to FROM log_head"), partitions()[0].to);
  // Every index of the whole has its part, and none was made beside an equal one.
  EXPECT_EQ(number("SELECT count(*) FROM pg_index WHERE indrelid = 'events'::regclass"),
            number("SELECT count(*) FROM pg_index WHERE indrelid = 'events_1'::regclass"));
  EXPECT_EQ(number("SELECT count(*) FROM pg_index i WHERE indrelid = 'events_1'::regclass"
                   " AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = i.indexrelid)"),
            0u);
  maker.close_ledgers(5);
  append(maker);
  EXPECT_EQ(number("SELECT count(*) FROM events_1"), maker.entries().size());
}

/// A log of several partitions, made beside the served one as a replay makes it.
TEST_F(LogRetention, ALogInPartitionsTakesThePlaceOfAnother) {
  LogMaker served(11);
  served.close_ledgers(100);
  append(served);
  ASSERT_EQ(settle(*make_retention(), close_of(60)).progress, Progress::pruned);
  const std::uint64_t job = number(
      "INSERT INTO replay_jobs (kind, state, contracts, restart, started_by) VALUES ('replay', 'running', 'C', true,"
      " 'test') RETURNING id");
  fakes::FakeLog log;
  PostgresNextLog next(options(), job, log);
  next.begin({"C", 1}, true);
  std::size_t carried = 0;
  for (const LogEntry& entry : served.entries()) carried += is_of_api(entry) && served.stands(entry) && !entry.ledger;
  ASSERT_GT(carried, 0u);
  // Streams of the API fold again only as the API made them: those of this log aren't, so they go.
  run("DELETE FROM events WHERE ledger IS NULL OR stream_id LIKE 'api-%'");
  LogMaker maker(12);
  while (maker.entries().size() < 130) {
    maker.close_ledgers(1);
  }
  {
    pqxx::connection beside(options().database_url);
    pqxx::nontransaction(beside).exec("SET search_path = fluxora_next");
    append(beside, maker.entries(), 9);
  }
  ports::NextLog::Swap swap = ports::NextLog::Swap::more;
  for (int tries = 0; tries < 100 && (swap == ports::NextLog::Swap::more || swap == ports::NextLog::Swap::busy);
       ++tries) {
    swap = next.swap();
  }
  ASSERT_EQ(swap, ports::NextLog::Swap::done);
  EXPECT_EQ(number("SELECT count(*) FROM events"), maker.entries().size());
  EXPECT_EQ(partitions().size(), (maker.entries().size() + partition_entries - 1) / partition_entries);
  EXPECT_EQ(tables("events_kept_%").size(), 0u);
  EXPECT_EQ(number("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
                   " WHERE inhparent = 'events'::regclass AND c.relnamespace <> 'public'::regnamespace"),
            0u);
  EXPECT_EQ(number("SELECT oldest_seq FROM log_head"), 1u);
  maker.close_ledgers(40);
  append(maker);
  EXPECT_EQ(number("SELECT count(*) FROM events"), maker.entries().size());
  EXPECT_GT(number("SELECT count(*) FROM audit_trail WHERE source = 'chain'"), 0u);
}

}  // namespace
}  // namespace fluxora::store
