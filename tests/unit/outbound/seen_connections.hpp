#pragma once

#include <string>
#include <vector>

namespace fluxora::outbound::test {

/// Names of this program's own: lookups of `name` give these addresses, one list after the other and then from the
/// start again. An empty list: the lookup fails.
void set_addresses(const std::string& name, std::vector<std::vector<std::string>> lookups);
/// Lookups of `name` wait until release_lookups().
void hold_lookup(const std::string& name);
/// How many wait.
int held_lookups();
void release_lookups();

/// Every address that connect() was called for since the last call.
std::vector<std::string> take_connections();

}  // namespace fluxora::outbound::test
