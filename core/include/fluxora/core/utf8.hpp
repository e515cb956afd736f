#pragma once

#include <cstddef>
#include <string_view>

namespace fluxora::core {

struct Utf8Sequence {
  std::size_t size;  ///< bytes to take, at least 1
  bool valid;
};

/// The sequence at `begin`, whose first byte is above 0x7f. Of a bad one, the longest start of a good one is
/// taken, so that one U+FFFD stands for it (Unicode 15, section 3.9, table 3-7 and "maximal subparts").
Utf8Sequence utf8_sequence(std::string_view text, std::size_t begin) noexcept;

}  // namespace fluxora::core
