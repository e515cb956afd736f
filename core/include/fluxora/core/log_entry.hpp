#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/stream.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

/// One entry of the log. SPEC section 4.
struct LogEntry {
  std::uint64_t seq = 0;
  EventName event = EventName::chain_event;
  std::string kind;       ///< the chain event's topic; empty when the topic is no symbol
  std::string stream_id;  ///< empty for events that are no stream's
  std::string event_id;
  std::string contract_id;
  std::optional<std::uint32_t> ledger;  ///< none, like both hashes and the contract, for a change through the API
  std::optional<Hash> ledger_hash;
  std::optional<Hash> tx_hash;
  UnixSeconds closed_at = 0;  ///< of the ledger; of a change through the API: the server's clock
  bool in_successful_call = true;
  std::vector<Bytes> topics_xdr;  ///< each topic's XDR, as the chain gave it where it is the chain's
  Bytes value_xdr;
  std::optional<Stream> stream;           ///< the stream after this entry, when it was folded
  std::string change = "{}";              ///< describe_change
  std::optional<std::uint64_t> prev_seq;  ///< the stream's previous entry
  std::optional<std::uint64_t> retracts;  ///< stream.retracted: the entry that this one undoes
};

/// What the log keeps of what an entry left of its stream: encode_stream of it; none for an entry that leaves its
/// stream alone, no bytes for a retraction that leaves none.
[[nodiscard]] std::optional<Bytes> encode_stream_state(const LogEntry& entry);

/// The entry as every feed shows it. The stream's amounts are computed at the entry's close time.
/// An event that changed no stream shows its decoded XDR as `raw`: {"topics":[…],"value":…}, in SEP-51 JSON,
/// or base64 strings where the XDR can't be decoded.
void write_log_entry_json(JsonWriter& json, const LogEntry& entry, std::string_view epoch);
/// Its members, for who shows more beside them.
void write_log_entry_members(JsonWriter& json, const LogEntry& entry, std::string_view epoch);

}  // namespace fluxora::core
