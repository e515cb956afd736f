#include "fluxora/api/api.hpp"

#include "routes.hpp"

namespace fluxora::api {

std::shared_ptr<const net::Router> build_router(const ApiContext& context) {
  auto router = std::make_shared<net::Router>();
  add_health_routes(*router, context);
  add_metrics_route(*router, context);
  add_openapi_routes(*router, context);
  add_stream_routes(*router, context);
  add_stream_write_routes(*router, context);
  add_export_routes(*router, context);
  add_proof_routes(*router, context);
  add_account_routes(*router, context);
  add_statement_routes(*router, context);
  add_schedule_routes(*router, context);
  add_event_routes(*router, context);
  add_ledger_routes(*router, context);
  add_contract_event_routes(*router, context);
  add_admin_key_routes(*router, context);
  add_admin_indexer_routes(*router, context);
  add_audit_routes(*router, context);
  add_replay_routes(*router, context);
  add_reconciliation_routes(*router, context);
  add_webhook_endpoint_routes(*router, context);
  add_webhook_delivery_routes(*router, context);
  add_webhook_replay_routes(*router, context);
  const auto places = std::make_shared<AddressLimit>(context.max_sockets_per_address, context.connection_counts);
  add_stream_socket(*router, context, places);
  add_event_stream(*router, context, places);
  if (!context.demo_root.empty()) add_demo_files(*router, context);
  return router;
}

}  // namespace fluxora::api
