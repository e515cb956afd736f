#include "stream_fields.hpp"

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::indexer {
namespace {

template <class Value, class Write>
void compare(core::JsonWriter& json, std::string_view name, const Value& held, const Value& right, Write write) {
  if (held == right) return;
  json.key(name).begin_array();
  write(held);
  write(right);
  json.end_array();
}

/// What describe_change leaves out.
std::string bookkeeping(const core::Stream& held, const core::Stream& right) {
  std::string text;
  core::JsonWriter json(text);
  const auto number = [&](std::uint64_t value) { json.unsigned_integer(value); };
  const auto time = [&](core::UnixMillis at) { json.string(core::format_rfc3339_millis(at)); };
  json.begin_object();
  compare(json, "source", held.source, right.source,
          [&](core::StreamSource source) { json.string(core::source_name(source)); });
  compare(json, "createdAt", held.created_at, right.created_at, time);
  compare(json, "updatedAt", held.updated_at, right.updated_at, time);
  compare(json, "version", held.version, right.version, number);
  compare(json, "createdSeq", held.created_seq, right.created_seq, number);
  compare(json, "ledger", held.ledger, right.ledger,
          [&](const std::optional<std::uint32_t>& ledger) { ledger ? json.unsigned_integer(*ledger) : json.null(); });
  compare(json, "txHash", held.tx_hash, right.tx_hash,
          [&](const std::optional<core::Hash>& hash) { hash ? json.string(core::hex_encode(*hash)) : json.null(); });
  json.end_object();
  return text;
}

std::string joined(const std::string& first, const std::string& second) {
  if (first == "{}") return second;
  if (second == "{}") return first;
  return first.substr(0, first.size() - 1) + "," + second.substr(1);
}

}  // namespace

std::string differing_fields(const core::Stream* held, const core::Stream* right) {
  if (held != nullptr && right != nullptr) {
    return joined(core::describe_change(*held, *right), bookkeeping(*held, *right));
  }
  std::string text;
  core::JsonWriter json(text);
  json.begin_object();
  compare(json, "id", held, right,
          [&](const core::Stream* stream) { stream != nullptr ? json.string(stream->id) : json.null(); });
  json.end_object();
  return text;
}

}  // namespace fluxora::indexer
