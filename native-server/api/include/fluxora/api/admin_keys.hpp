#pragma once

#include <string_view>

#include "fluxora/core/json_writer.hpp"
#include "fluxora/ports/api_keys.hpp"

namespace fluxora::api {

/// An API key as /admin and the command line show it: without its hash. `key_text`, the key itself, is shown once, when
/// it is made.
void write_api_key_json(core::JsonWriter& json, const ports::ApiKey& key, std::string_view key_text = {});

}  // namespace fluxora::api
