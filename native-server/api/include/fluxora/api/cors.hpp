#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// Which other origins' pages may read our answers (WHATWG Fetch, section 3.2). Exact origins only, and never with
/// credentials of the browser's own: there are no cookies, and what a page sends in Authorization it has itself.
class CorsPolicy {
 public:
  /// Origins as browsers send them, comma separated: "https://app.example, http://localhost:5173". None, with the item
  /// that is wrong in `wrong`, for anything else: `*`, `null`, a path, a default port, upper case.
  [[nodiscard]] static std::optional<CorsPolicy> parse(std::string_view text, std::string& wrong);

  [[nodiscard]] bool empty() const noexcept { return origins_.empty(); }

  /// Adds what a browser needs to know to any answer, errors included; an OPTIONS request's becomes the answer to a
  /// preflight, for the methods in its Allow.
  void apply(const net::Request& request, net::Response& response) const;

 private:
  std::vector<std::string> origins_;
};

}  // namespace fluxora::api
