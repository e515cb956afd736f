#pragma once

#include <memory>

#include "archive_sink.hpp"
#include "archive_source.hpp"
#include "child_process.hpp"
#include "fluxora/ops/backup.hpp"

namespace fluxora::ops {

/// The place as a sink or source, with what it needs.
class Wiring {
 public:
  Wiring(const S3Options& s3, const Attention& attention);
  [[nodiscard]] std::unique_ptr<ArchiveSink> sink(const BackupPlace& place);
  [[nodiscard]] std::unique_ptr<ArchiveSource> source(const BackupPlace& place);

 private:
  [[nodiscard]] S3Object object(const S3Place& place);

  const S3Options& s3_;
  const Attention& attention_;
  std::unique_ptr<outbound::AwsClient> client_;
};

/// One of PostgreSQL's programs as a child that finds the database's service file.
[[nodiscard]] ChildSetup program(const std::string& path, std::vector<std::string> arguments,
                                 const DatabaseAccess& database);

/// The argument that names the database without saying anything about it.
[[nodiscard]] std::string database_argument(const DatabaseAccess& database);

}  // namespace fluxora::ops
