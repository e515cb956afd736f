#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace fluxora::load {

/// A message that the load client takes for an update, of so many bytes (at least those around the padding).
[[nodiscard]] inline std::string padded_update(std::size_t bytes) {
  constexpr std::string_view begin = R"({"type":"stream_update","padding":")";
  constexpr std::string_view end = R"("})";
  std::string text(begin);
  if (bytes > begin.size() + end.size()) text.append(bytes - begin.size() - end.size(), 'x');
  return text.append(end);
}

}  // namespace fluxora::load
