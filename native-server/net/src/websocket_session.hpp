#pragma once

#include <memory>

#include "asio_types.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/net/websocket.hpp"

namespace fluxora::net {

class Worker;

/// Answers an upgrade request that has been checked, with 101, and serves the WebSocket. `endpoint` outlives it.
void start_websocket_session(Worker& worker, Socket socket, const WebSocketEndpoint& endpoint,
                             std::shared_ptr<const Request> request);

}  // namespace fluxora::net
