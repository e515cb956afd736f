#pragma once

#include <string>
#include <vector>

#include "config.hpp"

namespace fluxora::app {

/// `fluxora-server keys`: what /admin/api-keys does, for whoever has the database, and for the first key of all. Each
/// prints one JSON object on stdout and returns the exit code: 0 done, 1 failed, 2 bad arguments.
struct KeyArguments {
  std::string name;
  std::vector<std::string> scopes;
  unsigned expires_in_days = 0;  ///< 0: never
  bool replace = false;          ///< a live key of that name gets a new secret instead of a sibling
  std::string id;
};

int create_key(const Config& config, const KeyArguments& arguments);
int list_keys(const Config& config, const KeyArguments& arguments);
int revoke_key(const Config& config, const KeyArguments& arguments);

}  // namespace fluxora::app
