#pragma once

#include <string>

#include "fluxora/core/stream.hpp"

namespace fluxora::indexer {

/// A JSON object of all that differs, by its name on the wire: what is held and what is right, as in describe_change,
/// and what every entry moves besides. A stream that is there on one side alone differs in its `id`.
[[nodiscard]] std::string differing_fields(const core::Stream* held, const core::Stream* right);

}  // namespace fluxora::indexer
