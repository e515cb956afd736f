#include "exchange.hpp"
#include "fluxora/core/cursor.hpp"

using namespace fluxora;
using wasm::Status;

extern "C" {

/// Gives the epoch, and the position in `seq`.
Status fluxora_cursor_parse(const char* text, std::uint32_t size, std::uint64_t* seq) {
  const auto cursor = core::parse_cursor(std::string_view(text, size));
  if (!cursor) return wasm::fail(cursor.error());
  *seq = cursor->seq;
  return wasm::give(std::string_view(cursor->epoch));
}

/// Gives the cursor's text. What no parser would take back is refused here already.
Status fluxora_cursor_format(const char* epoch, std::uint32_t size, std::uint64_t seq) {
  if (size > core::epoch_max_length) return wasm::fail(core::ErrorCode::cursor_invalid);
  const std::string text = core::format_cursor(core::Cursor{std::string(epoch, size), seq});
  if (const auto again = core::parse_cursor(text); !again) return wasm::fail(again.error());
  return wasm::give(std::string_view(text));
}

}  // extern "C"
