#include "stream_batch.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <unordered_map>

#include "audit_log.hpp"
#include "connection.hpp"
#include "fluxora/core/api_entry.hpp"
#include "fluxora/core/reducer.hpp"
#include "log_appender.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

constexpr std::string_view key_lifetime = "interval '24 hours'";  // SPEC section 5
constexpr unsigned expired_keys_at_once = 1'000;
// "idem": advisory locks of two numbers, which the locks of one number never meet.
constexpr std::string_view key_lock_class = "1768187245";

using KeyName = std::pair<std::string, std::string>;  // caller, key

KeyName name_of(const ports::IdempotencyKey& key) {
  return {key.caller, key.key};
}

/// A creation that a key stands for.
struct KnownCreation {
  core::Hash body_hash{};
  ports::WrittenStream answer;
};
using KnownCreations = std::map<KeyName, KnownCreation>;

ports::WriteAnswer answer_again(const KnownCreation& known, const ports::IdempotencyKey& key) {
  if (known.body_hash != key.body_hash) return tl::unexpected(ports::WriteRefusal::key_reused);
  ports::WrittenStream answer = known.answer;
  answer.replayed = true;
  return answer;
}

/// Those of the names that are kept and not past their time.
KnownCreations read_known_creations(pqxx::transaction_base& sql, const std::vector<KeyName>& names) {
  KnownCreations known;
  if (names.empty()) return known;
  std::string list;
  for (const auto& [caller, key] : names) {
    if (!list.empty()) list += ',';
    list += "(" + sql.quote(caller) + "," + sql.quote(key) + ")";
  }
  const pqxx::result rows = sql.exec(
      "SELECT k.caller, k.key, k.body_sha256, k.as_of, h.epoch, e.stream_state FROM idempotency_keys k"
      " JOIN events e ON e.seq = k.seq CROSS JOIN log_head h WHERE (k.caller, k.key) IN (" +
      list + ") AND k.created_at > now() - " + std::string(key_lifetime));
  for (const auto& row : rows) {
    auto stream = stream_from_state(row[5]);
    if (!stream) throw std::runtime_error("the entry of a creation holds no stream");
    known.emplace(KeyName(row[0].c_str(), row[1].c_str()),
                  KnownCreation{hash_from_field(row[2]),
                                {std::move(*stream), row[4].c_str(), row[3].as<core::UnixSeconds>(), false}});
  }
  return known;
}

/// Takes each key's advisory lock until the transaction ends, without waiting. False where another session has it.
std::vector<bool> claim_keys(pqxx::transaction_base& sql, const std::vector<PendingWrite>& writes) {
  std::vector<bool> claimed(writes.size(), true);
  std::string values;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    const ports::IdempotencyKey* key = writes[i].key();
    if (key == nullptr) continue;
    if (!values.empty()) values += ',';
    values += "(" + std::to_string(i) + "," + sql.quote(key->caller + ' ' + key->key) + ")";
  }
  if (values.empty()) return claimed;
  const pqxx::result rows = sql.exec("SELECT w.n, pg_try_advisory_xact_lock(" + std::string(key_lock_class) +
                                     ", hashtext(w.name)) FROM (VALUES " + values + ") AS w (n, name)");
  for (const auto& row : rows) claimed[row[0].as<std::size_t>()] = row[1].as<bool>();
  return claimed;
}

std::vector<core::Stream> read_streams(pqxx::transaction_base& sql, const std::vector<std::string>& ids) {
  std::vector<core::Stream> streams;
  if (ids.empty()) return streams;
  const pqxx::result rows =
      sql.exec("SELECT " + stream_column_list("") + " FROM streams WHERE id IN (" + quoted_list(sql, ids) + ")");
  for (const auto& row : rows) streams.push_back(*stream_from_row(row, 0));
  return streams;
}

core::EventPayload payload_of(ports::StreamAction action) {
  if (action == ports::StreamAction::pause) return core::StreamPaused{};
  if (action == ports::StreamAction::resume) return core::StreamResumed{};
  return core::StreamCancelled{};
}

std::string_view audit_action(ports::StreamAction action) {
  if (action == ports::StreamAction::pause) return "stream.pause";
  if (action == ports::StreamAction::resume) return "stream.resume";
  return "stream.cancel";
}

core::StreamStatus status_after(ports::StreamAction action) {
  if (action == ports::StreamAction::pause) return core::StreamStatus::paused;
  if (action == ports::StreamAction::resume) return core::StreamStatus::active;
  return core::StreamStatus::cancelled;
}

