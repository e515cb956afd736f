#include "rows.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "fluxora/core/decimal.hpp"
#include "fluxora/core/xdr.hpp"
#include "fluxora/ports/chain_source.hpp"

namespace fluxora::store {
namespace {

[[noreturn]] void corrupt(std::string_view column) {
  throw std::runtime_error("the database holds an unreadable value in column " + std::string(column));
}

core::Amount amount_from_field(const pqxx::field& field) {
  const auto units = core::parse_units(field.c_str());
  if (!units) corrupt(field.name());
  return {*units};
}

std::uint64_t u64_from_field(const pqxx::field& field) {
  const std::string_view text(field.c_str(), field.size());
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) corrupt(field.name());
  return value;
}

template <class Enum>
Enum enum_from_field(const pqxx::field& field, Enum last) {
  const std::uint64_t value = u64_from_field(field);
  if (value > static_cast<std::uint64_t>(last)) corrupt(field.name());
  return static_cast<Enum>(value);
}

bool bool_from_field(const pqxx::field& field) {
  return field.c_str()[0] == 't';
}

std::string text_from_field(const pqxx::field& field) {
  return {field.c_str(), field.size()};
}

/// Walks a row's fields in the order of the column list.
class FieldWalk {
 public:
  FieldWalk(const pqxx::row& row, int first) : row_(row), next_(first) {}
  pqxx::field next() { return row_[static_cast<pqxx::row::size_type>(next_++)]; }

 private:
  const pqxx::row& row_;
  int next_;
};

std::string units_text(core::Amount amount) {
  return core::format_units(amount.units);
}

template <class Optional, class ToText>
std::optional<std::string> text_or_null(const Optional& value, ToText to_text) {
  if (!value) return std::nullopt;
  return to_text(*value);
}

std::string boolean_text(bool value) {
  return value ? "t" : "f";
}

std::string joined(const std::vector<std::string>& columns, std::string_view prefix) {
  std::string list;
  for (const std::string& column : columns) {
    if (!list.empty()) list += ", ";
    list += prefix;
    list += column;
  }
  return list;
}

core::Bytes encode_topics(const std::vector<core::Bytes>& topics) {
  core::Bytes bytes;
  core::XdrWriter xdr(bytes);
  xdr.write_u32(static_cast<std::uint32_t>(topics.size()));
  for (const core::Bytes& topic : topics) xdr.write_variable(topic);
  return bytes;
}

std::vector<core::Bytes> decode_topics(const core::Bytes& bytes) {
  core::XdrReader xdr(bytes);
  std::vector<core::Bytes> topics;
  for (std::uint32_t left = xdr.read_u32(); left > 0 && !xdr.failed(); --left) {
    const core::ByteView topic = xdr.read_variable(ports::max_event_value_bytes);
    topics.emplace_back(topic.begin(), topic.end());
  }
  if (xdr.failed()) corrupt("topics");
  return topics;
}

}  // namespace

std::string quoted_list(pqxx::transaction_base& sql, const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) {
    if (!list.empty()) list += ',';
    list += sql.quote(text);
  }
  return list;
}

std::string text_array(pqxx::transaction_base& sql, const std::vector<std::string>& texts) {
  std::string array = "{";
  for (const std::string& text : texts) {
    if (array.size() > 1) array += ',';
    array += '"';
    for (const char c : text) {
      if (c == '"' || c == '\\') array += '\\';
      array += c;
    }
    array += '"';
  }
  return sql.quote(array + "}") + "::text[]";
}

std::string number_array(const std::vector<std::uint64_t>& numbers) {
  std::string array = "'{";
  for (const std::uint64_t number : numbers) {
    if (array.size() > 2) array += ',';
    array += std::to_string(number);
  }
  return array + "}'::bigint[]";
}

std::string bytea(core::ByteView bytes) {
  return "\\x" + core::hex_encode(bytes);
}

core::Bytes bytes_from_field(const pqxx::field& field) {
  const std::string_view text(field.c_str(), field.size());
  if (text.substr(0, 2) != "\\x") corrupt(field.name());
  auto bytes = core::hex_decode(text.substr(2));
  if (!bytes) corrupt(field.name());
  return std::move(*bytes);
}

