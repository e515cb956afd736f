#include "log_news.hpp"

#include <algorithm>

#include "fluxora/core/xdr.hpp"

namespace fluxora::redis {
namespace {

using core::ByteView;
using core::XdrReader;
using core::XdrWriter;

constexpr std::uint32_t format = 0x464c4e31;  // "FLN1"

// Bounds of what is read; all texts but `change` are ids, addresses and symbols.
constexpr std::size_t max_text = 256;
constexpr std::size_t max_topics = 64;

std::string read_text(XdrReader& xdr, std::size_t max = max_text) {
  const ByteView bytes = xdr.read_variable(max);
  return {bytes.begin(), bytes.end()};
}

core::Bytes read_bytes(XdrReader& xdr) {
  const ByteView bytes = xdr.read_variable(max_news_bytes);
  return {bytes.begin(), bytes.end()};
}

template <class Value, class Write>
void write_optional(XdrWriter& xdr, const std::optional<Value>& value, Write write) {
  xdr.write_bool(value.has_value());
  if (value) write(*value);
}

template <class Read>
auto read_optional(XdrReader& xdr, Read read) -> std::optional<decltype(read())> {
  if (!xdr.read_bool()) return std::nullopt;
  return read();
}

core::Hash read_hash(XdrReader& xdr) {
  core::Hash hash{};
  const ByteView bytes = xdr.read_fixed(hash.size());
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return hash;
}

core::EventName read_event(XdrReader& xdr) {
  const std::uint32_t value = xdr.read_u32();
  if (value > static_cast<std::uint32_t>(core::EventName::chain_event)) xdr.fail(core::ErrorCode::xdr_invalid_value);
  return static_cast<core::EventName>(value);
}

core::Stream read_stream(XdrReader& xdr) {
  const core::Bytes bytes = read_bytes(xdr);
  if (auto stream = core::decode_stream(bytes)) return *std::move(stream);
  xdr.fail(core::ErrorCode::xdr_invalid_value);
  return {};
}

std::vector<core::Bytes> read_topics(XdrReader& xdr) {
  std::vector<core::Bytes> topics;
  const std::uint32_t count = xdr.read_u32();
  if (count > max_topics) xdr.fail(core::ErrorCode::xdr_too_long);
  for (std::uint32_t i = 0; i < count && !xdr.failed(); ++i) topics.push_back(read_bytes(xdr));
  return topics;
}

void write_entry(XdrWriter& xdr, const core::LogEntry& entry) {
  // All members by name: one that is added doesn't compile until it is sent, too.
  const auto& [seq, event, kind, stream_id, event_id, contract_id, ledger, ledger_hash, tx_hash, closed_at, in_call,
               topics, value, stream, change, prev_seq, retracts] = entry;
  xdr.write_u64(seq);
  xdr.write_u32(static_cast<std::uint32_t>(event));
  for (const std::string* text : {&kind, &stream_id, &event_id, &contract_id}) xdr.write_string(*text);
  write_optional(xdr, ledger, [&](std::uint32_t number) { xdr.write_u32(number); });
  write_optional(xdr, ledger_hash, [&](const core::Hash& hash) { xdr.write_fixed(hash); });
  write_optional(xdr, tx_hash, [&](const core::Hash& hash) { xdr.write_fixed(hash); });
  xdr.write_u64(closed_at);
  xdr.write_bool(in_call);
  xdr.write_u32(static_cast<std::uint32_t>(topics.size()));
  for (const core::Bytes& topic : topics) xdr.write_variable(topic);
  xdr.write_variable(value);
  write_optional(xdr, stream, [&](const core::Stream& state) { xdr.write_variable(core::encode_stream(state)); });
  xdr.write_string(change);
  write_optional(xdr, prev_seq, [&](std::uint64_t number) { xdr.write_u64(number); });
  write_optional(xdr, retracts, [&](std::uint64_t number) { xdr.write_u64(number); });
}

core::LogEntry read_entry(XdrReader& xdr) {
  core::LogEntry entry;
  auto& [seq, event, kind, stream_id, event_id, contract_id, ledger, ledger_hash, tx_hash, closed_at, in_call, topics,
         value, stream, change, prev_seq, retracts] = entry;
  seq = xdr.read_u64();
  event = read_event(xdr);
  for (std::string* text : {&kind, &stream_id, &event_id, &contract_id}) *text = read_text(xdr);
  ledger = read_optional(xdr, [&] { return xdr.read_u32(); });
  ledger_hash = read_optional(xdr, [&] { return read_hash(xdr); });
  tx_hash = read_optional(xdr, [&] { return read_hash(xdr); });
  closed_at = xdr.read_u64();
  in_call = xdr.read_bool();
  topics = read_topics(xdr);
  value = read_bytes(xdr);
  stream = read_optional(xdr, [&] { return read_stream(xdr); });
  change = read_text(xdr, max_news_bytes);
  prev_seq = read_optional(xdr, [&] { return xdr.read_u64(); });
  retracts = read_optional(xdr, [&] { return xdr.read_u64(); });
  return entry;
}

/// In order, without a hole, up to last_seq.
bool fits_together(const LogNews& news) {
  std::uint64_t seq = news.last_seq;
  for (auto entry = news.entries.rbegin(); entry != news.entries.rend(); ++entry, --seq) {
    if (entry->seq != seq || seq == 0) return false;
  }
  return true;
}

}  // namespace

std::string encode_news(const LogNews& news) {
  core::Bytes bytes;
  XdrWriter xdr(bytes);
  xdr.write_u32(format);
  xdr.write_fixed(news.sender);
  xdr.write_string(news.epoch);
  xdr.write_u64(news.last_seq);
  xdr.write_u32(static_cast<std::uint32_t>(news.entries.size()));
  for (const core::LogEntry& entry : news.entries) write_entry(xdr, entry);
  return {bytes.begin(), bytes.end()};
}

std::optional<LogNews> decode_news(std::string_view message) {
  if (message.size() > max_news_bytes) return std::nullopt;
  XdrReader xdr(core::as_bytes(message));
  if (xdr.read_u32() != format) return std::nullopt;
  LogNews news;
  const ByteView sender = xdr.read_fixed(news.sender.size());
  std::copy(sender.begin(), sender.end(), news.sender.begin());
  news.epoch = read_text(xdr);
  news.last_seq = xdr.read_u64();
  const std::uint32_t count = xdr.read_u32();
  if (count > max_news_entries) return std::nullopt;
  for (std::uint32_t i = 0; i < count && !xdr.failed(); ++i) news.entries.push_back(read_entry(xdr));
  if (xdr.failed() || xdr.remaining() != 0 || !fits_together(news)) return std::nullopt;
  return news;
}

}  // namespace fluxora::redis
