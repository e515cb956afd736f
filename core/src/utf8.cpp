#include "fluxora/core/utf8.hpp"

#include <cstdint>

namespace fluxora::core {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t index) noexcept {
  return static_cast<std::uint8_t>(text[index]);
}

}  // namespace

Utf8Sequence utf8_sequence(std::string_view text, std::size_t begin) noexcept {
  const std::uint8_t first = byte_at(text, begin);
  std::size_t size = 0;
  std::uint8_t second_low = 0x80;
  std::uint8_t second_high = 0xbf;
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    if (first == 0xe0) second_low = 0xa0;   // no overlong forms
    if (first == 0xed) second_high = 0x9f;  // no surrogates
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    if (first == 0xf0) second_low = 0x90;   // no overlong forms
    if (first == 0xf4) second_high = 0x8f;  // nothing above U+10FFFF
  } else {
    return {1, false};
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (begin + i >= text.size()) return {i, false};
    const std::uint8_t byte = byte_at(text, begin + i);
    if (byte < (i == 1 ? second_low : 0x80) || byte > (i == 1 ? second_high : 0xbf)) return {i, false};
  }
  return {size, true};
}

}  // namespace fluxora::core
