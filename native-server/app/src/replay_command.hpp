#pragma once

#include <cstdint>
#include <optional>

#include "config.hpp"

namespace fluxora::app {

struct ReplayArguments {
  std::optional<std::uint32_t> from_ledger;  ///< none: where the log begins
  bool restart = false;                      ///< what an earlier replay has read is dropped
};

/// `fluxora-server replay`: reads the chain again into a new epoch beside the served one, and puts it in its place.
/// Prints one JSON object on stdout. Returns the exit code: 0 done, 1 failed, 2 bad configuration, 3 paused.
int replay(const Config& config, const ReplayArguments& arguments);

}  // namespace fluxora::app
