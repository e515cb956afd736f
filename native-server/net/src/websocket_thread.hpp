#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "websocket_deflate.hpp"

namespace fluxora::net {

/// What the WebSockets of one I/O thread share, so that an idle one holds next to nothing. Whoever uses a buffer is
/// done with it before it returns to the event loop.
struct WebSocketThread {
  static constexpr std::size_t buffer_bytes = 64 * 1024;
  std::array<char, buffer_bytes> read_buffer;
  std::array<char, buffer_bytes> write_buffer;
  CompressedFrames compressed;
  Inflater inflater;
  std::string inflated;
};

}  // namespace fluxora::net
