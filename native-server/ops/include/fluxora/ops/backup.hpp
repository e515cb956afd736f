#pragma once

#include <cstdint>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "fluxora/core/bytes.hpp"
#include "fluxora/ops/backup_place.hpp"
#include "fluxora/outbound/aws_request.hpp"

/// Backup and restore of the database with PostgreSQL's own programs. SPEC section 11, docs/backup.md.
namespace fluxora::ops {

/// What keeps a backup or restore from being made, told to the operator: a sentence, and what a program or service said
/// about it, of which credentials are never part.
class Failure : public std::runtime_error {
 public:
  explicit Failure(const std::string& message, std::string detail = {})
      : std::runtime_error(message), detail_(std::move(detail)) {}
  [[nodiscard]] const std::string& detail() const noexcept { return detail_; }

 private:
  std::string detail_;
};

/// The operator ended it; nothing is left of it.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("Stopped by a signal.") {}
};

/// How PostgreSQL's programs reach the database.
struct DatabaseAccess {
  std::string service;       ///< a service's name in
  std::string service_file;  ///< this: libpq's service file, which may hold a password
  int server_major = 0;      ///< the server's major version, 15
};

struct S3Options {
  outbound::AwsOptions aws;
  std::string
      endpoint;  ///< http[s]://host[:port], where buckets are first segments of paths; empty: Amazon's of the region
};

/// What the process has to say and wants to hear meanwhile.
struct Attention {
  std::function<bool()> stopped;                                         ///< asked several times a second
  std::function<void(std::string_view step, std::uint64_t bytes)> show;  ///< how far it is
};

/// An archive as it was written or read.
struct ArchiveFacts {
  std::uint64_t bytes = 0;
  core::Hash sha256{};
};

/// Writes pg_dump's custom format to the place. The place has all of it or is as it was before: a file is renamed from
/// FILE.partial, an object appears with its last part. Throws Failure and Stopped.
ArchiveFacts backup(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3,
                    const Attention& attention);

/// Hears the SQL that pg_restore makes of an archive, in pieces as they come.
using TakeScript = std::function<void(std::string_view)>;

/// Reads all of an archive as a restore does, without a database. Throws Failure where it isn't one or isn't whole, and
/// Stopped.
ArchiveFacts read_archive(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3,
                          const TakeScript& take, const Attention& attention);

/// What a restore does in the database's transaction besides what is in the archive: SQL for psql.
struct RestoreScript {
  std::string before;  ///< from BEGIN on
  std::string after;   ///< up to COMMIT
};

/// Replaces what the database has with the archive's, in one transaction, which commits only where the archive was read
/// to its end and is byte for byte the one that `facts` are of. Throws Failure and Stopped.
void restore(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3, const ArchiveFacts& facts,
             const RestoreScript& script, const Attention& attention);

}  // namespace fluxora::ops
