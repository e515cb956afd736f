#include "fluxora/net/http_message.hpp"

#include <algorithm>

namespace fluxora::net {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim_white_space(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
  for (const auto& [field, value] : headers)
    if (equal_ignoring_case(field, name)) return std::string_view(value);
  return {};
}

}  // namespace fluxora::net
