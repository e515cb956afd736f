#pragma once

#include "config.hpp"

namespace fluxora::app {

/// Runs the service until SIGINT or SIGTERM. Returns the process's exit code.
int serve(const Config& config);

/// Applies the migrations and ends. Returns the process's exit code.
int migrate(const Config& config);

}  // namespace fluxora::app
