#include "restore_command.hpp"

#include "backup_run.hpp"
#include "command_result.hpp"
#include "fluxora/core/bytes.hpp"
#include "fluxora/store/script_scan.hpp"

namespace fluxora::app {
namespace {

std::string listed(const std::vector<std::string>& sessions) {
  constexpr std::size_t most = 10;
  std::string text;
  for (std::size_t i = 0; i < sessions.size() && i < most; ++i) {
    text += (text.empty() ? "" : ", ") + (sessions[i].empty() ? std::string("one without a name") : sessions[i]);
  }
  return sessions.size() > most ? text + ", …" : text;
}

/// Before anything is read, and long before anything is dropped.
void check_target(const store::StoreOptions& options, const store::DatabaseFacts& facts, bool terminate) {
  if (facts.is_standby) throw ops::Failure("The database is a standby, which can't be written.");
  if (!facts.has_log && !facts.is_empty) {
    throw ops::Failure("The database has tables of something else: restore into an empty one, or into Fluxora's own.");
  }
  if (terminate) return;
  const std::vector<std::string> sessions = store::other_sessions(options);
  if (!sessions.empty()) {
    throw ops::Failure("Other sessions are connected to the database: end them, or let --terminate do it.",
                       listed(sessions));
  }
}

bool is_sha256(std::string_view text) {
  constexpr std::size_t digits = 64;
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

int put_back(const BackupRun& run, const RestoreArguments& arguments) {
  static_cast<void>(store::service_file(run.store, "restore"));  // a bad URL ends it before anybody is asked
  const store::DatabaseFacts facts = store::look_at_database(run.store);
  check_target(run.store, facts, arguments.terminate);
  const ops::DatabaseAccess access = database_access(run, facts, "restore");
  store::ScriptScan scan;
  const ops::ArchiveFacts archive =
      ops::read_archive(access, run.place, run.s3, [&scan](std::string_view text) { scan.take(text); }, run.attention);
  // pg_restore finds what is missing, and rows that were changed, but not a letter that was changed in the archive's
  // head.
  if (!arguments.sha256.empty() && core::hex_encode(archive.sha256) != arguments.sha256) {
    throw ops::Failure("The backup isn't the one of that SHA-256.");
  }
  if (scan.schema().empty() || scan.migrations().empty()) {
    throw ops::Failure("That is a backup of something else: the tables of Fluxora's log aren't in it.");
  }
  if (scan.commits()) {
    throw ops::Failure(
        "The backup has large objects, which can't be restored in one transaction: none of them is Fluxora's.");
  }
  if (const auto problem = store::migrations_problem(scan.migrations())) throw ops::Failure(*problem);
  const ops::RestoreScript script{store::restore_opening(arguments.terminate),
                                  store::restore_closing(scan.schema(), arguments.place, facts_json(archive))};
  ops::restore(access, run.place, run.s3, archive, script, run.attention);
  return print_done("The backup is restored, under a new epoch.", archive);
}

}  // namespace

int restore(const Config& config, const RestoreArguments& arguments) {
  if (!arguments.sha256.empty() && !is_sha256(arguments.sha256)) {
    return print_failure(exit_bad_arguments, "--sha256 must be 64 digits of lower case hexadecimal.");
  }
  return run_backup(config, arguments.place, [&](const BackupRun& run) { return put_back(run, arguments); });
}

}  // namespace fluxora::app
