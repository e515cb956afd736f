#pragma once

#include "asio_types.hpp"

namespace fluxora::net {

class Worker;

/// Serves HTTP on a connection that was just accepted, until it ends or becomes a WebSocket.
void start_http_session(Worker& worker, Socket socket);

}  // namespace fluxora::net
