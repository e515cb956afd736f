#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fluxora/store/store.hpp"

/// What backup and restore know of the database besides PostgreSQL's own programs. SPEC section 11, docs/backup.md.
namespace fluxora::store {

/// The service that service_file() describes.
inline constexpr std::string_view backup_service = "fluxora";

/// The database's URL as a service file of libpq's, so that programs can be told of it by another way than their
/// arguments. Throws std::invalid_argument, without any part of the URL, where that isn't one or has what such a file
/// can't say (a line break, white space at a value's end, a value of more than 900 bytes).
[[nodiscard]] std::string service_file(const StoreOptions& options, std::string_view purpose);

/// A database as a backup or restore finds it.
struct DatabaseFacts {
  int server_major = 0;
  bool is_standby = false;
  bool has_log = false;   ///< Fluxora's tables are there
  bool is_empty = false;  ///< it has no tables at all, but for those of extensions
};

/// Throws ports::StoreUnavailable, whose text is the server's and holds no password.
[[nodiscard]] DatabaseFacts look_at_database(const StoreOptions& options);

/// The application names of the database's other sessions, sorted. Those that are about to go, of a server that was
/// stopped just now or of our own, get two seconds for it. Throws as look_at_database().
[[nodiscard]] std::vector<std::string> other_sessions(const StoreOptions& options);

/// Why a backup that these migrations (names and checksums, in order) made can't be served by this program, as a
/// sentence; none: it can.
[[nodiscard]] std::optional<std::string> migrations_problem(
    const std::vector<std::pair<std::string, std::string>>& migrations);

/// The SQL, for psql, that goes before an archive's: it opens the transaction, keeps others out, and drops all that the
/// schema of the log and a replay under way have. It fails where other sessions are connected; `end_sessions` ends
/// them. Whoever connects from then on waits for the transaction's end at the first table or at the lock of migrations.
[[nodiscard]] std::string restore_opening(bool end_sessions);

/// The SQL behind it: a new epoch, the end of what belonged to the old one, the audit record, COMMIT. `schema`:
/// [a-z0-9_]; `target` and `detail`: the audit record's.
[[nodiscard]] std::string restore_closing(std::string_view schema, std::string_view target, std::string_view detail);

/// Adds `backup.create` to the audit log. False: the database is a standby, which can't take it.
bool record_backup(const StoreOptions& options, const std::string& target, const std::string& detail);

}  // namespace fluxora::store
