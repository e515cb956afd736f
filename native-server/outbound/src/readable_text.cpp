#include "readable_text.hpp"

#include "fluxora/core/utf8.hpp"

namespace fluxora::outbound {
namespace {

constexpr std::string_view replacement_character = "\xef\xbf\xbd";
constexpr unsigned char delete_character = 0x7f;

/// U+0080 to U+009F.
bool is_c1_control(std::string_view character) noexcept {
  return character.size() == 2 && character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string readable_text(std::string_view bytes, std::size_t max_bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[i]);
    std::string_view character = bytes.substr(i, 1);
    if (first < ' ' || first == delete_character) {
      character = " ";
      ++i;
    } else if (first < delete_character) {
      ++i;
    } else {
      const core::Utf8Sequence sequence = core::utf8_sequence(bytes, i);
      character = bytes.substr(i, sequence.size);
      if (!sequence.valid || is_c1_control(character)) character = replacement_character;
      i += sequence.size;
    }
    if (text.size() + character.size() > max_bytes) break;
    text += character;
  }
  return text;
}

}  // namespace fluxora::outbound
