#include "webhook_replays.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "audit_log.hpp"
#include "fluxora/core/entry_parties.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/ports/replay_jobs.hpp"
#include "rows.hpp"
#include "webhook_deliveries.hpp"
#include "webhook_endpoints.hpp"
#include "webhook_fan_out.hpp"

namespace fluxora::store {
namespace {

using ports::WebhookRefusal;
using ports::WebhookReplay;
using ports::WebhookReplayState;

constexpr std::array<std::pair<WebhookReplayState, std::string_view>, 5> state_names = {
    {{WebhookReplayState::running, "running"},
     {WebhookReplayState::paused, "paused"},
     {WebhookReplayState::done, "done"},
     {WebhookReplayState::failed, "failed"},
     {WebhookReplayState::cancelled, "cancelled"}}};
const std::string replay_columns =
    "id, endpoint, epoch, after_seq, through_seq, place, deliveries, state, message, created_at_ms, updated_at_ms,"
    " finished_at_ms";
constexpr int replay_width = 12;
const std::string active = "state IN ('running', 'paused')";
/// Messages that one statement writes: few have more than 2 KB, none more than 256.
constexpr std::size_t messages_at_once = 100;
const std::string log_is_gone = "Another log has taken the place of the cursors' one";

WebhookReplay replay_from_row(const pqxx::row& row) {
  const auto state = ports::value_in(state_names, row[7].c_str());
  if (!state) throw std::runtime_error("the database holds a webhook replay in a state that nobody knows");
  WebhookReplay replay;
  replay.id = row[0].as<std::uint64_t>();
  replay.endpoint = row[1].as<std::uint64_t>();
  replay.epoch = row[2].c_str();
  replay.after_seq = row[3].as<std::uint64_t>();
  replay.through_seq = row[4].as<std::uint64_t>();
  replay.place = row[5].as<std::uint64_t>();
  replay.deliveries = row[6].as<std::uint64_t>();
  replay.state = *state;
  replay.message = row[8].c_str();
  replay.created_at = row[9].as<core::UnixMillis>();
  replay.updated_at = row[10].as<core::UnixMillis>();
  replay.finished_at = number_or_none<core::UnixMillis>(row[11]);
  return replay;
}

std::optional<WebhookReplay> first_replay(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return replay_from_row(rows[0]);
}

void record(pqxx::transaction_base& sql, ports::AuditRecord by, std::string_view action, const WebhookReplay& replay) {
  by.action = action;
  by.target = std::to_string(replay.id);
  by.detail.clear();
  core::JsonWriter json(by.detail);
  json.begin_object().key("endpoint").string(std::to_string(replay.endpoint));
  json.key("after").string(core::format_cursor({replay.epoch, replay.after_seq}));
  json.key("through").string(core::format_cursor({replay.epoch, replay.through_seq})).end_object();
  append_audit(sql, {by});
}

/// `oldest_seq`: of the log whose end is `head`.
std::optional<WebhookRefusal> refusal_of(const std::optional<ports::WebhookEndpoint>& endpoint,
                                         const core::Cursor& head, std::uint64_t oldest_seq, const core::Cursor& after,
                                         const core::Cursor& through) {
  if (!endpoint) return WebhookRefusal::unknown;
  if (!endpoint->enabled) return WebhookRefusal::disabled;
  if (after.epoch != head.epoch || through.epoch != head.epoch) return WebhookRefusal::other_epoch;
  if (after.seq > head.seq || through.seq > head.seq) return WebhookRefusal::beyond_head;
  if (after.seq + 1 < oldest_seq) return WebhookRefusal::pruned;
  return std::nullopt;
}

struct Step {
  std::string_view audit_action;
  std::string_view update;
  std::string_view from_states;
};

Step step_of(ports::Webhooks::ReplayAction action) {
  using Action = ports::Webhooks::ReplayAction;
  if (action == Action::pause) return {"webhook.replay.pause", "state = 'paused'", "'running'"};
  if (action == Action::resume) return {"webhook.replay.resume", "state = 'running'", "'paused'"};
  return {"webhook.replay.cancel", "state = 'cancelled'", "'running', 'paused'"};
}

/// A replay that is brought on, and what its endpoint wants.
struct Turn {
  WebhookReplay replay;
  EndpointFilter filter;
  std::optional<std::uint32_t> from_ledger;  // none: entries of all, and those of none
};

/// Those whose endpoint is gone end here.
void cancel_orphans(pqxx::transaction_base& sql) {
  sql.exec("UPDATE webhook_replays r SET state = 'cancelled', updated_at_ms = " + now_ms +
           ", finished_at_ms = " + now_ms + ", message = 'The endpoint was deleted' FROM webhook_endpoints e WHERE r." +
           active + " AND e.id = r.endpoint AND e.deleted_at_ms IS NOT NULL");
}

/// The one that was brought on the longest ago, locked; nobody else brings one of them on meanwhile.
std::optional<Turn> take_turn(pqxx::transaction_base& sql, std::size_t most_waiting) {
  constexpr int filter_width = 4;
  const pqxx::result rows =
      sql.exec("SELECT " + replay_columns + ", " + std::string(filter_columns) +
               ", from_ledger FROM (SELECT r.*, e.events, e.stream_id, e.sender, e.recipient FROM webhook_replays r"
               " JOIN webhook_endpoints e ON e.id = r.endpoint WHERE r.state = 'running' AND e.enabled"
               " AND NOT EXISTS (SELECT FROM webhook_deliveries w WHERE w.endpoint = r.endpoint AND w.state = 0" +
               std::string(waiting_order) + " OFFSET " + std::to_string(most_waiting - 1) +
               " LIMIT 1) ORDER BY r.updated_at_ms, r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED) turn");
  if (rows.empty()) return std::nullopt;
  return Turn{replay_from_row(rows[0]), filter_from_row(rows[0], replay_width),
              number_or_none<std::uint32_t>(rows[0][replay_width + filter_width])};
}

/// A replay's next entries, or why there are none to come.
using NextEntries = tl::expected<std::vector<core::LogEntry>, std::string>;

NextEntries next_entries(pqxx::transaction_base& sql, const Turn& turn, std::size_t limit) {
  const WebhookReplay& replay = turn.replay;
  const std::string of_ledgers = turn.from_ledger ? " AND ledger >= " + std::to_string(*turn.from_ledger) : "";
  // In one statement, because another log may take this one's place at any moment.
  const pqxx::result rows =
      sql.exec("SELECT h.epoch, h.oldest_seq, " + event_column_list("e.") +
               " FROM log_head h LEFT JOIN LATERAL (SELECT * FROM events WHERE seq > " + std::to_string(replay.place) +
               " AND seq <= " + std::to_string(replay.through_seq) + of_ledgers + " ORDER BY seq LIMIT " +
               std::to_string(limit) + ") e ON true ORDER BY e.seq");
  if (rows[0][0].c_str() != replay.epoch) return tl::unexpected(log_is_gone);
  const auto oldest_seq = rows[0][1].as<std::uint64_t>();
  if (replay.place + 1 < oldest_seq) {
    return tl::unexpected("Entries were pruned before their turn: start another replay after " +
                          core::format_cursor({replay.epoch, oldest_seq - 1}));
  }
  std::vector<core::LogEntry> entries;
  for (const auto& row : rows) {
    if (auto entry = event_from_row(row, 2)) entries.push_back(std::move(*entry));
  }
  return entries;
}

/// The messages of deliveries that are new. One that is there already stays as it is.
void write_messages(pqxx::transaction_base& sql, const std::string& epoch,
                    const std::vector<const core::LogEntry*>& entries) {
  for (std::size_t first = 0; first < entries.size(); first += messages_at_once) {
    std::vector<MessageRow> messages;
    for (std::size_t i = first; i < std::min(entries.size(), first + messages_at_once); ++i) {
      messages.push_back(message_row(*entries[i], epoch, 1, {}));
    }
    sql.exec(insert_messages_sql(sql, messages) +
             " ON CONFLICT (epoch, seq) DO UPDATE SET deliveries = webhook_messages.deliveries + excluded.deliveries");
  }
}

/// Those of the entries, ordered by seq, that the endpoint wants, wait for it. How many didn't before.
std::uint64_t deliver(pqxx::transaction_base& sql, const Turn& turn, const std::vector<core::LogEntry>& entries) {
  LaneDeliveries wanted{turn.replay.endpoint, {}, {}, {}};
  for (const core::LogEntry& entry : entries) {
    if (!turn.filter.fits(entry, core::entry_parties(entry))) continue;
    wanted.add(turn.replay.epoch, entry.seq, entry.stream_id);
  }
  if (wanted.empty()) return 0;
  open_lanes(sql, wanted);
  const std::uint64_t waiting_again = let_wait_again(sql, wanted);
  // What is there now waits, and so isn't pruned meanwhile.
  const pqxx::result made = sql.exec("INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane) " +
                                     wanted.query(sql) + " ON CONFLICT DO NOTHING RETURNING seq");
  std::vector<std::uint64_t> made_seqs;
  for (const auto& row : made) made_seqs.push_back(row[0].as<std::uint64_t>());
  std::sort(made_seqs.begin(), made_seqs.end());
  std::vector<const core::LogEntry*> made_entries;
  for (const core::LogEntry& entry : entries) {
    if (std::binary_search(made_seqs.begin(), made_seqs.end(), entry.seq)) made_entries.push_back(&entry);
  }
  write_messages(sql, turn.replay.epoch, made_entries);
  return waiting_again + made_seqs.size();
}

void end_replay(pqxx::transaction_base& sql, std::uint64_t id, WebhookReplayState state, const std::string& message) {
  sql.exec("UPDATE webhook_replays SET state = '" + std::string(ports::name_in(state_names, state)) +
           "', message = " + sql.quote(message) + ", updated_at_ms = " + now_ms + ", finished_at_ms = " + now_ms +
           " WHERE id = " + std::to_string(id));
}

void bring_on(pqxx::transaction_base& sql, const Turn& turn, std::size_t limit) {
  const WebhookReplay& replay = turn.replay;
  const NextEntries entries = next_entries(sql, turn, limit);
  if (!entries) return end_replay(sql, replay.id, WebhookReplayState::failed, entries.error());
  const std::uint64_t deliveries = deliver(sql, turn, *entries);
  const bool at_end = entries->size() < limit || entries->back().seq == replay.through_seq;
  const std::uint64_t place = at_end ? replay.through_seq : entries->back().seq;
  sql.exec("UPDATE webhook_replays SET place = " + std::to_string(place) + ", deliveries = deliveries + " +
           std::to_string(deliveries) + ", updated_at_ms = " + now_ms + " WHERE id = " + std::to_string(replay.id));
  if (at_end) end_replay(sql, replay.id, WebhookReplayState::done, "");
}

}  // namespace

ports::WebhookOutcome<WebhookReplay> start_replay(pqxx::connection& connection, std::uint64_t endpoint,
                                                  const core::Cursor& after, const std::optional<core::Cursor>& through,
                                                  const ports::AuditRecord& by) {
  pqxx::work sql(connection);
  const pqxx::row row = sql.exec("SELECT epoch, seq, oldest_seq FROM log_head")[0];
  const core::Cursor head{row[0].c_str(), row[1].as<std::uint64_t>()};
  const core::Cursor last = through.value_or(head);
  const auto oldest_seq = row[2].as<std::uint64_t>();
  if (const auto refusal = refusal_of(find_endpoint(sql, endpoint), head, oldest_seq, after, last)) {
    return tl::unexpected(*refusal);
  }
  const std::string after_seq = std::to_string(after.seq);
  auto replay = first_replay(sql.exec(
      "INSERT INTO webhook_replays (endpoint, epoch, after_seq, through_seq, place, state, started_by) VALUES (" +
      std::to_string(endpoint) + ", " + sql.quote(head.epoch) + ", " + after_seq + ", " + std::to_string(last.seq) +
      ", " + after_seq + ", 'running', " + sql.quote(by.actor) + ") ON CONFLICT (endpoint) WHERE " + active +
      " DO NOTHING RETURNING " + replay_columns));
  if (!replay) return tl::unexpected(WebhookRefusal::already_running);
  record(sql, by, "webhook.replay.start", *replay);
  sql.commit();
  return std::move(*replay);
}

ports::WebhookReplayPage list_replays(pqxx::connection& connection, const ports::WebhookReplayQuery& query) {
  pqxx::nontransaction sql(connection);
  std::string wanted;
  if (query.endpoint) wanted += " AND endpoint = " + std::to_string(*query.endpoint);
  if (query.before) wanted += " AND id < " + std::to_string(*query.before);
  ports::WebhookReplayPage page;
  // One row more than asked tells whether there are more.
  for (const auto& row : sql.exec("SELECT " + replay_columns + " FROM webhook_replays WHERE true" + wanted +
                                  " ORDER BY id DESC LIMIT " + std::to_string(query.limit + 1))) {
    if (page.replays.size() == query.limit) {
      page.has_more = true;
      break;
    }
    page.replays.push_back(replay_from_row(row));
  }
  return page;
}

std::optional<WebhookReplay> find_replay(pqxx::transaction_base& sql, std::uint64_t id) {
  return first_replay(sql.exec("SELECT " + replay_columns + " FROM webhook_replays WHERE id = " + std::to_string(id)));
}

ports::WebhookOutcome<WebhookReplay> change_replay(pqxx::connection& connection, std::uint64_t id,
                                                   ports::Webhooks::ReplayAction action, const ports::AuditRecord& by) {
  const Step step = step_of(action);
  const std::string at_its_end = action == ports::Webhooks::ReplayAction::cancel ? ", finished_at_ms = " + now_ms : "";
  pqxx::work sql(connection);
  auto replay =
      first_replay(sql.exec("UPDATE webhook_replays SET " + std::string(step.update) + at_its_end +
                            ", updated_at_ms = " + now_ms + " WHERE id = " + std::to_string(id) + " AND state IN (" +
                            std::string(step.from_states) + ") RETURNING " + replay_columns));
  if (!replay) return tl::unexpected(find_replay(sql, id) ? WebhookRefusal::wrong_state : WebhookRefusal::unknown);
  record(sql, by, step.audit_action, *replay);
  sql.commit();
  return std::move(*replay);
}

void replay_what_nobody_told(pqxx::transaction_base& sql, core::UnixSeconds after) {
  const pqxx::result ledgers = sql.exec("SELECT sequence FROM ledgers WHERE closed_at > " + std::to_string(after) +
                                        " ORDER BY closed_at LIMIT 1");
  if (ledgers.empty()) return;
  const std::string first = ledgers[0][0].c_str();
  // Not looked for by seq, which the planner would try from the log's beginning.
  sql.exec(
      "WITH newer AS MATERIALIZED (SELECT min(seq) - 1 AS before, max(seq) AS last FROM"
      " (SELECT seq FROM events WHERE ledger >= " +
      first +
      " OFFSET 0) entries) INSERT INTO webhook_replays (endpoint, epoch, after_seq, through_seq, from_ledger,"
      " place, state, started_by) SELECT e.id, h.epoch, n.before, n.last, " +
      first +
      ", n.before, 'running', 'replay' FROM webhook_endpoints e CROSS JOIN newer n CROSS JOIN log_head h"
      " WHERE e.enabled AND e.deleted_at_ms IS NULL AND n.last IS NOT NULL ORDER BY e.id");
}

void end_replays_of_other_logs(pqxx::transaction_base& sql) {
  sql.exec("UPDATE webhook_replays SET state = 'failed', message = " + sql.quote(log_is_gone) + ", updated_at_ms = " +
           now_ms + ", finished_at_ms = " + now_ms + " WHERE " + active + " AND epoch <> (SELECT epoch FROM log_head)");
}

bool advance_replay(pqxx::connection& connection, std::size_t entries, std::size_t most_waiting) {
  pqxx::work sql(connection);
  sql.exec(std::string(by_the_indexes));
  cancel_orphans(sql);
  const auto turn = take_turn(sql, most_waiting);
  if (turn) bring_on(sql, *turn, entries);
  sql.commit();
  return turn.has_value();
}

}  // namespace fluxora::store
