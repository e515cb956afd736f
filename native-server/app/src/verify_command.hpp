#pragma once

#include "config.hpp"

namespace fluxora::app {

/// `fluxora-server verify`: reads the whole log as it is at one moment, folds it again and compares everything with
/// what is held. Prints one JSON object on stdout, its progress on stderr. Exit code: 0 all is as the log says, 1
/// something differs, or it couldn't be read, 3 ended by a signal.
int verify(const Config& config);

}  // namespace fluxora::app
