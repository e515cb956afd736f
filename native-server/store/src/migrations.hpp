#pragma once

#include <string>
#include <vector>

#include <pqxx/pqxx>

namespace fluxora::store {

struct Migration {
  std::string name;  ///< the file's, "001_event_log"
  std::string sql;
};

/// store/migrations, in order, from the program itself.
const std::vector<Migration>& embedded_migrations();

/// True when exactly the embedded migrations are applied.
bool migrations_are_current(pqxx::connection& connection);

}  // namespace fluxora::store
