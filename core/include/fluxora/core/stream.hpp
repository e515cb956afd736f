#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

enum class StreamSource : std::uint8_t { chain = 0, api = 1 };

/// How a stream accrues. The numbers are the contract's own.
enum class StreamKind : std::uint8_t { linear = 0, cliff_only = 1, cliff_slope = 2 };

/// The state that events fold into. `scheduled` is not one of them: it is an active stream before its start.
/// The numbers are the contract's own.
enum class StreamStatus : std::uint8_t { active = 0, paused = 1, completed = 2, cancelled = 3 };

[[nodiscard]] std::string_view source_name(StreamSource source) noexcept;
[[nodiscard]] std::string_view kind_name(StreamKind kind) noexcept;
[[nodiscard]] std::string_view status_name(StreamStatus status) noexcept;

/// One payment stream as the log's fold holds it: what events say, nothing that is computed from a clock.
/// SPEC section 2.
struct Stream {
  std::string id;  ///< `<contractId>-<u64>` or `api-<uuid v7>`
  StreamSource source = StreamSource::chain;
  StreamKind kind = StreamKind::linear;
  StreamStatus status = StreamStatus::active;
  bool archived = false;
  std::string sender;     ///< StrKey
  std::string recipient;  ///< StrKey
  std::optional<std::string> token;
  Amount deposit;
  Amount rate_per_second;
  Amount withdrawn;
  Amount settled;  ///< paid to the recipient by a keeper's cancellation, not counted as withdrawn
  UnixSeconds start_time = 0;
  UnixSeconds cliff_time = 0;
  UnixSeconds end_time = 0;
  std::optional<UnixSeconds> cancelled_at;
  Amount checkpoint_amount;  ///< streamed up to checkpoint_at, under the rates until then
  UnixSeconds checkpoint_at = 0;
  UnixMillis created_at = 0;            ///< close time of the ledger that created it
  UnixMillis updated_at = 0;            ///< close time of its last change
  std::uint64_t version = 0;            ///< log position of its last change
  std::uint64_t created_seq = 0;        ///< log position of its creation
  std::optional<std::uint32_t> ledger;  ///< of the last change; none for api streams
  std::optional<Hash> tx_hash;

  friend bool operator==(const Stream&, const Stream&) = default;
};

/// Every status that answers show: SPEC section 2.
inline constexpr std::array<std::string_view, 5> shown_statuses = {"scheduled", "active", "paused", "completed",
                                                                   "cancelled"};
/// The one that a stream shows at `as_of`: its status, or "scheduled".
[[nodiscard]] std::string_view shown_status(const Stream& stream, UnixSeconds as_of) noexcept;

/// The contract that a chain stream's id names; empty for an api stream.
[[nodiscard]] std::string_view stream_contract(const Stream& stream) noexcept;

/// `<contractId>-<number>`.
[[nodiscard]] std::string chain_stream_id(std::string_view contract_id, std::uint64_t number);

/// True for a text of one of the two forms that a stream's id can have, with valid parts.
[[nodiscard]] bool is_stream_id(std::string_view text);

/// The canonical bytes of a stream: XDR, equal exactly when the streams are equal. The log keeps these beside
/// each entry, and a rebuild must give them again byte for byte.
[[nodiscard]] Bytes encode_stream(const Stream& stream);

/// Errors: the xdr_ codes, also for an enum outside its values.
Result<Stream> decode_stream(ByteView xdr);

/// The stream as every feed and every answer shows it, with its amounts computed at `as_of`. SPEC section 2.
/// Beside SPEC section 2's fields it shows `checkpointedAmount` and `checkpointedAt`, so that a reader can accrue on
/// its own.
void write_stream_json(JsonWriter& json, const Stream& stream, UnixSeconds as_of);

}  // namespace fluxora::core
