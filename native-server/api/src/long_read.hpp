#pragma once

#include "fluxora/net/http_message.hpp"
#include "fluxora/ports/store_result.hpp"

namespace fluxora::api {

/// As store_problem(), for the reads of which few may run at once: `busy` says when to come back.
[[nodiscard]] net::Response long_read_problem(ports::StoreFailure failure, const net::Request& request);

}  // namespace fluxora::api
