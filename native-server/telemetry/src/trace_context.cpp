#include "fluxora/telemetry/trace_context.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "fluxora/core/bytes.hpp"

namespace fluxora::telemetry {
namespace {

// version "-" trace-id "-" parent-id "-" flags
constexpr std::size_t trace_at = 3;
constexpr std::size_t span_at = 36;
constexpr std::size_t flags_at = 53;
constexpr std::size_t length_of_version_00 = 55;
constexpr std::uint8_t sampled_flag = 0x01;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

/// Lower case only, as the recommendation has it.
bool read_hex(std::string_view text, std::span<std::uint8_t> out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

bool all_zero(std::span<const std::uint8_t> id) {
  return std::all_of(id.begin(), id.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

}  // namespace

std::optional<TraceContext> parse_traceparent(std::string_view text) {
  if (text.size() < length_of_version_00) return std::nullopt;
  if (text[trace_at - 1] != '-' || text[span_at - 1] != '-' || text[flags_at - 1] != '-') return std::nullopt;
  std::array<std::uint8_t, 1> version{};
  std::array<std::uint8_t, 1> flags{};
  TraceContext context;
  if (!read_hex(text, version) || !read_hex(text.substr(trace_at), context.trace) ||
      !read_hex(text.substr(span_at), context.span) || !read_hex(text.substr(flags_at), flags)) {
    return std::nullopt;
  }
  if (version[0] == 0xff || all_zero(context.trace) || all_zero(context.span)) return std::nullopt;
  if (text.size() > length_of_version_00 && (version[0] == 0 || text[length_of_version_00] != '-')) return std::nullopt;
  context.sampled = (flags[0] & sampled_flag) != 0;
  return context;
}

std::string format_traceparent(const TraceContext& context) {
  return "00-" + core::hex_encode(context.trace) + "-" + core::hex_encode(context.span) +
         (context.sampled ? "-01" : "-00");
}

std::optional<TraceContext> read_trace_context(const net::HeaderFields& headers) {
  std::optional<TraceContext> context;
  bool seen = false;
  std::string state;
  for (const auto& [name, value] : headers) {
    if (net::equal_ignoring_case(name, "traceparent")) {
      if (std::exchange(seen, true)) return std::nullopt;
      context = parse_traceparent(value);
    } else if (net::equal_ignoring_case(name, "tracestate") && !value.empty()) {
      if (!state.empty()) state += ',';
      state += value;
    }
  }
  if (context && state.size() <= max_trace_state && is_printable(state)) context->state = std::move(state);
  return context;
}

}  // namespace fluxora::telemetry
