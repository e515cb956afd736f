#include "fluxora/ops/backup.hpp"
#include "postgres_programs.hpp"
#include "script_head.hpp"
#include "sha256_stream.hpp"
#include "wiring.hpp"

namespace fluxora::ops {
namespace {

/// What pg_dump's custom format begins with.
constexpr std::string_view magic = "PGDMP";

/// The programs that a restore takes, of one version: psql has to read what pg_restore writes.
struct Programs {
  std::string pg_restore;
  std::string psql;
};

Programs restore_programs(const DatabaseAccess& database, const Attention& attention) {
  const auto paths = find_programs({"pg_restore", "psql"}, database.server_major, program_folders(), attention.stopped);
  return {paths[0], paths[1]};
}

/// pg_restore, which reads an archive on stdin and writes it as SQL. Who owned things, and who else might use them,
/// stays behind: those users may not exist where it is restored.
ChildSetup script_maker(const Programs& programs) {
  ChildSetup setup;
  setup.program = programs.pg_restore;
  setup.arguments = {"--clean",           "--if-exists",        "--exit-on-error",  "--no-owner", "--no-privileges",
                     "--no-publications", "--no-subscriptions", "--no-tablespaces", "--file=-"};
  setup.environment = program_environment();
  setup.has_input = true;
  return setup;
}

/// Reads the archive to its end and hands on what pg_restore makes of it.
ArchiveFacts read_through(ArchiveSource& source, const Programs& programs, std::string_view step,
                          const Attention& attention, const ChildProcess::Take& take) {
  ChildProcess maker(script_maker(programs), attention.stopped);
  Sha256Stream sum;
  bool is_read = true;
  for (std::string bytes = source.read(); !bytes.empty(); bytes = source.read()) {
    if (sum.facts().bytes == 0 && bytes.substr(0, magic.size()) != magic) {
      throw Failure("That isn't a backup: it doesn't begin as pg_dump's custom format does.");
    }
    sum.add(bytes);
    is_read = is_read && maker.feed(bytes, take);  // whoever reads no more has a reason, which its end tells
    attention.show(step, sum.facts().bytes);
    if (!is_read) break;
  }
  if (sum.facts().bytes == 0) throw Failure("There is nothing in the backup: it is empty.");
  const int code = maker.finish(take);
  if (code != 0 || !is_read) {
    throw Failure("The backup is damaged or not whole, or newer than pg_restore: that ended with exit code " +
                      std::to_string(code) + ".",
                  maker.complaint());
  }
  return sum.facts();
}

/// psql as the one session that restores.
class RestoreSession {
 public:
  RestoreSession(const Programs& programs, const DatabaseAccess& database, const Attention& attention)
      : psql_(setup(programs, database), [this, &attention] { return !committing_ && attention.stopped(); }) {}

  void run(std::string_view sql) {
    if (!psql_.feed(sql)) refuse(psql_.finish());
  }

  /// Runs what ends the transaction, and no signal keeps it from that.
  void commit(std::string_view sql) {
    committing_ = true;
    run(sql);
    const int code = psql_.finish();
    if (code != 0 && code != statement_failed) {
      throw Failure("The connection was lost at the end: whether the backup is restored, the log's epoch tells.",
                    psql_.complaint());
    }
    if (code != 0) refuse(code);
  }

 private:
  static ChildSetup setup(const Programs& programs, const DatabaseAccess& database) {
    ChildSetup setup = program(programs.psql,
                               {"--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1",
                                "--set=VERBOSITY=terse", "--file=-", database_argument(database)},
                               database);
    setup.has_input = true;
    setup.has_output = false;
    return setup;
  }

  [[noreturn]] void refuse(int code) {
    throw Failure("The database refused, and is as it was: psql ended with exit code " + std::to_string(code) + ".",
                  psql_.complaint());
  }

  static constexpr int statement_failed = 3;  // psql(1), "Exit Status"; then nothing was committed

  bool committing_ = false;
  ChildProcess psql_;
};

}  // namespace

ArchiveFacts read_archive(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3,
                          const TakeScript& take, const Attention& attention) {
  Wiring wiring(s3, attention);
  const auto source = wiring.source(place);
  return read_through(*source, restore_programs(database, attention), "check", attention, take);
}

void restore(const DatabaseAccess& database, const BackupPlace& place, const S3Options& s3, const ArchiveFacts& facts,
             const RestoreScript& script, const Attention& attention) {
  const Programs programs = restore_programs(database, attention);
  Wiring wiring(s3, attention);
  const auto source = wiring.source(place);
  RestoreSession session(programs, database, attention);
  session.run(script.before);
  ScriptHead sql(database.server_major, [&session](std::string_view text) { session.run(text); });
  const ArchiveFacts again =
      read_through(*source, programs, "restore", attention, [&sql](std::string_view text) { sql.take(text); });
  sql.finish();
  // Whoever ends before the last statement has changed nothing: the session ends without COMMIT.
  if (again.bytes != facts.bytes || again.sha256 != facts.sha256) {
    throw Failure("The backup isn't the one any more that was checked: nothing is restored.");
  }
  session.commit(script.after);
}

}  // namespace fluxora::ops
