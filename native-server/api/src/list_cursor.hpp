#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::api {

/// Where a list goes on: positions are those of one epoch of the log.
struct ListCursor {
  std::string epoch;
  ports::ListPosition position;
};

/// The cursor of a list of streams: a version, the place and a checksum over both and the filters, so that one that
/// was altered or is used with other filters is refused. Opaque to clients; it holds nothing secret.
[[nodiscard]] std::string encode_list_cursor(const ListCursor& cursor, std::string_view filters);

/// None for anything that encode_list_cursor didn't make with these filters.
[[nodiscard]] std::optional<ListCursor> decode_list_cursor(std::string_view text, std::string_view filters);

}  // namespace fluxora::api