/// Turns writes into entries, streams, audit records and answers, one after another, behind the locked end of the log.
class Composer {
 public:
  Composer(ports::ReadPoint point, KnownCreations known, std::vector<core::Stream> streams)
      : point_(std::move(point)), known_(std::move(known)) {
    for (core::Stream& stream : streams) {
      Touched& touched = streams_[stream.id];
      touched.stream = std::move(stream);
    }
  }

  ports::WriteAnswer operator()(const ports::StreamCreation& creation) {
    const ports::IdempotencyKey* key = creation.idempotency ? &*creation.idempotency : nullptr;
    if (key != nullptr) {
      if (const auto found = known_.find(name_of(*key)); found != known_.end())
        return answer_again(found->second, *key);
    }
    const core::Stream& created = append(nullptr, creation.id, creation.terms, creation.now, creation.traceparent);
    record("stream.create", created, creation.by);
    ports::WrittenStream answer = answer_of(created, creation.now);
    if (key != nullptr) {
      known_[name_of(*key)] = {key->body_hash, answer};
      new_keys_.push_back(*key);
    }
    return answer;
  }

  ports::WriteAnswer operator()(const ports::StreamChange& change) {
    const auto found = streams_.find(change.id);
    if (found == streams_.end()) return tl::unexpected(ports::WriteRefusal::unknown_stream);
    const core::Stream& before = found->second.stream;
    if (core::is_final(before.status)) return tl::unexpected(ports::WriteRefusal::final_stream);
    if (change.only_if && !is_at_one_of(before, *change.only_if)) {
      return tl::unexpected(ports::WriteRefusal::version_mismatch);
    }
    if (before.status == status_after(change.action)) return answer_of(before, change.now);
    const core::Stream& after = append(&before, change.id, payload_of(change.action), change.now, change.traceparent);
    record(audit_action(change.action), after, change.by);
    return answer_of(after, change.now);
  }

  [[nodiscard]] bool changes_anything() const { return !entries_.empty(); }

  /// In one round trip.
  void write(pqxx::transaction_base& sql, LogEnd& end, WebhookFanOut& fan_out) const {
    std::vector<core::Stream> changed;
    for (const auto& [id, touched] : streams_) {
      if (touched.changed) changed.push_back(touched.stream);
    }
    sql.exec(append_entries_sql(sql, end, entries_) + write_streams_sql(sql, changed) + new_keys_sql(sql) +
             append_audit_sql(sql, records_) + fan_out.write_sql(sql, entries_, traceparents_));
  }

 private:
  struct Touched {
    core::Stream stream;
    bool changed = false;
  };

  [[nodiscard]] bool is_at_one_of(const core::Stream& stream, const std::vector<ports::StreamVersion>& versions) const {
    return std::any_of(versions.begin(), versions.end(), [&](const ports::StreamVersion& wanted) {
      return wanted.epoch == point_.epoch && wanted.version == stream.version;
    });
  }

  const core::Stream& append(const core::Stream* before, const std::string& id, const core::EventPayload& payload,
                             core::UnixSeconds now, const std::string& traceparent) {
    auto entry = core::make_api_entry(before, id, payload, now, point_.head_seq + entries_.size() + 1);
    // What callers can get wrong was refused before: this would be a bug.
    if (!entry) throw std::logic_error("a change through the API can't be folded");
    Touched& touched = streams_[id];
    touched = {*entry->stream, true};
    entries_.push_back(std::move(*entry));
    traceparents_.push_back(traceparent);
    return touched.stream;
  }

  /// What `by` did to the stream, with the entry that came of it.
  void record(std::string_view action, const core::Stream& stream, ports::AuditRecord by) {
    by.action = action;
    by.target = stream.id;
    by.detail = "{\"seq\":" + std::to_string(stream.version) + "}";
    records_.push_back(std::move(by));
  }

  [[nodiscard]] ports::WrittenStream answer_of(const core::Stream& stream, core::UnixSeconds now) const {
    return {stream, point_.epoch, ports::as_of(stream, point_, now), false};
  }

  [[nodiscard]] std::string new_keys_sql(pqxx::transaction_base& sql) const {
    if (new_keys_.empty()) return {};
    std::string values;
    for (const ports::IdempotencyKey& key : new_keys_) {
      const ports::WrittenStream& answer = known_.at(name_of(key)).answer;
      if (!values.empty()) values += ',';
      values += "(" + sql.quote(key.caller) + "," + sql.quote(key.key) + ",'" + bytea(key.body_hash) + "'," +
                std::to_string(answer.stream.version) + "," + std::to_string(answer.as_of) + ")";
    }
    // A row that is there all the same is past its time.
    return "INSERT INTO idempotency_keys (caller, key, body_sha256, seq, as_of) VALUES " + values +
           " ON CONFLICT (caller, key) DO UPDATE SET body_sha256 = excluded.body_sha256, seq = excluded.seq,"
           " as_of = excluded.as_of, created_at = now();";
  }

