#include "fluxora/ops/backup.hpp"

#include "postgres_programs.hpp"
#include "sha256_stream.hpp"
#include "wiring.hpp"

namespace fluxora::ops {
namespace {

/// Behind a lock that keeps pg_dump from reading it waits as long at most.
constexpr std::string_view lock_wait = "--lock-wait-timeout=60s";

std::vector<std::string> dump_arguments(const DatabaseAccess& database) {
  // Without a log that a replay is still reading in, what is empty after a crash anyway, and large objects, which
  // aren't ours and which pg_restore has in transactions of their own.
  return {"--format=custom", "--no-password",        "--exclude-schema=fluxora_next", "--no-unlogged-table-data",
          "--no-blobs",      std::string(lock_wait), database_argument(database)};
}

}  // namespace

ArchiveFacts backup(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3,
                    const Attention& attention) {
  const auto programs = find_programs({"pg_dump"}, database.server_major, program_folders(), attention.stopped);
  Wiring wiring(s3, attention);
  const auto sink = wiring.sink(place);
  ChildProcess dump(program(programs[0], dump_arguments(database), database), attention.stopped);
  Sha256Stream sum;
  const int code = dump.finish([&](std::string_view bytes) {
    sum.add(bytes);
    sink->write(bytes);
    attention.show("write", sum.facts().bytes);
  });
  if (code != 0) throw Failure("pg_dump ended with exit code " + std::to_string(code) + ".", dump.complaint());
  sink->finish();
  return sum.facts();
}

}  // namespace fluxora::ops
