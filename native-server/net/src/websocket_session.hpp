#pragma once

#include "asio_types.hpp"
#include "fluxora/net/http_message.hpp"
#include "fluxora/net/websocket.hpp"
#include "websocket_handshake.hpp"

namespace fluxora::net {

class Worker;

/// Answers an upgrade request that has been checked, with 101, and serves the WebSocket on its non-blocking socket.
/// Nothing of the request is kept.
void start_websocket_session(Worker& worker, Socket socket, const WebSocketEndpoint& endpoint, const Request& request,
                             const WebSocketHandshake& handshake);

}  // namespace fluxora::net
