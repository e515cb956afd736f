#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fluxora::ops {

/// Where PostgreSQL's programs may be: Debian's folder a version, those of PostgreSQL's own packages, then the folders
/// of PATH. The first are asked before the others, because what Debian has in PATH is a wrapper that chooses by itself.
[[nodiscard]] std::vector<std::string> program_folders();

/// The paths of the programs, all of one folder, of the server's own major version where that is installed, else of the
/// next newer one: older ones can't read what the server has, newer ones write what an older pg_restore can't read.
/// Each folder's first program is asked for its version. Throws Failure, which names what is missing.
[[nodiscard]] std::vector<std::string> find_programs(const std::vector<std::string>& names, int server_major,
                                                     const std::vector<std::string>& folders,
                                                     const std::function<bool()>& stopped);

/// "pg_dump (PostgreSQL) 15.18 (Debian …)" → 15; 0 for anything else.
[[nodiscard]] int major_of(std::string_view version_line);

/// What the programs have of our environment: PATH, HOME and libpq's own variables; messages in English. The service
/// file is the one that they are given.
[[nodiscard]] std::vector<std::string> program_environment();

}  // namespace fluxora::ops
