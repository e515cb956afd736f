#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::api {

/// The cursor of a list of streams: a version, the position and a checksum over both and the filters, so that one that
/// was altered or is used with other filters is refused. Opaque to clients; it holds nothing secret.
[[nodiscard]] std::string encode_list_cursor(const ports::ListPosition& position, std::string_view filters);

/// None for anything that encode_list_cursor didn't make with these filters.
[[nodiscard]] std::optional<ports::ListPosition> decode_list_cursor(std::string_view text, std::string_view filters);

}  // namespace fluxora::api
