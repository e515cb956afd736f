#pragma once

#include <string>

#include "config.hpp"

namespace fluxora::app {

struct RestoreArguments {
  std::string place;
  bool terminate = false;  ///< ends the database's other sessions instead of refusing
  std::string sha256;      ///< that the archive has to have, in lower case hexadecimal; empty: any
};

/// Puts a backup in the place of what the database has, under a new epoch. SPEC section 11, docs/backup.md. One JSON
/// object on stdout; exit codes as backup's; after all but 0 the database is as it was.
int restore(const Config& config, const RestoreArguments& arguments);

}  // namespace fluxora::app
