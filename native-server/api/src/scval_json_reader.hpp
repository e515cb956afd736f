#pragma once

#include <string>
#include <variant>

#include <nlohmann/json.hpp>

#include "fluxora/core/bytes.hpp"

namespace fluxora::api {

/// What isn't read, as the rest of a sentence that begins with its name.
struct NotAnScVal {
  std::string why;
};

/// A smart-contract value as clients send it: base64 of its XDR, which is kept as it is, or SEP-51 (XDR-JSON), which
/// names every type: {"u64":"7"}, {"symbol":"created"}, {"vec":[…]}, "void". Gives the XDR. What has lost its type (a
/// number, a bare text), and what core's decode_scval doesn't take, is refused. SPEC section 9.
[[nodiscard]] std::variant<core::Bytes, NotAnScVal> read_scval(const nlohmann::json& value);

}  // namespace fluxora::api
