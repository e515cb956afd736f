#pragma once

#include <memory>

#include "address_limit.hpp"
#include "fluxora/api/api.hpp"

namespace fluxora::api {

// Each adds its resource's routes. The context outlives the router.
void add_health_routes(net::Router& router, const ApiContext& context);
void add_metrics_route(net::Router& router, const ApiContext& context);
/// Throws std::runtime_error when the embedded description is no JSON.
void add_openapi_routes(net::Router& router, const ApiContext& context);
void add_stream_routes(net::Router& router, const ApiContext& context);
void add_stream_write_routes(net::Router& router, const ApiContext& context);
void add_export_routes(net::Router& router, const ApiContext& context);
void add_proof_routes(net::Router& router, const ApiContext& context);
void add_account_routes(net::Router& router, const ApiContext& context);
void add_statement_routes(net::Router& router, const ApiContext& context);
void add_schedule_routes(net::Router& router, const ApiContext& context);
void add_event_routes(net::Router& router, const ApiContext& context);
void add_ledger_routes(net::Router& router, const ApiContext& context);
void add_contract_event_routes(net::Router& router, const ApiContext& context);
void add_admin_key_routes(net::Router& router, const ApiContext& context);
void add_admin_indexer_routes(net::Router& router, const ApiContext& context);
void add_audit_routes(net::Router& router, const ApiContext& context);
void add_replay_routes(net::Router& router, const ApiContext& context);
void add_reconciliation_routes(net::Router& router, const ApiContext& context);
void add_webhook_endpoint_routes(net::Router& router, const ApiContext& context);
void add_webhook_delivery_routes(net::Router& router, const ApiContext& context);
void add_webhook_replay_routes(net::Router& router, const ApiContext& context);
/// Both kinds of feeds take their places from the same.
void add_stream_socket(net::Router& router, const ApiContext& context, std::shared_ptr<AddressLimit> places);
void add_event_stream(net::Router& router, const ApiContext& context, std::shared_ptr<AddressLimit> places);
/// Throws std::runtime_error when the folder can't be read.
void add_demo_files(net::Router& router, const ApiContext& context);

}  // namespace fluxora::api
