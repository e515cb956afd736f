#include "webhook_fan_out.hpp"

#include <algorithm>
#include <stdexcept>

#include "copy_rows.hpp"
#include "fluxora/core/webhook_body.hpp"
#include "rows.hpp"

namespace fluxora::store {
namespace {

/// Deliveries that one statement makes at most.
constexpr std::size_t deliveries_at_once = 100'000;

std::uint32_t bit_of(core::EventName event) {
  return std::uint32_t{1} << static_cast<unsigned>(event);
}

std::uint32_t events_from_names(std::string_view names) {
  if (names.empty()) return EndpointFilter().events;
  std::uint32_t events = 0;
  for (std::size_t from = 0; from < names.size();) {
    const std::size_t end = std::min(names.find(' ', from), names.size());
    const auto event = core::event_name_from_text(names.substr(from, end - from));
    if (!event) throw std::runtime_error("the database holds a webhook for an event that there isn't");
    events |= bit_of(*event);
    from = end + 1;
  }
  return events;
}

bool is_one_of(std::string_view wanted, std::string_view party, std::string_view former) {
  return wanted.empty() || wanted == party || wanted == former;
}

}  // namespace

bool EndpointFilter::fits(const core::LogEntry& entry, const core::EntryParties& parties) const {
  return (events & bit_of(entry.event)) != 0 && (stream_id.empty() || stream_id == entry.stream_id) &&
         is_one_of(sender, parties.sender, parties.former_sender) &&
         is_one_of(recipient, parties.recipient, parties.former_recipient);
}

EndpointFilter filter_from_row(const pqxx::row& row, int first) {
  const auto text = [&](int i) {
    const pqxx::field field = row[static_cast<pqxx::row::size_type>(first + i)];
    return std::string(field.c_str(), field.size());
  };
  return {events_from_names(text(0)), text(1), text(2), text(3)};
}

void EndpointIndex::add(std::uint64_t endpoint, EndpointFilter filter) {
  Places& places = !filter.stream_id.empty()   ? by_stream_[filter.stream_id]
                   : !filter.recipient.empty() ? by_recipient_[filter.recipient]
                   : !filter.sender.empty()    ? by_sender_[filter.sender]
                                               : others_;
  places.push_back(endpoints_.size());
  endpoints_.emplace_back(endpoint, std::move(filter));
}

void EndpointIndex::find(const core::LogEntry& entry, std::vector<std::uint64_t>& endpoints) const {
  const core::EntryParties parties = core::entry_parties(entry);
  const auto take = [&](const Places& places) {
    for (const std::size_t place : places) {
      const auto& [endpoint, filter] = endpoints_[place];
      if (filter.fits(entry, parties)) endpoints.push_back(endpoint);
    }
  };
  const auto look_up = [&](const PlacesByName& places, std::string_view name) {
    if (name.empty() || places.empty()) return;
    if (const auto found = places.find(std::string(name)); found != places.end()) take(found->second);
  };
  take(others_);
  look_up(by_stream_, entry.stream_id);
  look_up(by_recipient_, parties.recipient);
  look_up(by_sender_, parties.sender);
  if (parties.former_recipient != parties.recipient) look_up(by_recipient_, parties.former_recipient);
  if (parties.former_sender != parties.sender) look_up(by_sender_, parties.former_sender);
}

const std::vector<std::string>& message_columns() {
  static const std::vector<std::string> columns = {"epoch", "seq",        "event",      "stream_id",
                                                   "body",  "deliveries", "traceparent"};
  return columns;
}

MessageRow message_row(const core::LogEntry& entry, const std::string& epoch, std::size_t deliveries,
                       const std::string& traceparent) {
  return {epoch,           std::to_string(entry.seq),        std::string(core::event_name_text(entry.event)),
          entry.stream_id, core::webhook_body(entry, epoch), std::to_string(deliveries),
          traceparent};
}

std::string insert_messages_sql(pqxx::transaction_base& sql, const std::vector<MessageRow>& messages) {
  std::string values;
  for (const MessageRow& message : messages) {
    values += values.empty() ? "(" : ",(";
    for (std::size_t i = 0; i < message.size(); ++i) values += (i == 0 ? "" : ",") + sql.quote(*message[i]);
    values += ')';
  }
  return "INSERT INTO webhook_messages (epoch, seq, event, stream_id, body, deliveries, traceparent) VALUES " + values;
}

std::vector<std::vector<std::uint64_t>> parts_of(const std::map<std::uint64_t, std::size_t>& deliveries,
                                                 std::size_t most) {
  std::vector<std::vector<std::uint64_t>> parts;
  std::size_t in_part = 0;
  for (const auto& [endpoint, count] : deliveries) {
    if (parts.empty() || in_part + count > most) {
      parts.emplace_back();
      in_part = 0;
    }
    parts.back().push_back(endpoint);
    in_part += count;
  }
  return parts;
}

std::string open_lanes_sql(const std::string& lanes) {
  return "INSERT INTO webhook_lanes (endpoint, epoch, lane, due_at_ms) SELECT endpoint, epoch, lane, " + now_ms +
         " FROM (" + lanes +
         ") AS opened ORDER BY endpoint, epoch, lane"
         " ON CONFLICT (endpoint, epoch, lane) DO UPDATE SET due_at_ms = excluded.due_at_ms WHERE false";
}

/// An entry that somebody is to hear of.
struct WebhookFanOut::Message {
  const core::LogEntry* entry;
  std::size_t deliveries;
};

void WebhookFanOut::log_is_locked(std::string epoch, std::int64_t version) {
  epoch_ = std::move(epoch);
  version_ = version;
}

void WebhookFanOut::write(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries,
                          const std::string& traceparent) {
  run(sql, entries, [&](const std::vector<Message>& messages, const std::string& statements) {
    if (!messages.empty()) {
      const auto row_of = [&](const Message& message) {
        return message_row(*message.entry, epoch_, message.deliveries, traceparent);
      };
      copy_rows(sql, "webhook_messages", message_columns(), messages, row_of, [] {});
    }
    sql.exec(statements);
  });
}

std::string WebhookFanOut::write_sql(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries,
                                     const std::vector<std::string>& traceparents) {
  std::string text;
  run(sql, entries, [&](const std::vector<Message>& messages, const std::string& statements) {
    std::vector<MessageRow> rows;
    for (const Message& message : messages) {
      const std::string& traceparent = traceparents.at(message.entry->seq - entries.front().seq);
      rows.push_back(message_row(*message.entry, epoch_, message.deliveries, traceparent));
    }
    if (!rows.empty()) text += insert_messages_sql(sql, rows) + ";";
    text += statements;
  });
  return text;
}

void WebhookFanOut::read_endpoints(pqxx::transaction_base& sql) {
  if (known_epoch_ == epoch_ && known_version_ == version_) return;
  EndpointIndex endpoints;
  for (const auto& row : sql.exec("SELECT id, " + std::string(filter_columns) +
                                  " FROM webhook_endpoints WHERE enabled AND deleted_at_ms IS NULL")) {
    endpoints.add(row[0].as<std::uint64_t>(), filter_from_row(row, 1));
  }
  endpoints_ = std::move(endpoints);
  known_epoch_ = epoch_;
  known_version_ = version_;
}

/// Gives `put` the messages and statements, part by part, in the order in which they have to be written.
template <class Put>
void WebhookFanOut::run(pqxx::transaction_base& sql, const std::vector<core::LogEntry>& entries, Put put) {
  read_endpoints(sql);
  if (endpoints_.empty()) return;
  std::vector<Message> messages;
  std::vector<std::uint64_t> endpoints;  // a delivery each, with seqs
  std::vector<std::uint64_t> seqs;
  std::map<std::uint64_t, std::size_t> told;  // deliveries of each endpoint, of all parts
  const auto put_part = [&] {
    put(messages, insert_deliveries_sql(sql, endpoints, seqs));
    for (const std::uint64_t endpoint : endpoints) ++told[endpoint];
    messages.clear();
    endpoints.clear();
    seqs.clear();
  };
  for (const core::LogEntry& entry : entries) {
    endpoints_.find(entry, endpoints);
    if (endpoints.size() == seqs.size()) continue;
    messages.push_back({&entry, endpoints.size() - seqs.size()});
    seqs.resize(endpoints.size(), entry.seq);
    if (seqs.size() >= deliveries_at_once) put_part();
  }
  if (!seqs.empty()) put_part();
  // An endpoint's all at once, so that lanes are locked in the order of their key.
  for (const auto& part : parts_of(told, deliveries_at_once)) put({}, open_lanes(sql, part, entries.front().seq));
}

std::string WebhookFanOut::insert_deliveries_sql(pqxx::transaction_base& sql,
                                                 const std::vector<std::uint64_t>& endpoints,
                                                 const std::vector<std::uint64_t>& seqs) const {
  const auto [first, last] = std::minmax_element(seqs.begin(), seqs.end());
  return "INSERT INTO webhook_deliveries (endpoint, epoch, seq, lane) SELECT made.endpoint, m.epoch, m.seq, m.stream_id"
         " FROM unnest(" +
         number_array(endpoints) + "," + number_array(seqs) +
         ") AS made (endpoint, seq) JOIN webhook_messages m ON m.seq = made.seq AND m.epoch = " + sql.quote(epoch_) +
         " AND m.seq BETWEEN " + std::to_string(*first) + " AND " + std::to_string(*last) + ";";
}

std::string WebhookFanOut::open_lanes(pqxx::transaction_base& sql, const std::vector<std::uint64_t>& endpoints,
                                      std::uint64_t first_seq) const {
  // By the key: for many endpoints the planner would rather read the whole table.
  return "SET LOCAL enable_seqscan = off;" +
         open_lanes_sql("SELECT DISTINCT endpoint, epoch, lane FROM webhook_deliveries WHERE endpoint = ANY (" +
                        number_array(endpoints) + ") AND epoch = " + sql.quote(epoch_) +
                        " AND seq >= " + std::to_string(first_seq)) +
         ";SET LOCAL enable_seqscan TO DEFAULT;";
}

}  // namespace fluxora::store
