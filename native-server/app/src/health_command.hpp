#pragma once

#include "config.hpp"

namespace fluxora::app {

/// `fluxora-server health`: asks the service of this configuration's HOST and PORT, on this machine, for /health
/// (SPEC section 10) and prints its answer, one JSON object. 0 for 200, which a degraded service says too; 1 for any
/// other answer, a shutdown's 503 among them, and for none; 2 where PORT doesn't say which port it is.
int health(const Config& config);

}  // namespace fluxora::app
