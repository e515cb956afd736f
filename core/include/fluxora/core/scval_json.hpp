#pragma once

#include "fluxora/core/json_writer.hpp"
#include "fluxora/core/scval.hpp"

namespace fluxora::core {

/// Writes a value as SEP-51 (XDR-JSON) has it: {"symbol":"created"}, {"u64":"7"}, {"vec":[…]}, "void".
/// Total: every ScVal has a text.
void write_scval_json(JsonWriter& json, const ScVal& value);

}  // namespace fluxora::core
