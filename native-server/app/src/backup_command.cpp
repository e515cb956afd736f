#include "backup_command.hpp"

#include "backup_run.hpp"
#include "command_result.hpp"

namespace fluxora::app {
namespace {

/// The backup is there, whatever becomes of its record.
bool record(const BackupRun& run, const std::string& place, const ops::ArchiveFacts& facts) {
  try {
    return store::record_backup(run.store, place, facts_json(facts));
  } catch (const std::exception&) {
    return false;
  }
}

int make(const BackupRun& run, const std::string& place) {
  static_cast<void>(store::service_file(run.store, "backup"));  // a bad URL ends it before anybody is asked
  const store::DatabaseFacts facts = store::look_at_database(run.store);
  if (!facts.has_log) {
    throw ops::Failure("The database doesn't have the tables of Fluxora's log: there is nothing to back up.");
  }
  const auto written = ops::backup(database_access(run, facts, "backup"), run.place, run.s3, run.attention);
  return print_done(record(run, place, written) ? "The backup is written."
                                                : "The backup is written. The audit log couldn't take its record.",
                    written);
}

}  // namespace

int backup(const Config& config, const std::string& place) {
  return run_backup(config, place, [&place](const BackupRun& run) { return make(run, place); });
}

}  // namespace fluxora::app
