#pragma once

#include "fluxora/api/api.hpp"

namespace fluxora::api {

/// The handler of a route that not everyone may use: authenticates, checks the scope, applies the write limit (any
/// method but GET and HEAD), and hands on who asks.
[[nodiscard]] net::Handler guarded(const ApiContext& context, Access access, GuardedHandler handler);

/// The audit log's record of what a caller does; action and target are named by who knows them.
[[nodiscard]] ports::AuditRecord audit_record(const Caller& caller, const net::Request& request);

}  // namespace fluxora::api
