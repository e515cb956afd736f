#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"

namespace fluxora::telemetry {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

/// Where a piece of work belongs. W3C Trace Context, level 1.
struct TraceContext {
  TraceId trace{};
  SpanId span{};
  bool sampled = false;
  std::string state;  ///< `tracestate` of other vendors, handed on as it came; may be empty
};

/// A longer `tracestate` is dropped (section 3.3.1.5: at least 512 characters should be handed on).
inline constexpr std::size_t max_trace_state = 512;

/// Reads a `traceparent` (section 3.2): lower-case hexadecimal, version 00 of exactly 55 characters; a higher version
/// may go on behind another dash; ff is none, ids of zeros neither. Its state stays empty.
[[nodiscard]] std::optional<TraceContext> parse_traceparent(std::string_view text);

/// Version 00; of the flags only `sampled` is ours to say.
[[nodiscard]] std::string format_traceparent(const TraceContext& context);

/// What a request's headers say of its caller's trace. None without a good `traceparent`, and with several; a
/// `tracestate` may come on several lines, and one that is too long or not printable is dropped.
[[nodiscard]] std::optional<TraceContext> read_trace_context(const net::HeaderFields& headers);

}  // namespace fluxora::telemetry
