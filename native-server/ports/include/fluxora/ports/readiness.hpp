#pragma once

#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// Whether the store can serve. For probes.
class Readiness {
 public:
  virtual ~Readiness() = default;
  /// Whether the database was in reach when it was last looked at, which happens all the time: asking costs nothing.
  [[nodiscard]] virtual bool is_well() const = 0;
  /// Replies true when the database answers and its migrations are exactly this version's.
  virtual void check(Reply<bool> reply) = 0;
};

}  // namespace fluxora::ports