  ports::ReadPoint point_;
  KnownCreations known_;
  std::unordered_map<std::string, Touched> streams_;
  std::vector<core::LogEntry> entries_;
  std::vector<std::string> traceparents_;  // of each entry
  std::vector<ports::IdempotencyKey> new_keys_;
  std::vector<ports::AuditRecord> records_;
};

/// Whether it is known that the transaction committed; throws where it is known that it didn't.
bool commit(pqxx::work& sql) {
  try {
    sql.commit();
    return true;
  } catch (const pqxx::in_doubt_error&) {
    return false;
  } catch (const std::exception& error) {
    if (!is_outage(error)) throw;
    return false;
  }
}

}  // namespace

const ports::IdempotencyKey* PendingWrite::key() const {
  const auto* creation = std::get_if<ports::StreamCreation>(&what);
  return creation != nullptr && creation->idempotency ? &*creation->idempotency : nullptr;
}

BatchOutcome write_batch(pqxx::connection& connection, WebhookFanOut& fan_out, std::uint64_t partition_entries,
                         const std::vector<PendingWrite>& writes) {
  BatchOutcome outcome;
  outcome.answers.resize(writes.size());
  pqxx::work sql(connection);
  const std::vector<bool> claimed = claim_keys(sql, writes);

  std::vector<KeyName> names;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (!claimed[i]) continue;
    if (const auto* key = writes[i].key()) names.push_back(name_of(*key));
    if (const auto* change = std::get_if<ports::StreamChange>(&writes[i].what)) ids.push_back(change->id);
  }
  // Whoever changes API streams or keys holds this row, so what is read after it stays as it is until the commit.
  const pqxx::result head =
      sql.exec("SELECT " + std::string(read_point_columns) +
               ", pg_current_xact_id()::text, h.webhooks_version, h.partitioned_to FROM log_head h"
               " CROSS JOIN indexer_checkpoint c"
               " FOR UPDATE OF h");
  const ports::ReadPoint end = read_point_from_row(head[0], 0);
  fan_out.log_is_locked(end.epoch, head[0][read_point_width + 1].as<std::int64_t>());
  KnownCreations known = read_known_creations(sql, names);
  Composer composer(end, std::move(known), read_streams(sql, ids));
  for (std::size_t i = 0; i < writes.size(); ++i) {
    if (claimed[i]) outcome.answers[i] = std::visit(composer, writes[i].what);
  }
  if (!composer.changes_anything()) return outcome;

  LogEnd log_end{end.head_seq, head[0][read_point_width + 2].as<std::uint64_t>(), partition_entries};
  composer.write(sql, log_end, fan_out);
  if (!commit(sql)) outcome.in_doubt = head[0][read_point_width].c_str();
  return outcome;
}

std::optional<bool> has_committed(pqxx::connection& connection, const std::string& transaction) {
  pqxx::nontransaction sql(connection);
  const pqxx::result rows = sql.exec_params("SELECT pg_xact_status($1::text::xid8)", transaction);
  // NULL: so long ago that the database has forgotten it, which this one can't be.
  if (rows[0][0].is_null()) throw std::runtime_error("the database doesn't know its transaction " + transaction);
  const std::string status = rows[0][0].c_str();
  if (status == "in progress") return std::nullopt;
  return status == "committed";
}

std::optional<ports::WriteAnswer> find_creation(pqxx::connection& connection, const ports::IdempotencyKey& key) {
  pqxx::nontransaction sql(connection);
  const KnownCreations known = read_known_creations(sql, {name_of(key)});
  if (known.empty()) return std::nullopt;
  return answer_again(known.begin()->second, key);
}

bool remove_expired_keys(pqxx::connection& connection) {
  pqxx::work sql(connection);
  const pqxx::result removed = sql.exec(
      "DELETE FROM idempotency_keys WHERE ctid IN (SELECT ctid FROM idempotency_keys WHERE created_at <= now() - " +
      std::string(key_lifetime) + " ORDER BY created_at LIMIT " + std::to_string(expired_keys_at_once) +
      " FOR UPDATE SKIP LOCKED)");
  sql.commit();
  return removed.affected_rows() == expired_keys_at_once;
}

}  // namespace fluxora::store
