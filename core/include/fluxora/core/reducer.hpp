#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/core/bytes.hpp"
#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/result.hpp"
#include "fluxora/core/stream.hpp"

namespace fluxora::core {

/// Where an event stands: what the fold takes from the ledger and the log, not from the payload.
struct EventPlace {
  std::string_view contract_id;                        ///< empty for a change through the API
  std::optional<std::uint32_t> ledger = std::nullopt;  ///< none for a change through the API
  std::optional<Hash> tx_hash = std::nullopt;
  UnixSeconds closed_at = 0;
  std::uint64_t seq = 0;  ///< the log position of its entry
  /// The stream that its entry is about. A contract's event says that itself: for one this may be empty.
  std::string_view stream_id{};
};

/// What one event makes of the log's streams.
struct FoldResult {
  Stream stream;                ///< the event's stream, after it
  std::optional<Stream> child;  ///< del_share: the stream that it splits off, entered at seq + 1
};

/// Completed and cancelled: no event leads out of them. SPEC section 2.
[[nodiscard]] bool is_final(StreamStatus status) noexcept;

/// Applies one event of a stream to its state. Pure; SPEC section 3 is the table of effects.
/// `before` is null when the stream isn't held. History events change only version, ledger and time.
/// Errors: fold_unknown_stream, fold_duplicate_stream, fold_overflow, event_payload_unreadable
/// (also for events that are no stream's). After an error the state is what it was.
Result<FoldResult> fold(const Stream* before, const DecodedEvent& event, const EventPlace& place);

/// A JSON object of the fields that differ, {"ratePerSecond":["0.0000116","0.0000232"]}, by their names on the
/// wire; "{}" when none does. What every entry moves (version, ledger, times of change) is left out.
[[nodiscard]] std::string describe_change(const Stream& before, const Stream& after);

/// The same for a retraction that leaves nothing of a stream: whom it is taken from,
/// {"sender":["G…",null],"recipient":["G…",null]}.
[[nodiscard]] std::string describe_removal(const Stream& before);

/// Either of them, or "{}" for a stream that wasn't held before. Null: not held.
[[nodiscard]] std::string describe_change(const Stream* before, const Stream* after);

}  // namespace fluxora::core
