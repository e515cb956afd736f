#pragma once

#include <string>

namespace fluxora::app {

/// All settings as --help shows them.
[[nodiscard]] std::string settings_help();

/// All settings as a file of an environment (systemd.exec(5), EnvironmentFile=), each behind a `#` with its default:
/// read as it is, it sets nothing.
[[nodiscard]] std::string settings_example();

}  // namespace fluxora::app
