#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace fluxora::api {

/// The description as one page of HTML: operations by tag, with parameters, bodies, answers and schemas linked to each
/// other. It needs no script and nothing from elsewhere, as SPEC section 5's Content-Security-Policy has it.
[[nodiscard]] std::string docs_page(const nlohmann::ordered_json& description);

}  // namespace fluxora::api
