#include "fluxora/core/api_entry.hpp"

#include <algorithm>

#include "fluxora/core/decimal.hpp"

namespace fluxora::core {
namespace {

/// The second topic of the chain's events is the contract's number of the stream. An API stream has none: its id
/// stands in the entry.
constexpr std::uint64_t no_number = 0;

}  // namespace

std::string api_event_id(std::uint64_t seq) {
  return "api-" + format_u64(seq);
}

EventPlace place_of(const LogEntry& entry) noexcept {
  return {entry.contract_id, entry.ledger, entry.tx_hash, entry.closed_at, entry.seq, entry.stream_id};
}

Result<LogEntry> make_api_entry(const Stream* before, std::string_view stream_id, const EventPayload& payload,
                                UnixSeconds now, std::uint64_t seq) {
  auto encoded = encode_contract_event(payload, no_number);
  if (!encoded) return encoded.error();
  const DecodedEvent event = decode_contract_event_xdr(encoded->topics_xdr, encoded->value_xdr);

  LogEntry entry;
  entry.seq = seq;
  entry.event = event_name(event, true);
  entry.kind = event.kind;
  entry.stream_id = stream_id;
  entry.event_id = api_event_id(seq);
  entry.closed_at = now;
  if (before != nullptr) {
    entry.closed_at = std::max(now, static_cast<UnixSeconds>(before->updated_at / 1000));
    entry.prev_seq = before->version;  // every entry of an API stream is folded
  }
  entry.topics_xdr = std::move(encoded->topics_xdr);
  entry.value_xdr = std::move(encoded->value_xdr);

  auto folded = fold(before, event, place_of(entry));
  if (!folded) return folded.error();
  if (before != nullptr) entry.change = describe_change(*before, folded->stream);
  entry.stream = std::move(folded->stream);
  return entry;
}

}  // namespace fluxora::core
