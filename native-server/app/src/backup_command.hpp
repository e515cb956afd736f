#pragma once

#include <string>

#include "config.hpp"

namespace fluxora::app {

/// Writes the database to a file or an object of S3. SPEC section 11, docs/backup.md. One JSON object on stdout; exit
/// codes: 0 done, 1 failed, 2 bad arguments or configuration, 3 ended by a signal, with nothing left of it.
int backup(const Config& config, const std::string& place);

}  // namespace fluxora::app
