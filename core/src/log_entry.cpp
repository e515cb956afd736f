#include "fluxora/core/log_entry.hpp"

#include "fluxora/core/cursor.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/scval_json.hpp"

namespace fluxora::core {
namespace {

void write_scval_or_base64(JsonWriter& json, ByteView xdr) {
  const auto value = decode_scval(xdr);
  value ? write_scval_json(json, *value) : static_cast<void>(json.string(base64_encode(xdr)));
}

void write_raw(JsonWriter& json, const LogEntry& entry) {
  json.key("raw").begin_object();
  json.key("topics").begin_array();
  for (const Bytes& topic : entry.topics_xdr) write_scval_or_base64(json, topic);
  json.end_array();
  json.key("value");
  write_scval_or_base64(json, entry.value_xdr);
  json.end_object();
}

void write_text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  text.empty() ? json.null() : json.string(text);
}

void write_hash_or_null(JsonWriter& json, std::string_view name, const std::optional<Hash>& hash) {
  json.key(name);
  hash ? json.string(hex_encode(*hash)) : json.null();
}

bool changed_a_stream(const LogEntry& entry) {
  return entry.stream && (entry.change != "{}" || entry.event == EventName::stream_created);
}

}  // namespace

std::optional<Bytes> encode_stream_state(const LogEntry& entry) {
  if (entry.stream) return encode_stream(*entry.stream);
  if (entry.retracts && !entry.stream_id.empty()) return Bytes();
  return std::nullopt;
}

void write_log_entry_members(JsonWriter& json, const LogEntry& entry, std::string_view epoch) {
  json.key("schemaVersion").integer(1);
  json.key("cursor").string(format_cursor({std::string(epoch), entry.seq}));
  json.key("seq").unsigned_integer(entry.seq);
  json.key("event").string(event_name_text(entry.event));
  write_text_or_null(json, "kind", entry.kind);
  write_text_or_null(json, "streamId", entry.stream_id);
  json.key("eventId").string(entry.event_id);
  write_text_or_null(json, "contractId", entry.contract_id);
  json.key("ledger");
  entry.ledger ? json.unsigned_integer(*entry.ledger) : json.null();
  write_hash_or_null(json, "ledgerHash", entry.ledger_hash);
  write_hash_or_null(json, "txHash", entry.tx_hash);
  json.key("closedAt").string(format_rfc3339(entry.closed_at));
  if (entry.retracts) json.key("retracts").unsigned_integer(*entry.retracts);
  if (!entry.in_successful_call) json.key("inSuccessfulContractCall").boolean(false);
  json.key("change").raw(entry.change);
  json.key("stream");
  entry.stream ? write_stream_json(json, *entry.stream, entry.closed_at) : static_cast<void>(json.null());
  if (!changed_a_stream(entry) && !entry.value_xdr.empty()) write_raw(json, entry);
  json.key("prevSeq");
  entry.prev_seq ? json.unsigned_integer(*entry.prev_seq) : json.null();
}

void write_log_entry_json(JsonWriter& json, const LogEntry& entry, std::string_view epoch) {
  json.begin_object();
  write_log_entry_members(json, entry, epoch);
  json.end_object();
}

}  // namespace fluxora::core
