#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fluxora::core {

enum class JsonKind : std::uint8_t { object, array, string, number, boolean, null };

struct JsonMember {
  std::string name;
  JsonKind kind = JsonKind::null;
  std::string value;  ///< a string's characters, a number as it is written; otherwise empty
};

/// Levels of objects and arrays, the outermost counted.
inline constexpr std::size_t json_depth_max = 20;

/// The members, sorted by name, of text that is one JSON object (RFC 8259): UTF-8, no lone surrogates, no name twice in
/// any object, whatever escapes it is written with; or none. What members hold inside is checked, not kept.
/// Memory and time are in proportion to the text (time: and the logarithm of the number of members).
std::optional<std::vector<JsonMember>> read_json_object(std::string_view text);

/// The member, or null.
const JsonMember* find_member(const std::vector<JsonMember>& sorted, std::string_view name) noexcept;

}  // namespace fluxora::core
