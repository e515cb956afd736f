#pragma once

#include <cstddef>

#include "config.hpp"
#include "fluxora/indexer/rebuild.hpp"

namespace fluxora::app {

/// `fluxora-server rebuild`: folds the log again, beside a service that may run, and mends the rows of streams that
/// differ. Prints one JSON object on stdout, its progress on stderr. Exit code: 0 done, 1 failed, 3 ended by a signal:
/// run again, it goes on.
int rebuild(const Config& config, const indexer::RebuildOptions& options);

}  // namespace fluxora::app
