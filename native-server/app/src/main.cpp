#include <functional>
#include <iostream>

#include <CLI/CLI.hpp>

#include "application.hpp"
#include "backup_command.hpp"
#include "command_result.hpp"
#include "config.hpp"
#include "health_command.hpp"
#include "keys_command.hpp"
#include "rebuild_command.hpp"
#include "replay_command.hpp"
#include "restore_command.hpp"
#include "settings_text.hpp"
#include "verify_command.hpp"

namespace {

using namespace fluxora;

/// The checked configuration, or none after saying on stderr what is wrong with it.
std::optional<app::Config> checked_config() {
  const app::ConfigResult result = app::read_config(app::process_environment());
  for (const std::string& note : result.notes) std::cerr << "fluxora-server: " << note << '\n';
  for (const std::string& problem : result.problems) std::cerr << "fluxora-server: " << problem << '\n';
  if (!result.problems.empty()) return std::nullopt;
  return result.config;
}

int with_config(const std::function<int(const app::Config&)>& command) {
  const auto config = checked_config();
  return config ? command(*config) : app::exit_bad_arguments;
}

/// For the commands that have one JSON object on stdout, however they end.
int with_config_or_failure(const std::function<int(const app::Config&)>& command) {
  if (const auto config = checked_config()) return command(*config);
  return app::print_failure(app::exit_bad_arguments, "The configuration isn't valid: stderr says what is wrong.");
}

int check_config() {
  if (!checked_config()) return app::exit_bad_arguments;
  std::cout << "The configuration is valid.\n";
  return 0;
}

int print_example() {
  std::cout << app::settings_example();
  return 0;
}

/// `keys` and its own commands.
class KeysCommand {
 public:
  explicit KeysCommand(CLI::App& cli) : keys_(cli.add_subcommand("keys", "Make, list and revoke API keys")) {
    keys_->require_subcommand(1);
    create_ = keys_->add_subcommand("create", "Make a key; it is shown this once");
    create_->add_option("--name", arguments_.name, "What it is for")->required();
    create_
        ->add_option("--scope", arguments_.scopes,
                     "What it may do, once each: streams:write, webhooks:manage, indexer:write, admin")
        ->required();
    create_->add_option("--expires-in-days", arguments_.expires_in_days, "Good for so long; never ends without it")
        ->check(CLI::Range(1, 36'500));
    create_->add_flag("--replace", arguments_.replace, "Give a live key of that name a new secret, if there is one");
    list_ = keys_->add_subcommand("list", "All keys, newest first, without their secrets");
    revoke_ = keys_->add_subcommand("revoke", "End a key, on every instance within 5 s");
    revoke_->add_option("id", arguments_.id, "The 16 hexadecimal digits after flx_")->required();
  }

  [[nodiscard]] bool parsed() const { return keys_->parsed(); }

  [[nodiscard]] int run() const {
    const auto command = create_->parsed() ? app::create_key : list_->parsed() ? app::list_keys : app::revoke_key;
    return with_config([&](const app::Config& config) { return command(config, arguments_); });
  }

 private:
  CLI::App* keys_;
  CLI::App* create_;
  CLI::App* list_;
  CLI::App* revoke_;
  app::KeyArguments arguments_;
};

/// `replay` and its options.
class ReplayCommand {
 public:
  explicit ReplayCommand(CLI::App& cli)
      : replay_(cli.add_subcommand("replay", "Read the chain again into a new epoch, and put it in the log's place")) {
    replay_->add_option("--from-ledger", arguments_.from_ledger, "The first ledger; without it the log's own")
        ->check(CLI::PositiveNumber);
    replay_->add_flag("--restart", arguments_.restart, "Drop what an earlier replay has read, and begin anew");
  }

  [[nodiscard]] bool parsed() const { return replay_->parsed(); }

  [[nodiscard]] int run() const {
    return with_config_or_failure([&](const app::Config& config) { return app::replay(config, arguments_); });
  }

 private:
  CLI::App* replay_;
  app::ReplayArguments arguments_;
};

/// `backup` and `restore` with their options.
class BackupCommands {
 public:
  explicit BackupCommands(CLI::App& cli)
      : backup_(cli.add_subcommand("backup", "Write the database to a file or an object of S3")),
        restore_(cli.add_subcommand("restore", "Put a backup in the place of what the database has")) {
    backup_->add_option("--to", arguments_.place, "FILE, or s3://bucket/key")->required();
    restore_->add_option("--from", arguments_.place, "FILE, or s3://bucket/key")->required();
    restore_->add_option("--sha256", arguments_.sha256, "What the backup's SHA-256 has to be");
    restore_->add_flag("--terminate", arguments_.terminate,
                       "End the other sessions of the database, instead of refusing");
  }

  [[nodiscard]] bool parsed() const { return backup_->parsed() || restore_->parsed(); }

  [[nodiscard]] int run() const {
    return with_config_or_failure([&](const app::Config& config) {
      return backup_->parsed() ? app::backup(config, arguments_.place) : app::restore(config, arguments_);
    });
  }

 private:
  CLI::App* backup_;
  CLI::App* restore_;
  app::RestoreArguments arguments_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli("Fluxora follows treasury payment streams on Stellar and serves them.", "fluxora-server");
  cli.footer(app::settings_help());
  cli.require_subcommand(1);
  CLI::App* serve = cli.add_subcommand("serve", "Run the service until SIGINT or SIGTERM");
  CLI::App* migrate = cli.add_subcommand("migrate", "Bring the database's schema to this version");
  const KeysCommand keys(cli);
  const ReplayCommand replay(cli);
  const BackupCommands backups(cli);
  CLI::App* verify = cli.add_subcommand("verify", "Fold the whole log again and say what isn't as it says");
  CLI::App* rebuild = cli.add_subcommand("rebuild", "Fold the whole log again and mend the streams that differ");
  indexer::RebuildOptions rebuild_options;
  rebuild
      ->add_option("--save-every", rebuild_options.save_entries, "Entries between places that a later run goes on from")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI::App* health = cli.add_subcommand("health", "Ask the service that runs here for its health, and print it");
  CLI::App* check = cli.add_subcommand("check-config", "Check the environment variables");
  bool example = false;
  check->add_flag("--example", example, "Check nothing, and print a file with all of them");
  CLI::App* version = cli.add_subcommand("version", "Print the version");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? app::exit_done : app::exit_bad_arguments;  // 0: --help
  }

  if (serve->parsed()) return with_config(app::serve);
  if (migrate->parsed()) return with_config(app::migrate);
  if (keys.parsed()) return keys.run();
  if (replay.parsed()) return replay.run();
  if (backups.parsed()) return backups.run();
  if (verify->parsed()) return with_config_or_failure(app::verify);
  if (rebuild->parsed()) {
    return with_config_or_failure([&](const app::Config& config) { return app::rebuild(config, rebuild_options); });
  }
  if (health->parsed()) return with_config_or_failure(app::health);
  if (example) return print_example();
  if (check->parsed()) return check_config();
  if (version->parsed()) std::cout << FLUXORA_VERSION << '\n';
  return 0;
}
