#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fluxora/core/contract_event.hpp"
#include "fluxora/core/log_entry.hpp"
#include "fluxora/core/reducer.hpp"
#include "fluxora/core/result.hpp"

namespace fluxora::core {

/// The log entry of a change through the API, with the stream after it: the payload is encoded as the contract would
/// tell it, decoded again and folded, so that folding the entry's own bytes later gives the same stream byte for byte.
/// `before` is null for a creation. The entry is of the later of `now` and the stream's last change: a stream's own
/// times never go back, even where the clocks of two servers differ.
/// Errors: those of encode_contract_event and fold.
Result<LogEntry> make_api_entry(const Stream* before, std::string_view stream_id, const EventPayload& payload,
                                UnixSeconds now, std::uint64_t seq);

/// The event id of an API entry, by its place in the log.
[[nodiscard]] std::string api_event_id(std::uint64_t seq);

/// Where an entry stands, for folding it again. It refers to the entry, which must outlive it.
[[nodiscard]] EventPlace place_of(const LogEntry& entry) noexcept;

}  // namespace fluxora::core