core::Hash hash_from_field(const pqxx::field& field) {
  const core::Bytes bytes = bytes_from_field(field);
  core::Hash hash{};
  if (bytes.size() != hash.size()) corrupt(field.name());
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

const std::vector<std::string>& stream_columns() {
  static const std::vector<std::string> columns = {"id",
                                                   "source",
                                                   "kind",
                                                   "status",
                                                   "archived",
                                                   "sender",
                                                   "recipient",
                                                   "token",
                                                   "deposit",
                                                   "rate_per_second",
                                                   "withdrawn",
                                                   "settled",
                                                   "start_time",
                                                   "cliff_time",
                                                   "end_time",
                                                   "cancelled_at",
                                                   "checkpoint_amount",
                                                   "checkpoint_at",
                                                   "created_at_ms",
                                                   "updated_at_ms",
                                                   "version",
                                                   "created_seq",
                                                   "ledger",
                                                   "tx_hash"};
  return columns;
}

std::string stream_column_list(std::string_view prefix) {
  return joined(stream_columns(), prefix);
}

StreamRow stream_row(const core::Stream& stream) {
  const auto number = [](auto value) { return std::to_string(value); };
  return {stream.id,
          number(static_cast<int>(stream.source)),
          number(static_cast<int>(stream.kind)),
          number(static_cast<int>(stream.status)),
          boolean_text(stream.archived),
          stream.sender,
          stream.recipient,
          stream.token,
          units_text(stream.deposit),
          units_text(stream.rate_per_second),
          units_text(stream.withdrawn),
          units_text(stream.settled),
          number(stream.start_time),
          number(stream.cliff_time),
          number(stream.end_time),
          text_or_null(stream.cancelled_at, number),
          units_text(stream.checkpoint_amount),
          number(stream.checkpoint_at),
          number(stream.created_at),
          number(stream.updated_at),
          number(stream.version),
          number(stream.created_seq),
          text_or_null(stream.ledger, number),
          text_or_null(stream.tx_hash, [](const core::Hash& hash) { return bytea(hash); })};
}

std::optional<core::Stream> stream_from_row(const pqxx::row& row, int first) {
  FieldWalk fields(row, first);
  const pqxx::field id = fields.next();
  if (id.is_null()) return std::nullopt;

  core::Stream stream;
  stream.id = text_from_field(id);
  stream.source = enum_from_field(fields.next(), core::StreamSource::api);
  stream.kind = enum_from_field(fields.next(), core::StreamKind::cliff_slope);
  stream.status = enum_from_field(fields.next(), core::StreamStatus::cancelled);
  stream.archived = bool_from_field(fields.next());
  stream.sender = text_from_field(fields.next());
  stream.recipient = text_from_field(fields.next());
  if (const auto token = fields.next(); !token.is_null()) stream.token = text_from_field(token);
  stream.deposit = amount_from_field(fields.next());
  stream.rate_per_second = amount_from_field(fields.next());
  stream.withdrawn = amount_from_field(fields.next());
  stream.settled = amount_from_field(fields.next());
  stream.start_time = u64_from_field(fields.next());
  stream.cliff_time = u64_from_field(fields.next());
  stream.end_time = u64_from_field(fields.next());
  if (const auto at = fields.next(); !at.is_null()) stream.cancelled_at = u64_from_field(at);
  stream.checkpoint_amount = amount_from_field(fields.next());
  stream.checkpoint_at = u64_from_field(fields.next());
  stream.created_at = static_cast<core::UnixMillis>(u64_from_field(fields.next()));
  stream.updated_at = static_cast<core::UnixMillis>(u64_from_field(fields.next()));
  stream.version = u64_from_field(fields.next());
  stream.created_seq = u64_from_field(fields.next());
  if (const auto ledger = fields.next(); !ledger.is_null()) {
    stream.ledger = static_cast<std::uint32_t>(u64_from_field(ledger));
  }
  if (const auto hash = fields.next(); !hash.is_null()) stream.tx_hash = hash_from_field(hash);
  return stream;
}

const std::vector<std::string>& event_columns() {
  static const std::vector<std::string> columns = {
      "seq",          "event",    "kind",      "stream_id",          "event_id", "contract_id", "ledger",
      "ledger_hash",  "tx_hash",  "closed_at", "in_successful_call", "topics",   "value",       "change",
      "stream_state", "prev_seq", "retracts"};
  return columns;
}

std::string event_column_list(std::string_view prefix) {
  return joined(event_columns(), prefix);
}

EventRow event_row(const core::LogEntry& entry) {
  const auto text = [](const std::string& value) {
    return value.empty() ? std::nullopt : std::optional<std::string>(value);
  };
  return {std::to_string(entry.seq),
          std::string(core::event_name_text(entry.event)),
          entry.kind,
          text(entry.stream_id),
          entry.event_id,
          text(entry.contract_id),
          text_or_null(entry.ledger, [](std::uint32_t ledger) { return std::to_string(ledger); }),
          text_or_null(entry.ledger_hash, [](const core::Hash& hash) { return bytea(hash); }),
          text_or_null(entry.tx_hash, [](const core::Hash& hash) { return bytea(hash); }),
          std::to_string(entry.closed_at),
          boolean_text(entry.in_successful_call),
          bytea(encode_topics(entry.topics_xdr)),
          bytea(entry.value_xdr),
          entry.change,
          text_or_null(core::encode_stream_state(entry), [](const core::Bytes& state) { return bytea(state); }),
          text_or_null(entry.prev_seq, [](std::uint64_t seq) { return std::to_string(seq); }),
          text_or_null(entry.retracts, [](std::uint64_t seq) { return std::to_string(seq); })};
}

std::optional<core::Stream> stream_from_state(const pqxx::field& state) {
  if (state.is_null()) return std::nullopt;
  const core::Bytes bytes = bytes_from_field(state);
  if (bytes.empty()) return std::nullopt;
  auto stream = core::decode_stream(bytes);
  if (!stream) corrupt("stream_state");
  return std::move(*stream);
}

std::optional<core::LogEntry> event_from_row(const pqxx::row& row, int first) {
  FieldWalk fields(row, first);
  const pqxx::field seq = fields.next();
  if (seq.is_null()) return std::nullopt;

  core::LogEntry entry;
  entry.seq = u64_from_field(seq);
  const auto name = core::event_name_from_text(fields.next().c_str());
  if (!name) corrupt("event");
  entry.event = *name;
  entry.kind = text_from_field(fields.next());
  entry.stream_id = text_from_field(fields.next());
  entry.event_id = text_from_field(fields.next());
  entry.contract_id = text_from_field(fields.next());
  if (const auto ledger = fields.next(); !ledger.is_null()) {
    entry.ledger = static_cast<std::uint32_t>(u64_from_field(ledger));
  }
  if (const auto hash = fields.next(); !hash.is_null()) entry.ledger_hash = hash_from_field(hash);
  if (const auto hash = fields.next(); !hash.is_null()) entry.tx_hash = hash_from_field(hash);
  entry.closed_at = u64_from_field(fields.next());
  entry.in_successful_call = bool_from_field(fields.next());
  entry.topics_xdr = decode_topics(bytes_from_field(fields.next()));
  entry.value_xdr = bytes_from_field(fields.next());
  entry.change = text_from_field(fields.next());
  entry.stream = stream_from_state(fields.next());
  if (const auto prev = fields.next(); !prev.is_null()) entry.prev_seq = u64_from_field(prev);
  if (const auto undone = fields.next(); !undone.is_null()) entry.retracts = u64_from_field(undone);
  return entry;
}

std::string ledger_column_list() {
  return "sequence, hash, previous_hash, closed_at";
}

ports::LedgerHeader ledger_from_row(const pqxx::row& row) {
  ports::LedgerHeader header{row[0].as<std::uint32_t>(), hash_from_field(row[1]), std::nullopt,
                             row[3].as<std::uint64_t>()};
  if (!row[2].is_null()) header.previous_hash = hash_from_field(row[2]);
  return header;
}

std::string stands(std::string_view entry) {
  const std::string alias(entry);
  return "(" + alias +
         ".retracts IS NULL AND NOT EXISTS (SELECT FROM events undoing WHERE undoing.retracts = " + alias + ".seq))";
}

ports::ReadPoint read_point_from_row(const pqxx::row& row, int first) {
  FieldWalk fields(row, first);
  ports::ReadPoint point;
  point.epoch = text_from_field(fields.next());
  point.head_seq = u64_from_field(fields.next());
  if (const auto closed_at = fields.next(); !closed_at.is_null()) point.indexed_at = u64_from_field(closed_at);
  return point;
}

}  // namespace fluxora::store
