#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "fluxora/core/unix_time.hpp"

namespace fluxora::ports {

/// How often each client has done something in its present window of time, over all instances of the service. A window
/// begins with what is counted first in it. From any thread; nobody waits: what was counted is known a moment later.
class RateCounts {
 public:
  struct Count {
    std::uint64_t total = 0;       ///< in the window, on all instances, this one included
    core::UnixMillis ends_at = 0;  ///< the window, by this instance's clock
  };
  /// None: whether it was counted isn't known. On any thread, before add() returns or after, and never after the end
  /// of what counts.
  using Counted = std::function<void(std::optional<Count>)>;

  virtual ~RateCounts() = default;
  /// Counts one. `limit` names what is limited, the same on all instances. False where nothing is shared at present:
  /// `counted` isn't called then.
  virtual bool add(std::string_view limit, std::string_view client, core::UnixMillis window_ms, Counted counted) = 0;
};

}  // namespace fluxora::ports
