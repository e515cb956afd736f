#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

namespace fluxora::api {

/// openapi/openapi.json as it is in the sources; CMake puts it into the program.
[[nodiscard]] std::string_view embedded_openapi() noexcept;

/// The API's description (OpenAPI 3.1) as this instance serves it: its version, and `public_url` as the server (empty:
/// wherever the description came from). Members keep their order. Throws std::runtime_error when the embedded text is
/// no JSON.
[[nodiscard]] nlohmann::ordered_json openapi_description(std::string_view version, std::string_view public_url);

}  // namespace fluxora::api
