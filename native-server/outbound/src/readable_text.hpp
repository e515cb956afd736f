#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fluxora::outbound {

/// How many bytes of a text decide about its first `max_bytes` readable ones.
constexpr std::size_t readable_from(std::size_t max_bytes) noexcept {
  return max_bytes + 3;
}

/// What strangers sent, fit to be kept and shown: valid UTF-8 of at most `max_bytes`, without control characters
/// (spaces stand for ASCII's), ending with a whole character. U+FFFD stands for what isn't UTF-8.
[[nodiscard]] std::string readable_text(std::string_view bytes, std::size_t max_bytes);

}  // namespace fluxora::outbound
