#include "single_fields.hpp"

#include <stdexcept>

namespace fluxora::net {

SingleFields::SingleFields(const std::vector<std::string>& names) {
  for (const char* name : {"Authorization", "Content-Type", "Expect", "Origin", "Sec-WebSocket-Key",
                           "Sec-WebSocket-Version", "Access-Control-Request-Method"})
    add(name);
  for (const std::string& name : names) add(name);
}

void SingleFields::add(std::string name) {
  if (name.size() > max_name_bytes || count_ == 64)
    throw std::invalid_argument("the single header " + name + " is one too many, or too long");
  std::vector<std::pair<std::string, std::uint64_t>>& same_length = by_length_.at(name.size());
  same_length.emplace_back(std::move(name), std::uint64_t{1} << count_);
  ++count_;
}

std::string_view SingleFields::repeated(const HeaderFields& headers) const noexcept {
  std::uint64_t seen = 0;
  for (const auto& [field, value] : headers) {
    if (field.size() > max_name_bytes) continue;
    for (const auto& [name, bit] : by_length_[field.size()]) {
      if (!equal_ignoring_case(field, name)) continue;
      if ((seen & bit) != 0) return name;
      seen |= bit;
    }
  }
  return {};
}

}  // namespace fluxora::net
