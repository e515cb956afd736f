#include "fluxora/net/http_message.hpp"

#include <algorithm>

namespace fluxora::net {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
  for (const auto& [field, value] : headers)
    if (equal_ignoring_case(field, name)) return std::string_view(value);
  return {};
}

}  // namespace fluxora::net
