#pragma once

#include <variant>

#include <nlohmann/json.hpp>

#include "fluxora/net/http_message.hpp"

namespace fluxora::api {

/// The request's body as a JSON object, or the answer to what is wrong with it: 415 for another media type, 400 for
/// what is no object of valid UTF-8, has a member twice, a NUL character in a text or a number that is out of range, or
/// is nested deeper than SPEC section 5 allows. Read its members with JsonFields (json_fields.hpp).
[[nodiscard]] std::variant<nlohmann::json, net::Response> read_json_object(const net::Request& request);

}  // namespace fluxora::api
