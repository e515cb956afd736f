#pragma once

#include "fluxora/api/api.hpp"
#include "fluxora/core/json_writer.hpp"

namespace fluxora::api {

/// The indexer's status, or that there is none.
[[nodiscard]] ports::IndexerStatus indexer_status(const ApiContext& context);

/// The RPC answers whoever leads, and this instance doesn't leave it alone.
[[nodiscard]] bool rpc_is_well(const ports::IndexerStatus& status);

/// The object that /health and /admin/indexer show as "indexer". SPEC section 10.
void write_indexer_json(core::JsonWriter& json, const ports::IndexerStatus& status);

}  // namespace fluxora::api
