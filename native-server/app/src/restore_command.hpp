#pragma once

#include <string>

#include "config.hpp"

namespace fluxora::app {

/// Puts a backup in the place of what the database has, under a new epoch. SPEC section 11, docs/backup.md. One JSON
/// object on stdout; exit codes as backup's; after all but 0 the database is as it was. `terminate`: ends the
/// database's other sessions instead of refusing.
int restore(const Config& config, const std::string& place, bool terminate);

}  // namespace fluxora::app
