#pragma once

#include <cstddef>
#include <string>

namespace fluxora::ports {

/// How many open feeds (WebSocket and SSE) an address has over all instances of the service, so that a limit by address
/// holds for the fleet and not for each instance. Eventually consistent: what other instances have is known as last
/// heard of them, a fraction of a second late. From any thread; neither call waits for anything.
class ConnectionCounts {
 public:
  virtual ~ConnectionCounts() = default;
  /// Open feeds of that address on the other instances; 0 where nothing is shared.
  [[nodiscard]] virtual std::size_t elsewhere(const std::string& address) const = 0;
  /// This instance has `here` open feeds of that address now.
  virtual void changed(const std::string& address, std::size_t here) = 0;
};

}  // namespace fluxora::ports
