#include "fluxora/core/stream.hpp"

#include <algorithm>

#include "fluxora/core/accrual.hpp"
#include "fluxora/core/decimal.hpp"
#include "fluxora/core/strkey.hpp"
#include "fluxora/core/xdr.hpp"

namespace fluxora::core {
namespace {

constexpr std::size_t contract_id_length = 56;
constexpr std::size_t max_text = 256;  // ids and StrKeys; the longest StrKey has 165 characters

void write_amount(XdrWriter& xdr, Amount amount) {
  const auto bits = static_cast<UInt128>(amount.units);
  xdr.write_u64(static_cast<std::uint64_t>(bits >> 64));
  xdr.write_u64(static_cast<std::uint64_t>(bits));
}

Amount read_amount(XdrReader& xdr) {
  const auto high = static_cast<UInt128>(xdr.read_u64());
  const auto low = static_cast<UInt128>(xdr.read_u64());
  return {static_cast<Int128>(high << 64 | low)};
}

std::string read_text(XdrReader& xdr) {
  const ByteView bytes = xdr.read_variable(max_text);
  return {bytes.begin(), bytes.end()};
}

template <class Enum>
Enum read_enum(XdrReader& xdr, Enum last) {
  const std::uint32_t value = xdr.read_u32();
  if (value > static_cast<std::uint32_t>(last)) {
    xdr.fail(ErrorCode::xdr_unknown_discriminant);
    return Enum{};
  }
  return static_cast<Enum>(value);
}

bool is_uuid_v7(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  const char variant = text[19];
  return text[14] == '7' && (variant == '8' || variant == '9' || variant == 'a' || variant == 'b');
}

}  // namespace

std::string_view source_name(StreamSource source) noexcept {
  return source == StreamSource::api ? "api" : "chain";
}

std::string_view kind_name(StreamKind kind) noexcept {
  switch (kind) {
    case StreamKind::cliff_only: return "cliff_only";
    case StreamKind::cliff_slope: return "cliff_slope";
    case StreamKind::linear: break;
  }
  return "linear";
}

std::string_view status_name(StreamStatus status) noexcept {
  switch (status) {
    case StreamStatus::paused: return "paused";
    case StreamStatus::completed: return "completed";
    case StreamStatus::cancelled: return "cancelled";
    case StreamStatus::active: break;
  }
  return "active";
}

std::string_view shown_status(const Stream& stream, UnixSeconds as_of) noexcept {
  if (stream.status == StreamStatus::active && as_of < stream.start_time) return "scheduled";
  return status_name(stream.status);
}

std::string_view stream_contract(const Stream& stream) noexcept {
  if (stream.source != StreamSource::chain) return {};
  return std::string_view(stream.id).substr(0, contract_id_length);
}

std::string chain_stream_id(std::string_view contract_id, std::uint64_t number) {
  std::string id(contract_id);
  id += '-';
  id += format_u64(number);
  return id;
}

bool is_stream_id(std::string_view text) {
  if (text.substr(0, 4) == "api-") return is_uuid_v7(text.substr(4));
  return text.size() > contract_id_length + 1 && text[contract_id_length] == '-' &&
         parse_u64(text.substr(contract_id_length + 1)) && is_contract_id(text.substr(0, contract_id_length));
}

Bytes encode_stream(const Stream& stream) {
  Bytes bytes;
  bytes.reserve(512);
  XdrWriter xdr(bytes);
  xdr.write_string(stream.id);
  xdr.write_u32(static_cast<std::uint32_t>(stream.source));
  xdr.write_u32(static_cast<std::uint32_t>(stream.kind));
  xdr.write_u32(static_cast<std::uint32_t>(stream.status));
  xdr.write_bool(stream.archived);
  xdr.write_string(stream.sender);
  xdr.write_string(stream.recipient);
  xdr.write_bool(stream.token.has_value());
  if (stream.token) xdr.write_string(*stream.token);
  write_amount(xdr, stream.deposit);
  write_amount(xdr, stream.rate_per_second);
  write_amount(xdr, stream.withdrawn);
  write_amount(xdr, stream.settled);
  xdr.write_u64(stream.start_time);
  xdr.write_u64(stream.cliff_time);
  xdr.write_u64(stream.end_time);
  xdr.write_bool(stream.cancelled_at.has_value());
  if (stream.cancelled_at) xdr.write_u64(*stream.cancelled_at);
  write_amount(xdr, stream.checkpoint_amount);
  xdr.write_u64(stream.checkpoint_at);
  xdr.write_u64(static_cast<std::uint64_t>(stream.created_at));
  xdr.write_u64(static_cast<std::uint64_t>(stream.updated_at));
  xdr.write_u64(stream.version);
  xdr.write_u64(stream.created_seq);
  xdr.write_bool(stream.ledger.has_value());
  if (stream.ledger) xdr.write_u32(*stream.ledger);
  xdr.write_bool(stream.tx_hash.has_value());
  if (stream.tx_hash) xdr.write_fixed(*stream.tx_hash);
  return bytes;
}

Result<Stream> decode_stream(ByteView input) {
  XdrReader xdr(input);
  Stream stream;
  stream.id = read_text(xdr);
  stream.source = read_enum(xdr, StreamSource::api);
  stream.kind = read_enum(xdr, StreamKind::cliff_slope);
  stream.status = read_enum(xdr, StreamStatus::cancelled);
  stream.archived = xdr.read_bool();
  stream.sender = read_text(xdr);
  stream.recipient = read_text(xdr);
  if (xdr.read_bool()) stream.token = read_text(xdr);
  stream.deposit = read_amount(xdr);
  stream.rate_per_second = read_amount(xdr);
  stream.withdrawn = read_amount(xdr);
  stream.settled = read_amount(xdr);
  stream.start_time = xdr.read_u64();
  stream.cliff_time = xdr.read_u64();
  stream.end_time = xdr.read_u64();
  if (xdr.read_bool()) stream.cancelled_at = xdr.read_u64();
  stream.checkpoint_amount = read_amount(xdr);
  stream.checkpoint_at = xdr.read_u64();
  stream.created_at = xdr.read_i64();
  stream.updated_at = xdr.read_i64();
  stream.version = xdr.read_u64();
  stream.created_seq = xdr.read_u64();
  if (xdr.read_bool()) stream.ledger = xdr.read_u32();
  if (xdr.read_bool()) {
    const ByteView hash = xdr.read_fixed(Hash{}.size());
    stream.tx_hash.emplace();
    std::copy(hash.begin(), hash.end(), stream.tx_hash->begin());
  }
  if (!xdr.failed() && xdr.remaining() != 0) xdr.fail(ErrorCode::xdr_trailing_bytes);
  if (xdr.failed()) return xdr.error();
  return stream;
}

void write_stream_json(JsonWriter& json, const Stream& stream, UnixSeconds as_of) {
  const Balances balances = balances_at(stream, as_of);
  json.begin_object();
  json.key("id").string(stream.id);
  json.key("source").string(source_name(stream.source));
  json.key("sender").string(stream.sender);
  json.key("recipient").string(stream.recipient);
  json.key("token");
  stream.token ? json.string(*stream.token) : json.null();
  json.key("depositAmount").amount(stream.deposit);
  json.key("ratePerSecond").amount(stream.rate_per_second);
  json.key("withdrawnAmount").amount(stream.withdrawn);
  json.key("settledAmount").amount(stream.settled);
  json.key("streamedAmount").amount(balances.streamed);
  json.key("withdrawableAmount").amount(balances.withdrawable);
  json.key("remainingAmount").amount(balances.remaining);
  json.key("asOf").unix_seconds(as_of);
  json.key("startTime").unix_seconds(stream.start_time);
  json.key("cliffTime").unix_seconds(stream.cliff_time);
  json.key("endTime").unix_seconds(stream.end_time);
  json.key("cancelledAt");
  stream.cancelled_at ? json.unix_seconds(*stream.cancelled_at) : json.null();
  json.key("checkpointedAmount").amount(stream.checkpoint_amount);
  json.key("checkpointedAt").unix_seconds(stream.checkpoint_at);
  json.key("kind").string(kind_name(stream.kind));
  json.key("status").string(shown_status(stream, as_of));
  json.key("archived").boolean(stream.archived);
  json.key("version").unsigned_integer(stream.version);
  json.key("createdAt").string(format_rfc3339_millis(stream.created_at));
  json.key("updatedAt").string(format_rfc3339_millis(stream.updated_at));
  json.key("ledger");
  stream.ledger ? json.unsigned_integer(*stream.ledger) : json.null();
  json.key("txHash");
  stream.tx_hash ? json.string(hex_encode(*stream.tx_hash)) : json.null();
  json.key("contractId");
  const std::string_view contract = stream_contract(stream);
  contract.empty() ? json.null() : json.string(contract);
  json.end_object();
}

}  // namespace fluxora::core
