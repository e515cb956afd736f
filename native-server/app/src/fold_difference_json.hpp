#pragma once

#include "fluxora/core/json_writer.hpp"
#include "fluxora/indexer/fold_differences.hpp"

namespace fluxora::app {

/// The members `field`, `held` and `folded` of an object that is begun: what is held, and what the log says. Null:
/// SQL's NULL, or no row.
void write_difference_members(core::JsonWriter& json, const indexer::FoldDifference& difference);

}  // namespace fluxora::app
