#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "fluxora/net/http_message.hpp"
#include "http_wire.hpp"

namespace fluxora::net {

/// What the 101 says besides that it switches.
struct WebSocketHandshake {
  std::string accept;      ///< Sec-WebSocket-Accept
  std::string extensions;  ///< Sec-WebSocket-Extensions; empty: none was agreed on
  [[nodiscard]] bool compresses() const noexcept { return !extensions.empty(); }
};

/// Reads the Sec-WebSocket-* fields of an upgrade request (RFC 6455 sections 4.2.1, 9.1) whose version is 13 already.
/// `compress`: permessage-deflate may be agreed on. Of the protocols that a client offers none is chosen.
std::optional<WireError> read_websocket_handshake(const Request& request, bool compress, WebSocketHandshake& handshake);

/// The first offer of permessage-deflate (RFC 7692 section 7.1) in a Sec-WebSocket-Extensions value that can be met,
/// as the answer to it. Every message is compressed on its own, both ways, so that a broadcast is compressed once and
/// no connection keeps a window. None where the value is malformed, empty where there is no such offer.
[[nodiscard]] std::optional<std::string> agree_on_deflate(std::string_view offers);

}  // namespace fluxora::net
