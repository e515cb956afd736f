#pragma once

#include "fluxora/ports/store_result.hpp"

namespace fluxora::ports {

/// Whether the store can serve. For readiness probes.
class Readiness {
 public:
  virtual ~Readiness() = default;
  /// Replies true when the database answers and its migrations are exactly this version's.
  virtual void check(Reply<bool> reply) = 0;
};

}  // namespace fluxora::ports
