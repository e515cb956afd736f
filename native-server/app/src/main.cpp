#include <iostream>

#include <CLI/CLI.hpp>

#include "application.hpp"
#include "config.hpp"

namespace {

using namespace fluxora;

constexpr int bad_configuration = 2;

std::string settings_help() {
  std::string text = "Environment variables:\n";
  for (const app::Setting& setting : app::settings()) {
    text += "  " + std::string(setting.name);
    if (!setting.default_text.empty()) text += " (" + std::string(setting.default_text) + ")";
    text += "\n      " + std::string(setting.description) + "\n";
  }
  return text;
}

/// The checked configuration, or none after saying on stderr what is wrong with it.
std::optional<app::Config> checked_config() {
  const app::ConfigResult result = app::read_config(app::process_environment());
  for (const std::string& note : result.notes) std::cerr << "fluxora-server: " << note << '\n';
  for (const std::string& problem : result.problems) std::cerr << "fluxora-server: " << problem << '\n';
  if (!result.problems.empty()) return std::nullopt;
  return result.config;
}

int with_config(int (*command)(const app::Config&)) {
  const auto config = checked_config();
  return config ? command(*config) : bad_configuration;
}

int check_config() {
  if (!checked_config()) return bad_configuration;
  std::cout << "The configuration is valid.\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli("Fluxora follows treasury payment streams on Stellar and serves them.", "fluxora-server");
  cli.footer(settings_help());
  cli.require_subcommand(1);
  CLI::App* serve = cli.add_subcommand("serve", "Run the service until SIGINT or SIGTERM");
  CLI::App* migrate = cli.add_subcommand("migrate", "Bring the database's schema to this version");
  CLI::App* check = cli.add_subcommand("check-config", "Check the environment variables");
  CLI::App* version = cli.add_subcommand("version", "Print the version");
  CLI11_PARSE(cli, argc, argv);

  if (serve->parsed()) return with_config(app::serve);
  if (migrate->parsed()) return with_config(app::migrate);
  if (check->parsed()) return check_config();
  if (version->parsed()) std::cout << FLUXORA_VERSION << '\n';
  return 0;
}
