#include "settings_text.hpp"

#include "config.hpp"

namespace fluxora::app {

std::string settings_help() {
  std::string text = "Environment variables:\n";
  for (const Setting& setting : settings()) {
    text += "  " + std::string(setting.name);
    if (!setting.default_text.empty()) text += " (" + std::string(setting.default_text) + ")";
    text += "\n      " + std::string(setting.description) + "\n";
  }
  return text;
}

std::string settings_example() {
  std::string text =
      "# What fluxora-server is told. A line behind a # sets nothing: the default that it shows holds. Quote a value "
      "with\n"
      "# spaces: NETWORK_PASSPHRASE=\"Test SDF Network ; September 2015\". Changes take effect when the service is "
      "restarted;\n"
      "# `fluxora-server check-config` says beforehand what is wrong with them.\n";
  for (const Setting& setting : settings()) {
    text += "\n# " + std::string(setting.description) + "\n#" + std::string(setting.name) + "=" +
            std::string(setting.default_text) + "\n";
  }
  return text;
}

}  // namespace fluxora::app
