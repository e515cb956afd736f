#pragma once

#include <functional>
#include <string>

#include "config.hpp"
#include "fluxora/ops/backup.hpp"
#include "fluxora/store/backup.hpp"

namespace fluxora::app {

/// What backup and restore share: the arguments' checks, the programs' way to the database, progress on stderr, and how
/// what comes of it is told.
struct BackupRun {
  const Config& config;
  ops::BackupPlace place;
  ops::S3Options s3;
  store::StoreOptions store;
  ops::Attention attention;
};

/// Calls `work` and gives its exit code, or tells on stdout why there is none. `work` gets what it needs once the
/// place and the settings are what it takes.
int run_backup(const Config& config, const std::string& place, const std::function<int(const BackupRun&)>& work);

/// How PostgreSQL's programs reach the database that was looked at. `purpose`: part of the sessions' name.
[[nodiscard]] ops::DatabaseAccess database_access(const BackupRun& run, const store::DatabaseFacts& facts,
                                                  std::string_view purpose);

/// {"bytes":…,"sha256":"…"}, for the audit log.
[[nodiscard]] std::string facts_json(const ops::ArchiveFacts& facts);

/// The result of what went well; gives its exit code.
int print_done(std::string_view message, const ops::ArchiveFacts& facts);

}  // namespace fluxora::app
