#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/net/http_message.hpp"

namespace fluxora::net {

/// The request fields that decide something by their one value. RFC 9110 section 5.3 lets only lists come on several
/// lines, and two readers may pick different lines of the others, so that a proxy would check one credential and we
/// another. Host, Content-Length and Transfer-Encoding are not here: reading the head refuses them already.
class SingleFields {
 public:
  /// `names`: the application's own, beside HTTP's. Throws std::invalid_argument for more than 64 in all.
  explicit SingleFields(const std::vector<std::string>& names);

  /// The name of the first of them that comes more than once; empty: none does.
  [[nodiscard]] std::string_view repeated(const HeaderFields& headers) const noexcept;

 private:
  static constexpr std::size_t max_name_bytes = 40;

  void add(std::string name);

  std::size_t count_ = 0;
  /// By the length of the name: most fields of a request are told from them by that alone.
  std::array<std::vector<std::pair<std::string, std::uint64_t>>, max_name_bytes + 1> by_length_;
};

}  // namespace fluxora::net
