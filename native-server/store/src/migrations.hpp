#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace fluxora::store {

struct Migration {
  std::string name;  ///< the file's, "001_event_log"
  std::string sql;
};

/// The advisory lock of whoever migrates: any number that nothing else in the database locks by; all of ours say what
/// they are in hexadecimal ("fluxmigr").
inline constexpr long long migration_lock = 0x666c75786d696772;

/// store/migrations, in order, from the program itself.
const std::vector<Migration>& embedded_migrations();

/// True when exactly the embedded migrations are applied.
bool migrations_are_current(pqxx::connection& connection);

}  // namespace fluxora::store
