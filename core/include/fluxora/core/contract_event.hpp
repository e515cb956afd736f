#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fluxora/core/amount.hpp"
#include "fluxora/core/scval.hpp"
#include "fluxora/core/unix_time.hpp"

namespace fluxora::core {

// What each event of the stream contract says, as far as the fold needs it. SPEC section 3 has the table.
struct StreamCreated {
  std::string sender;
  std::string recipient;
  Amount deposit;
  Amount rate_per_second;
  UnixSeconds start_time = 0;
  UnixSeconds cliff_time = 0;
  UnixSeconds end_time = 0;
};
struct StreamWithdrew {
  Amount amount;
};
struct StreamPaused {};
struct StreamResumed {};
struct StreamCancelled {};
struct KeeperCancelled {
  Amount recipient_amount;
};
struct StreamCompleted {};
struct StreamClosed {};
struct RateUpdated {
  Amount new_rate;
  UnixSeconds effective_time = 0;
};
struct RateDecreased {
  Amount new_rate;
  UnixSeconds effective_time = 0;
  Amount checkpointed;
  Amount refund;
};
struct EndShortened {
  UnixSeconds new_end = 0;
  Amount refund;
};
struct EndExtended {
  UnixSeconds new_end = 0;
};
struct ToppedUp {
  Amount new_deposit;
  UnixSeconds new_end = 0;
};
struct RecipientUpdated {
  std::string new_recipient;
};
struct SenderTransferred {
  std::string new_sender;
};
struct ShareDelegated {
  std::uint64_t child_stream = 0;
  std::string delegatee;
  Amount new_parent_rate;
  Amount child_rate;
};
/// Kept on the stream's history; no amount changes (decomm, health, cloned, …).
struct StreamHistory {};
/// A protocol-wide event: no stream.
struct ProtocolHistory {};
/// A topic that this version doesn't know.
struct UnknownTopic {};
/// A known topic whose payload has none of the shapes that can be folded (the oldest `created`, for one).
struct Unfoldable {};

using EventPayload = std::variant<UnknownTopic, ProtocolHistory, StreamHistory, Unfoldable, StreamCreated,
                                  StreamWithdrew, StreamPaused, StreamResumed, StreamCancelled, KeeperCancelled,
                                  StreamCompleted, StreamClosed, RateUpdated, RateDecreased, EndShortened, EndExtended,
                                  ToppedUp, RecipientUpdated, SenderTransferred, ShareDelegated>;

struct DecodedEvent {
  std::string kind;                            ///< the first topic where it is a symbol, else empty
  std::optional<std::uint64_t> stream_number;  ///< the second topic of a stream's event
  EventPayload payload;
};

/// What an entry is called on every feed. SPEC section 4.
enum class EventName : std::uint8_t {
  stream_created = 0,
  stream_updated = 1,
  stream_cancelled = 2,
  stream_completed = 3,
  stream_cliff_reached = 4,
  stream_ended = 5,
  stream_observed = 6,
  stream_retracted = 7,
  protocol_event = 8,
  chain_event = 9,
};
[[nodiscard]] std::string_view event_name_text(EventName name) noexcept;
[[nodiscard]] std::optional<EventName> event_name_from_text(std::string_view text) noexcept;
/// stream_cliff_reached and stream_ended: nothing happened to the stream but that its time came.
[[nodiscard]] bool is_of_time(EventName name) noexcept;

/// Reads an event's topics and value. Total: what can't be read becomes UnknownTopic or Unfoldable, because the
/// log keeps every event. Accepts missing optional fields, unknown extra ones and the older payloads.
[[nodiscard]] DecodedEvent decode_contract_event(const ScVec& topics, const ScVal& value);

/// The same from the XDR that the log keeps. Topics that can't be decoded give UnknownTopic; a value that can't, of a
/// stream's event, Unfoldable.
[[nodiscard]] DecodedEvent decode_contract_event_xdr(const std::vector<Bytes>& topics_xdr, ByteView value_xdr);

/// An event as XDR.
struct EncodedEvent {
  std::vector<Bytes> topics_xdr;
  Bytes value_xdr;
};

/// The topics and value with which the contract tells of that payload for its stream `stream_number`; decoding them
/// gives the payload again. For what the API can do: StreamCreated, StreamPaused, StreamResumed, StreamCancelled.
/// Errors: event_payload_unreadable (other payloads), the strkey_ codes (addresses that are none).
[[nodiscard]] Result<EncodedEvent> encode_contract_event(const EventPayload& payload, std::uint64_t stream_number);

/// The feed's name for an event, by its topic. `in_successful_call` false gives chain_event: it is logged, never
/// folded, and nobody should take it for a change.
[[nodiscard]] EventName event_name(const DecodedEvent& event, bool in_successful_call) noexcept;

}  // namespace fluxora::core
