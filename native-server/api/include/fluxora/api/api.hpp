#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "fluxora/hub/hub.hpp"
#include "fluxora/net/router.hpp"
#include "fluxora/net/server.hpp"
#include "fluxora/ports/clock.hpp"
#include "fluxora/ports/event_log.hpp"
#include "fluxora/ports/indexer_status.hpp"
#include "fluxora/ports/log.hpp"
#include "fluxora/ports/readiness.hpp"
#include "fluxora/ports/stream_reader.hpp"

namespace fluxora::api {

/// What the handlers work with; all of it outlives the server.
struct ApiContext {
  ports::Clock& clock;
  ports::Log& log;
  ports::StreamReader& streams;
  ports::EventLog& events;
  ports::Readiness& readiness;
  hub::Hub& hub;
  const ports::IndexerStatusSource* indexer = nullptr;  ///< none: not configured
  std::string version;
  std::string demo_root;  ///< a folder served under /demo/; empty: none
  std::size_t max_sockets_per_address = 100;
  std::function<bool()> shutting_down;
  std::function<std::size_t()> websocket_connections;
};

/// Every route of the service. SPEC sections 5, 6 and 10.
[[nodiscard]] std::shared_ptr<const net::Router> build_router(const ApiContext& context);

/// SPEC section 5, "Security headers on every response". `public_url` https adds upgrade-insecure-requests.
[[nodiscard]] net::HeaderFields security_headers(std::string_view public_url);

/// The body of errors that net finds itself. RFC 9457.
[[nodiscard]] net::Response error_response(unsigned status, std::string_view detail, const net::Request& request);

}  // namespace fluxora::api
