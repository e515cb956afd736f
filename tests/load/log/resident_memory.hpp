#pragma once

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>

namespace fluxora::load {

/// VmRSS of a process, in KiB. `process`: its id, or "self". Throws std::runtime_error where there is no such process.
[[nodiscard]] inline std::uint64_t resident_kib(const std::string& process) {
  std::ifstream status("/proc/" + process + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stoull(line.substr(6));
  }
  throw std::runtime_error("process " + process + " has no VmRSS");
}

}  // namespace fluxora::load
