#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::api {

/// The cursor of any list: a place in it, and a checksum over that and the filters, so that one that was altered or is
/// used with other filters is refused. Opaque to clients; it holds nothing secret. `place`: at most 320 bytes.
/// `filters`: they have to say which list it is, where places of two lists could look alike.
[[nodiscard]] std::string encode_place(std::string_view place, std::string_view filters);
/// None for anything that encode_place didn't make with these filters.
[[nodiscard]] std::optional<std::string> decode_place(std::string_view text, std::string_view filters);

/// Where a list goes on: positions are those of one epoch of the log.
struct ListCursor {
  std::string epoch;
  ports::ListPosition position;
};

/// The cursor of a list of streams: encode_place() of a version and the position.
[[nodiscard]] std::string encode_list_cursor(const ListCursor& cursor, std::string_view filters);

/// None for anything that encode_list_cursor didn't make with these filters.
[[nodiscard]] std::optional<ListCursor> decode_list_cursor(std::string_view text, std::string_view filters);

}  // namespace fluxora::api
